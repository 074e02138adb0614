"""Where a machine's configuration comes from: clouds, at the address that their services really have,
seeds, disks, the firmware. One machine boots as EC2's; it then plays the other clouds, by bind mounts over
what the firmware says; a second one plays everything that has no cloud."""
import gzip
import json
import subprocess
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from boot.clouds import Cloud
from machine import SHORT_SECONDS, TOP, Machine, SshKey, wait_until

ADDRESS = "169.254.169.254"
MAC = "52:54:00:12:34:56"  # QEMU's first
EC2_DMI = ["-smbios", "type=1,manufacturer=Amazon EC2,product=t3.micro"]
SILENT = "smbios-says-nothing"
LET_IN = 5555


def multi_part(*parts):
    whole = MIMEMultipart()
    for kind, text in parts:
        whole.attach(MIMEText(text, kind))
    return whole.as_string()


@pytest.fixture(scope="module")
def cloud():
    started = Cloud()
    yield started
    started.close()


@pytest.fixture(scope="module")
def web():
    """The second machine's web server."""
    started = Cloud("plain")
    yield started
    started.close()


@pytest.fixture(scope="module")
def wire():
    """Azure's other address."""
    started = Cloud("azure")
    yield started
    started.close()


@pytest.fixture(scope="module")
def host_key(tmp_path_factory):
    return SshKey(tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="module")
def machine(image, ssh_key, host_key, cloud, wire):
    second = (f"user,id=net1,net=168.63.129.0/24,guestfwd=tcp:168.63.129.16:80-cmd:{TOP}/qemu/relay "
              f"{wire.port}")
    cloud.become("ec2", key=ssh_key.public, user_data=gzip.compress(multi_part(
        ("cloud-config", "#cloud-config\nwrite_files: [{path: /etc/one, content: one}]\nntp: "
         "{enabled: false}\n"),
        ("cloud-config", json.dumps({
            "hostname": "from-user-data", "berth": {"firewall": {"allow": [LET_IN]}},
            "ssh_keys": {"ed25519_private": host_key.path.read_text()}})),
        ("x-shellscript", "#!/bin/sh\necho no\n")).encode()))
    # As services do while they start: nothing, then "busy".
    cloud.mute, cloud.mute_seconds, cloud.busy = 1, 1, 2
    with Machine(image, ssh_key=ssh_key, forward=[LET_IN], options=[
            "--network", "169.254.0.0/16", "--service", f"{ADDRESS}:80:{cloud.port}"],
            qemu=[*EC2_DMI, "-netdev", second, "-device", "virtio-net-pci,netdev=net1,romfile="]) as m:
        m.wait_ssh()
        yield m


@pytest.fixture
def config(machine):
    def read():
        return json.loads(machine.ssh("cat /run/berth/config.json"))
    return read


def test_ec2_with_a_token_and_a_packed_multi_part(machine, cloud, config):
    machine.wait_console(r"berth +(running|degraded)")
    got = config()
    assert got["source"]["kind"] == "ec2" and "used" not in got["source"]
    assert got["instance_id"] == "i-1234567890abcdef0"
    assert machine.ssh("cat /etc/hostname /etc/one").split() == ["from-user-data", "one"]
    assert ("PUT", "/latest/api/token") in [(m, p) for m, p, _, _ in cloud.asked]
    faults = [f["message"] for f in got["faults"]]
    assert any("text/x-shellscript" in f for f in faults), faults
    assert "config-waits" in machine.ssh("ls /run/berth")
    assert "which needs the network" in machine.ssh("cat /run/berth/log/config.log")


def test_what_ran_before_the_second_stage_takes_its_configuration(machine, host_key):
    """The firewall and SSH, which do not wait for a cloud."""
    def shown():
        return subprocess.run(["ssh-keyscan", "-p", str(machine.ports[22]), "-t", "ed25519", "127.0.0.1"],
                              check=False, capture_output=True, text=True).stdout

    machine.wait_console(r"berth +(running|degraded)")
    wait_until(lambda: host_key.public.split()[1] in shown(), SHORT_SECONDS, "the host key", machine)
    machine.ssh(f"busybox httpd -p {LET_IN} -h /usr/share/berth")
    machine.wait_http(LET_IN, "/default.yaml", SHORT_SECONDS)


