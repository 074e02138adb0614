#!/usr/bin/env python3
"""create + start + delete, run, and exec of the same bundles, Berth's runtime and this machine's
crun and runc in turn in one loop, in the test machine. Prints medians, how many times Berth's each
is, and peak memory. `tests/oci/bench.py [ROUNDS]`"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import test_oci


def libraries(program):
    listed = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"(/\S+)", listed)))


def copy_of(config):
    return json.loads(json.dumps(config))


def rules(config):
    """The default profile with a rule for each system call, which makes more than 300 of them."""
    made = [{**rule, "names": [name]} for rule in config["linux"]["seccomp"]["syscalls"]
            for name in rule["names"]]
    assert len(made) > 300, len(made)
    return {**config["linux"]["seccomp"], "syscalls": made}


def variants(config):
    """The same bundle as it is, with 300 rules, without seccomp, and with twenty more mounts."""
    yield "docker's defaults", config
    long = copy_of(config)
    long["linux"]["seccomp"] = rules(config)
    yield "300 seccomp rules", long
    plain = copy_of(config)
    del plain["linux"]["seccomp"]
    yield "no seccomp", plain
    mounts = copy_of(plain)
    mounts["mounts"] += [{"destination": f"/tmp/m{i}", "type": "tmpfs", "source": "tmpfs"}
                         for i in range(20)]
    yield "no seccomp, 20 mounts", mounts


def write_bundle(root, name, config, args):
    folder = root / name
    folder.mkdir()
    made = copy_of(config)
    made["root"]["path"] = "/run/rootfs"
    made["ociVersion"] = "1.0.2"  # Debian 12's crun knows no newer one
    made["process"]["args"] = args
    made["linux"]["cgroupsPath"] = f"/containers/{name}"
    (folder / "config.json").write_text(json.dumps(made))


def main():
    rounds = sys.argv[1] if len(sys.argv) > 1 else "20"
    work = Path(tempfile.mkdtemp(prefix="berth-oci-bench-"))
    test_oci.CASES = {"bench": dict(spec={"command": ["true"]})}
    found = shutil.which("crun"), shutil.which("runc", path="/usr/sbin:/usr/bin")
    peers = [path for path in found if path]
    root = test_oci.make_disk(work, [(p, Path(p).name) for p in peers])
    for library in {l for p in peers for l in libraries(p)}:
        (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library[1:])
    config = json.loads((root / "cases/bench/config.json").read_text())
    names = " ".join(["/bin/berth-oci", *(f"/bin/{Path(p).name}" for p in peers)])
    lines = ["cp -a /rootfs /run/rootfs; chown -R 65536:65536 /run/rootfs"]
    for i, (title, changed) in enumerate(variants(config)):
        write_bundle(root, f"short{i}", changed, ["true"])
        for runtime in ["/bin/berth-oci", *peers]:
            write_bundle(root, f"long{i}-{Path(runtime).name}", changed, ["sleep", "100000"])
        lines.append(f'echo "{title}"')
        for what, bundle in (("cycle", "short"), ("run", "short"), ("exec", "long")):
            lines.append(f"ocirun bench {what} {rounds} /{bundle}{i} {names} </dev/null")
    (root / "bench").write_text("\n".join(lines) + "\n")
    test_oci.pack_disk(root, work / "disk.img")
    text = test_oci.boot(work / "disk.img", seconds=7200)
    print(test_oci.split_output(text).get("end", text[-3000:]))
    shutil.rmtree(work)


main()
