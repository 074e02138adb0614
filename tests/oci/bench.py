#!/usr/bin/env python3
"""create + start + delete of one bundle, Berth's runtime and this machine's crun and runc in turn,
in the test machine. Prints medians and peak memory. `tests/oci/bench.py [ROUNDS]`"""
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


def variants(config):
    """The same bundle as it is, without seccomp, and with twenty more mounts."""
    yield "defaults", config
    plain = json.loads(json.dumps(config))
    del plain["linux"]["seccomp"]
    yield "no seccomp", plain
    mounts = json.loads(json.dumps(plain))
    mounts["mounts"] += [{"destination": f"/tmp/m{i}", "type": "tmpfs", "source": "tmpfs"}
                         for i in range(20)]
    yield "20 mounts", mounts


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
    lines = []
    for i, (title, changed) in enumerate(variants(config)):
        folder = root / f"bundle{i}"
        folder.mkdir()
        changed["root"]["path"] = "/run/rootfs"
        changed["ociVersion"] = "1.0.2"  # Debian 12's crun knows no newer one
        (folder / "config.json").write_text(json.dumps(changed))
        lines.append(f"echo '{title}:'; ocirun bench {rounds} /bundle{i} {names}")
    (root / "bench").write_text("cp -a /rootfs /run/rootfs; chown -R 65536:65536 /run/rootfs\n" +
                                "\n".join(lines) + "\n")
    test_oci.pack_disk(root, work / "disk.img")
    text = test_oci.boot(work / "disk.img")
    print(test_oci.split_output(text).get("end", text[-3000:]))


main()
