#!/usr/bin/env python3
"""A Debian with podman, buildah and containerd as a disk for the runtime's peer tests.

    guest.py OUT    makes OUT/peers.ext4, a link into the cache

The machine's own Debian release, from its own mirror. The disk's init mounts the second disk, which
belongs to the test, and goes on there. Kept in the cache under a key of this file and the release.
"""
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from build import codename, debian_sources, run

PACKAGES = ["podman", "buildah", "containerd", "busybox-static", "conmon", "iproute2",
            "mount"]
SIZE = "1536M"
INIT = """#!/bin/sh
mount -t ext4 -o ro /dev/vdb /peers && exec /peers/init
echo "guest: no second disk"
"""


def bootstrap(work):
    tree = work / "guest.tar"
    run("mmdebstrap", "--quiet", "--variant=essential", "--include=" + ",".join(PACKAGES),
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--aptopt=APT::Install-Recommends \"false\"",
        codename(), tree, "-", input=debian_sources(), text=True)
    root = work / "root"
    root.mkdir()
    # No device nodes: who is not root could not make them, and the kernel mounts a devtmpfs.
    run("tar", "-C", root, "--exclude=./dev/*", "--exclude=./var/cache/apt/*",
        "--exclude=./var/lib/apt/lists/*", "-xf", tree)
    tree.unlink()
    return root


def build(out):
    with tempfile.TemporaryDirectory() as scratch:
        root = bootstrap(Path(scratch))
        (root / "peers").mkdir()
        (root / "init-peers").write_text(INIT)
        (root / "init-peers").chmod(0o755)
        run("mke2fs", "-q", "-t", "ext4", "-d", root, "-E", "root_owner=0:0", out / "peers.ext4",
            SIZE, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})


def cached():
    """The disk's path in the cache; built if it is not there."""
    key = hashlib.sha256(Path(__file__).read_bytes() + codename().encode()).hexdigest()[:16]
    cache = Path(os.environ.get("BERTH_CACHE") or Path.home() / ".cache/berth")
    kept = cache / "test-images" / key
    if not kept.exists():
        print("peers: installing podman, buildah and containerd into a disk (kept in the cache)",
              flush=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=kept.parent))
        build(fresh)
        fresh.chmod(0o755)
        fresh.rename(kept)
    return kept / "peers.ext4"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    link = out / "peers.ext4"
    if link.is_symlink():
        link.unlink()
    link.symlink_to(cached())


if __name__ == "__main__":
    main()
