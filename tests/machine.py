"""A machine under test: booted by qemu/start as its users boot it, looked at from outside.

No sleeps: everything waits for a condition with a time-out, and a time-out that passes shows the
console's last lines. Under TCG on a shared host a boot takes tens of seconds, so time-outs are wide.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BOOT_SECONDS = 240
SHORT_SECONDS = 90


def wait_until(condition, seconds, what, machine=None):
    """Calls `condition` until it returns something true, which is returned."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if machine is not None:
            machine.check_alive(what)
        if time.monotonic() > end:
            tail = "\n" + machine.console_tail() if machine is not None else ""
            raise AssertionError(f"{what}: not within {seconds} s{tail}")
        time.sleep(0.2)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class SshKey:
    def __init__(self, folder):
        self.path = Path(folder) / "id_ed25519"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f",
                        str(self.path)], check=True)
        self.public = self.path.with_suffix(".pub").read_text().strip()


class Machine:
    """Use as a context manager, or start() and close(). Writes go to an overlay of the image, so
    the image itself is never changed; the overlay lives until close(), so that a power_cut() or
    poweroff followed by start() finds what was written. `image` may be a folder with kernel and
    root instead (out/direct): then there is no other disk. `options` are qemu/start's, `qemu` goes
    to QEMU; with `keyboard`, type() types on the serial console. `write_log`: where the disk's writes
    are recorded, until the first power_cut()."""

    def __init__(self, image, *, user_data=None, firmware="bios", disk="virtio", memory=256,
                 forward=(), ssh_key=None, size="4G", options=(), qemu=(), network=True,
                 keyboard=False, write_log=None):
        self.work = Path(tempfile.mkdtemp(prefix="berth-machine-"))
        self.image, self.firmware, self.disk = Path(image), firmware, disk
        self.memory, self.options, self.network = memory, list(options), network
        self.qemu, self.keyboard, self.write_log = list(qemu), keyboard, write_log
        self.key = ssh_key
        self.ports = {guest: free_port() for guest in {22, *forward}} if network else {}
        self.seed = None
        if user_data is not None:
            self.seed = self.work / "user-data"
            self.seed.write_text(user_data)
        self.overlay = None
        self.log = self.work / "console.log"
        self.process = None
        self.boots = 0
        if self.image.is_dir():
            self.options += ["--direct", str(self.image)]
        else:
            self.overlay = self.work / "disk.qcow2"
            form = "qcow2" if self.image.suffix == ".qcow2" else "raw"
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", form, "-b",
                            str(self.image.resolve()), str(self.overlay), size], check=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.close()

    # --- power ---------------------------------------------------------------------------------

    def argv(self):
        argv = [str(TOP / "qemu/start"), "--firmware", self.firmware, "--disk", self.disk,
                "--memory", str(self.memory), "--qmp", str(self.work / "qmp"),
                "--console", "stdio" if self.keyboard else str(self.log)]
        if self.seed:
            argv += ["--seed", str(self.seed)]
        for guest, host in self.ports.items():
            argv += ["--forward", f"{host}:{guest}"]
        if self.write_log and self.boots == 1:
            argv += ["--write-log", str(self.write_log)]
        if not self.network:
            argv += ["--no-nic"]
        argv += self.options + ([str(self.overlay)] if self.overlay else [])
        return argv + (["--", *self.qemu] if self.qemu else [])

    def start(self):
        self.boots += 1
        self.log.write_text("")
        self.started = time.monotonic()
        said = self.work / "qemu.log"
        self.process = subprocess.Popen(
            self.argv(), stdin=subprocess.PIPE if self.keyboard else subprocess.DEVNULL,
            stdout=open(self.log if self.keyboard else said, "ab"), stderr=open(said, "ab"),
            start_new_session=True)

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def power_cut(self):
        """The plug is pulled: no guest code runs any more, nothing in flight is finished."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.process:
            self.process.wait()

    def wait_off(self, seconds=SHORT_SECONDS):
        wait_until(lambda: self.process.poll() is not None, seconds, "machine switches itself off")

    def close(self):
        self.power_cut()
        keep = os.environ.get("BERTH_KEEP_MACHINES")
        if keep:
            Path(keep).mkdir(parents=True, exist_ok=True)
            shutil.copy(self.log, Path(keep) / f"{self.work.name}.log")
        shutil.rmtree(self.work, ignore_errors=True)

    def qmp(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(SHORT_SECONDS)
            s.connect(str(self.work / "qmp"))
            stream = s.makefile("rw")
            stream.readline()
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                answer = json.loads(stream.readline())
                while "event" in answer:
                    answer = json.loads(stream.readline())
            return answer

    # --- console -------------------------------------------------------------------------------

    def console(self):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")

    def console_tail(self, lines=40):
        tail = "\n".join(self.console().splitlines()[-lines:])
        return f"--- the console's last lines ---\n{tail}\n"

    def check_alive(self, what):
        if self.process is None or self.process.poll() is not None:
            code = self.process.poll() if self.process else None
            qemu = (self.work / "qemu.log").read_text(errors="replace")[-2000:]
            raise AssertionError(
                f"{what}: the machine went off (qemu ended with {code})\n{qemu}{self.console_tail()}")

    def wait_console(self, pattern, seconds=BOOT_SECONDS):
        found = re.compile(pattern)
        return wait_until(lambda: found.search(self.console()), seconds,
                          f"console shows {pattern!r}", self)

    # --- network -------------------------------------------------------------------------------

    def ssh_argv(self, command):
        return ["ssh", "-p", str(self.ports[22]), "-i", str(self.key.path), "-o", "BatchMode=yes",
                "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.work}/known_hosts",
                "-o", "ConnectTimeout=20", "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes",
                "root@127.0.0.1", command]

    def try_ssh(self, command, seconds=SHORT_SECONDS, data=None):
        try:
            return subprocess.run(self.ssh_argv(command), capture_output=True, text=True,
                                  errors="replace", timeout=seconds, input=data,
                                  **({} if data is not None else {"stdin": subprocess.DEVNULL}))
        except subprocess.TimeoutExpired as slow:
            return subprocess.CompletedProcess(slow.cmd, 255, "", "time-out")

    def ssh(self, command, seconds=SHORT_SECONDS, data=None):
        """Runs the command; its standard output. A failure is the test's failure."""
        done = self.try_ssh(command, seconds, data)
        assert done.returncode == 0, (f"{command!r} ended with {done.returncode}\n{done.stdout}"
                                      f"{done.stderr}\n{self.console_tail()}")
        return done.stdout

    def ssh_file(self, command, path, seconds=BOOT_SECONDS):
        """Runs the command with the file as its standard input; the ended process."""
        with open(path, "rb") as data:
            return subprocess.run(self.ssh_argv(command), stdin=data, capture_output=True, text=True,
                                  errors="replace", timeout=seconds, check=False)

    def wait_ssh(self, seconds=BOOT_SECONDS):
        wait_until(lambda: self.try_ssh("true", 30).returncode == 0, seconds, "SSH answers", self)

    def wait_gone(self, seconds=SHORT_SECONDS):
        """For a reboot: the old boot's SSH is gone."""
        wait_until(lambda: self.try_ssh("true", 10).returncode != 0, seconds, "SSH goes away")

    def http(self, guest_port=80, path="/", seconds=20):
        url = f"http://127.0.0.1:{self.ports[guest_port]}{path}"
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return answer.read().decode()

    def try_http(self, guest_port=80, path="/", seconds=5):
        """Short, because QEMU takes the connection at once and asks a guest that is not up yet
        again after 6 s, 12 s ...: a new one gets there earlier."""
        try:
            return self.http(guest_port, path, seconds)
        except (OSError, urllib.error.URLError, ValueError):
            return None

    def wait_http(self, guest_port=80, path="/", seconds=BOOT_SECONDS):
        return wait_until(lambda: self.try_http(guest_port, path), seconds,
                          f"HTTP on port {guest_port} answers", self)

    def status(self):
        return json.loads(self.ssh("berth status --json"))

    def containers(self):
        """Rows of `berth ps -a` by name, with the columns by their heads."""
        lines = self.ssh("berth ps -a --no-trunc").splitlines()
        heads = re.split(r"\s{3,}", lines[0].strip())
        starts = [lines[0].index(head) for head in heads] + [None]
        rows = [{head: line[start:end].strip() for head, start, end in
                 zip(heads, starts, starts[1:])} for line in lines[1:]]
        return {row["NAMES"]: row for row in rows}
