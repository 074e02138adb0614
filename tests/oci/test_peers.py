"""podman, containerd and buildah with berth-oci: a Debian guest on Berth's kernel, one boot for the
rows of peers.py, results from its console as in test_oci.py."""
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile

import pytest

import test_oci
from peers import ROWS
from test_oci import HERE, TOP

sys.path.insert(0, str(TOP / "tests/images"))
import guest  # noqa: E402  (needs the path above)

MEMORY_MB = 1024


def add_bytes(archive, name, data):
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o644
    archive.addfile(member, io.BytesIO(data))


def make_layer():
    """BusyBox and an /etc/passwd: no registry can be reached, and none is needed."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as layer:
        for name in ("bin", "etc", "tmp", "root", "mnt"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            layer.addfile(folder)
        layer.add("/bin/busybox", "bin/busybox")
        for applet in test_oci.APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            layer.addfile(link)
        add_bytes(layer, "etc/passwd", test_oci.PASSWD.encode())
        add_bytes(layer, "etc/group", test_oci.GROUP.encode())
    return data.getvalue()


def make_image(path):
    """An OCI layout in a tar, which podman load and ctr import both take."""
    def blob(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        add_bytes(archive, f"blobs/sha256/{digest}", data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}",
                "size": len(data)}

    with tarfile.open(path, "w") as archive:
        layer = blob("layer.v1.tar", make_layer())
        config = blob("config.v1+json", json.dumps(
            {"architecture": "amd64", "os": "linux",
             "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
             "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode())
        manifest = blob("manifest.v1+json", json.dumps(
            {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
             "config": config, "layers": [layer]}).encode())
        manifest["annotations"] = {"org.opencontainers.image.ref.name": "localhost/peer:1",
                                   "io.containerd.image.name": "localhost/peer:1"}
        add_bytes(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        add_bytes(archive, "index.json", json.dumps(
            {"schemaVersion": 2, "manifests": [manifest]}).encode())


def make_disk(work):
    """The second disk: the runtime, the image, the rows, and what runs them."""
    root = work / "peers"
    (root / "rows").mkdir(parents=True)
    shutil.copy(test_oci.runtime(), root / "berth-oci")
    shutil.copy(HERE / "guest-peers", root / "init")
    make_image(root / "image.tar")
    for number, (name, row) in enumerate(ROWS.items()):
        (root / "rows" / f"{number:02}-{name}").write_text(row["script"] + "\n")
    test_oci.pack_disk(root, work / "peers.img")
    return work / "peers.img"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    work = tmp_path_factory.mktemp("peers")
    disk = make_disk(work)
    text = test_oci.boot(guest.cached(), memory=MEMORY_MB, init="/init-peers", options=[
        "-snapshot", "-drive", f"file={disk},format=raw,if=virtio"])
    (work / "console.log").write_text(text)
    found = test_oci.split_output(text)
    assert "over" in found, f"the machine did not come to its end:\n{text[-3000:]}"
    return {name.partition("-")[2] if name[0].isdigit() else name: said
            for name, said in found.items()}


@pytest.mark.parametrize("name", ROWS)
def test_row(outputs, name):
    test_oci.judge(outputs, name, ROWS[name])


@pytest.mark.parametrize("what", ["mounts", "states", "cgroups"])
def test_nothing_is_left(outputs, what):
    assert re.search(f"^{what} left: *$", outputs["end"], re.M), outputs["end"]
