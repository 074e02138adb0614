"""A machine that is updated, over SSH as its administrator would: to a sound version, which it
keeps; to versions with something wrong in them, from which it comes back by itself."""
import json

import pytest

from machine import BOOT_SECONDS, SHORT_SECONDS, Machine, wait_until
from update.bundles import LATER

SEED = """#cloud-config
hostname: updated
ssh_authorized_keys: ["{key}"]
berth: {{update: {{hold: 8s, limit: 40s}}}}
containers:
  demo: {{image: "localhost/demo:latest", ports: ["80:8080"], restart: always}}
  broken: {{image: "localhost/demo:latest", network_mode: none, entrypoint: ["/no/such/program"]}}
"""


@pytest.fixture(scope="module")
def machine(image, ssh_key):
    with Machine(image, user_data=SEED.format(key=ssh_key.public), ssh_key=ssh_key,
                 forward=[80]) as started:
        started.wait_ssh()
        started.wait_http(80)
        yield started


def status(machine):
    return json.loads(machine.ssh("berth update status --json"))


def slot(machine, letter):
    return next(s for s in status(machine)["slots"] if s["slot"] == letter)


def running(machine):
    return next(s["slot"] for s in status(machine)["slots"] if s["running"])


def install(machine, bundle, options=""):
    done = machine.ssh_file(f"berth update install {options} -", bundle)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def boot_id(machine):
    done = machine.try_ssh("cat /proc/sys/kernel/random/boot_id", 30)
    return done.stdout if done.returncode == 0 else None


def wait_next_boot(machine, before, seconds=BOOT_SECONDS):
    wait_until(lambda: (boot_id(machine) or before) != before, seconds, "the machine is there again",
               machine)


def reboot(machine):
    before = boot_id(machine)
    machine.try_ssh("berth reboot", 30)
    wait_next_boot(machine, before)


def wait_confirmed(machine, letter):
    wait_until(lambda: slot(machine, letter)["confirmed"], BOOT_SECONDS, f"{letter} is confirmed",
               machine)


def test_a_fresh_machine_runs_a_confirmed_slot(machine):
    page = machine.ssh("berth update status")
    assert "confirmed, running, boots next" in page
    assert "not bootable" in page
    assert slot(machine, "a")["preferred"]


def test_a_bundle_that_was_cut_changes_nothing(machine, bundles, tmp_path):
    whole = bundles.make("sound").read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[:len(whole) // 2])
    done = machine.ssh_file("berth update install -", cut)
    assert done.returncode == 1
    assert "update: error: the bundle ends too early" in done.stderr
    assert slot(machine, "b")["tries"] == 0
    assert slot(machine, "a")["preferred"]


def test_a_sound_version_is_kept_and_a_reboot_before_that_costs_no_try(machine, bundles):
    machine.ssh("berth update install /dev/null || true; echo kept >/var/lib/berth/volumes/mark")
    said = install(machine, bundles.make("sound"))
    assert f"{LATER} is in slot b and verified; the next boot tries it" in said
    assert slot(machine, "b")["tries"] == 3
    reboot(machine)
    assert running(machine) == "b"
    if not slot(machine, "b")["confirmed"]:
        reboot(machine)
        assert slot(machine, "b")["tries"] == 2, "three, less this boot's, as at the first"
    wait_confirmed(machine, "b")
    assert machine.ssh("cat /var/lib/berth/volumes/mark") == "kept\n"
    assert "slot=b" in machine.ssh("cat /proc/cmdline")
    assert machine.wait_http(80)
    newest = status(machine)["boots"][0]
    assert (newest["slot"], newest["outcome"], newest["why"]) == ("b", "confirmed", "preferred")
    assert all(check["ok"] for check in newest["checks"]) and newest["init"]["services"]


def test_pid_1_that_ends_uses_up_the_tries(machine, bundles):
    before = boot_id(machine)
    install(machine, bundles.make("ends", arguments="init=/usr/bin/true"), "--reboot")
    wait_next_boot(machine, before, 2 * BOOT_SECONDS)
    assert running(machine) == "b"
    wait_until(lambda: status(machine)["refused"], SHORT_SECONDS, "its version is refused", machine)
    failed = slot(machine, "a")
    assert failed["result"] == "failed" and "got as far as its gate" in failed["reason"]
    assert slot(machine, "b")["confirmed"] and slot(machine, "b")["preferred"]
    assert status(machine)["boots"][0]["why"] == "fallback"
    done = machine.ssh_file("berth update install -", bundles.folder / "ends.bundle")
    assert done.returncode == 1 and "is refused, because it failed here" in done.stderr


def test_a_network_that_does_not_come_back_is_a_reason(machine, bundles):
    """Nobody can log in to such a machine; the log that it left tells what was the matter."""
    before = boot_id(machine)
    install(machine, bundles.make("deaf", arguments="initcall_blacklist=virtio_net_driver_init"),
            "--reboot")
    wait_next_boot(machine, before, 2 * BOOT_SECONDS)
    assert running(machine) == "b"
    refused = status(machine)["refused"]
    assert any("network: 0 links have an address" in r["reason"] for r in refused), refused
    failed = next(b for b in status(machine)["boots"] if b["outcome"] == "failed")
    assert failed["slot"] == "a" and failed["on_trial"]
    logs = f"/var/lib/berth/boots/{failed['number']:08d}.logs"
    assert "initcall_blacklist" in machine.ssh(f"cat {logs}/kernel.log")
    assert "did not pass its gate" in machine.ssh(f"cat {logs}/gate.log")
    assert "2 refused versions forgotten" in machine.try_ssh("berth update forget").stderr


def test_three_power_cuts_after_confirmation_change_nothing(machine):
    for _ in range(3):
        machine.power_cut()
        machine.start()
        machine.wait_console(r"Berth 0\.1\.0, slot b", BOOT_SECONDS)
    machine.wait_ssh()
    assert slot(machine, "b")["confirmed"] and running(machine) == "b"
