"""Containers on a real machine, looked at from outside: nginx and redis made from Debian packages,
limits that bite, what a container can see, and what becomes of faulty declarations."""
import base64
import json
import re
import socket
from pathlib import Path

import pytest

from machine import BOOT_SECONDS, SHORT_SECONDS, Machine, wait_until

HERE = Path(__file__).parent

# docker's default set (moby, oci/caps/defaults.go): CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID
# SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP.
DOCKER_CAPABILITIES = "00000000a80425fb"


def user_data(public_key):
    view = base64.b64encode((HERE / "view.sh").read_bytes()).decode()
    text = (HERE / "servers.yaml").read_text()
    return text.replace("@SSH_KEY@", public_key).replace("@VIEW@", view)


@pytest.fixture(scope="module")
def tank(servers_image, ssh_key):
    with Machine(servers_image, user_data=user_data(ssh_key.public), memory=512, ssh_key=ssh_key,
                 forward=[80, 6379]) as machine:
        machine.wait_ssh()
        yield machine


def redis(machine, *words):
    """One command in the Redis protocol (RESP): the answer's first line, or None."""
    request = f"*{len(words)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in words)
    try:
        with socket.create_connection(("127.0.0.1", machine.ports[6379]), timeout=20) as s:
            s.sendall(request.encode())
            stream = s.makefile("rb")
            line = stream.readline().decode().strip()
            return stream.readline().decode().strip() if line.startswith("$") else line or None
    except OSError:
        return None


def wait_redis(machine, *words, answer):
    wait_until(lambda: redis(machine, *words) == answer, BOOT_SECONDS,
               f"redis answers {words} with {answer!r}", machine)


@pytest.fixture(scope="module")
def view(tank):
    """What the container `probe` says that it sees, by key."""
    text = wait_until(lambda: (lambda t: t if "owned:" in t else "")(tank.ssh("berth logs probe")),
                      SHORT_SECONDS, "the probe has looked around", tank)
    return dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "")
                for line in text.splitlines())


def test_nginx_serves_from_a_volume(tank):
    assert "nginx, in Berth" in tank.wait_http(80)
    tank.ssh("echo changed > /var/lib/berth/volumes/www/_data/index.html")
    assert tank.http(80) == "changed\n"


def test_redis_from_docker_save_answers(tank):
    wait_redis(tank, "PING", answer="+PONG")
    assert "redis" in tank.ssh("berth images")


def test_ps_shows_what_docker_would(tank):
    rows = tank.containers()
    assert rows["web"]["IMAGE"] == "localhost/servers:umoci"
    assert rows["web"]["PORTS"].startswith("0.0.0.0:80->8080/tcp")
    assert rows["web"]["STATUS"].startswith("Up ")
    assert re.fullmatch(r"[0-9a-f]{64}", rows["web"]["CONTAINER ID"])


def test_a_container_sees_itself_only(view):
    assert view["pid1"].startswith("/bin/sh -c sh /view.sh")
    assert int(view["pids"]) < 8
    assert view["cgroup"] == "0::/"
    assert view["interfaces"].split() == ["lo"]
    # docker links "core" too where the kernel has /proc/kcore; "console" is there with a terminal.
    assert set(view["dev"].split()) - {"core", "console"} == {
        "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
        "tty", "urandom", "zero"}


def test_a_container_is_nobody_on_the_host(tank, view):
    inside, outside, size = view["uidmap"].split()
    assert (inside, size) == ("0", "65536")
    assert int(outside) >= 65536
    init = tank.ssh("pgrep -x -f 'sleep 100000'").split()[0]
    assert re.search(rf"^Uid:\t{outside}\t", tank.ssh(f"cat /proc/{init}/status"), re.MULTILINE)


def test_privileges_are_dockers_default_or_less(view):
    assert view["bounding"] == DOCKER_CAPABILITIES
    assert view["caps"] == DOCKER_CAPABILITIES
    assert view["nnp"] == "1"
    assert view["seccomp"] == "2"


