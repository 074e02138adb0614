"""Files of containers and images as archives, by the stock docker CLI and skopeo. The engine runs on
this machine, where a container can be made and not started; what needs one that runs is in
test_docker.py."""
import io
import json
import os
import select
import shutil
import socket
import subprocess
import tarfile

import pytest
from registries import HostEngine, StandIn
from test_embed import DIR, SYM, Layout, add, row, sha256

from machine import SHORT_SECONDS, wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: layers have owners"),
    pytest.mark.skipif(not shutil.which("docker"), reason="no docker CLI to ask with"),
]

BASE = [row("etc", **DIR), row("etc/passwd", b"root:x:0:0::/:/bin/sh\n"), row("usr", **DIR),
        row("usr/lib", **DIR), row("lib", **SYM, linkname="usr/lib"), row("bin", **DIR),
        row("bin/sh", b"#!", mode=0o4755), row("out", **SYM, linkname="../../etc"),
        row("srv", **DIR), row("srv/one", b"1", uid=33, gid=34), row("srv/two", b"22")]


def tar_of(*rows):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data, changes in rows:
            add(tar, name, data, **changes)
    return stream.getvalue()


@pytest.fixture(scope="module")
def engine(out, tmp_path_factory):
    engine = HostEngine(out, tmp_path_factory.mktemp("engine"))
    layout = Layout(tmp_path_factory.mktemp("layout") / "layout")
    layout.image([tar_of(*BASE), tar_of(row("etc/motd", b"hello\n"),
                                         row("srv/.wh.two"))],
                 architecture="amd64", created="2026-01-02T03:04:05Z", config={"Cmd": ["/bin/sh"]})
    server = StandIn(layout.path)
    engine.docker("pull", "-q", f"{server.name}/base")
    engine.docker("tag", f"{server.name}/base", "base")
    engine.docker("rmi", f"{server.name}/base")
    server.close()
    yield engine
    engine.close()


@pytest.fixture
def box(engine):
    made = []

    def make(*options):
        made.append(engine.docker("create", "--network", "none", *options, "base", "/x").strip())
        return made[-1]
    yield make
    for name in made:
        engine.docker("rm", "-f", name, code=None)


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as tar:
        return {m.name: m for m in tar}


# ---- docker cp


def test_cp_out(engine, box, tmp_path):
    name = box()
    engine.docker("cp", f"{name}:/etc/passwd", tmp_path / "one")
    assert (tmp_path / "one").read_text() == "root:x:0:0::/:/bin/sh\n"
    engine.docker("cp", f"{name}:/etc", tmp_path)
    assert sorted(os.listdir(tmp_path / "etc")) == ["motd", "passwd"]
    engine.docker("cp", f"{name}:/srv/.", tmp_path / "etc")
    assert (tmp_path / "etc/one").read_text() == "1"
    assert not (tmp_path / "etc/two").exists()
    engine.docker("cp", f"{name}:/bin", tmp_path / "bin")
    assert (tmp_path / "bin/sh").stat().st_mode & 0o7777 == 0o4755
    engine.docker("cp", f"{name}:/lib", tmp_path)
    assert os.readlink(tmp_path / "lib") == "usr/lib"


@pytest.mark.parametrize("path, names", [
    ("/etc", ["etc", "etc/motd", "etc/passwd"]), ("/etc/.", [".", "./motd", "./passwd"]),
    ("etc/", ["etc", "etc/motd", "etc/passwd"]), ("/srv/../etc/motd", ["motd"]), ("/lib", ["lib"]),
    ("/out/passwd", ["passwd"]), ("/srv/..", ["", "/bin", "/bin/sh", "/etc", "/etc/motd", "/etc/passwd",
                                              "/lib", "/out", "/srv", "/srv/one", "/usr", "/usr/lib"])])
def test_cp_out_as_a_tar(engine, box, path, names):
    data = engine.docker("cp", f"{box()}:{path}", "-", text=False)
    assert sorted(members(data)) == names