def play(machine, cloud, name, vendor=SILENT, field="sys_vendor", no_put=False, **texts):
    """Plays another cloud: the firmware's words, then both stages as PID 1 runs them."""
    cloud.become(name, **texts)
    cloud.no_put = no_put
    # The keys stay, whatever the cloud has: this machine is needed.
    machine.ssh("cd /tmp; cp /run/berth/ssh/authorized_keys keys; "
                "umount /sys/class/dmi/id/* 2>/dev/null; for f in sys_vendor bios_vendor "
                "product_name chassis_asset_tag product_serial; do echo none > dmi-$f; "
                "mount --bind dmi-$f /sys/class/dmi/id/$f; done; rm -f /run/berth/config-waits /etc/two;"
                f"echo '{vendor}' > dmi-{field}; /usr/lib/berth/bootcfg 2>/dev/null;"
                "[ ! -e /run/berth/config-waits ] || /usr/lib/berth/bootcfg online 2>/tmp/said;"
                "cp keys /run/berth/ssh/authorized_keys", 240)
    return json.loads(machine.ssh("cat /run/berth/config.json"))


# kind, the stand-in's name, the firmware's words and where they stand, host name, instance id
CLOUDS = [
    ("ec2", "ec2_version_1", "Amazon EC2", "sys_vendor", "ip-172-31-0-7", "i-1234567890abcdef0"),
    ("openstack", "openstack", "OpenStack Nova", "product_name", "stack",
     "83679162-1378-4288-a2d4-70e13ec132aa"),
    ("gcp", "gcp", "Google Compute Engine", "product_name", "goo", "4520031799277581759"),
    ("azure", "azure", "7783-7084-3265-9085-8269-3286-77", "chassis_asset_tag", "azu",
     "02aab8a4-74ef-476e-8182-f6d2ba4166a6"),
    ("digitalocean", "digitalocean", "DigitalOcean", "sys_vendor", "droplet", "2756294"),
    ("hetzner", "hetzner", "Hetzner", "sys_vendor", "hetz", "61286"),
    ("vultr", "vultr", "Vultr", "sys_vendor", "vul", "36e9cf60-5d93-4e31-8ebf-613b3d2874fb"),
]


@pytest.mark.parametrize("kind, name, vendor, field, host, instance", CLOUDS, ids=[r[1] for r in CLOUDS])
def test_cloud(machine, cloud, wire, ssh_key, kind, name, vendor, field, host, instance):
    wire.become("azure")
    got = play(machine, cloud, name, vendor, field, key=ssh_key.public, mac=MAC,
               user_data="#cloud-config\nwrite_files: [{path: /etc/two, content: " + name + "}]\n")
    assert (got["source"]["kind"], got["instance_id"]) == (kind, instance)
    assert got["hostname"] == ("vendor" if name == "openstack" else host)
    assert got["ssh_authorized_keys"] == [ssh_key.public]
    assert machine.ssh("cat /etc/two") == name
    assert [f for f in got["faults"] if f["level"] == "error"] == []
    if name in ("openstack", "hetzner"):
        assert got["network"]["links"], got["network"]
    if name == "azure":
        sent = [(body, headers) for m, p, headers, body in wire.asked if p == "/machine?comp=health"]
        assert len(sent) == 1 and "<State>Ready</State>" in sent[0][0]
        assert "<ContainerId>c6d5526c-5ac2-4200-b6e2-56f2b70c5ab2</ContainerId>" in sent[0][0]


def test_a_token_that_does_not_arrive(machine, cloud, ssh_key):
    """Where the hop limit lets no token through: version 1, or a sentence that says what to look at."""
    def without_put(name):
        return play(machine, cloud, name, "Amazon EC2", key=ssh_key.public, no_put=True,
                    user_data="#cloud-config\nwrite_files: [{path: /etc/two, content: v1}]\n")

    got = without_put("ec2_version_1")
    assert got["source"]["kind"] == "ec2" and got["instance_id"] == "i-1234567890abcdef0"
    assert machine.ssh("cat /etc/two") == "v1"
    assert any("hop limit" in f["message"] for f in got["faults"]), got["faults"]
    got = without_put("ec2")
    assert any("the token that it demands" in f["message"] and "hop limit too small" in f["message"]
               for f in got["faults"] if f["level"] == "error"), got["faults"]


