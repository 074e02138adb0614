"""`unpack embed`: images made by other people's tools become the embedded store, whole and right;
bad ones are refused with one sentence and leave nothing behind. No machine is booted."""
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

STORE = "usr/share/berth/store"
CAP_NET_BIND = bytes.fromhex("0100000200040000000000000000000000000000")


@pytest.fixture(scope="module")
def unpack(out):
    program = out / "host/bin/unpack"
    assert program.exists(), f"{program} is missing: run make"

    def run(tar, *arguments):
        return subprocess.run([program, "embed", "--out", tar, *map(str, arguments)],
                              capture_output=True, text=True)
    return run


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def run(*command, cwd=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


# ---- images made by hand, where the bytes matter


def layer_tar(entries):
    """A layer from (name, changes...) rows: see `add`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, *rest in entries:
            add(tar, name, *rest)
    return stream.getvalue()


def add(tar, name, data=b"", **changes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mtime = 1600000000
    for key, value in changes.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


class Layout:
    """An OCI image layout directory."""

    def __init__(self, path):
        self.path = path
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.entries = []

    def blob(self, data, media_type):
        digest = sha256(data)
        (self.path / "blobs/sha256" / digest[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def image(self, tars, name="latest", layer_type=None, platform=None, **config):
        layers = [self.blob(gzip.compress(tar, mtime=0), layer_type or
                            "application/vnd.oci.image.layer.v1.tar+gzip") for tar in tars]
        config.setdefault("rootfs", {"type": "layers", "diff_ids": [sha256(t) for t in tars]})
        manifest = {
            "schemaVersion": 2,
            "config": self.blob(json.dumps({"os": "linux", **config}).encode(),
                                "application/vnd.oci.image.config.v1+json"),
            "layers": layers,
        }
        entry = self.blob(json.dumps(manifest).encode(),
                          "application/vnd.oci.image.manifest.v1+json")
        if name:
            entry["annotations"] = {"org.opencontainers.image.ref.name": name}
        if platform:
            entry["platform"] = dict(zip(("os", "architecture"), platform.split("/")))
        self.entries.append(entry)
        self.write()
        return manifest

    def write(self):
        (self.path / "index.json").write_text(
            json.dumps({"schemaVersion": 2, "manifests": self.entries}))


class Embedded:
    """The store in the tar, read back with Python's tarfile."""

    def __init__(self, tar):
        self.tar = tarfile.open(tar, errors="surrogateescape")
        self.members = {}
        for member in self.tar:
            assert member.name not in self.members, f"{member.name} comes twice"
            assert member.name.startswith(STORE)
            self.members[member.name[len(STORE) + 1:]] = member

    def json(self, path):
        return json.load(self.tar.extractfile(self.members[path]))

    def image(self, ref):
        for entry in self.json("index.json")["manifests"]:
            if entry["annotations"]["org.opencontainers.image.ref.name"] == ref:
                return entry
        raise AssertionError(f"{ref} is not in the index")

    def config(self, ref):
        manifest = self.json("blobs/sha256/" + self.image(ref)["digest"][7:])
        return self.json("blobs/sha256/" + manifest["config"]["digest"][7:])

    def layers(self, ref):
        return [i[7:] for i in self.config(ref)["rootfs"]["diff_ids"]]

    def file(self, layer, path):
        return self.members[f"layers/{layer}/{path}"]

    def text(self, layer, path):
        return self.tar.extractfile(self.file(layer, path)).read().decode()

    def names(self, layer):
        prefix = f"layers/{layer}/"
        return {name[len(prefix):] for name in self.members if name.startswith(prefix)}


def xattr(member, name):
    return member.pax_headers.get("SCHILY.xattr." + name)


# ---- images made by umoci and skopeo


@pytest.fixture(scope="module")
def umoci_layout(tmp_path_factory):
    """Three layers: files with a hard link and a file capability; removals and changes; a
    directory inserted as opaque."""
    if os.geteuid() != 0:
        pytest.skip("umoci needs root to keep owners and capabilities")
    top = tmp_path_factory.mktemp("umoci")
    image = f"{top}/layout:latest"
    run("umoci", "init", "--layout", top / "layout")
    run("umoci", "new", "--image", image)
    run("umoci", "unpack", "--image", image, top / "bundle")
    root = top / "bundle/rootfs"
    for name in ("bin", "etc/opaque/inner", "var/gone"):
        (root / name).mkdir(parents=True)
    (root / "bin/server").write_text("server\n")
    os.chmod(root / "bin/server", 0o755)
    os.setxattr(root / "bin/server", "security.capability", CAP_NET_BIND)
    os.link(root / "bin/server", root / "bin/alias")
    os.symlink("../bin/server", root / "etc/link")
    (root / "etc/removed").write_text("removed\n")
    (root / "etc/changed").write_text("before\n")
    (root / "etc/opaque/old").write_text("old\n")
    (root / "var/gone/file").write_text("x\n")
    os.chown(root / "etc/changed", 33, 44)
    run("umoci", "repack", "--refresh-bundle", "--image", image, top / "bundle")
    (root / "etc/removed").unlink()
    shutil.rmtree(root / "var/gone")
    (root / "etc/changed").write_text("after\n")
    (root / ("long" * 50)).mkdir()
    (root / ("long" * 50) / ("name" * 40)).write_text("long\n")
    run("umoci", "repack", "--image", image, top / "bundle")
    (top / "new").mkdir()
    (top / "new/fresh").write_text("fresh\n")
    run("umoci", "insert", "--opaque", "--image", image, top / "new", "/etc/opaque")
    run("umoci", "config", "--image", image, "--config.cmd", "/bin/server",
        "--config.env", "A=b", "--config.exposedports", "80/tcp")
    return top / "layout"


def check_umoci_image(tar, ref):
    store = Embedded(tar)
    first, second, third = store.layers(ref)
    assert store.file(first, "bin/server").mode == 0o755
    linked = [store.file(first, name) for name in ("bin/alias", "bin/server")]
    assert sorted(member.islnk() for member in linked) == [False, True]
    holder = next(member for member in linked if not member.islnk())
    assert xattr(holder, "security.capability").encode("utf-8", "surrogateescape") == CAP_NET_BIND
    assert store.file(first, "etc/link").linkname == "../bin/server"
    assert (store.file(first, "etc/changed").uid, store.file(first, "etc/changed").gid) == (33, 44)
    for hidden in ("etc/removed", "var/gone"):
        whiteout = store.file(second, hidden)
        assert whiteout.ischr() and (whiteout.devmajor, whiteout.devminor) == (0, 0)
    assert store.text(second, "etc/changed") == "after\n"
    assert store.text(second, "long" * 50 + "/" + "name" * 40) == "long\n"
    assert xattr(store.file(third, "etc/opaque"), "trusted.overlay.opaque") == "y"
    assert store.text(third, "etc/opaque/fresh") == "fresh\n"
    assert not any(".wh." in name for name in store.members)
    assert store.config(ref)["config"]["Cmd"] == ["/bin/server"]


FORMS = {
    "OCI layout": ("oci:{0}:latest", []),
    "OCI archive": ("oci-archive:{0}:latest", []),
    "docker-save archive": ("docker-archive:{0}:example.test/app:1", []),
    "zstd layers": ("oci:{0}:latest", ["--dest-compress-format", "zstd", "--dest-compress"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_image_of_umoci_in_every_form(form, umoci_layout, unpack, tmp_path):
    target, options = FORMS[form]
    run("skopeo", "copy", *options, f"oci:{umoci_layout}:latest",
        target.format(tmp_path / "image"))
    done = unpack(tmp_path / "store.tar", f"example.test/app:1={tmp_path / 'image'}")
    assert done.returncode == 0, done.stderr
    assert "example.test/app:1: 3 layers" in done.stdout
    check_umoci_image(tmp_path / "store.tar", "example.test/app:1")
    assert sorted(os.listdir(tmp_path)) == ["image", "store.tar"]


def test_zstd_layers_are_zstd(umoci_layout, tmp_path):
    """The form above is what it says: or the test would prove nothing."""
    run("skopeo", "copy", *FORMS["zstd layers"][1], f"oci:{umoci_layout}:latest",
        f"oci:{tmp_path}/image:latest")
    starts = {path.read_bytes()[:4] for path in (tmp_path / "image/blobs/sha256").iterdir()}
    assert bytes.fromhex("28b52ffd") in starts


def test_same_input_same_bytes_and_layers_once(umoci_layout, unpack, tmp_path):
    lines = f"# two names\nbeta:1 {umoci_layout}\n\nalpha:1\t{umoci_layout} # same image\n"
    (tmp_path / "images.conf").write_text(lines)
    for name in ("one.tar", "two.tar"):
        done = unpack(tmp_path / name, "--images", tmp_path / "images.conf")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    store = Embedded(tmp_path / "one.tar")
    refs = [e["annotations"]["org.opencontainers.image.ref.name"]
            for e in store.json("index.json")["manifests"]]
    assert refs == ["docker.io/library/alpha:1", "docker.io/library/beta:1"]
    assert len({n.split("/")[1] for n in store.members if n.startswith("layers/")}) == 3


def test_platform_is_picked_from_an_index(unpack, tmp_path):
    inner = Layout(tmp_path / "image")
    for platform in ("linux/arm64", "linux/amd64"):
        inner.image([layer_tar([("arch", platform.encode())])], name=None, platform=platform)
    entry = inner.blob(json.dumps({"schemaVersion": 2, "manifests": inner.entries}).encode(),
                       "application/vnd.oci.image.index.v1+json")
    inner.entries = [entry]
    inner.write()
    for platform in ("linux/amd64", "linux/arm64"):
        done = unpack(tmp_path / "store.tar", "--platform", platform, f"a={tmp_path / 'image'}")
        assert done.returncode == 0, done.stderr
        store = Embedded(tmp_path / "store.tar")
        layer, = store.layers("docker.io/library/a:latest")
        assert store.text(layer, "arch") == platform
    done = unpack(tmp_path / "store.tar", "--platform", "linux/s390x", f"a={tmp_path / 'image'}")
    assert "the index holds no image of that name for linux/s390x" in done.stderr


# ---- what a layer may do


def one_layer(tmp_path, unpack, *layers):
    layout = Layout(tmp_path / "image")
    layout.image([layer_tar(entries) for entries in layers])
    done = unpack(tmp_path / "store.tar", f"a={tmp_path / 'image'}")
    if done.returncode:
        return done.stderr
    store = Embedded(tmp_path / "store.tar")
    return store, store.layers("docker.io/library/a:latest")


def row(name, data=b"", **changes):
    return (name, data, changes)


@pytest.fixture(autouse=True)
def rows(monkeypatch):
    """Lets layer_tar take (name, data, changes)."""
    plain = add
    monkeypatch.setitem(globals(), "add",
                        lambda tar, name, data=b"", changes=None: plain(tar, name, data,
                                                                        **(changes or {})))


DIR, LINK, SYM, CHR = (dict(type=kind) for kind in
                       (tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE))


def test_implied_directories_keep_their_look(tmp_path, unpack):
    """A directory that a layer does not list must not hide what it looks like below."""
    store, (_, top) = one_layer(
        tmp_path, unpack,
        [row("tmp", **DIR, mode=0o1777), row("tmp/sub", **DIR, mode=0o700, uid=5)],
        [row("tmp/sub/file", b"x"), row("other/dir/file", b"y")])
    assert store.file(top, "tmp").mode == 0o1777
    assert (store.file(top, "tmp/sub").mode, store.file(top, "tmp/sub").uid) == (0o700, 5)
    assert store.file(top, "other/dir").mode == 0o755


def test_files_below_a_symlink_of_a_lower_layer_land_behind_it(tmp_path, unpack):
    store, (_, top) = one_layer(
        tmp_path, unpack,
        [row("usr/lib", **DIR), row("lib", **SYM, linkname="usr/lib")],
        [row("lib/new.so", b"new")])
    assert store.text(top, "usr/lib/new.so") == "new"
    assert "lib" not in store.names(top)


def test_last_of_two_entries_counts(tmp_path, unpack):
    store, (layer,) = one_layer(
        tmp_path, unpack, [row("a", b"one"), row("b", **DIR), row("b/c", b"c"), row("a", b"two"),
                           row("b", b"file now")])
    assert store.text(layer, "a") == "two"
    assert store.text(layer, "b") == "file now"
    assert "b/c" not in store.names(layer)


def test_whiteout_and_new_directory_make_it_opaque(tmp_path, unpack):
    lower = [row("dir", **DIR), row("dir/old", b"x")]
    for upper in ([row(".wh.dir"), row("dir", **DIR), row("dir/new", b"y")],
                  [row("dir", **DIR), row("dir/new", b"y"), row(".wh.dir")],
                  [row("dir/new", b"y"), row("dir/.wh..wh..opq")]):
        shutil.rmtree(tmp_path / "image", ignore_errors=True)
        store, (_, top) = one_layer(tmp_path, unpack, lower, upper)
        assert xattr(store.file(top, "dir"), "trusted.overlay.opaque") == "y"
        assert store.text(top, "dir/new") == "y"


def test_foreign_xattrs_are_dropped(tmp_path, unpack):
    pax = {"SCHILY.xattr." + name: "v" for name in
           ("user.kept", "trusted.overlay.opaque", "trusted.overlay.redirect", "security.selinux",
            "security.ima", "user.")}
    store, (layer,) = one_layer(tmp_path, unpack, [row("f", b"x", pax_headers=pax)])
    kept = [key for key in store.file(layer, "f").pax_headers if "xattr" in key]
    assert kept == ["SCHILY.xattr.user.kept"]


def test_odd_names_and_numbers_are_kept(tmp_path, unpack):
    odd = b"\xff\xfe\xe4".decode("utf-8", "surrogateescape")
    store, (layer,) = one_layer(
        tmp_path, unpack,
        [row("u\u00fcml\u00e4ut", b"1"), row("big", uid=3000000, gid=4000000, mtime=1.5),
         row("old", mtime=-5), row("new\nline", b"2"), row(odd, b"3")])
    names = {os.fsencode(name) for name in store.names(layer)}
    assert names >= {"u\u00fcml\u00e4ut".encode(), b"new\nline", b"\xff\xfe\xe4"}
    assert (store.file(layer, "big").uid, store.file(layer, "big").mtime) == (3000000, 1.5)
    assert store.file(layer, "old").mtime == -5


HOSTILE = {
    "parent": ([row("../evil", b"x")], 'has ".." in its path'),
    "parent inside": ([row("a/../../evil", b"x")], 'has ".." in its path'),
    "absolute": ([row("/etc/passwd", b"x")], "has an absolute path"),
    "hard link outward": ([row("a", **LINK, linkname="../../etc/passwd")],
                          "which is outside the layer"),
    "hard link to nothing": ([row("a", **LINK, linkname="etc/passwd")],
                             "no file of the same layer"),
    "hard link to a directory": ([row("d", **DIR), row("a", **LINK, linkname="d")],
                                 "no file of the same layer"),
    "hard link to itself": ([row("a", b"x"), row("a", **LINK, linkname="a")],
                            "hard link to itself"),
    "below a file": ([row("a", b"x"), row("a/b", b"y")], "Not a directory"),
    "symlink circle": ([row("a", **SYM, linkname="b"), row("b", **SYM, linkname="a"),
                        row("a/x", b"y")], "symbolic link"),
    "whiteout of a parent": ([row("d/.wh...", b"")], "whiteout of no name"),
    "whiteout of nothing": ([row(".wh.", b"")], "whiteout of no name"),
    "whole root hidden": ([row(".wh..wh..opq", b"")], "hides the whole root"),
    "long name": ([row("n" * 256, b"")], "at most 255 are allowed"),
    "deep path": ([row("d/" * 300 + "f", b"")], "deeper than 256"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_layers_are_refused(case, tmp_path, unpack):
    entries, expected = HOSTILE[case]
    message = one_layer(tmp_path, unpack, entries)
    assert isinstance(message, str), f"{case} was accepted"
    assert expected in message
    assert "layer 1, sha256:" in message and message.count("\n") == 1
    assert os.listdir(tmp_path) == ["image"]


def test_symlinks_outward_are_only_text(tmp_path, unpack):
    """They mean something in the container's root alone; nothing is ever written through one."""
    store, (layer,) = one_layer(tmp_path, unpack, [
        row("out", **SYM, linkname="/../../../etc"), row("out/passwd", b"mine")])
    assert store.file(layer, "out").linkname == "/../../../etc"
    assert store.text(layer, "etc/passwd") == "mine"


# ---- broken images


def cut_layer(layout, manifest):
    blob = layout.path / "blobs/sha256" / manifest["layers"][0]["digest"][7:]
    blob.write_bytes(blob.read_bytes()[:-20])
    return "it was cut short"


def flip_layer(layout, manifest):
    blob = layout.path / "blobs/sha256" / manifest["layers"][0]["digest"][7:]
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    return "its content has the digest sha256:"


def lose_layer(layout, manifest):
    (layout.path / "blobs/sha256" / manifest["layers"][0]["digest"][7:]).unlink()
    return "No such file or directory"


def break_manifest(layout, manifest):
    blob = layout.path / "blobs/sha256" / layout.entries[0]["digest"][7:]
    blob.write_bytes(blob.read_bytes()[:-1])
    return "its content has the digest"


def break_manifest_json(layout, manifest):
    entry = layout.blob(b'{"schemaVersion":2,"config":', layout.entries[0]["mediaType"])
    layout.entries = [entry]
    layout.write()
    return "JSON"


def break_index(layout, manifest):
    (layout.path / "index.json").write_text("{")
    return '"index.json": is not JSON'


def lose_index(layout, manifest):
    (layout.path / "index.json").unlink()
    return "neither an OCI image layout (index.json) nor a docker-save archive"


def lose_config(layout, manifest):
    (layout.path / "blobs/sha256" / manifest["config"]["digest"][7:]).unlink()
    return "config sha256:"


BREAKS = [cut_layer, flip_layer, lose_layer, break_manifest, break_manifest_json, break_index,
          lose_index, lose_config]


@pytest.mark.parametrize("damage", BREAKS)
def test_broken_images_are_refused(damage, tmp_path, unpack):
    layout = Layout(tmp_path / "image")
    manifest = layout.image([layer_tar([row("f", os.urandom(5000))])])
    expected = damage(layout, manifest)
    done = unpack(tmp_path / "store.tar", f"app:1={tmp_path / 'image'}")
    assert done.returncode == 1
    assert expected in done.stderr
    assert 'image "docker.io/library/app:1"' in done.stderr and done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == ["image"]


KINDS = {
    "foreign": ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "a foreign layer"),
    "unknown": ("application/x-unheard-of", "expected a tar layer"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_layer_types_that_are_no_layers(kind, tmp_path, unpack):
    media_type, expected = KINDS[kind]
    Layout(tmp_path / "image").image([layer_tar([])], layer_type=media_type)
    done = unpack(tmp_path / "store.tar", f"app:1={tmp_path / 'image'}")
    assert done.returncode == 1 and expected in done.stderr and media_type in done.stderr


def test_diff_id_must_match(tmp_path, unpack):
    wrong = "sha256:" + "0" * 64
    Layout(tmp_path / "image").image([layer_tar([row("f", b"x")])],
                                     rootfs={"type": "layers", "diff_ids": [wrong]})
    done = unpack(tmp_path / "store.tar", f"app:1={tmp_path / 'image'}")
    assert done.returncode == 1 and f"the image's config says {wrong}" in done.stderr


def test_number_of_layers_must_match(tmp_path, unpack):
    Layout(tmp_path / "image").image([layer_tar([row("f", b"x")])],
                                     rootfs={"type": "layers", "diff_ids": []})
    done = unpack(tmp_path / "store.tar", f"app:1={tmp_path / 'image'}")
    assert done.returncode == 1 and "lists 1 layers, its config 0" in done.stderr


ARGUMENTS = {
    "no such path": (["a=/nowhere"], "No such file or directory"),
    "bad reference": (["A=/nowhere"], "invalid image reference"),
    "no path": (["a"], "expected REFERENCE=PATH"),
    "unknown option": (["--frob", "x"], 'unknown option "--frob"'),
    "no list": (["--images", "/nowhere"], "No such file or directory"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments(case, tmp_path, unpack):
    arguments, expected = ARGUMENTS[case]
    done = unpack(tmp_path / "store.tar", *arguments)
    assert done.returncode == 1 and expected in done.stderr
    assert os.listdir(tmp_path) == []


# ---- the whole way: erofs, mounted, overlaid


def test_kernel_sees_what_the_image_says(umoci_layout, unpack, tmp_path, out):
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    cache = Path(os.environ.get("BERTH_CACHE") or Path.home() / ".cache/berth")
    key = out / "pkg/erofs-utils.key"
    assert key.exists(), f"{key} is missing: run make"
    mkfs = cache / "build" / key.read_text().strip() / "root/usr/bin/mkfs.erofs"
    done = unpack(tmp_path / "store.tar", f"app={umoci_layout}")
    assert done.returncode == 0, done.stderr
    run(mkfs, "--tar=f", tmp_path / "root.erofs", tmp_path / "store.tar")
    layers = Embedded(tmp_path / "store.tar").layers("docker.io/library/app:latest")
    for name in ("low", "merged"):
        (tmp_path / name).mkdir()
    run("mount", "-o", "loop,ro", tmp_path / "root.erofs", tmp_path / "low")
    try:
        lower = ":".join(str(tmp_path / "low" / STORE / "layers" / layer)
                         for layer in reversed(layers))
        run("mount", "-t", "overlay", "-o", f"ro,lowerdir={lower}", "none", tmp_path / "merged")
        try:
            check_merged(tmp_path / "merged")
        finally:
            run("umount", tmp_path / "merged")
    finally:
        run("umount", tmp_path / "low")


def check_merged(root):
    assert sorted(os.listdir(root / "etc")) == ["changed", "link", "opaque"]
    assert (root / "etc/changed").read_text() == "after\n"
    assert (root / "etc/changed").stat().st_uid == 33
    assert os.listdir(root / "etc/opaque") == ["fresh"]
    assert os.listdir(root / "var") == []
    assert os.getxattr(root / "bin/alias", "security.capability") == CAP_NET_BIND
    server, alias = ((root / "bin" / name).stat() for name in ("server", "alias"))
    assert (server.st_ino, server.st_nlink) == (alias.st_ino, 2)
    assert (root / ("long" * 50) / ("name" * 40)).read_text() == "long\n"
