"""A machine that a configuration says much about: users, commands, files, disks, names; and one that
is full of faults, which is reached and says them all."""
import http.server
import re
import socket
import subprocess
import threading
import urllib.parse

import pytest

from machine import SHORT_SECONDS, Machine, SshKey, wait_until

DISK_BYTES = 64 << 20

SEED = """#cloud-config
fqdn: keys.example.org
ssh_authorized_keys: ["{key}"]
users:
  - default
  - {{name: core, groups: docker, uid: 1500, ssh_authorized_keys: ["{core}"]}}
  - {{name: other, ssh_authorized_keys: ["{core}"]}}
ssh_keys:
  ed25519_private: |
{host}
timezone: Europe/Berlin
ca_certs:
  trusted:
    - |
      -----BEGIN CERTIFICATE-----
      bm9ib2R5
      -----END CERTIFICATE-----
chpasswd:
  expire: false
  users:
    - name: root
      password: >-
        $6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1
bootcmd:
  - echo "early $INSTANCE_ID" >> /var/lib/boots
  - [sh, -c, "test -S /run/docker.sock && touch /var/lib/too-late; exit 4"]
runcmd:
  - cd /var/lib
  - echo "$INSTANCE_ID" >> once
  - [ls, /nowhere]
write_files:
  - {{path: /var/lib/late, content: "late", defer: true, owner: "core:core"}}
  - {{path: /var/lib/packed, content: H4sIAAAAAAACA8tIzcnJ5wIAIDA6NgYAAAA=, encoding: gz+b64}}
  - {{path: /var/lib/fetched, source: {{uri: "http://10.0.2.2:{port}/file", headers: {{X-Token: t}}}}}}
  - {{path: /var/lib/instead, content: here, source: {{uri: "http://10.0.2.2:{port}/none"}}}}
final_message: "all done in $UPTIME s"
phone_home: {{url: "http://10.0.2.2:{port}/$INSTANCE_ID", tries: 3}}
device_aliases: {{data: /dev/vdc}}
disk_setup:
  data: {{layout: [50, 50]}}
  /dev/vdd: {{layout: true}}
fs_setup:
  - {{device: data.1, filesystem: ext4, label: first}}
  - {{device: data.2, filesystem: swap}}
  - {{device: /dev/vdd, filesystem: ext4, label: taken}}
  - {{device: /dev/vda, partition: 6, filesystem: ext4, overwrite: true}}
mounts:
  - [LABEL=first, /var/first, ext4, "noatime"]
  - [data.2, none, swap]
  - [/dev/vdz, /var/never]
swap: {{size: 16M}}
berth:
  zram: 16m
  sysctl: {{vm.swappiness: "33"}}
  log: {{server: "udp://10.0.2.2:{log_port}"}}
secrets: {{token: {{content: s3cret}}}}
containers:
  demo:
    image: localhost/demo:latest
    secrets: [token]
    annotations: {{org.example.team: web}}
    dns_search: example.org
    volumes: ["/var/first:/first"]
"""


class Calls(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.calls.append((self.path, dict(urllib.parse.parse_qsl(body, True))))
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        found = self.path == "/file" and self.headers["X-Token"] == "t"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(b"from the network" if found else b"no")

    def log_message(self, *unused):
        pass


@pytest.fixture(scope="module")
def home():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Calls)
    server.calls = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def log_server():
    """What a syslog server was sent."""
    got = []

    def receive():
        while data := server.recv(65536):
            got.append(data.decode(errors="replace"))

    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    got_port = server.getsockname()[1]
    threading.Thread(target=receive, daemon=True).start()
    yield got_port, got
    server.sendto(b"", ("127.0.0.1", got_port))