@pytest.mark.parametrize("key, expected", [
    ("sysctl", "Read-only file system"),
    ("sysrq", "Read-only file system"),
    ("mount", "permission denied"),
    ("mknod", "not permitted"),
    ("write", "Read-only file system"),
    ("unshare", "not permitted"),
])
def test_what_would_lead_out_is_refused(view, key, expected):
    assert expected in view[key], f"{key}: {view[key]!r}"


def test_masked_paths_are_empty(view):
    assert view["kcore"] == "0"


def test_layers_are_stacked_right(view):
    assert "No such file" in view["gone"], "a whiteout hides the file of the layer below"
    assert view["old"].split() == ["fresh"], "an opaque directory hides what lies below"
    assert view["links"] == "2"
    assert view["owned"] == "1234:4321:640"


def test_memory_limit_kills(tank):
    rows = wait_until(lambda: (lambda r: r if "Exited" in r["hog"]["STATUS"] else None)(
        tank.containers()), SHORT_SECONDS, "the hog is killed", tank)
    assert "Exited (137)" in rows["hog"]["STATUS"]
    assert '"OOMKilled": true' in tank.ssh("berth inspect hog")


def test_the_system_is_protected_from_containers(tank):
    least = int(tank.ssh("cat /sys/fs/cgroup/system/memory.min"))
    assert least >= 16 << 20
    most, total = tank.ssh("cat /sys/fs/cgroup/containers/memory.max; "
                           "sed -n 's/MemTotal: *//p' /proc/meminfo").split()[:2]
    assert int(most) <= int(total) * 1024 - least
    weights = [int(tank.ssh(f"cat /sys/fs/cgroup/{part}/cpu.weight"))
               for part in ("system", "containers")]
    assert weights[0] > weights[1]


def test_fork_bomb_stays_in_its_cage(tank):
    bomb = tank.ssh("berth ps -a --no-trunc | sed -n 's/^\\([0-9a-f]*\\) .*bomb$/\\1/p'").strip()
    count = int(tank.ssh(f"cat /sys/fs/cgroup/containers/{bomb}/pids.current"))
    assert 1 <= count <= 40
    assert tank.ssh(f"cat /sys/fs/cgroup/containers/{bomb}/pids.max").strip() == "40"
    assert tank.ssh("echo alive") == "alive\n"


def test_cpu_limit_bites(tank):
    spin = tank.ssh("berth ps -a --no-trunc | sed -n 's/^\\([0-9a-f]*\\) .*spin$/\\1/p'").strip()
    stat = f"/sys/fs/cgroup/containers/{spin}"
    assert tank.ssh(f"cat {stat}/cpu.max").split() == ["10000", "100000"]
    assert int(re.search(r"nr_throttled (\d+)", tank.ssh(f"cat {stat}/cpu.stat")).group(1)) > 0


@pytest.mark.parametrize("name, sentence", [
    ("ghost", 'localhost/nowhere:1'),
    ("nocommand", "/no/such/program"),
])
def test_what_cannot_start_says_why(tank, name, sentence):
    wait_until(lambda: sentence in state(tank, name)["Error"], SHORT_SECONDS, f"{name} says why", tank)


def state(tank, name):
    return json.loads(tank.ssh(f"berth inspect {name}"))[0]["State"]


def test_what_depends_waits_for_health_and_for_a_good_end(tank):
    wait_until(lambda: state(tank, "after")["Running"], SHORT_SECONDS, "after runs", tank)
    well, made, after = (state(tank, name) for name in ("well", "made", "after"))
    assert well["Health"]["Status"] == "healthy"
    first_good = next(p for p in well["Health"]["Log"] if p["ExitCode"] == 0) \
        if len(well["Health"]["Log"]) < 5 else well["Health"]["Log"][0]
    assert made["FinishedAt"] < after["StartedAt"]
    assert len(well["Health"]["Log"]) == 5 or first_good["End"] < after["StartedAt"]
    assert "(healthy)" in tank.containers()["well"]["STATUS"]
    assert '"name":"well","image":"localhost/servers:umoci","state":"running","health":"healthy"' in \
        tank.ssh("cat /run/berth/public/machine.json")
    wait_until(lambda: state(tank, "never")["Error"], SHORT_SECONDS, "never is refused", tank)
    assert state(tank, "never")["Error"] == 'depends on "broken", which ended with code 3'


