"""Processes of the engine that die at any moment, under load: what runs goes on or comes back, nothing
runs twice, nothing stays behind. BERTH_FAULT_ROUNDS (6) kills, the seed is printed and taken from
BERTH_FAULT_SEED; BERTH_SHORT_CONTAINERS (25) in a row. One machine."""
import os
import random
import shutil
import subprocess

import pytest

from machine import SHORT_SECONDS, Machine, wait_until
from registries import Registry

ROUNDS = int(os.environ.get("BERTH_FAULT_ROUNDS", "6"))
SHORT = int(os.environ.get("BERTH_SHORT_CONTAINERS", "25"))
SEED = int(os.environ.get("BERTH_FAULT_SEED") or random.SystemRandom().randrange(1 << 31))
STEADY = ("steady-1", "steady-2", "steady-3")
VICTIMS = ("engine", "engine", "shim", "fetch", "store")
WIDE_SECONDS = 240
# Counts its starts in a volume, and says a number five times a second: "START NUMBER".
COUNTING = (": {name}; echo x >> /data/starts; run=$(busybox wc -l < /data/starts); i=0; "
            "while :; do echo $run $i; i=$((i + 1)); busybox usleep 200000; done")
# Kills one of the processes of this name, when there is one; says whether it did.
KILL = """busybox usleep {wait_us}
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  set -- $(pidof {victim}) && break
  busybox usleep 100000
done
[ $# -gt 0 ] || exit 0
shift $(({which} % $#))
kill -9 $1 && echo killed
"""

# The first processes of all containers: 1 in a namespace of their own.
FIRST = """for s in $(grep -l '^NSpid:.*[[:blank:]].*[[:blank:]]1$' /proc/[0-9]*/status 2>/dev/null); do
  tr '\\0' ' ' < ${s%status}cmdline; echo
done 2>/dev/null; true"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory, out):
    """With an image that is the demo, and three megabytes besides."""
    folder = tmp_path_factory.mktemp("faults")
    shutil.copytree(out / "demo-image", folder / "app")
    (folder / "new").write_bytes(random.Random(1).randbytes(3 << 20))
    subprocess.run(["umoci", "insert", "--image", f"{folder}/app:latest", folder / "new", "/srv/new"],
                   check=True, capture_output=True)
    (folder / "registry").mkdir()
    registry = Registry(folder / "registry")
    registry.fill("app:1", f"oci:{folder}/app:latest")
    yield registry
    registry.close()


@pytest.fixture(scope="module")
def tank(image, ssh_key, registry):
    user_data = (f"#cloud-config\nssh_authorized_keys:\n  - {ssh_key.public}\ncontainers: {{}}\n"
                 f"berth: {{registries: {{'10.0.2.2:{registry.port}': {{insecure: true}}}}}}\n")
    with Machine(image, user_data=user_data, memory=384, ssh_key=ssh_key) as machine:
        machine.wait_ssh()
        machine.app = f"10.0.2.2:{registry.port}/app:1"
        for name in STEADY:
            machine.ssh(f"berth run -d --restart always --name {name} -v {name}:/data "
                        f"--user 0 --entrypoint sh localhost/demo -c '{COUNTING.format(name=name)}'")
        yield machine


def left(tank):
    """What there is of containers on the host, place by place."""
    return dict(line.split(": ", 1) for line in tank.ssh(
        "echo \"containers: $(berth ps -aq | wc -l)\"\n"
        "echo \"records: $(ls /var/lib/berth/containers | wc -l)\"\n"
        "echo \"bundles: $(ls /run/berth/containers | wc -l)\"\n"
        "echo \"shims: $(pidof shim | wc -w)\"\n"
        "echo \"cgroups: $(ls /sys/fs/cgroup/containers | grep -c -E '^[0-9a-f]{64}$')\"\n"
        "echo \"links: $(ls /sys/class/net | grep -c ^vb)\"\n"
        "echo \"mounts: $(wc -l < /proc/mounts)\"\n"
        "echo \"volumes: $(ls /var/lib/berth/volumes | wc -l)\"\n"
        "echo \"pulling: $(pidof store fetch | wc -w)\"\n").splitlines())


def settled(tank):
    """Everything that is declared runs, once."""
    done = tank.try_ssh("berth ps --format '{{.Names}} {{.State}}'")
    running = {line for line in done.stdout.splitlines() if line.startswith("steady")}
    if done.returncode or running != {f"{name} running" for name in STEADY}:
        return False
    first = tank.ssh(FIRST)
    for name in STEADY:
        count = first.count(f": {name};")
        assert count <= 1, f"{name} runs {count} times\n{first}"
        if not count:
            return False
    return True


def start_load(tank):
    tank.ssh("touch /run/load")
    for work in ("berth run --rm --network none --entrypoint sh localhost/demo -c :",
                 "berth run --rm --entrypoint sh localhost/demo -c :",
                 f"berth pull -q {tank.app}; berth rmi {tank.app}"):
        tank.ssh(f"(while [ -e /run/load ]; do {work}; done) </dev/null >/dev/null 2>&1 &")


def stop_load(tank):
    """What was made and never started, because the engine was gone in between, is there as with docker."""
    tank.ssh("rm /run/load")
    wait_until(lambda: tank.try_ssh("pidof berth").returncode != 0, WIDE_SECONDS, "the load is over", tank)
    tank.ssh("for id in $(berth ps -aq -f status=created); do berth rm $id; done")


def test_kills_under_load(tank):
    print(f"BERTH_FAULT_SEED={SEED}")
    chance, kills = random.Random(SEED), []
    wait_until(lambda: settled(tank), WIDE_SECONDS, "all are up", tank)
    before = left(tank)
    start_load(tank)
    for _ in range(ROUNDS):
        victim = chance.choice(VICTIMS)
        script = KILL.format(victim=victim, which=chance.randrange(100),
                             wait_us=chance.randrange(2000000))
        if "killed" in tank.ssh(script):
            kills.append(victim)
        wait_until(lambda: settled(tank), WIDE_SECONDS, f"it goes on, seed {SEED}, {kills}", tank)
    stop_load(tank)
    print(f"killed: {' '.join(kills)}")
    assert kills, f"seed {SEED}: nothing was killed"
    wait_until(lambda: left(tank) == before, WIDE_SECONDS,
               f"nothing more than before, seed {SEED}, {kills}: {before}, {left(tank)}", tank)
    # The store is whole: what was half pulled is pulled, and goes without a rest.
    tank.ssh(f"berth pull -q {tank.app} && berth rmi {tank.app}", seconds=WIDE_SECONDS)
    assert tank.ssh("ls /var/lib/berth/store/layers /var/lib/berth/store/tmp").split() == [
        "/var/lib/berth/store/layers:", "/var/lib/berth/store/tmp:"]


def test_what_they_wrote_is_not_lost(tank):
    """Each start's numbers have no gap, and no start is missing: the kills took nothing out of the logs."""
    for name in STEADY:
        runs = {}
        for line in tank.ssh(f"berth logs {name}").splitlines():
            run, _, number = line.partition(" ")
            assert run.isdigit() and number.isdigit(), f"{name}, seed {SEED}: {line!r} after {runs}"
            run, number = int(run), int(number)
            assert number == runs.get(run, -1) + 1, f"{name}, seed {SEED}: {line} after {runs}"
            runs[run] = number
        starts = int(tank.ssh(f"wc -l < /var/lib/berth/volumes/{name}/_data/starts"))
        assert list(runs) == list(range(1, starts + 1)), f"{name}, seed {SEED}"


