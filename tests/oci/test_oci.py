"""berth-oci in a machine of its own: one boot runs every case, then each row is judged.

The kernel is the one that Berth ships (out/direct/bzImage, or $BERTH_KERNEL); the root file system
is BusyBox, the runtime and three small tools. Nothing of the rest of Berth takes part."""
import copy
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cases import BASE

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.append(str(TOP / "qemu"))

from accel import accel_args  # noqa: E402  (needs the path above)

OUT = Path(os.environ.get("BERTH_OUT") or TOP / "out")
APPLETS = """awk cat chmod chown cmp cp cut dd df diff echo env false find grep head hostname id ip
kill ls mkdir mkfifo mknod mount poweroff ps pwd readlink rm rmdir sed sh sleep sort stat stty tail
timeout touch tr true tty umount uname uniq unshare usleep wc ln mv nsenter seq
truncate""".split()
PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\n"
GROUP = "root:x:0:\napp:x:1001:\nextra:x:2000:app\n"
TOOLS = ("ocirun", "probe", "ptyhost", "stagehand", "attack", "killat")
# `make sweep-oci`: killed at each system call instead of a few, see cases_kill.py.
SWEEP = bool(os.environ.get("BERTH_SWEEP"))
BOOT_SECONDS = 14400 if SWEEP else 900
CASE_SECONDS = 7200 if SWEEP else 90


def load_cases():
    """The tables CASES of every cases*.py; a name stands in one of them only."""
    rows = {}
    for path in sorted(HERE.glob("cases*.py")):
        for name, row in importlib.import_module(path.stem).CASES.items():
            assert name not in rows, f"{path.name}: there is a case {name} already"
            rows[name] = row
    wanted = re.compile(os.environ.get("BERTH_CASES") or "")
    return {name: row for name, row in rows.items() if wanted.search(name)}


CASES = load_cases()


def kernel():
    path = Path(os.environ.get("BERTH_KERNEL") or OUT / "direct/bzImage")
    assert path.exists(), f"{path} is missing: run make image"
    return path


def runtime():
    path = Path(os.environ.get("BERTH_RUNTIME") or OUT / "target/bin/berth-oci")
    assert path.exists(), f"{path} is missing: run make programs"
    return path


def compile_tool(name, where, *more):
    subprocess.run([os.environ.get("HOSTCC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g",
                    f"-I{TOP}/init", f"-I{TOP}/runtime", f"-I{OUT}/hostroot/usr/include",
                    str(HERE / f"{name}.c"), *map(str, more), "-o", str(where)], check=True)


def make_specgen(work):
    """The engine's own way from a container spec to config.json, as a program of this machine."""
    sources = [*sorted((TOP / "runtime/spec").glob("*.c")),
               *(TOP / f"init/base/{n}.c" for n in ("err", "buf", "file", "path"))]
    compile_tool("specgen", work / "specgen", *sources, f"{OUT}/hostroot/usr/lib/libyyjson.a")
    return work / "specgen"


def fill_bin(where):
    where.mkdir(parents=True)
    shutil.copy("/bin/busybox", where / "busybox")
    for applet in APPLETS:
        (where / applet).symlink_to("busybox")


def make_rootfs(root, tools):
    """What the containers see."""
    fill_bin(root / "bin")
    for tool in ("probe", "attack"):
        shutil.copy(tools / tool, root / "bin" / tool)
    for name in ("etc", "proc", "sys", "dev", "tmp", "root"):
        (root / name).mkdir()
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/group").write_text(GROUP)


def write_case(name, row, folder, specgen, work):
    folder.mkdir(parents=True)
    (work / "spec.json").write_text(json.dumps({**BASE, "name": "xx", **row["spec"]}))
    (work / "image.json").write_text(json.dumps({"config": row.get("image", {})}))
    made = subprocess.run([str(specgen), name, "rootfs", "65536", "65536", str(work / "spec.json"),
                           str(work / "image.json")], capture_output=True, text=True)
    assert made.returncode == 0, f"{name}: {made.stderr}"
    config = json.loads(made.stdout)
    change = row.get("config")
    if change:
        config = copy.deepcopy(config)
        change(config)
    (folder / "config.json").write_text(json.dumps(config, separators=(",", ":")))
    if "script" in row:
        (folder / "script").write_text(row["script"] + "\n")


def make_disk(work, extra=()):
    root, tools = work / "root", work / "tools"
    tools.mkdir()
    for tool in TOOLS:
        compile_tool(tool, tools / tool, "-static")
    fill_bin(root / "bin")
    for tool in TOOLS:
        shutil.copy(tools / tool, root / "bin" / tool)
    for source, name in ((runtime(), "berth-oci"), *extra):
        shutil.copy(source, root / "bin" / name)
    for name in ("proc", "sys", "dev", "tmp", "run"):
        (root / name).mkdir()
    shutil.copy(HERE / "guest-init", root / "init")
    (root / "init").chmod(0o755)
    (root / "seconds").write_text(f"{CASE_SECONDS}\n")
    make_rootfs(root / "rootfs", tools)
    specgen = make_specgen(work)
    for name, row in CASES.items():
        write_case(name, row, root / "cases" / name, specgen, work)
    return root


def pack_disk(root, disk):
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(root), "-E", "root_owner=0:0",
                    str(disk), "128M"], check=True,
                   env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})


def boot(disk, seconds=BOOT_SECONDS, memory=512, init="/init", options=()):
    command = ["qemu-system-x86_64", *accel_args(), "-m", str(memory), "-smp", "2", "-nographic",
               "-no-reboot", "-nodefaults", "-serial", "stdio", "-kernel", str(kernel()), "-append",
               "console=ttyS0 root=/dev/vda rw rootfstype=ext4 "
               f"init={init} quiet panic=-1",
               "-drive", f"file={disk},format=raw,if=virtio", *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=seconds)
    return done.stdout.replace("\r", "")


def split_output(text):
    parts = re.split(r"^=== (\S+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


@pytest.fixture(scope="session")
def outputs(tmp_path_factory):
    work = tmp_path_factory.mktemp("oci")
    root = make_disk(work)
    pack_disk(root, work / "disk.img")
    text = boot(work / "disk.img")
    # QEMU before 8.1 (qemu/accel.py): with two processors, which the rows need, its guest's kernel
    # may die of a breakpoint that was there for another processor's patched code.
    if "Oops: int3" in text:
        pack_disk(root, work / "disk.img")
        text = boot(work / "disk.img")
    (work / "console.log").write_text(text)
    found = split_output(text)
    assert "over" in found, f"the machine did not come to its end:\n{text[-3000:]}"
    return found


def judge(outputs, name, row):
    assert name in outputs, "the case was not run"
    text = outputs[name]
    for pattern in row.get("expect", []):
        assert re.search(pattern, text, re.M), f"/{pattern}/ is not in:\n{text}"
    for pattern in row.get("forbid", []):
        assert not re.search(pattern, text, re.M), f"/{pattern}/ is in:\n{text}"
    if "exit" in row:
        assert f"exit {row['exit']}\n" in text, text


@pytest.mark.parametrize("name", CASES)
def test_case(outputs, name):
    judge(outputs, name, CASES[name])


def test_nothing_is_left(outputs):
    """State directories and cgroups of every case have gone."""
    assert re.search(r"^left:\s*$", outputs["end"], re.M), outputs["end"]