def test_two_containers_cannot_have_one_port(tank):
    assert "clash" not in tank.containers()
    assert re.search(r'user-data:\d+:\d+: containers.clash: port 80 .* taken by "web"',
                     tank.ssh("berth status"))


def test_a_container_that_exits_at_once_backs_off(tank):
    rows = wait_until(lambda: (lambda r: r if "Restarting (3)" in r["quitter"]["STATUS"] else None)(
        tank.containers()), SHORT_SECONDS, "the quitter is between two starts", tank)
    assert rows["quitter"]["IMAGE"] == "localhost/servers:umoci"
    assert "bye" in tank.ssh("berth logs --tail 3 quitter")


def test_written_file_has_its_mode(tank):
    assert tank.ssh("cat /etc/motto") == "in one hand"
    assert tank.ssh("stat -c %a /etc/motto").strip() == "600"


def test_stop_start_restart(tank):
    assert tank.ssh("berth stop web") == "web\n"
    assert "Exited (0)" in tank.containers()["web"]["STATUS"]
    assert tank.try_http(80) is None
    assert tank.ssh("berth start web") == "web\n"
    assert tank.wait_http(80) == "changed\n"
    assert tank.ssh("berth restart -t 5 web") == "web\n"
    assert tank.wait_http(80) == "changed\n"


@pytest.mark.parametrize("command, code, said", [
    ("berth --help", 0, "Usage:"),
    ("berth ps --help", 0, "--no-trunc"),
    ("berth sail", 1, "sail"),
    ("docker network sail", 1, "'network sail' is not a berth command"),
    ("berth ps --sideways", 125, "unknown flag: --sideways"),
    ("berth stop", 1, "argument"),
    ("berth stop nobody", 1, "No such container: nobody"),
    ("berth logs nobody", 1, "No such container: nobody"),
    ("berth inspect nobody", 1, "No such object: nobody"),
])
def test_berth_answers_as_docker_does(tank, command, code, said):
    done = tank.try_ssh(command)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done


def test_the_bill_of_materials_is_inside(tank, servers_image):
    inside = tank.ssh("cat /usr/share/berth/sbom.spdx.json")
    assert inside == (servers_image.parent.parent / "sbom.spdx.json").read_text()


def test_any_service_comes_back_after_kill_9(tank):
    before = {s["name"]: s["pid"] for s in tank.status()["services"] if s["pid"] > 0}
    for name in ("engine", "ssh", "net"):
        tank.ssh(f"kill -9 {before[name]}")
        tank.wait_ssh()
        wait_until(lambda n=name: {s["name"]: s["pid"] for s in tank.status()["services"]}[n] not in
                   (0, before[n]), SHORT_SECONDS, f"{name} is back", tank)
    assert tank.wait_http(80) == "changed\n"
    assert tank.containers()["redis"]["STATUS"].startswith("Up ")


def test_redis_keeps_its_data_over_a_reboot(tank):
    assert redis(tank, "SET", "ship", "berth") == "+OK"
    boot = tank.ssh("cat /proc/sys/kernel/random/boot_id")
    tank.ssh("berth reboot")
    wait_until(lambda: (lambda d: d.returncode == 0 and d.stdout != boot)(
        tank.try_ssh("cat /proc/sys/kernel/random/boot_id", 30)), BOOT_SECONDS,
        "the machine is there again", tank)
    wait_redis(tank, "GET", "ship", answer="berth")
    assert tank.wait_http(80) == "changed\n"


def test_redis_keeps_its_data_over_a_power_cut(tank):
    assert redis(tank, "CONFIG", "SET", "appendfsync", "always") == "+OK"
    assert redis(tank, "SET", "storm", "weathered") == "+OK"
    tank.power_cut()
    tank.start()
    wait_redis(tank, "GET", "storm", answer="weathered")
    tank.wait_ssh()
    assert tank.status()["state"] in ("running", "degraded")
    assert "persistent" in tank.ssh("cat /run/berth/data.json")
