"""From an installer stick onto a disk: a machine of its own, which a second disk with the same image
does not confuse."""
import subprocess

import pytest

from machine import SHORT_SECONDS, Machine

SEED = """#cloud-config
ssh_authorized_keys: ["{key}"]
hostname: {name}
"""


@pytest.fixture(scope="module")
def installed(image, ssh_key, tmp_path_factory):
    """The disk, after `berth install`; and what was said to those who asked for nonsense."""
    disk = tmp_path_factory.mktemp("install") / "disk.qcow2"
    small = disk.with_name("small.img")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "6G"], check=True)
    subprocess.run(["truncate", "-s", "100M", str(small)], check=True)
    drives = []
    for name, file in (("target", disk), ("small", small)):
        form = "qcow2" if name == "target" else "raw"
        drives += ["-drive", f"if=none,id={name},format={form},file={file}",
                   "-device", f"virtio-blk-pci,drive={name}"]
    seed = SEED.format(key=ssh_key.public, name="stick")
    with Machine(image, user_data=seed, ssh_key=ssh_key, qemu=drives) as machine:
        machine.wait_ssh()
        names = {size: name for name, size in (line.split() for line in machine.ssh(
            "cd /sys/block; for d in vd*; do echo $d $(cat $d/size); done").splitlines())}
        target, small_one = names[str(6 << 21)], names[str(100 << 11)]
        said = {}
        machine.ssh(f"mke2fs -qF /dev/{small_one} && mkdir /run/mounted && "
                    f"mount /dev/{small_one} /run/mounted")
        said["mounted"] = machine.try_ssh(f"berth install --erase {small_one} /dev/{small_one}").stderr
        machine.ssh("umount /run/mounted")
        for what, command in {
                "itself": "berth install --erase vda /dev/$(ls /sys/block/dm-0/slaves | tr -d 0-9)",
                "partition": "berth install /dev/vda1",
                "small": f"berth install --erase {small_one} /dev/{small_one}",
                "name": f"echo no | berth install /dev/{target}",
                "nothing": "berth install /dev/nothing"}.items():
            done = machine.try_ssh(command)
            assert done.returncode == 1, (what, done.stdout, done.stderr)
            said[what] = done.stderr
        later = SEED.format(key=ssh_key.public, name="installed")
        machine.ssh(f"cat >/tmp/user-data && berth install --erase {target} --user-data /tmp/user-data "
                    f"/dev/{target}", 4 * SHORT_SECONDS, data=later)
        machine.ssh("berth poweroff || true")
        machine.wait_off()
    return disk, said


def test_a_disk_is_not_erased_by_mistake(installed):
    _, said = installed
    assert "is the disk that this system runs from" in said["itself"]
    assert "there is no whole disk" in said["partition"]
    assert "is in use: something of it is mounted" in said["mounted"]
    assert "the disk is too small: it has 100 MiB" in said["small"]
    assert "nothing was changed: the name was not" in said["name"]
    assert "there is no whole disk" in said["nothing"]


def test_the_installed_disk_boots_by_itself_beside_the_stick(installed, image, ssh_key):
    """Under UEFI, though it was installed under BIOS. The stick is there still, as the second disk. And
    the disk grew since: its data partition does so with it."""
    disk, _ = installed
    subprocess.run(["qemu-img", "resize", "-q", str(disk), "8G"], check=True)
    stick = ["-drive", f"if=none,id=stick,format=raw,snapshot=on,file={image}",
             "-device", "virtio-blk-pci,drive=stick"]
    machine = Machine(image, ssh_key=ssh_key, firmware="uefi", qemu=stick)
    machine.overlay = disk
    try:
        machine.start()
        machine.wait_ssh()
        assert machine.ssh("hostname").strip() == "installed", "its configuration was kept"
        root = machine.ssh("ls /sys/block/dm-0/slaves").strip()
        data = machine.ssh("awk '$2 == \"/var\" { print $1 }' /proc/mounts").strip()
        own = root.rstrip("0123456789")
        assert int(machine.ssh(f"cat /sys/block/{own}/size")) == 8 << 21, "the root is on its own disk"
        assert data == f"/dev/{own}8", "so is /var"
        assert int(machine.ssh(f"cat /sys/block/{own}/{own}8/size")) > 6 << 21, "which took the rest"
        assert int(machine.ssh("df -k /var | awk 'END { print $2 }'")) > 6 << 20, "its file system, too"
        page = machine.ssh("berth update status")
        assert "confirmed, running, boots next" in page and "not bootable" in page
        uuids = machine.ssh("cd /sys/block; for d in vd*; do [ -e $d/${d}5 ] && dd if=/dev/$d bs=512 "
                            "skip=2 count=1 2>/dev/null | md5sum; done").split("\n")
        assert len(set(filter(None, uuids))) == 2, "the partitions have GUIDs of their own"
    finally:
        machine.close()


def test_the_stick_boots_by_itself_beside_the_installed_disk(installed, image, ssh_key):
    """The other order, under BIOS: the firmware starts the stick."""
    disk, _ = installed
    second = ["-drive", f"if=none,id=second,format=qcow2,snapshot=on,file={disk}",
              "-device", "virtio-blk-pci,drive=second"]
    seed = SEED.format(key=ssh_key.public, name="stick")
    with Machine(image, user_data=seed, ssh_key=ssh_key, qemu=second) as machine:
        machine.wait_ssh()
        own = machine.ssh("ls /sys/block/dm-0/slaves").strip().rstrip("0123456789")
        assert int(machine.ssh(f"cat /sys/block/{own}/size")) == 4 << 21, "the root is on the stick"
        data = machine.ssh("awk '$2 == \"/var\" { print $1 }' /proc/mounts").strip()
        assert data == f"/dev/{own}8", "so is /var"
