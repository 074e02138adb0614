"""The shim with a real OCI runtime on this machine: no engine, no VM. Needs root."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the shim mounts and makes namespaces")

BASE = 0x20000
BUSYBOX = Path("/bin/busybox")


@pytest.fixture(scope="module")
def shim(out):
    program = out / "target/bin/shim"
    assert program.exists(), f"{program} is missing: run make"
    return program


@pytest.fixture(scope="module", params=["berth-oci", "crun"])
def runtime(request, out, tmp_path_factory):
    """Ours, and one that we did not write: the shim must not depend on what only ours does."""
    ours = out / "target/bin/berth-oci"
    commands = {"berth-oci": f"{ours}", "crun": "crun --cgroup-manager=disabled"}
    if not shutil.which(commands[request.param].split()[0]):
        pytest.skip(f"{request.param} is not there")
    top = tmp_path_factory.mktemp("runtime")
    program = top / "runtime"
    program.write_text(f"""#!/bin/sh
# Both refuse a machine with old cgroups beside the new: they are shown only the new ones.
exec unshare --mount sh -c 'mount -t cgroup2 none /sys/fs/cgroup && \\
exec {commands[request.param]} --root {top}/state "$@"' runtime "$@"
""")
    program.chmod(0o755)
    return program


class Container:
    def __init__(self, top, shim, runtime):
        self.top, self.shim, self.runtime = top, shim, runtime
        self.id = f"t{os.getpid()}-{top.name[-20:]}"
        self.dir = top / "run"
        self.log = top / "log/c-json.log"
        for name in ("run/bundle", "log", "state/upper", "state/work", "store/base/bin",
                     "store/base/proc", "store/base/dev", "store/top"):
            (top / name).mkdir(parents=True)
        shutil.copy(BUSYBOX, top / "store/base/bin/busybox")
        os.symlink("busybox", top / "store/base/bin/sh")
        (top / "store/top/layer").write_text("top\n")
        # The container's root must be able to come in to its root directory.
        for path in [top, *top.parents]:
            if str(path).startswith("/tmp/"):
                path.chmod(path.stat().st_mode | 0o011)
        (self.dir / "stack").write_text("".join(f"{line}\n" for line in (
            f"lower {top}/store/top", f"lower {top}/store/base", f"upper {top}/state/upper",
            f"work {top}/state/work", f"idmap {BASE} 65536")))
        self.process = None

    def config(self, *args, tty=False):
        ids = [{"containerID": 0, "hostID": BASE, "size": 65536}]
        spaces = ("pid", "mount", "ipc", "uts", "user")
        (self.dir / "bundle/config.json").write_text(json.dumps({
            "ociVersion": "1.0.2", "root": {"path": str(self.dir / "rootfs")},
            "process": {"args": list(args), "cwd": "/", "terminal": tty,
                        "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin"],
                        "consoleSize": {"height": 30, "width": 100},
                        "capabilities": {kind: ["CAP_CHOWN", "CAP_KILL"] for kind in
                                         ("bounding", "effective", "permitted")}},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                       {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
                       {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                        "options": ["newinstance", "ptmxmode=0666", "mode=0620"]}],
            "linux": {"namespaces": [{"type": name} for name in spaces],
                      "uidMappings": ids, "gidMappings": ids}}))

    def create(self, *args, tty=False, options=()):
        """Up to the status line."""
        self.config(*args, tty=tty)
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [self.shim, "--id", self.id, "--dir", self.dir, "--log", self.log, "--runtime",
             self.runtime, "--status-fd", str(write), *(["--tty"] if tty else []), *options],
            pass_fds=[write], stdin=subprocess.DEVNULL)
        os.close(write)
        with open(read) as status:
            return status.readline().strip()

    def start(self):
        subprocess.run([self.runtime, "start", self.id], check=True)

    def run(self, *args, **options):
        line = self.create(*args, **options)
        assert line.startswith("created "), line
        self.pid = int(line.split()[1])
        self.start()

    def wait(self):
        assert self.process.wait(20) == 0
        return json.loads((self.dir / "exit").read_text())

    def connect(self):
        peer = socket.socket(socket.AF_UNIX)
        here = os.open(self.dir, os.O_PATH)
        peer.connect(f"/proc/self/fd/{here}/shim.sock")
        os.close(here)
        peer.settimeout(10)
        return peer

    def lines(self, name=None):
        return [json.loads(line) for line in (name or self.log).read_text().splitlines()]

    def output(self, stream="stdout"):
        return "".join(line["log"] for line in self.lines() if line["stream"] == stream)


@pytest.fixture
def container(tmp_path, shim, runtime):
    c = Container(tmp_path, shim, runtime)
    yield c
    if c.process and c.process.poll() is None:
        subprocess.run([runtime, "delete", "--force", c.id], capture_output=True)
        c.process.kill()
        c.process.wait()


def test_output_exit_code_and_time(container):
    before = time.time()
    container.run("/bin/sh", "-c", "echo out; echo err >&2; exit 7")
    record = container.wait()
    assert (record["status"], record["signal"], record["oom"]) == (7, 0, False)
    assert before < record["finished_ns"] / 1e9 < time.time()
    assert container.output() == "out\n"
    assert container.output("stderr") == "err\n"
    assert container.lines()[0]["time"].endswith("Z")


def test_root_is_the_stack_with_ids_mapped(container):
    container.run("/bin/sh", "-c", "cat /layer; busybox stat -c %u:%g /layer; echo mine > /new;"
                  "busybox chown 7:8 /new; busybox rm /layer")
    assert container.wait()["status"] == 0
    assert container.output() == "top\n0:0\n"
    new = (container.top / "state/upper/new").stat()
    assert (new.st_uid, new.st_gid) == (7, 8)
    assert (container.top / "store/top/layer").stat().st_uid == 0


def test_nothing_of_it_is_seen_in_the_host_namespace(container):
    container.run("/bin/sh", "-c", "busybox sleep 100")
    assert str(container.top) not in Path("/proc/self/mountinfo").read_text()
    mounts = Path(f"/proc/{container.process.pid}/mountinfo").read_text()
    assert sum(str(container.top) in line for line in mounts.splitlines()) == 1
    os.kill(container.pid, signal.SIGKILL)
    assert container.wait()["signal"] == 9


def test_killed_is_128_and_the_signal(container):
    container.run("/bin/sh", "-c", "busybox sleep 100")
    os.kill(container.pid, signal.SIGKILL)
    record = container.wait()
    assert (record["status"], record["signal"]) == (137, 9)


def test_clients_are_told_and_hung_up_on_at_the_end(container):
    container.run("/bin/sh", "-c", "busybox sleep 100")
    peers = [container.connect() for _ in range(3)]
    for peer in peers:
        assert peer.recv(100).decode() == f"running {container.pid}\n"
    peers.pop().close()
    late = container.connect()
    os.kill(container.pid, signal.SIGTERM)
    os.kill(container.pid, signal.SIGKILL)
    for peer in (*peers, late):
        while peer.recv(100):
            pass
        assert (container.dir / "exit").exists()
    container.wait()


def test_output_after_the_engine_is_gone_and_signals_are_ignored(container):
    container.run("/bin/sh", "-c", "busybox sleep 1; echo later")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        container.process.send_signal(number)
    assert container.wait()["status"] == 0
    assert container.output() == "later\n"


def test_last_output_is_not_lost(container):
    container.run("/bin/sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done;"
                  " printf end")
    container.wait()
    assert container.output() == "".join(f"line {i}\n" for i in range(3000)) + "end"


def test_long_lines_are_cut_as_docker_cuts_them(container):
    container.run("/bin/sh", "-c", "busybox head -c 40000 /proc/self/environ > /dev/null;"
                  "busybox yes x | busybox tr -d '\\n' | busybox head -c 40000; echo")
    container.wait()
    assert [len(line["log"]) for line in container.lines()] == [16384, 16384, 7233]
    assert container.output() == "x" * 40000 + "\n"


def test_bytes_that_are_no_utf8(container):
    container.run("/bin/busybox", "printf", r"a\377b\302\265\000\033\n")
    container.wait()
    assert container.output() == "a\ufffdb\u00b5\0\x1b\n"


def test_rotation(container):
    container.run("/bin/sh", "-c", "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done",
                  options=["--log-max-size", "20000", "--log-max-file", "3"])
    container.wait()
    names = sorted(path.name for path in container.log.parent.iterdir())
    assert names == ["c-json.log", "c-json.log.1", "c-json.log.2"]
    kept = []
    for name in reversed(names):
        path = container.log.parent / name
        assert path.stat().st_size <= 20000
        kept += [int(line["log"].split()[1]) for line in container.lines(path)]
    assert kept == list(range(kept[0], 2000))


def test_syslog_instead_of_a_file(container):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(container.top / "syslog"))
        server.settimeout(20)
        container.run("/bin/sh", "-c", "echo out; echo err >&2; printf end",
                      options=["--syslog", f"unix://{container.top}/syslog", "--syslog-tag", "boat",
                               "--syslog-format", "rfc5424", "--syslog-facility", "16"])
        container.wait()
        lines = sorted(server.recv(20000).decode() for _ in range(3))
    assert [line.split(" ")[0] for line in lines] == ["<131>1", "<134>1", "<134>1"]
    assert {line.split(" - ")[1] for line in lines} == {"out", "err", "end"}
    assert not container.log.exists()


def test_terminal(container):
    container.run("/bin/sh", "-c", "busybox stty size; busybox test -t 0 && echo yes", tty=True)
    assert container.wait()["status"] == 0
    assert container.output() == "30 100\r\nyes\r\n"
    assert not (container.dir / "console.sock").exists()


def test_full_disk_costs_lines_not_the_container(container):
    disk = container.top / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], check=True)
    try:
        container.log = disk / "c-json.log"
        container.run("/bin/sh", "-c",
                      "trap go=1 USR1; i=0;"
                      "while [ $i -lt 2000 ]; do echo some line $i; i=$((i+1)); done;"
                      "echo full > /mark; while [ -z \"$go\" ]; do busybox sleep 0.1; done;"
                      "echo after; exit 3")
        mark = container.top / "state/upper/mark"
        while not mark.exists():
            time.sleep(0.05)
        time.sleep(0.3)
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        os.kill(container.pid, signal.SIGUSR1)
        assert container.wait()["status"] == 3
        notes = [line["log"] for line in container.lines() if "berth: " in line["log"]]
        assert "lines of output not logged: No space left on device" in notes[-1]
        lost = sum(int(note.split()[1]) for note in notes)
        assert lost > 100 and len(container.lines()) - len(notes) + lost == 2001
        assert container.lines()[-1]["log"] == "after\n"
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


FAILURES = {
    "no such program": (lambda c: c.create("/bin/nothing"), "nothing"),
    "no stack": (lambda c: ((c.dir / "stack").unlink(), c.create("/bin/sh"))[1], "stack"),
    "layer missing": (lambda c: (shutil.rmtree(c.top / "store"), c.create("/bin/sh"))[1],
                      "open layers"),
    "broken stack": (lambda c: ((c.dir / "stack").write_text("lower x\n"),
                                c.create("/bin/sh"))[1], "absolute path"),
    "no runtime": (lambda c: (setattr(c, "runtime", "/nowhere"), c.create("/bin/sh"))[1],
                   "/nowhere"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures_are_one_sentence(case, container):
    action, expected = FAILURES[case]
    line = action(container)
    assert line.startswith("error: ") and expected in line
    assert container.process.wait(10) == 1
    assert not (container.dir / "shim.sock").exists()


def test_resident_memory(container):
    """What a container costs for as long as it runs. The budget for all of Berth is 500 kB."""
    container.run("/bin/sh", "-c", "echo hello; busybox sleep 100")
    time.sleep(0.5)
    rollup = Path(f"/proc/{container.process.pid}/smaps_rollup").read_text()
    sizes = {line.split()[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
    print("private kB:", sizes["Private_Dirty:"], "resident kB:", sizes["Rss:"])
    assert sizes["Private_Dirty:"] < 200
    os.kill(container.pid, signal.SIGKILL)
    container.wait()