@pytest.fixture(scope="module")
def keyed(image, ssh_key, home, log_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    core = SshKey(folder)
    (folder / "host").mkdir()
    host = SshKey(folder / "host")
    disks = [folder / "vdb", folder / "vdc"]
    for disk in disks:
        disk.write_bytes(b"")
        subprocess.run(["truncate", "-s", str(DISK_BYTES), str(disk)], check=True)
    with open(disks[1], "r+b") as precious:
        precious.seek(4096)
        precious.write(b"somebody's data")
    seed = SEED.format(key=ssh_key.public, core=core.public, port=home.server_address[1],
                       log_port=log_server[0],
                       host="".join(f"    {line}\n" for line in host.path.read_text().splitlines()))
    qemu = [word for i, disk in enumerate(disks) for word in (
        "-drive", f"file={disk},format=raw,if=none,id=extra{i}",
        "-device", f"virtio-blk-pci,drive=extra{i}")]
    with Machine(image, user_data=seed, ssh_key=ssh_key, qemu=qemu) as machine:
        machine.core, machine.host, machine.disks = core, host, disks
        machine.wait_ssh()
        wait_until(lambda: "all done" in machine.console(), SHORT_SECONDS, "the final message",
                   machine)
        yield machine


def as_user(machine, user, command):
    argv = machine.ssh_argv(command)
    argv[argv.index("-i") + 1] = str(machine.core.path)
    argv[argv.index("root@127.0.0.1")] = f"{user}@127.0.0.1"
    return subprocess.run(argv, capture_output=True, text=True, timeout=SHORT_SECONDS, check=False,
                          stdin=subprocess.DEVNULL)


def test_names_time_zone_and_settings(keyed):
    assert keyed.ssh("hostname").strip() == "keys"
    assert "127.0.1.1 keys.example.org keys" in keyed.ssh("cat /etc/hosts")
    assert keyed.ssh("date +%Z").strip() in ("CET", "CEST")
    assert keyed.ssh("cat /proc/sys/vm/swappiness").strip() == "33"
    assert "bm9ib2R5" in keyed.ssh("tail -5 /usr/share/berth/ca-certificates.pem")
    assert keyed.ssh("wc -l < /usr/share/berth/ca-certificates.pem").strip() > "1000"


def test_the_host_key_is_the_given_one(keyed):
    scanned = subprocess.run(["ssh-keyscan", "-p", str(keyed.ports[22]), "-t", "ed25519", "127.0.0.1"],
                             check=True, capture_output=True, text=True).stdout
    assert keyed.host.public.split()[1] in scanned


def test_users_log_in_and_only_members_of_docker_use_the_engine(keyed):
    assert as_user(keyed, "core", "id -un; id -u; pwd").stdout.split() == [
        "core", "1500", "/var/home/core"]
    assert "demo" in as_user(keyed, "core", "docker ps").stdout
    assert as_user(keyed, "other", "docker ps").returncode != 0
    assert as_user(keyed, "root", "id").returncode != 0
    assert as_user(keyed, "core", "cat /run/berth/config.json").returncode != 0
    assert as_user(keyed, "core", "cat /etc/shadow").returncode != 0


def test_commands_ran_in_their_place(keyed):
    assert keyed.ssh("cat /var/lib/boots") == "early berth\n"
    assert keyed.ssh("cat /var/lib/once") == "berth\n"
    assert keyed.try_ssh("test -e /var/lib/too-late").returncode != 0
    log = keyed.ssh("cat /run/berth/log/bootcmd.log /run/berth/log/final.log")
    assert "bootcmd[1]: exit code 4" in log
    assert "runcmd[2]: exit code" in log and "/nowhere" in log
    assert keyed.ssh("stat -c %U /var/lib/late; cat /var/lib/late") == "core\nlate"
    assert keyed.ssh("cat /var/lib/packed /var/lib/fetched /var/lib/instead") == (
        "hello\nfrom the networkhere")
    assert "answers with status 404" in log


def test_the_call_home(keyed, home):
    wait_until(lambda: home.calls, SHORT_SECONDS, "the call home", keyed)
    path, form = home.calls[0]
    assert path == "/berth" and form["fqdn"] == "keys.example.org" and form["hostname"] == "keys"
    assert keyed.host.public.split()[1] in form["pub_key_ed25519"]
    assert form["instance_id"] == "berth"


def test_disks_are_made_mounted_and_never_taken_from_anybody(keyed):
    assert " /var/first ext4 " in keyed.ssh("cat /proc/mounts")
    assert "noatime" in keyed.ssh("grep /var/first /proc/mounts")
    swaps = keyed.ssh("cat /proc/swaps")
    for name in ("/dev/vdc2", "swap.img", "zram0"):
        assert name in swaps
    log = keyed.ssh("cat /run/berth/log/disks.log")
    assert "something else is on it; it is left alone" in log
    assert "/dev/vdz: there is no such device" in log
    assert "/dev/vda6 is on Berth's own disk" in log, "the other slot's boot partition"
    with open(keyed.disks[1], "rb") as precious:
        precious.seek(4096)
        assert precious.read(15) == b"somebody's data"


def test_secrets_and_small_keys_reach_the_container(keyed):
    assert keyed.ssh("berth exec demo cat /run/secrets/token") == "s3cret"
    assert "search example.org" in keyed.ssh("berth exec demo cat /etc/resolv.conf")
    assert keyed.ssh("stat -c %a /run/berth/secrets").strip() == "700"


def test_the_log_server_is_told(keyed, log_server):
    """The kernel's lines from before the network was there, the services', and a container's."""
    keyed.try_ssh("berth run --name talker --hostname told --entrypoint cat localhost/demo "
                  "/etc/hostname /none")
    wait_until(lambda: any("No such file" in line for line in log_server[1]), SHORT_SECONDS,
               "the container's line arrives", keyed)
    sent = "\n".join(log_server[1])
    for line in (r"<\d+>1 20\S+Z keys kernel - kernel - Linux version ",
                 r"<30>1 20\S+Z keys bootcmd - service - bootcmd: ",
                 r"<28>1 20\S+Z keys final - service - final: warning: /var/lib/instead: ",
                 r"<30>1 20\S+Z keys talker - container - told",
                 r"<27>1 20\S+Z keys talker - container - cat: .*No such file"):
        assert re.search(f"(?m)^{line}", sent), (line, sent[-2000:])
    status = {s["name"]: s for s in keyed.status()["services"]}
    assert status["log"]["state"] == "running"


def test_the_second_boot_does_again_what_is_for_every_boot_only(keyed, home):
    keyed.ssh("echo kept > /var/first/file; echo mine > /home/core/file; sync")
    calls = len(home.calls)
    keyed.try_ssh("berth reboot")
    keyed.wait_gone()
    keyed.wait_ssh()
    wait_until(lambda: keyed.console().count("all done") == 2, SHORT_SECONDS, "the final message",
               keyed)
    assert len(keyed.ssh("cat /var/lib/boots").splitlines()) == 2
    assert len(keyed.ssh("cat /var/lib/once").splitlines()) == 1
    assert keyed.ssh("cat /var/first/file /home/core/file") == "kept\nmine\n"
    assert len(home.calls) == calls
