"""The network boot: the system in memory, out of one initramfs; from there onto a disk."""
import subprocess

import pytest

from machine import BOOT_SECONDS, SHORT_SECONDS, TOP, Machine

SEED = """#cloud-config
hostname: {name}
ssh_authorized_keys: ["{key}"]
"""


@pytest.fixture(scope="module")
def installed(out, ssh_key, tmp_path_factory):
    """An empty disk after the machine came from the network and `berth install` ran there; and what
    the machine said of itself before that."""
    empty = tmp_path_factory.mktemp("pxe") / "empty.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(empty), "3G"], check=True)
    machine = Machine(empty, user_data=SEED.format(key=ssh_key.public, name="guest"), ssh_key=ssh_key,
                      forward=[80], memory=512, size="3G", options=["--pxe", str(out / "pxe")])
    try:
        machine.start()
        machine.wait_ssh()
        said = {command: machine.try_ssh(command) for command in (
            "berth status", "berth update status", "ls /sys/block/dm-0/slaves",
            "berth logs gate", "ls /var/lib/berth/config",
            "awk '/MemAvailable/ { print $2 }' /proc/meminfo")}
        name = machine.ssh(f"cd /sys/block; for d in vd*; do [ $(cat $d/size) = {3 << 21} ] && echo $d; "
                           "done || true").split()[0]
        later = SEED.format(key=ssh_key.public, name="stays")
        machine.ssh(f"cat >/tmp/user-data && berth install --erase {name} --user-data /tmp/user-data "
                    f"/dev/{name}", 4 * SHORT_SECONDS, data=later)
        machine.ssh("berth poweroff || true")
        machine.wait_off()
        machine.options, machine.seed = [], None
        yield machine, said
    finally:
        machine.close()


def test_it_runs_in_memory_and_says_so(installed):
    _, said = installed
    assert said["ls /sys/block/dm-0/slaves"].stdout == "loop0p5\n", "the root is verified"
    page = said["berth status"].stdout
    assert "slot memory" in page and "came over the network and runs in memory" in page
    assert "running, up" in page, "which is no fault"
    assert "what the network brings" in said["berth update status"].stderr
    assert "no slots to look after" in said["berth logs gate"].stdout
    assert "last-good.json" in said["ls /var/lib/berth/config"].stdout, "it counts as good at once"
    free_kib = int(said["awk '/MemAvailable/ { print $2 }' /proc/meminfo"].stdout)
    assert free_kib > 300 << 10, "of 512 MiB"


def test_the_disk_that_it_installed_boots_by_itself(installed):
    machine, _ = installed
    machine.start()
    machine.wait_ssh()
    assert machine.ssh("hostname").strip() == "stays"
    assert "persistent" in machine.ssh("cat /run/berth/data.json")
    assert "confirmed, running, boots next" in machine.ssh("berth update status")


def test_a_reset_with_the_data_kept_survives_a_power_cut(installed):
    """The power goes as soon as the command has answered: the next boot does what was asked for."""
    machine, _ = installed
    machine.ssh("echo kept >/var/lib/berth/volumes/mark; echo gone >/var/log/mark; sync")
    who = machine.ssh("cat /etc/machine-id")
    done = machine.try_ssh("echo no | berth reset --keep-data")
    assert done.returncode == 1 and "nothing was changed" in done.stderr
    machine.try_ssh("berth reset --keep-data --erase stays")
    machine.power_cut()
    machine.start()
    machine.wait_ssh()  # the same keys, by the configuration that was installed
    assert "the machine was reset" in machine.ssh("berth logs data")
    assert machine.ssh("hostname; cat /var/lib/berth/volumes/mark") == "stays\nkept\n"
    assert machine.ssh("cat /etc/machine-id") == who
    assert machine.try_ssh("cat /var/log/mark").returncode == 1
    assert machine.ssh("cd /var/lib/berth/boots; ls *.json") == "00000001.json\n", "counted anew"


def test_a_reset_of_everything_forgets_who_the_machine_was(installed):
    machine, _ = installed
    machine.try_ssh("berth reset --erase stays")
    machine.wait_console(r"host +berth")
    assert "Berth" in machine.wait_http(80), "it runs what the image has"


def test_a_byte_that_the_network_changed_restarts_the_machine(out, tmp_path):
    """No firmware here: QEMU hands kernel and initramfs over, as any loader would. The byte is the
    root's first superblock, which is in a piece that begins with it."""
    initramfs = bytearray((out / "pxe/berth.cpio").read_bytes())
    magic = initramfs.find(b"\xe2\xe1\xf5\xe0")  # EROFS_SUPER_MAGIC_V1
    assert magic > 0
    initramfs[magic + 40] ^= 1
    (tmp_path / "berth.cpio").write_bytes(initramfs)
    line = next(line for line in (out / "pxe/berth.ipxe").read_text().splitlines()
                if line.startswith("kernel "))
    log = tmp_path / "console"
    done = subprocess.run(
        [TOP / "qemu/start", "--pxe", out / "pxe", "--no-reboot", "--console", log, "--",
         "-kernel", out / "pxe/vmlinuz", "-initrd", tmp_path / "berth.cpio",
         "-append", line.split("berth.cpio ", 1)[1]],
        timeout=BOOT_SECONDS, check=False)
    console = log.read_text(errors="replace")
    assert done.returncode == 0 and "is corrupted" in console, console[-2000:]
    assert "mounts  " not in console, "PID 1 of the system was never started"