def test_a_cloud_without_user_data_leaves_it_to_the_image(machine, cloud, ssh_key):
    got = play(machine, cloud, "ec2", "Amazon EC2", key=ssh_key.public)
    assert got["hostname"] == "ip-172-31-0-7"
    assert got["ssh_authorized_keys"] == [ssh_key.public]
    assert "default.yaml" in got["source"]["where"]
    assert [c["name"] for c in got["containers"]] == ["demo"]


def test_no_cloud_no_question(machine, cloud, ssh_key):
    """And no second stage."""
    got = play(machine, cloud, "ec2", key=ssh_key.public)
    assert got["source"]["kind"] == "default"
    assert cloud.asked == []


def test_what_is_included_is_fetched(machine, cloud, ssh_key):
    got = play(machine, cloud, "ec2", "Amazon EC2", key=ssh_key.public,
               user_data=f"#include\nhttp://{ADDRESS}/latest/meta-data/instance-id\n"
                         f"http://{ADDRESS}/nothing\n")
    faults = [f["message"] for f in got["faults"]]
    # Without the token: the address is the user's, not the provider's.
    assert any("401" in f for f in faults), faults


def test_a_dead_service_costs_nothing_but_time(machine, cloud, ssh_key):
    """Cut off after a good boot: the last good configuration runs, its keys let in, and it is said."""
    got = play(machine, cloud, "hetzner", "Hetzner", key=ssh_key.public, mac=MAC,
               user_data="#cloud-config\nhostname: good\n")
    assert got["hostname"] == "good"
    machine.ssh("berth config confirm")
    cloud.become("none")
    cloud.mute, cloud.mute_seconds = 1 << 30, 0
    machine.ssh("berth reboot || true")
    machine.wait_gone()
    machine.wait_ssh()  # before the service is given up
    got = json.loads(machine.ssh("cat /run/berth/config.json"))
    assert got["source"]["used"] == "last good" and got["faults"] == []
    assert "network" not in got, "DHCP: the disk may be a copy on another machine"
    machine.wait_console(r"(?s)rebooting: asked for.*metadata +done", 240)
    got = json.loads(machine.ssh("cat /run/berth/config.json"))
    assert got["hostname"] == "good" and got["source"]["used"] == "last good" and got["network"]
    faults = [f["message"] for f in got["faults"]]
    assert any("no answer within 60 s" in f and "the last good one is used" in f for f in faults), faults
    assert "no answer within 60 s" in machine.ssh("cat /run/berth/motd")


# --- without a cloud ------------------------------------------------------------------------------

def fat_disk(path, label, **files):
    """As cloud-localds makes it with --filesystem=vfat."""
    with open(path, "wb") as f:
        f.truncate(1 << 20)
    subprocess.run(["mkfs.vfat", "-n", label, path], check=True, stdout=subprocess.DEVNULL)
    for name, text in files.items():
        source = path.with_suffix(".text")
        source.write_text(text)
        subprocess.run(["mcopy", "-oi", path, source, "::" + name.replace("_", "-")], check=True)
    return path


def iso_disk(path, label, **files):
    """Names with "." are folders: {"a.b": text} is a/b."""
    folder = path.with_suffix(".folder")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    subprocess.run(["genisoimage", "-quiet", "-V", label, "-r", "-J", "-o", path, folder], check=True)
    with open(path, "ab") as f:  # so that it is wiped as a disk
        f.truncate(1 << 20)
    return path


def named(host, key, **more):
    return "#cloud-config\n" + json.dumps({"hostname": host, "ssh_authorized_keys": [key], **more})