def test_short_containers_leave_nothing(tank):
    def memory():
        return int(tank.ssh("sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$(pidof engine)/status"))

    run = "berth run --rm -v /anonymous --entrypoint sh localhost/demo -c :"
    tank.ssh(f"{run} && {run}", seconds=WIDE_SECONDS)
    before, resident = left(tank), memory()
    for _ in range(0, SHORT, 25):
        tank.ssh(f"i=0; while [ $i -lt 25 ]; do {run} || exit 1; i=$((i + 1)); done", seconds=WIDE_SECONDS)
    wait_until(lambda: left(tank) == before, SHORT_SECONDS, f"{before}, {left(tank)}", tank)
    assert memory() < resident + 512, f"the engine grew from {resident} kB to {memory()} kB"


@pytest.mark.parametrize("jump", [400 * 86400, -400 * 86400])
def test_the_clock_jumps(tank, jump):
    """Nothing that runs minds, time-outs and back-off neither; logs keep their order."""
    starts = tank.ssh("cat /var/lib/berth/volumes/*/_data/starts").count("x")
    tank.ssh(f"date -s @$(($(date +%s) + {jump}))")
    tank.ssh("berth run -d --name jumper --stop-timeout 1 --entrypoint sh localhost/demo -c "
             "'trap : TERM; while :; do busybox usleep 100000; done'")
    tank.ssh("berth stop jumper", seconds=WIDE_SECONDS)
    assert tank.ssh("berth inspect -f '{{.State.ExitCode}}' jumper").strip() == "137"
    tank.ssh("berth rm jumper")
    tank.ssh("berth restart -t 0 steady-1")
    wait_until(lambda: settled(tank), WIDE_SECONDS, "all run", tank)
    assert tank.ssh("cat /var/lib/berth/volumes/*/_data/starts").count("x") == starts + 1
    assert tank.ssh("berth logs --since 30s steady-2").count("\n") > 1
