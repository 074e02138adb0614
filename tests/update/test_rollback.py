"""Everything that can be wrong with a new version, on one machine after the other firmware: it comes
back by itself to the version before, and says why. `make test` tries the rows that take least and
that test_update.py does not have; `make sweep` all, under BIOS and UEFI."""
import json
import os
import re

import pytest

from machine import BOOT_SECONDS, Machine, wait_until

# The demo image has a shell and not much more; $$ because the configuration has no variables.
SEES = "while read -r line; do case $$line in *{word}*) exit 1;; esac; done </release"
LEAVES = "while :; do " + SEES.format(word="picky-leaves") + "; sleep 1; done"
SEED = """#cloud-config
ssh_authorized_keys: ["{key}"]
berth: {{update: {{hold: 20s, limit: 40s}}}}
ntp: {{servers: [192.0.2.1]}}
containers:
  demo: {{image: "localhost/demo:latest", ports: ["80:8080"], restart: always}}
  broken: {{image: "localhost/demo:latest", network_mode: none, entrypoint: ["/no/such/program"]}}
  picky:
    image: localhost/demo:latest
    network_mode: none
    volumes: ["/usr/lib/os-release:/release:ro"]
    entrypoint: ["/bin/sh", "-c"]
    command: ["{leaves}"]
    healthcheck: {{test: [CMD, /bin/sh, -c, "{sickens}"], interval: 1s, retries: 2}}
"""

NO_WORD = "none of its boots wrote down what was wrong"

# What the bundle has, what is done to the slot's root partition afterwards, and the reason given.
ROWS = [
    ("panic", {"arguments": "panic=1 root=/dev/nowhere"}, "", NO_WORD),
    ("end", {"arguments": "panic=1 init=/usr/bin/true"}, "", NO_WORD),
    ("hang", {"arguments": "softdog.soft_margin=15 init=/usr/bin/sleep -- 100000"}, "", NO_WORD),
    ("flipped byte", {}, "printf X | dd of={root} bs=1 seek=1030 conv=notrunc", NO_WORD),
    ("empty root", {"empty": True, "arguments": "panic=1"}, "", NO_WORD),
    ("root hash zeroed", {"root_hash": "0" * 64}, "", NO_WORD),
    ("engine", {"programs": {"usr/lib/berth/engine": "#!/usr/bin/sh\nsleep 1; exit 1\n"}}, "",
     "services: service engine is"),
    ("container", {"version": "0.1.0.2+picky-leaves"}, "", 'containers: container "picky" is not running'),
    ("health", {"version": "0.1.0.3+picky-sickens"}, "", 'containers: container "picky" is unhealthy'),
    ("network", {"arguments": "initcall_blacklist=virtio_net_driver_init"}, "",
     "network: 0 links have an address"),
    ("data", {"arguments": "berth.data=/dev/nowhere"}, "",
     'data: /var is in memory: open "/dev/nowhere"'),
]


WIDE = bool(os.environ.get("BERTH_SWEEP_BOOTS"))
FEW = ("flipped byte", "container", "health", "data")


# make sweep: the two firmwares side by side.
FIRMWARES = [pytest.param(name, marks=pytest.mark.xdist_group(name))
             for name in (("bios", "uefi") if WIDE else ("bios",))]


@pytest.fixture(scope="module", params=FIRMWARES)
def machine(request, image, ssh_key):
    seed = SEED.format(key=ssh_key.public, leaves=LEAVES, sickens=SEES.format(word="picky-sickens"))
    with Machine(image, user_data=seed, ssh_key=ssh_key, forward=[80],
                 firmware=request.param) as started:
        started.wait_ssh()
        started.wait_http(80)
        yield started


def boots_of(machine, slot):
    return len(re.findall(rf"version +ok .*slot {slot},", machine.console()))


def reboot_into(machine, slot):
    """On the console: knocking at its door while its firmware starts it is another test."""
    before = boots_of(machine, slot)
    machine.try_ssh("berth reboot", 30)
    wait_until(lambda: boots_of(machine, slot) > before, 4 * BOOT_SECONDS,
               f"the machine is there again, with slot {slot}", machine)
    machine.wait_ssh()


def install(machine, bundle):
    wait_until(lambda: "(healthy)" in machine.ssh("berth ps"), BOOT_SECONDS, "picky is healthy", machine)
    done = machine.ssh_file("berth update install -", bundle)
    assert done.returncode == 0, done.stderr


def came_back(machine):
    """The status once slot a runs and something is refused; the machine may be on its way."""
    done = machine.try_ssh("berth update status --json", 30)
    if done.returncode != 0:
        return None
    status = json.loads(done.stdout)
    back = next(s for s in status["slots"] if s["running"])["slot"] == "a"
    return status if back and status["refused"] else None


@pytest.mark.parametrize("name, bundle, spoil, reason",
                         [pytest.param(*r, id=r[0]) for r in ROWS if WIDE or r[0] in FEW])
def test_it_comes_back(machine, bundles, name, bundle, spoil, reason):
    install(machine, bundles.make(name.replace(" ", "-"), **bundle))
    if spoil:
        own = machine.ssh("ls /sys/block/dm-0/slaves").strip().rstrip("0123456789")
        machine.ssh(spoil.format(root=f"/dev/{own}7") + "; sync; echo 3 >/proc/sys/vm/drop_caches")
    reboot_into(machine, "a")
    status = wait_until(lambda: came_back(machine), BOOT_SECONDS, "its version is refused", machine)
    assert reason in status["refused"][0]["reason"], status["refused"]
    if reason != NO_WORD:
        failed = next(b for b in status["boots"] if b["outcome"] == "failed")
        assert failed["slot"] == "b" and failed["reason"] == status["refused"][0]["reason"]
        assert reason.split(":")[0] in [c["name"] for c in failed["checks"] if not c["ok"]]
    assert machine.wait_http(80)
    machine.ssh("berth update forget")


def slot_b(machine):
    return json.loads(machine.ssh("berth update status --json"))["slots"][1]


if WIDE:  # make test has it in test_update.py, under BIOS

    def test_it_stays(machine, bundles):
        """Though a container was broken before, too, and the time server is away, after a reboot in order
        during the hold time, and after three power cuts."""
        install(machine, bundles.make("sound"))
        reboot_into(machine, "b")
        assert slot_b(machine)["tries"] == 2
        reboot_into(machine, "b")
        assert slot_b(machine)["tries"] == 2, "the first boot's try came back"
        wait_until(lambda: slot_b(machine)["confirmed"], BOOT_SECONDS, "it is confirmed", machine)
        for _ in range(3):
            machine.power_cut()
            machine.start()
            machine.wait_console("version +ok .*slot b,")
        machine.wait_ssh()
        now = slot_b(machine)
        assert now["running"] and now["confirmed"] and machine.wait_http(80)