@pytest.fixture(scope="module")
def local(image, ssh_key, web, tmp_path_factory):
    work = tmp_path_factory.mktemp("disks")
    key = ssh_key.public
    fw = work / "fw"
    fw.write_text(named("fw", key))
    nocloud = fat_disk(work / "cidata", "CIDATA", user_data=named("disk", key), vendor_data=named(
        "vendor", key, ntp={"enabled": False}), meta_data="instance-id: disk-1\nlocal-hostname: meta\n",
        network_config="version: 2\nethernets: {all: {match: {name: 'e*'}, dhcp4: true}}\n")
    drive = iso_disk(work / "drive", "config-2", **{
        "openstack/latest/meta_data.json": json.dumps({
            "uuid": "drive-1", "hostname": "drive.novalocal", "public_keys": {"a": key}}),
        "openstack/latest/user_data": "#cloud-config\nntp: {enabled: false}\n",
        "openstack/latest/network_data.json": json.dumps({"links": [], "networks": [], "services": []})})
    disks = []
    for name in (nocloud, drive):
        disks += ["-drive", f"if=none,id={name.name},format=raw,file={name}",
                  "-device", f"virtio-blk-pci,drive={name.name}"]
    port = web.port
    with Machine(image, ssh_key=ssh_key, options=["--service", f"10.0.2.100:80:{port}"], qemu=[
            "-fw_cfg", f"name=opt/berth/user-data,file={fw}", *disks,
            "-smbios", "type=1,serial=ds=nocloud;s=http://10.0.2.100/;h=serial;i=serial-1"]) as m:
        m.wait_ssh()
        yield m


def again(machine, hide, **more):
    """Hides a source, then both stages."""
    machine.ssh(f"{hide}; rm -f /run/berth/config-waits; /usr/lib/berth/bootcfg 2>/dev/null;"
                "[ ! -e /run/berth/config-waits ] || /usr/lib/berth/bootcfg online 2>/tmp/said", 240)
    return json.loads(machine.ssh("cat /run/berth/config.json"))


def test_each_source_when_those_before_it_are_gone(local, web, ssh_key):
    """In the order of the table."""
    web.become("plain", user_data=named("seed", ssh_key.public), meta_data="instance-id: seed-1\n",
                 network_config="network: {version: 2}\n")
    got = json.loads(local.ssh("cat /run/berth/config.json"))
    assert (got["source"]["kind"], got["hostname"]) == ("fw_cfg", "fw")

    got = again(local, "mount -t tmpfs none /sys/firmware/qemu_fw_cfg")
    assert (got["source"]["kind"], got["hostname"], got["instance_id"]) == ("seed", "seed", "seed-1")
    assert sorted(web.paths()) == ["/meta-data", "/network-config", "/user-data", "/vendor-data"]

    got = again(local, "echo none >/tmp/serial; mount --bind /tmp/serial /sys/class/dmi/id/product_serial")
    assert (got["source"]["kind"], got["hostname"], got["instance_id"]) == ("nocloud", "disk", "disk-1")
    assert got["ntp"]["enabled"] is False, "vendor-data lies under user-data"
    assert [link["kind"] for link in got["network"]["links"]] == ["ethernet"]
    assert got["faults"] == []

    wipe = "for d in /dev/vd?; do head -c 65536 $d | grep -q {} && dd if=/dev/zero of=$d bs=64k count=1; done"
    got = again(local, wipe.format("CIDATA") + " 2>/dev/null")
    assert (got["source"]["kind"], got["hostname"], got["instance_id"]) == ("configdrive", "drive", "drive-1")
    assert got["ssh_authorized_keys"] == [ssh_key.public]

    esp = json.dumps(named("esp", ssh_key.public))
    got = again(local, wipe.format("config-2") + " 2>/dev/null; mkdir -p /tmp/esp; mount -t vfat "
                "/dev/$(grep -l PARTNAME=esp /sys/class/block/vda*/uevent | cut -d/ -f5) /tmp/esp && "
                f"mkdir -p /tmp/esp/berth && printf %b {esp} >/tmp/esp/berth/user-data; umount /tmp/esp")
    assert (got["source"]["kind"], got["hostname"]) == ("esp", "esp"), got["source"]


def test_an_address_on_the_kernel_command_line(local, web, ssh_key):
    web.become("plain", web=named("url", ssh_key.public))
    got = again(local, "echo berth.config-url=http://10.0.2.100/web >/tmp/cmdline; "
                       "mount --bind /tmp/cmdline /proc/cmdline")
    assert (got["source"]["kind"], got["hostname"]) == ("url", "url")
