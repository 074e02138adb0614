"""What is wrong with a machine or its configuration never costs it network and SSH, and is said."""
import hashlib
import json
import shutil
import subprocess

import pytest

from machine import SHORT_SECONDS, Machine, wait_until

MIB = 1 << 20

SEED = """#cloud-config
hostname: hurt
ssh_authorized_keys: ["{key}"]
containers:
  demo:
    image: localhost/demo:latest
    ports: ["80:8080"]
    volumes: ["/run/berth/public:/host:ro"]
    restart: always
"""


def partition(image, name):
    table = json.loads(subprocess.run(["sfdisk", "--json", str(image)], check=True,
                                      capture_output=True, text=True).stdout)["partitiontable"]
    for p in table["partitions"]:
        if p.get("name") == name:
            return p["start"] * 512, p["size"] * 512
    raise AssertionError(f"{image} has no partition {name}")


def overwrite(disk, offset, length, byte=0xA5):
    """Writes into a machine's (stopped) disk, whatever its format."""
    subprocess.run(["qemu-io", "-c", f"write -q -P {byte} {offset} {length}", str(disk)], check=True)


def test_a_flipped_byte_is_never_served(servers_image, ssh_key):
    """One byte in the middle of the root, inside the layers of a container that reads all that it
    has: dm-verity stops the machine before the byte gets anywhere."""
    start, _ = partition(servers_image, "root-a")
    used = int(subprocess.run(["stat", "-c", "%s", str(servers_image.parent / "root.erofs")],
                              check=True, capture_output=True, text=True).stdout)
    seed = SEED.format(key=ssh_key.public).replace("localhost/demo:latest", "localhost/servers:umoci")
    seed += """    entrypoint: ["/bin/sh", "-c"]
    command: ["find / -xdev -type f -exec cat {} + > /dev/null; echo 'all was read'; sleep 1000"]
"""
    machine = Machine(servers_image, user_data=seed, ssh_key=ssh_key, memory=512,
                      options=["--no-reboot"])
    try:
        overwrite(machine.overlay, start + used // 2, 1)
        machine.start()
        machine.wait_off(240)
        console = machine.console()
        assert "is corrupted" in console, machine.console_tail()
        assert "all was read" not in console
    finally:
        machine.close()


@pytest.fixture(scope="module")
def hurt(image, ssh_key):
    with Machine(image, user_data=SEED.format(key=ssh_key.public), ssh_key=ssh_key, forward=[80],
                 size="2G") as machine:
        machine.wait_ssh()
        yield machine


def test_a_full_data_disk_takes_nothing_away(hurt):
    hurt.wait_http(80)
    hurt.try_ssh("dd if=/dev/zero of=/var/lib/berth/volumes/fill bs=1M 2>/dev/null; "
                 "dd if=/dev/zero of=/var/lib/berth/volumes/fill2 bs=1k 2>/dev/null; sync", 240)
    assert "demo" in hurt.containers()
    assert "Berth" in hurt.http(80)
    done = hurt.try_ssh("berth restart demo")
    assert done.returncode == 0 or "No space left" in done.stderr
    hurt.ssh("rm /var/lib/berth/volumes/fill /var/lib/berth/volumes/fill2; berth start demo || "
             "berth restart demo")
    hurt.wait_http(80)


def test_garbage_on_the_data_partition_is_left_alone(hurt, image):
    start, _ = partition(image, "data")
    hurt.power_cut()
    overwrite(hurt.overlay, start, 4 * MIB)
    hurt.start()
    hurt.wait_ssh()
    data = json.loads(hurt.ssh("cat /run/berth/data.json"))
    assert data["state"] == "memory"
    assert "holds no ext4 file system" in data["reason"]
    assert "datavol format" in hurt.console()
    assert "memory" in hurt.ssh("berth status")
    assert "Berth" in hurt.wait_http(80)
    device = data["reason"].split()[0]
    left = hurt.ssh(f"head -c 4096 {device} | sha256sum").split()[0]
    assert left == hashlib.sha256(b"\xa5" * 4096).hexdigest()


def test_format_makes_it_good_again(hurt):
    hurt.ssh("/usr/lib/berth/datavol format")
    hurt.try_ssh("berth reboot")
    hurt.wait_gone()
    hurt.wait_ssh()
    assert json.loads(hurt.ssh("cat /run/berth/data.json"))["state"] == "persistent"
    size = int(hurt.ssh("df -m /var | awk 'NR==2 {print $2}'"))
    assert size > 500, "the data partition takes what the disk has"


def test_no_data_partition(image, ssh_key, tmp_path):
    copy = tmp_path / "nodata.img"
    shutil.copy(image, copy)
    subprocess.run(["sgdisk", "-d", "8", str(copy)], check=True, stdout=subprocess.DEVNULL)
    with Machine(copy, user_data=SEED.format(key=ssh_key.public), ssh_key=ssh_key,
                 forward=[80], qemu=["-rtc", "base=2001-01-01"]) as machine:
        machine.wait_ssh()
        assert "NOTHING written to it outlives a reboot" in machine.console()
        assert "Berth" in machine.wait_http(80)
        # A clock that lost its battery: the time when the image was built is the least it can be.
        built, now = machine.ssh("stat -c %Y /usr/lib/os-release; date +%s").split()
        assert int(now) >= int(built) > 1700000000


def test_128_mib_are_enough(image):
    with Machine(image, memory=128, forward=[80]) as machine:
        assert "Berth" in machine.wait_http(80)


MANY = """hostnam: typo
users: [{name: core, sudo: ALL}, {gecos: nobody}, default, 7]
disable_root: true
chpasswd: {list: ["root:secret"]}
timezone: Atlantis
bootcmd: ["sleep 1000"]
runcmd: ls
mounts: [[/dev/nothing, /srv], [/dev/nothing2, /var/nothing, ext4, defaults]]
disk_setup: {/dev/nothing: {layout: true}}
fs_setup: [{device: /dev/vda, filesystem: ext4, overwrite: true}]
swap: {size: 900G}
write_files: [{path: /usr/bin/sh, content: x}, {path: /etc/a, owner: who, content: x}, {path: a}]
ca_certs: {trusted: [x]}
berth: {sysctl: {no.such.thing: "1"}, kernel_args: quiet, registries: {a.b: {username: x}}}
containers:
  demo: {image: localhost/demo, ports: ["99999:1"]}
  lost: {image: a, secrets: [token]}
"""
FAULTY = [
    ("a tab", "containers:\n\tdemo: {image: x}\n", r"tab", []),
    # One of nearly each kind at once (all of them, one by one: tests/unit/init/bootcfg/test_faults.c).
    ("many", MANY, r"hostnam.*hostname",
     ["99999", "Atlantis", "users[0].sudo", "no user could log in then", "write_files[0]",
      "no.such.thing", "no hash of a password", "is not declared"]),
]


@pytest.mark.parametrize("name, text, said, motd", FAULTY, ids=[f[0] for f in FAULTY])
def test_a_faulty_configuration_locks_nobody_out(image, ssh_key, name, text, said, motd):
    seed = f"#cloud-config\nssh_authorized_keys:\n  - {ssh_key.public}\n{text}"
    with Machine(image, user_data=seed, ssh_key=ssh_key) as machine:
        machine.wait_ssh()
        machine.wait_console(rf"user-data:\d+:\d+: .*{said}", SHORT_SECONDS)
        wait_until(lambda: "user-data" in machine.ssh("cat /etc/motd"), SHORT_SECONDS,
                   "the motd says it", machine)
        shown = machine.ssh("cat /etc/motd")
        assert not [words for words in motd if words not in shown]
        status = machine.ssh("berth status")
        told = [line.strip() for line in shown.splitlines() if line.startswith("  user-data:")]
        assert told and not [line for line in told if line not in status]
