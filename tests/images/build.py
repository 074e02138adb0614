#!/usr/bin/env python3
"""Real container images for the machine tests, made from Debian packages.

    build.py OUT    makes OUT/servers-oci (OCI layout, four layers, by umoci) and
                    OUT/redis-docker.tar (docker-save archive of the same, by skopeo)

One mmdebstrap run gives two trees: the essential packages, and those with nginx, redis and
busybox installed. The first is the base layer, the difference the second, configuration the
third; the fourth deletes (a whiteout of a file, an opaque directory) and hard-links, so that
every kind of entry that layers know is in a real image. umoci writes the layout and the digests.
Results are kept in the cache under a key of this file and the Debian release.
"""
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGES = ["nginx-light", "redis-server", "busybox-static", "procps"]
EPOCH = 1700000000

NGINX_CONF = """\
daemon off;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
    access_log /dev/stdout;
    default_type text/html;
    server {
        listen 8080;
        root /srv/www;
    }
}
"""


def run(*argv, **options):
    return subprocess.run([str(a) for a in argv], check=True, **options)


def debian_sources():
    """The machine's own Debian mirror and release, as deb lines."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
         "Created-By: Packages", "Origin: Debian"],
        check=True, capture_output=True, text=True).stdout
    lines = sorted({line for line in listed.splitlines() if line.startswith("deb ")})
    if not lines:
        sys.exit("build.py: apt knows no Debian release; run apt-get update first")
    return "\n".join(lines) + "\n"


def codename():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    sys.exit("build.py: /etc/os-release names no VERSION_CODENAME")


def bootstrap(work):
    """Two tar files: the essential packages alone, and everything."""
    base, full = work / "base.tar", work / "full.tar"
    run("mmdebstrap", "--quiet", "--variant=essential", "--include=" + ",".join(PACKAGES),
        f'--essential-hook=tar -C "$1" --one-file-system --sort=name -cf {base} .',
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--aptopt=APT::Install-Recommends \"false\"",
        codename(), full, "-", input=debian_sources(), text=True)
    return base, full


def fingerprint(archive, member):
    data = archive.extractfile(member).read() if member.isreg() else b""
    return (member.type, member.mode, member.uid, member.gid, member.linkname,
            hashlib.sha256(data).digest())


def skip(name):
    return name.startswith(("./dev/", "./proc/", "./sys/", "./var/cache/apt/", "./var/lib/apt/"))


def strip_base(base, out):
    with tarfile.open(base) as archive, tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as layer:
        for member in archive:
            if not skip(member.name):
                layer.addfile(member, archive.extractfile(member) if member.isreg() else None)


def difference(base, full, out):
    """What `full` adds to or changes in `base`, and whiteouts for what it lost."""
    with tarfile.open(base) as old:
        known = {m.name: fingerprint(old, m) for m in old if not skip(m.name)}
    seen = set()
    with tarfile.open(full) as new, tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as layer:
        for member in new:
            name = member.name if member.name.startswith(".") else "./" + member.name
            seen.add(name.rstrip("/"))
            if skip(name) or known.get(name.rstrip("/")) == fingerprint(new, member):
                continue
            layer.addfile(member, new.extractfile(member) if member.isreg() else None)
        for name in sorted(known):
            if name not in seen and os.path.dirname(name) in seen:
                add_file(layer, os.path.dirname(name) + "/.wh." + os.path.basename(name), b"")


def entry(name, kind=tarfile.REGTYPE, mode=0o644, **fields):
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.mtime = kind, mode, EPOCH
    for key, value in fields.items():
        setattr(member, key, value)
    return member


def add_file(layer, name, data, mode=0o644, **fields):
    layer.addfile(entry(name, mode=mode, size=len(data), **fields), io.BytesIO(data))


def user_id(archive, user):
    """A user's numeric ids, from the image's own passwd file."""
    with tarfile.open(archive) as tree:
        for line in tree.extractfile("./etc/passwd").read().decode().splitlines():
            fields = line.split(":")
            if fields[0] == user:
                return {"uid": int(fields[2]), "gid": int(fields[3])}
    sys.exit(f"build.py: the image has no user {user}")


def configuration(out, redis):
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as layer:
        add_file(layer, "./etc/nginx/nginx.conf", NGINX_CONF.encode())
        layer.addfile(entry("./srv/www", tarfile.DIRTYPE, 0o755))
        layer.addfile(entry("./data", tarfile.DIRTYPE, 0o700, **redis))
        add_file(layer, "./srv/www/index.html", b"<h1>nginx, in Berth</h1>\n")
        layer.addfile(entry("./srv/old", tarfile.DIRTYPE, 0o755))
        add_file(layer, "./srv/old/hidden", b"the next layer hides this directory's content\n")
        add_file(layer, "./srv/gone", b"the next layer deletes this\n")
        add_file(layer, "./srv/capable", b"#!/bin/true\n", 0o755)


def deletions(out):
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as layer:
        add_file(layer, "./srv/.wh.gone", b"")
        layer.addfile(entry("./srv/old", tarfile.DIRTYPE, 0o755))
        add_file(layer, "./srv/old/.wh..wh..opq", b"")
        add_file(layer, "./srv/old/fresh", b"only this is left\n")
        add_file(layer, "./srv/one-name", b"two names, one file\n")
        layer.addfile(entry("./srv/other-name", tarfile.LNKTYPE, linkname="./srv/one-name"))
        add_file(layer, "./srv/owned", b"x\n", 0o640, uid=1234, gid=4321)
        capable = entry("./srv/attributes", size=2)
        capable.pax_headers = {"SCHILY.xattr.user.berth": "kept"}
        layer.addfile(capable, io.BytesIO(b"x\n"))


def assemble(layers, layout):
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", f"{layout}:servers")
    for layer in layers:
        run("umoci", "raw", "add-layer", "--image", f"{layout}:servers", layer)
    run("umoci", "config", "--image", f"{layout}:servers",
        "--config.entrypoint", "/usr/sbin/nginx", "--config.workingdir", "/srv",
        "--config.env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "--config.env", "FROM=umoci",
        "--config.exposedports", "8080/tcp", "--config.volume", "/srv/scratch",
        "--config.stopsignal", "SIGQUIT")


def build(out):
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        base, full = bootstrap(work)
        layers = [work / f"layer{i}.tar" for i in range(4)]
        strip_base(base, layers[0])
        difference(base, full, layers[1])
        configuration(layers[2], user_id(full, "redis"))
        deletions(layers[3])
        assemble(layers, out / "servers-oci")
        layout = work / "redis-oci"
        shutil.copytree(out / "servers-oci", layout)
        run("umoci", "config", "--image", f"{layout}:servers", "--clear", "config.entrypoint",
            "--clear", "config.volume", "--config.user", "redis",
            "--config.cmd", "/usr/bin/redis-server", "--config.cmd", "--dir",
            "--config.cmd", "/data", "--config.cmd", "--appendonly", "--config.cmd", "yes",
            "--config.cmd", "--protected-mode", "--config.cmd", "no", "--config.cmd", "--bind",
            "--config.cmd", "0.0.0.0", "--config.volume", "/data",
            "--config.stopsignal", "SIGTERM", "--config.workingdir", "/data")
        run("skopeo", "--insecure-policy", "copy", "--quiet", f"oci:{layout}:servers",
            f"docker-archive:{out / 'redis-docker.tar'}:localhost/redis:docker-save")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    key = hashlib.sha256(Path(__file__).read_bytes() + codename().encode()).hexdigest()[:16]
    cache = Path(os.environ.get("BERTH_CACHE") or Path.home() / ".cache/berth")
    kept = cache / "test-images" / key
    if not kept.exists():
        print("test images: building from Debian packages (kept in the cache)", flush=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=kept.parent))
        build(fresh)
        fresh.chmod(0o755)
        fresh.rename(kept)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("servers-oci", "redis-docker.tar"):
        link = out / name
        if link.is_symlink():
            link.unlink()
        link.symlink_to(kept / name)


if __name__ == "__main__":
    main()