def test_cp_follows_links_within_the_container_alone(engine, box, tmp_path):
    name = box()
    engine.docker("cp", "-L", f"{name}:/out", tmp_path / "etc")
    assert sorted(os.listdir(tmp_path / "etc")) == ["motd", "passwd"]
    (tmp_path / "new").write_text("new")
    engine.docker("cp", tmp_path / "new", f"{name}:/out")
    engine.docker("cp", f"{name}:/etc/new", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "new"
    engine.docker("cp", tmp_path / "new", f"{name}:/out/passwd")
    engine.docker("cp", f"{name}:/etc/passwd", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "new"


def test_cp_in_and_what_is_in_the_way(engine, box, tmp_path):
    name = box()
    (tmp_path / "tree/a/b").mkdir(parents=True)
    (tmp_path / "tree/a/b/file").write_text("x" * 300000)
    os.chmod(tmp_path / "tree/a", 0o711)
    engine.docker("cp", tmp_path / "tree", f"{name}:/srv")
    engine.docker("cp", f"{tmp_path}/tree/.", f"{name}:/usr/lib")
    engine.docker("cp", f"{name}:/lib/a/b/file", tmp_path / "file")
    engine.docker("cp", f"{name}:/srv", tmp_path / "srv")
    assert (tmp_path / "file").read_text() == "x" * 300000
    assert (tmp_path / "srv/tree/a").stat().st_mode & 0o7777 == 0o711
    for source, target, said in [
            (tmp_path / "file", "/srv/tree/a/b", None),
            (tmp_path / "tree", "/etc/passwd", "cannot copy directory"),
            (tmp_path / "file", "/nowhere/x", "Could not find the file /nowhere in container"),
            (tmp_path / "file", "/etc/passwd/x", "not a directory")]:
        done = engine.docker("cp", source, f"{name}:{target}", code=None)
        assert done.returncode == (1 if said else 0) and (said or "") in done.stderr, done
    done = engine.docker("cp", "-", f"{name}:/srv", code=None, text=False,
                         data=tar_of(row("tree", b"a file")))
    assert b'cannot overwrite directory "tree" with non-directory' in done.stderr, done
    done = engine.docker("cp", "-", f"{name}:/etc", code=None, text=False,
                         data=tar_of(row("motd", **DIR)))
    assert b'cannot overwrite non-directory "motd" with directory' in done.stderr, done


def test_cp_in_of_a_tar(engine, box):
    name = box()
    data = tar_of(row("d/f", b"deep", uid=5, gid=6, mode=0o640), row(".wh.x", b"no whiteout"),
                  row("/abs", b"a"), row("hard", b"", type=tarfile.LNKTYPE, linkname="d/f"))
    for packed in (data, subprocess.run(["gzip"], input=data, stdout=subprocess.PIPE).stdout,
                   subprocess.run(["zstd"], input=data, stdout=subprocess.PIPE).stdout):
        engine.docker("cp", "-", f"{name}:/srv", data=packed, text=False)
    got = members(engine.docker("cp", f"{name}:/srv", "-", text=False))
    assert (got["srv/d/f"].uid, got["srv/d/f"].gid, got["srv/d/f"].mode) == (5, 6, 0o640)
    assert got["srv/hard"].islnk() and got["srv/hard"].linkname == "srv/d/f"
    assert got["srv/abs"].isfile() and got["srv/.wh.x"].isfile()


@pytest.mark.parametrize("rows, said", [
    ([row("../up", b"x")], 'has ".." in its path'),
    ([row("l", **SYM, linkname="/etc"), row("h", type=tarfile.LNKTYPE, linkname="../../x")],
     "hard link"),
    (None, "the tar is damaged")])
def test_hostile_archives_reach_nothing(engine, box, rows, said):
    data = tar_of(*rows) if rows else b"\x01" * 2000
    done = engine.docker("cp", "-", f"{box()}:/srv", data=data, text=False, code=None)
    assert done.returncode == 1 and said.encode() in done.stderr, done


def test_a_link_in_the_archive_leads_nowhere_but_into_the_container(engine, box, tmp_path):
    name = box()
    mark = tmp_path / "mark"
    mark.mkdir()
    engine.docker("cp", "-", f"{name}:/srv", text=False, data=tar_of(
        row("l", **SYM, linkname=str(mark)), row("l/x", b"x")), code=None)
    assert not list(mark.iterdir())


def test_cp_reaches_volumes_and_respects_what_is_read_only(engine, box, tmp_path):
    (tmp_path / "f").write_text("in a volume")
    host = tmp_path / "host"
    host.mkdir()
    name = box("-v", "stuff:/stuff", "-v", f"{host}:/deep/host:ro", "--read-only")
    engine.docker("cp", tmp_path / "f", f"{name}:/stuff")
    where = engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "stuff").strip()
    with open(f"{where}/f") as f:
        assert f.read() == "in a volume"
    (host / "h").write_text("host's")
    engine.docker("cp", f"{name}:/deep/host/h", tmp_path / "h")
    assert (tmp_path / "h").read_text() == "host's"
    for target, said in [("/srv", "container rootfs is marked read-only"),
                         ("/deep/host", "mounted volume is marked read-only")]:
        done = engine.docker("cp", tmp_path / "f", f"{name}:{target}", code=None)
        assert done.returncode == 1 and said in done.stderr, done


def test_cp_of_the_users_own(engine, box, tmp_path):
    (tmp_path / "f").write_text("x")
    name = box("-u", "1234:5678")
    engine.docker("cp", "-a", tmp_path / "f", f"{name}:/srv/f")
    got = members(engine.docker("cp", f"{name}:/srv/f", "-", text=False))["f"]
    assert (got.uid, got.gid) == (1234, 5678)
    done = engine.docker("cp", "-a", tmp_path / "f", f"{box('-u', 'www')}:/srv/f", code=None)
    assert "is supported for users that are numbers" in done.stderr


# ---- export


def test_export(engine, box, tmp_path):
    name = box("-v", "/srv")
    (tmp_path / "f").write_text("in the root")
    engine.docker("cp", tmp_path / "f", f"{name}:/etc/f")
    got = members(engine.docker("export", name, text=False))
    assert {"bin/sh", "etc/f", "lib", "srv", "srv/one"} <= set(got) and "srv/two" not in got
    assert got["srv/one"].uid == 33 and got["bin/sh"].mode == 0o4755


# ---- diff


def test_diff(engine, box):
    name = box("-v", "/data")
    assert engine.docker("diff", name) == ""
    engine.docker("cp", "-", f"{name}:/", text=False, data=tar_of(
        row("srv/one", b"other"), row("srv/new/deep", b"x"), row("usr", **DIR, mode=0o700),
        row("etc/hosts", b""), row("proc", **DIR)))
    assert sorted(engine.docker("diff", name).split("\n")) == sorted([
        "", "C /srv", "C /srv/one", "A /srv/new", "A /srv/new/deep", "C /usr", "A /data"])


# ---- the same by `berth`


def test_berth_copies_as_docker_does(engine, box, tmp_path):
    """Each case by both, into the same places."""
    name = box()
    (tmp_path / "tree/a").mkdir(parents=True)
    (tmp_path / "tree/a/f").write_text("f" * 70000)
    (tmp_path / "link").symlink_to("tree")
    cases = [[f"{name}:/etc/passwd", "x"], [f"{name}:/etc/passwd", "there"], [f"{name}:/etc", "x"],
             [f"{name}:/etc", "there"], [f"{name}:/srv/.", "x"], [f"{name}:/srv/.", "there"],
             ["-L", f"{name}:/lib", "x"], [f"{name}:/lib", "x"], [f"{name}:/etc/passwd", "no/"],
             [f"{name}:/etc", "there/file"], [f"{name}:/none", "x"], [f"{name}:/etc/motd", "there/file"]]
    looks = {}
    for who in ("docker", "berth"):
        for number, (*words, to) in enumerate(cases):
            place = tmp_path / who / str(number)
            (place / "there").mkdir(parents=True)
            (place / "there/file").write_text("old")
            argv = ["docker"] if who == "docker" else [engine.programs / "berth"]
            done = subprocess.run([*argv, "cp", *words, f"{place}/{to}"], env=engine.environment(),
                                  capture_output=True, text=True, check=False)
            found = subprocess.run(["find", ".", "-printf", "%P %y %m %s %l\\n"], cwd=place,
                                   capture_output=True, text=True, check=True).stdout
            looks[who, number] = done.returncode, sorted(found.split("\n"))
    for number, case in enumerate(cases):
        assert looks["docker", number] == looks["berth", number], case
    for number, (what, to) in enumerate([
            ("tree", "/srv"), ("tree", "/srv/new"), ("tree/.", "/srv"), ("tree/a/f", "/srv/g"),
            ("tree/a/f", "/out"), ("link", "/srv/l"), ("-L link", "/srv/m"), ("tree", "/etc/passwd"),
            ("tree/a/f", "/no/x"), ("no", "/srv")]):
        seen = []
        for argv in (["docker"], [engine.programs / "berth"]):
            other = box()
            done = subprocess.run([*argv, "cp", *what.split(), f"{other}:{to}"],
                                  env=engine.environment(), cwd=tmp_path, capture_output=True, check=False)
            seen.append((done.returncode, engine.docker("diff", other)))
        assert seen[0] == seen[1], (what, to)


def test_berth_diff_export_and_streams(engine, box):
    name = box()
    data = tar_of(row("f", b"x"))
    done = subprocess.run([engine.programs / "berth", "cp", "-", f"{name}:/srv"], input=data, check=True,
                          env=engine.environment())
    assert done.returncode == 0 and "A /srv/f" in engine.berth("diff", name)
    out = subprocess.run([engine.programs / "berth", "cp", f"{name}:/srv/f", "-"], check=True,
                         env=engine.environment(), capture_output=True).stdout
    assert list(members(out)) == ["f"]
    out = subprocess.run([engine.programs / "berth", "export", name], check=True,
                         env=engine.environment(), capture_output=True).stdout
    assert out == engine.docker("export", name, text=False)


def test_what_comes_out_of_a_container_stays_where_it_was_put(engine, box, tmp_path):
    name = box()
    (tmp_path / "mark").mkdir()
    engine.docker("cp", "-", f"{name}:/srv", text=False,
                  data=tar_of(row("d/l", **SYM, linkname=str(tmp_path / "mark"))))
    engine.berth("cp", f"{name}:/srv/d", str(tmp_path))
    other = box()
    engine.docker("cp", "-", f"{other}:/srv", text=False, data=tar_of(row("d/l/x", b"x")))
    said = engine.berth("cp", f"{other}:/srv/d", str(tmp_path), code=1)
    assert "cannot overwrite" in said or "Not a directory" in said or "symbolic link" in said, said
    assert not list((tmp_path / "mark").iterdir())


# ---- commit, import


def config_of(engine, image):
    return json.loads(engine.docker("image", "inspect", image))[0]


def test_commit(engine, box, tmp_path):
    name = box("-e", "A=1", "-l", "k=v", "-w", "/srv", "-p", "80", "-v", "/data")
    engine.docker("cp", "-", f"{name}:/", text=False, data=tar_of(
        row("etc/motd", b"changed\n"), row("srv/new", b"n", uid=7), row("proc", **DIR)))
    said = engine.docker("commit", "-m", "why", "-a", "who", "-c", 'CMD ["true"]', "-c", "ENV B=2 C='x y'",
                         "-c", "EXPOSE 90/udp", "-c", "LABEL l=m", "-c", "USER 5", "-c", "WORKDIR sub", name,
                         "committed:1")
    shown = config_of(engine, "committed:1")
    assert said.strip() == shown["Id"] and shown["Author"] == "who"
    config = shown["Config"]
    assert config["Cmd"] == ["true"] and config["Env"] == ["A=1", "B=2", "C=x y"]
    assert config["Labels"] == {"k": "v", "l": "m"} and config["User"] == "5"
    assert config["WorkingDir"] == "/srv/sub" and set(config["ExposedPorts"]) == {"80/tcp", "90/udp"}
    base = config_of(engine, "base")
    assert shown["RootFS"]["Layers"][:-1] == base["RootFS"]["Layers"]
    assert "why" in engine.docker("history", "--no-trunc", "committed:1").split("\n")[1]
    other = engine.docker("create", "--network", "none", "committed:1").strip()
    got = members(engine.docker("cp", f"{other}:/", "-", text=False))
    assert got["/srv/new"].uid == 7 and got["/etc/motd"].size == 8 and "/proc" not in got
    engine.docker("rm", other)
    # What has changed nothing adds no layer; what is gone stays gone.
    engine.docker("commit", box(), "same")
    assert config_of(engine, "same")["RootFS"] == base["RootFS"]
    done = engine.docker("commit", "-c", "RUN x", name, code=None)
    assert done.returncode == 1 and "run is not a valid change command" in done.stderr.lower()
    engine.docker("rmi", "committed:1", "same")


def test_import(engine, tmp_path):
    data = tar_of(row("bin/x", b"x", mode=0o755), row("etc", **DIR))
    for packed in (data, subprocess.run(["gzip"], input=data, stdout=subprocess.PIPE).stdout,
                   subprocess.run(["zstd"], input=data, stdout=subprocess.PIPE).stdout):
        said = engine.docker("import", "-m", "from a test", "-c", "CMD /bin/x", "--platform", "linux/arm64",
                             "-", "brought:1", data=packed, text=False)
        shown = config_of(engine, "brought:1")
        assert said.decode().strip() == shown["Id"]
        assert (shown["Os"], shown["Architecture"]) == ("linux", "arm64")
        assert shown["Config"]["Cmd"] == ["/bin/sh", "-c", "/bin/x"]
        assert shown["RootFS"]["Layers"] == [sha256(data)]
        assert "from a test" in engine.docker("history", "brought:1")
    engine.docker("rmi", "brought:1")
    done = engine.docker("import", "-", "bad:1", data=tar_of(row("../x", b"")), text=False, code=None)
    assert done.returncode == 1 and b'has ".." in its path' in done.stderr, done
    done = engine.docker("import", "http://192.0.2.1/x.tar", "bad:1", code=None)
    assert "import from an address is not supported" in done.stderr


# ---- save, load


def test_save_and_load_are_the_same_image(engine, box, tmp_path):
    engine.docker("tag", "base", "two:2")
    digests = engine.docker("images", "--digests", "--format", "{{.Digest}} {{.ID}}", "base")
    archive = tmp_path / "saved.tar"
    engine.docker("save", "-o", archive, "base", "two:2")
    names = [m.name for m in tarfile.open(archive)]
    assert len(names) == len(set(names)) and {"manifest.json", "index.json", "oci-layout"} <= set(names)
    shown = subprocess.run(["skopeo", "inspect", f"docker-archive:{archive}:docker.io/library/two:2"],
                           capture_output=True, text=True, check=False)
    assert shown.returncode == 0 and '"amd64"' in shown.stdout, shown
    shown = subprocess.run(["skopeo", "inspect", f"oci-archive:{archive}:latest"], capture_output=True,
                           text=True, check=False)
    assert shown.returncode == 0, shown
    before = members(engine.docker("cp", f"{box()}:/", "-", text=False))
    engine.docker("tag", "base", "aside")  # the containers of other tests need it
    engine.docker("rmi", "base", "two:2")
    said = engine.docker("load", "-i", archive)
    assert sorted(said.strip().split("\n")) == ["Loaded image: base:latest", "Loaded image: two:2"]
    assert engine.docker("images", "--digests", "--format", "{{.Digest}} {{.ID}}", "base") == digests
    after = members(engine.docker("cp", f"{box()}:/", "-", text=False))
    assert {n: (m.uid, m.mode, m.size) for n, m in before.items()} \
        == {n: (m.uid, m.mode, m.size) for n, m in after.items()}
    engine.docker("rmi", "two:2", "aside")


@pytest.fixture
def fresh(out, tmp_path):
    engine = HostEngine(out, tmp_path / "fresh")
    yield engine
    assert not list((engine.store / "tmp").glob("*/*")), "nothing half is left"
    engine.close()


@pytest.mark.parametrize("packed", ["cat", "gzip", "zstd"])
@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive", "saved"])
def test_load_takes_what_others_write(engine, fresh, tmp_path, kind, packed):
    archive = tmp_path / "a.tar"
    if kind == "saved":
        engine.docker("save", "-o", archive, "base")
    else:
        engine.docker("save", "-o", tmp_path / "own.tar", "base")
        name = "docker.io/library/base:latest"
        done = subprocess.run(["skopeo", "copy", f"docker-archive:{tmp_path}/own.tar:{name}",
                               f"{kind}:{archive}:{name}"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done
    data = subprocess.run([packed], input=archive.read_bytes(), stdout=subprocess.PIPE, check=True).stdout
    said = fresh.docker("load", data=data, text=False)
    assert said == b"Loaded image: base:latest\n", said
    assert config_of(fresh, "base")["RootFS"] == config_of(engine, "base")["RootFS"]
    assert fresh.docker("create", "--network", "none", "base", "/x")


def retold(archive, changes):
    """The archive with files replaced (None: taken away)."""
    stream = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=stream, mode="w") as new:
        for m in old:
            data = old.extractfile(m).read() if m.isfile() else b""
            for name, change in changes.items():
                if m.name.endswith(name):
                    data = change(data) if change else None
            if data is None:
                continue
            m.size = len(data)
            new.addfile(m, io.BytesIO(data))
    return stream.getvalue()


def test_load_refuses_what_is_damaged_and_leaves_nothing(engine, fresh, tmp_path):
    archive = tmp_path / "a.tar"
    engine.docker("save", "-o", archive, "base")
    lists = json.loads(tarfile.open(archive).extractfile("manifest.json").read())
    config, layer = lists[0]["Config"], lists[0]["Layers"][0]
    for changes, said in [
            ({layer: lambda d: d[:-9] + b"123456789"}, "its content has the digest"),
            ({layer: lambda d: d[:-9]}, "is no file of"),
            ({layer: None}, "No such file"),
            ({config: lambda d: d.replace(b"amd64", b"arm64")}, "its content has the digest"),
            ({"manifest.json": lambda d: d[:-5], "index.json": None}, "is no JSON list"),
            ({"manifest.json": lambda d: b"[]"}, "the archive holds no image"),
            ({"manifest.json": lambda d: d.replace(layer.encode(), b"../../../../etc/passwd"),
              "index.json": None}, "No such file"),
            ({"manifest.json": None, "index.json": None}, "the archive is no image")]:
        done = fresh.docker("load", data=retold(archive, changes), text=False, code=None)
        assert done.returncode == 1 and said.encode() in done.stderr, (said, done)
        assert fresh.leftovers() == [] and fresh.docker("images", "-q") == ""
    done = fresh.docker("load", data=archive.read_bytes()[:-3000], text=False, code=None)
    assert done.returncode == 1 and b"damaged" in done.stderr
    done = fresh.docker("load", data=b"no archive at all" * 100, text=False, code=None)
    assert done.returncode == 1 and fresh.leftovers() == []


def test_a_full_disk_and_a_kill_fail_the_load_alone(engine, fresh, tmp_path):
    archive = tmp_path / "a.tar"
    engine.docker("import", "-", "big:1", text=False, data=tar_of(row("f", os.urandom(8 << 20))))
    engine.docker("save", "-o", archive, "big:1")
    engine.docker("rmi", "big:1")
    fresh.kill()
    fresh.store.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "small", fresh.store], check=True)
    try:
        fresh.start()
        done = fresh.docker("load", "-i", archive, code=None)
        assert done.returncode == 1 and "No space left on device" in done.stderr, done
        assert fresh.leftovers() == []
    finally:
        fresh.kill()
        wait_until(lambda: subprocess.run(["umount", fresh.store], check=False).returncode == 0,
                   SHORT_SECONDS, "the store can be unmounted")
    for moment in range(4):
        fresh.start()
        with subprocess.Popen(["docker", "load", "-q", "-i", archive], env=fresh.environment(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            try:
                client.wait(timeout=0.1 + 0.15 * moment)
            except subprocess.TimeoutExpired:
                pass
            fresh.kill()
    fresh.start()
    assert fresh.docker("load", "-q", "-i", archive) == "Loaded image: big:1\n"
    fresh.docker("rm", fresh.docker("create", "--network", "none", "big:1", "/x").strip())
    # What the killed ones left goes with the next thing that is cleaned up.
    fresh.docker("rmi", "big:1")
    assert fresh.leftovers() == []


def test_an_image_whose_archives_are_not_kept_is_saved_with_its_files(engine, fresh, box, tmp_path):
    """As the system's own: only its layers' directories are there."""
    engine.docker("save", "-o", tmp_path / "a.tar", "base")
    fresh.docker("load", "-i", tmp_path / "a.tar")
    lists = json.loads(tarfile.open(tmp_path / "a.tar").extractfile("manifest.json").read())
    for layer in lists[0]["Layers"]:
        (fresh.store / layer).unlink()
    fresh.docker("save", "-o", tmp_path / "b.tar", "base")
    fresh.docker("rmi", "-f", "base")
    assert fresh.docker("load", "-i", tmp_path / "b.tar") == "Loaded image: base:latest\n"
    name = fresh.docker("create", "--network", "none", "base", "/x").strip()
    ours = members(fresh.docker("cp", f"{name}:/", "-", text=False))
    theirs = members(engine.docker("cp", f"{box()}:/", "-", text=False))
    assert {n: (m.uid, m.mode, m.size) for n, m in ours.items()} \
        == {n: (m.uid, m.mode, m.size) for n, m in theirs.items()}


def test_berth_saves_loads_commits_and_imports(engine, fresh, box, tmp_path):
    archive = str(tmp_path / "a.tar")
    engine.berth("save", "-o", archive, "base")
    assert fresh.berth("load", "-i", archive) == "Loaded image: base:latest\n"
    name = fresh.docker("create", "--network", "none", "base", "/x").strip()
    said = fresh.berth("commit", "-m", "why", "-c", "ENV A=b", name, "made:1")
    assert said.strip() == config_of(fresh, "made:1")["Id"]
    assert config_of(fresh, "made:1")["Config"]["Env"] == ["A=b"]
    (tmp_path / "files.tar").write_bytes(tar_of(row("x", b"x")))
    said = fresh.berth("import", "-c", "CMD /x", str(tmp_path / "files.tar"), "own:2")
    assert said.strip() == config_of(fresh, "own:2")["Id"]


# ---- sizes


def test_sizes_and_what_prune_frees(engine, box, tmp_path):
    engine.docker("volume", "prune", "-af")
    name = box("-v", "sized:/data", "--name", "heavy")
    engine.docker("cp", "-", f"{name}:/srv", data=tar_of(
        row("big", b"x" * 3000000), row("again", type=tarfile.LNKTYPE, linkname="big")), text=False)
    engine.docker("cp", "-", f"{name}:/data", data=tar_of(row("v", b"v" * 500000)), text=False)
    base = config_of(engine, "base")["Size"]
    assert engine.docker("ps", "-as", "--filter", "name=heavy", "--format", "{{.Size}}") \
        == "3MB (virtual 3MB)\n"
    shown = json.loads(engine.docker("inspect", "-s", name))[0]
    assert (shown["SizeRw"], shown["SizeRootFs"]) == (3000000, 3000000 + base)
    assert "SizeRw" not in json.loads(engine.docker("inspect", name))[0]
    table = engine.docker("system", "df").split("\n")
    assert table[2].split()[:4] == ["Containers", "1", "0", "3MB"], table
    assert table[3].split()[:5] == ["Local", "Volumes", "1", "1", "500kB"], table
    assert [line.split() for line in engine.berth("system", "df").split("\n")] \
        == [line.split() for line in table]
    verbose = engine.docker("system", "df", "-v")
    assert " heavy\n" in verbose and "500kB" in verbose
    assert "500kB" in engine.berth("system", "df", "-v")
    assert engine.berth("ps", "-as", "--format", "{{.Size}}") == "3MB (virtual 3MB)\n"
    assert json.loads(engine.berth("inspect", "-s", name))[0]["SizeRw"] == 3000000
    done = engine.docker("container", "prune", "-f", "--filter", "label!=x")
    assert done.endswith("Total reclaimed space: 3MB\n"), done
    assert engine.docker("volume", "prune", "-af").endswith("Total reclaimed space: 500kB\n")



def test_berth_volumes(engine, box):
    assert engine.berth("volume", "create", "--label", "a=b", "mine") == "mine\n"
    assert engine.berth("volume", "ls", "-qf", "label=a=b") == "mine\n"
    assert engine.berth("volume", "ls").split()[:3] == ["DRIVER", "VOLUME", "NAME"]
    assert engine.berth("volume", "inspect", "-f", "{{.Name}}", "mine") == "mine\n"
    assert json.loads(engine.berth("volume", "inspect", "mine"))[0]["Labels"] == {"a": "b"}
    assert "not supported" in engine.berth("volume", "create", "-o", "type=nfs", "far", code=1)
    assert engine.berth("volume", "rm", "mine") == "mine\n"
    assert "no such volume" in engine.berth("volume", "rm", "mine", code=1)
    engine.docker("volume", "prune", "-af")
    name = engine.berth("volume", "create").strip()
    assert engine.berth("volume", "prune", "-f") \
        == f"Deleted Volumes:\n{name}\n\nTotal reclaimed space: 0B\n"


def test_system_prune(engine, box):
    box("--name", "stopped")
    engine.docker("import", "-", data=tar_of(row("x", b"x" * 1000)), text=False)
    said = engine.docker("system", "prune", "-f")
    assert "Deleted Containers:" in said and "Deleted Images:" in said and "1kB" in said, said
    box("--name", "stopped")
    engine.docker("import", "-", data=tar_of(row("x", b"y" * 1000)), text=False)
    said = engine.berth("system", "prune", "-f")
    assert "Deleted Containers:" in said and said.endswith("Total reclaimed space: 1kB\n"), said


# ---- what every client asks first


def test_version_and_info(engine):
    assert engine.docker("version", "--format", "{{.Server.APIVersion}} {{.Server.Os}}") == "1.51 linux\n"
    assert engine.docker("info", "--format", "{{.Driver}} {{.CgroupVersion}} {{.Swarm.LocalNodeState}}") \
        == "overlay2 2 inactive\n"


def ask(engine, text):
    """A request of its own connection, whose answer is read later."""
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(engine.socket))
    peer.sendall(text.encode())
    return peer


def test_a_start_waits_for_a_copy_into_what_does_not_run(engine, box):
    """Two overlays would write into one directory; it cannot start on this machine, but it must try late."""
    name = box()
    put = ask(engine, f"PUT /containers/{name}/archive?path=/srv HTTP/1.1\r\nHost: x\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
    wait_until(lambda: engine.pulling(name), SHORT_SECONDS, "the copy is under way")
    start = ask(engine, f"POST /containers/{name}/start HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    assert not select.select([start], [], [], 2)[0], start.recv(1000)
    put.sendall(b"0\r\n\r\n")
    assert b"the tar is damaged" in put.recv(4096)
    assert b"shim" in start.recv(4096)
    put.close()
    start.close()
    # A client that hangs up in the middle holds nothing up either.
    put = ask(engine, f"PUT /containers/{name}/archive?path=/srv HTTP/1.1\r\nHost: x\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
    wait_until(lambda: engine.pulling(name), SHORT_SECONDS, "the copy is under way")
    put.close()
    wait_until(lambda: not engine.pulling(name), SHORT_SECONDS, "the copy has ended")
