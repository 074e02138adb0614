"""A machine's network without a machine: netup in a network namespace of its own, its cards veth
pairs whose other ends lie in a second namespace, "the wire". The programs are the target's: they are
static. Needs root and about a second."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
SECONDS = 30
SETUP = """set -e
mount -t tmpfs none /run
mount -t tmpfs none {work}
mkdir -p /run/berth {work}/up/bin {work}/up/lib/berth {work}/wk
cp {netup} {work}/up/lib/berth/netup
ln -s netup {work}/up/lib/berth/dhcp-event
ln -s {busybox} {work}/up/bin/udhcpc
ln -s {busybox} {work}/up/bin/udhcpc6
mount -t overlay -o lowerdir=/usr,upperdir={work}/up,workdir={work}/wk none /usr
mount -t sysfs none /sys
echo ready
exec sleep infinity
"""


def busybox():
    """The target's: it has the DHCP clients that the image has."""
    key = (TOP / "out/pkg/busybox.key").read_text().split()[0]
    cache = Path(os.environ.get("BERTH_CACHE", Path.home() / ".cache/berth"))
    return cache / "build" / key / "root/usr/bin/busybox"


def wait_until(condition, what, seconds=SECONDS):
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Lab:
    """cards: names of the machine's links; wire: their other ends, NAME-w, all up."""

    def __init__(self, cards, network=None, **config):
        self.work = tempfile.mkdtemp(prefix="berth-lab-")
        self.cards, self.config = cards, dict(config)
        if network is not None:
            self.config["network"] = network
        self.wire = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        script = SETUP.format(work=self.work, netup=TOP / "out/target/bin/netup", busybox=busybox())
        self.host = subprocess.Popen(["unshare", "-mn", "--propagation", "private", "sh", "-c", script],
                                     stdout=subprocess.PIPE, text=True)
        assert self.host.stdout.readline() == "ready\n"
        self.helpers, self.daemon = [], None
        self.log = Path(self.work + ".log")

    def __enter__(self):
        for card in self.cards:
            self.run("ip", "link", "add", card, "type", "veth", "peer", "name", f"{card}-w",
                     "netns", str(self.wire.pid))
            self.on_wire("ip", "link", "set", f"{card}-w", "up")
        self.write_config()
        self.start()
        return self

    def __exit__(self, *unused):
        # netup's own helpers (udhcpc) outlive a netup that is killed, where no PID 1 ends its cgroup.
        for pid in self.inhabitants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in [self.daemon, *self.helpers, self.host, self.wire]:
            if process:
                process.kill()
                process.wait()
        shutil.rmtree(self.work, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    # --- the machine ---

    def inhabitants(self):
        """Who is in the machine's network namespace."""
        here, found = os.stat(f"/proc/{self.host.pid}/ns/net").st_ino, []
        for each in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.stat(each / "ns/net").st_ino == here:
                    found.append(int(each.name))
        return found

    def enter(self, *argv):
        return ["nsenter", "-t", str(self.host.pid), "-m", "-n", *argv]

    def run(self, *argv, check=True):
        return subprocess.run(self.enter(*argv), check=check, capture_output=True, text=True,
                              timeout=SECONDS * 2).stdout

    def write_config(self):
        subprocess.run(self.enter("sh", "-c", "cat > /run/berth/config.json"),
                       input=json.dumps(self.config), text=True, check=True)

    def start(self):
        self.daemon = subprocess.Popen(self.enter("/usr/lib/berth/netup", *self.cards),
                                       stdout=self.log.open("a"), stderr=subprocess.STDOUT)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(SECONDS)

    def reload(self, network):
        self.config["network"] = network
        self.write_config()
        subprocess.run(self.enter("/usr/lib/berth/netup", "reload"), check=True, timeout=SECONDS)

    def ip(self, *argv):
        return json.loads(self.run("ip", "-j", *argv) or "[]")

    def addresses(self, link):
        found = self.ip("addr", "show", "dev", link)
        return [f"{a['local']}/{a['prefixlen']}" for entry in found for a in entry["addr_info"]
                if a.get("scope") != "link"]

    def routes(self, *argv):
        return self.ip("route", "show", *argv)

    def state(self, name="network"):
        path = "network.json" if name == "network" else f"net/{name}.json"
        text = self.run("cat", f"/run/berth/{path}", check=False)
        return json.loads(text) if text else {}

    def file(self, path):
        return self.run("cat", path, check=False)

    def wait(self, condition, what):
        try:
            return wait_until(condition, what)
        except AssertionError as reason:
            raise AssertionError(f"{reason}\n{self.log.read_text()}\n"
                                 f"{self.run('ip', 'addr')}{self.run('ip', 'route')}") from None

    # --- the wire ---

    def on_wire(self, *argv):
        return subprocess.run(["nsenter", "-t", str(self.wire.pid), "-n", *argv], check=True,
                              capture_output=True, text=True, timeout=SECONDS).stdout

    def ping(self, address):
        return self.on_wire(str(busybox()), "ping", "-c1", "-W5", address)

    def serve(self, server, *argv):
        """Starts servers.py's SERVER on the wire and waits until it listens."""
        process = subprocess.Popen(["nsenter", "-t", str(self.wire.pid), "-n", sys.executable,
                                    str(Path(__file__).parent / "servers.py"), server, *argv],
                                   stdout=subprocess.PIPE, text=True)
        self.helpers.append(process)
        assert process.stdout.readline() == "ready\n"
        return process
