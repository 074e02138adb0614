"""Images: pull, push and all that names them, by the stock docker CLI, against docker-registry and
stand-ins that misbehave. The engine runs on this machine; what needs a guest is at the end."""
import base64
import json
import os
import shutil
import subprocess

import pytest
from registries import PASSWORD, STALL_SECONDS, USER, HostEngine, Registry, StandIn
from test_embed import DIR, HOSTILE, SYM, Layout, layer_tar, row, rows, sha256  # noqa: F401

from machine import SHORT_SECONDS, Machine, free_port, wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0,
                       reason="needs root: layers have owners, devices, trusted xattrs"),
    pytest.mark.skipif(not shutil.which("docker"), reason="no docker CLI to ask with"),
]


@pytest.fixture(scope="module")
def registry(tmp_path_factory, out):
    registry = Registry(tmp_path_factory.mktemp("registry"))
    registry.fill("servers:1", f"oci:{out}/test/images/servers-oci")
    yield registry
    registry.close()


@pytest.fixture
def engine(out, tmp_path):
    engine = HostEngine(out, tmp_path / "engine")
    yield engine
    engine.close()


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "layout")
    layout.image([layer_tar([row("usr/lib", **DIR), row("lib", **SYM, linkname="usr/lib")]),
                  layer_tar([row("lib/big", os.urandom(300000)), row("etc/x", b"x", uid=33)])],
                 architecture="amd64", created="2026-01-02T03:04:05Z", config={"Cmd": ["/x"]})
    return layout


@pytest.fixture
def stand_in(layout):
    made = []

    def make(fault=None, other=None, source=layout.path):
        made.append(StandIn(source, fault, other))
        return made[-1]
    yield make
    for one in made:
        one.close()


# ---- pull


def test_pull_is_what_the_registry_has(engine, registry, out, tmp_path):
    name = f"{registry.name}/servers:1"
    said = engine.docker("pull", name)
    digest = registry.digest("servers:1")
    assert f"Digest: {digest}\nStatus: Downloaded newer image for {name}\n" in said
    assert said.count(": Pull complete") == 4
    assert f"Status: Image is up to date for {name}\n" in engine.docker("pull", name)
    assert engine.docker("images", "--digests", "--format", "{{.Digest}}") == f"{digest}\n"
    inspected = json.loads(engine.docker("inspect", name))[0]
    assert inspected["RepoDigests"] == [f"{registry.name}/servers@{digest}"]
    # The layers are those that `unpack embed` makes of the same image, file by file.
    tar = tmp_path / "store.tar"
    subprocess.run([out / "host/bin/unpack", "embed", "--out", tar,
                    f"x={out}/test/images/servers-oci"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["tar", "-C", tmp_path, "--xattrs-include=*", "-xf", tar], check=True)
    look = "find . -mindepth 2 ! -type d -printf '%P %y %m %U %G %l %s %T@\\n' -o -type d -mindepth 1 " \
           "-printf '%P %y %m %U %G\\n' | sort; getfattr -R -d -m - . | sort"
    ours, theirs = (subprocess.run(["sh", "-c", look], cwd=top, capture_output=True, text=True).stdout
                    for top in (engine.store / "layers", tmp_path / "usr/share/berth/store/layers"))
    assert ours == theirs and ours.count("\n") > 1000


def test_pull_by_digest_and_platform(engine, stand_in, tmp_path):
    layout = Layout(tmp_path / "many")
    for arch in ("amd64", "arm64"):
        layout.image([layer_tar([row("arch", arch.encode())])], platform=f"linux/{arch}",
                     architecture=arch)
    index = layout.blob((layout.path / "index.json").read_bytes(),
                        "application/vnd.oci.image.index.v1+json")
    (layout.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [index]}))
    server = stand_in(source=layout.path)
    server.manifest_type = "application/vnd.oci.image.index.v1+json"
    pinned = f"{server.name}/x@{index['digest']}"
    engine.docker("pull", pinned)
    assert engine.docker("inspect", "--format", "{{.Architecture}} {{.RepoDigests}}",
                         pinned) == f"amd64 [{pinned}]\n"
    engine.docker("pull", "--platform", "linux/arm64", f"{server.name}/x")
    assert engine.docker("inspect", "--format", "{{.Architecture}}", f"{server.name}/x") == "arm64\n"
    done = engine.docker("pull", "--platform", "linux/s390x", f"{server.name}/x", code=None)
    assert "no matching manifest for linux/s390x in the manifest list entries" in done.stderr


@pytest.mark.parametrize("tls, auth", [(True, False), (False, True), (True, True)])
def test_private_registries(engine, out, tmp_path, tls, auth):
    (tmp_path / "private").mkdir()
    registry = Registry(tmp_path / "private", tls=tls, auth=auth)
    try:
        registry.fill("team/app:1", f"oci:{out}/demo-image")
        name = f"{registry.name}/team/app:1"
        if auth:
            done = engine.docker("pull", name, code=None)
            assert done.returncode == 1 and "no basic auth credentials" in done.stderr
            assert f"pull access denied for {registry.name}/team/app, repository does not exist or " \
                "may require 'docker login'" in done.stderr, done.stderr
            login = ["login", "-u", USER, "--password-stdin", registry.name]
            done = engine.docker(*login, data="wrong", code=None)
            assert done.returncode == 1 and "unauthorized" in done.stderr, done.stderr
            assert "Login Succeeded" in engine.docker(*login, data=PASSWORD)
        engine.docker("pull", name)
        engine.docker("tag", name, f"{registry.name}/team/copy:2")
        engine.docker("push", f"{registry.name}/team/copy:2")
        assert registry.digest("team/copy:2") == registry.digest("team/app:1")
    finally:
        registry.close()


def test_configured_registries(engine, stand_in, layout, out, tmp_path):
    """A mirror comes first, the registry when the mirror fails; credentials of the configuration."""
    good, bad = stand_in("basic", other=stand_in()), stand_in("broken")
    bad.manifest = lambda unused: b"no manifest"
    engine.configure({"berth": {"registries": [
        {"host": good.name, "username": "u", "password": "p", "mirrors": [f"http://{bad.name}"]}]}})
    engine.docker("pull", f"{good.name}/x:latest")
    assert bad.seen and not any(auth for _, auth, _ in bad.seen)
    assert any(auth == "Basic dTpw" for _, auth, _ in good.seen)
    # Blobs were redirected to another host, which must not be told the password.
    assert good.other.seen and not any(auth for _, auth, _ in good.other.seen)


@pytest.mark.parametrize("fault", ["gone", "digest"])
def test_layers_that_a_mirror_lacks_come_from_the_registry(engine, stand_in, fault):
    server, mirror = stand_in(), stand_in(fault)
    engine.configure({"berth": {"registries": [{"host": server.name,
                                                "mirrors": [f"http://{mirror.name}"]}]}})
    engine.docker("pull", f"{server.name}/x")
    assert {path.rsplit("/", 1)[1] for path, _, _ in server.seen} == {"", *server.layers()}


def test_the_host_s_proxy_is_asked(engine, stand_in, tmp_path, out):
    """/run/berth/proxy is what bootcfg makes of berth.proxy."""
    proxy, local = stand_in(), stand_in()
    wrapper = tmp_path / "fetch"
    wrapper.write_text("#!/bin/sh\nexec unshare -m sh -c 'mount -t tmpfs proxy /run && mkdir /run/berth && "
                       f"echo http_proxy=http://{proxy.name} >/run/berth/proxy && "
                       f"exec {out}/target/bin/fetch \"$@\"' fetch \"$@\"\n")
    wrapper.chmod(0o755)
    engine.kill()
    engine.configure({"berth": {"registries": [
        {"host": "app.invalid", "mirrors": ["http://mirror.invalid"]}]}})
    engine.fetch = wrapper
    engine.start()
    engine.docker("pull", "app.invalid/x")
    assert proxy.seen[0][0] == "http://mirror.invalid/v2/x/manifests/latest"
    del proxy.seen[:]
    engine.docker("pull", f"{local.name}/x")
    assert local.seen and not proxy.seen


def test_search(engine, stand_in):
    server = stand_in()
    said = engine.docker("search", "--limit", "3", "--format", "{{.Name}} {{.StarCount}}",
                         f"{server.name}/app")
    assert "team/app   found" in engine.berth("search", "--limit", "3", f"{server.name}/app")
    assert said == "team/app 7\n" and server.seen[-1][0] == "/v1/search?q=app&n=3"


def test_a_token_is_asked_for_once(engine, stand_in):
    server = stand_in("token")
    engine.docker("pull", f"{server.name}/x:latest")
    tokens = [path for path, _, _ in server.seen if path.startswith("/token")]
    assert tokens == ["/token?service=here&scope=repository%3Ax%3Apull"]


def test_a_token_may_end_while_a_layer_comes(engine, stand_in, tmp_path):
    layout = Layout(tmp_path / "large")
    layout.image([layer_tar([row("big", os.urandom(500000))])], architecture="amd64")
    server = stand_in("token-ends", source=layout.path)
    engine.docker("pull", f"{server.name}/x")
    assert sum(path.startswith("/token") for path, _, _ in server.seen) > 3


@pytest.mark.parametrize("fault", ["token", "token-elsewhere"])
def test_an_identity_token_goes_nowhere_else(engine, stand_in, fault):
    other = stand_in()
    server = stand_in(fault, other=other)
    (engine.folder / "config/config.json").write_text(json.dumps({"auths": {server.name: {
        "auth": base64.b64encode(b"00000000:").decode(), "identitytoken": "r3fresh"}}}))
    done = engine.docker("pull", f"{server.name}/x", code=None)
    asked = [(path, auth) for path, auth, _ in server.seen if path.startswith("/token")]
    assert len(asked) == 1 and asked[0][0].endswith("&refresh_token=r3fresh") and not asked[0][1]
    assert other.seen == [] and (done.returncode == 0) == (fault == "token"), done


@pytest.mark.parametrize("fault, again", [("reset", True), ("reset-whole", True), ("busy", True),
                                          ("reset-end", False)])
def test_what_breaks_is_taken_up_again(engine, stand_in, fault, again):
    server = stand_in(fault)
    said = engine.docker("pull", f"{server.name}/x:latest")
    assert ("Retrying in" in said) == again
    if fault == "reset":
        assert any(wanted for _, _, wanted in server.seen), "the rest was asked for, not the whole"


@pytest.mark.parametrize("fault, expected", [
    ("long", "sends more than the"), ("short", "bytes, the manifest says"),
    ("digest", "content of digest"), ("gone", "the registry answers 404"),
    ("circle", "redirects"), ("broken", "the registry answers 500"),
])
def test_what_stays_wrong_is_refused_and_leaves_nothing(engine, stand_in, fault, expected):
    done = engine.docker("pull", f"{stand_in(fault).name}/x:latest", code=None)
    assert done.returncode == 1 and expected in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1
    assert engine.docker("images", "-q") == "" and engine.leftovers() == []


def test_manifests_that_are_refused(engine, stand_in, layout):
    server = stand_in()
    server.manifest_type = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    for change, expected in ((None, "Docker's schema 1"), (b"{", "is not JSON"),
                             (b'{"schemaVersion":2}', "descriptor")):
        if change:
            server.manifest_type = "application/vnd.oci.image.manifest.v1+json"
            server.manifest = lambda unused, text=change: text
        done = engine.docker("pull", f"{server.name}/x:latest", code=None)
        assert done.returncode == 1 and expected in done.stderr, done.stderr
    foreign = Layout(layout.path.parent / "foreign")
    foreign.image([layer_tar([row("x", b"x")])],
                  layer_type="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    done = engine.docker("pull", f"{stand_in(source=foreign.path).name}/x:latest", code=None)
    assert "foreign layers" in done.stderr
    done = engine.docker("pull", f"{stand_in().name}/x@sha256:{'0' * 64}", code=None)
    assert done.returncode == 1


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_layers_are_refused(engine, stand_in, tmp_path, case):
    entries, expected = HOSTILE[case]
    hostile = Layout(tmp_path / "hostile")
    hostile.image([layer_tar(entries)])
    done = engine.docker("pull", f"{stand_in(source=hostile.path).name}/x:latest", code=None)
    assert done.returncode == 1 and expected.lower() in done.stderr.lower(), done.stderr
    assert engine.leftovers() == []


# ---- names


def test_tag_rmi_and_prune_keep_docker_s_rules(engine, registry):
    name = f"{registry.name}/servers:1"
    engine.docker("pull", "-q", name)
    engine.docker("tag", name, "copy:2")
    image = engine.docker("images", "-q", "copy").strip()
    done = engine.docker("rmi", image, code=None)
    assert "(must be forced) - image is referenced in multiple repositories" in done.stderr
    assert engine.docker("rmi", name) == f"Untagged: {name}\n"
    container = engine.docker("create", "--network", "none", "copy:2", "/x").strip()
    done = engine.docker("rmi", "copy:2", code=None)
    assert f"(must force) - container {container[:12]} is using its referenced image {image}" in \
        done.stderr
    assert engine.docker("image", "prune", "-af").startswith("Total reclaimed space: 0B")
    engine.docker("rm", container)
    assert "deleted: sha256:" in engine.docker("image", "prune", "-af")
    assert engine.leftovers() == [] and engine.docker("images", "-q") == ""
    done = engine.docker("tag", "nothing", "x", code=None)
    assert "No such image: nothing:latest" in done.stderr
    done = engine.docker("push", "127.0.0.1:1/nothing:1", code=None)
    assert "An image does not exist locally with the tag: 127.0.0.1:1/nothing" in done.stderr


def test_a_second_image_brings_only_its_own_layers(engine, stand_in, layout, registry, tmp_path):
    engine.docker("pull", "-q", f"{stand_in().name}/x:latest")
    base = json.loads(stand_in().manifest("latest"))
    more = Layout(tmp_path / "more")
    tars = [layer_tar([row("usr/lib", **DIR), row("lib", **SYM, linkname="usr/lib")]),
            layer_tar([row("lib/small", b"small")])]
    more.image(tars, architecture="amd64")
    said = engine.docker("pull", f"{stand_in(source=more.path).name}/y:latest")
    assert said.count("Already exists") == 1 and said.count("Pull complete") == 1
    # A file below a symlink of the layer that was there already lies behind it.
    assert (engine.store / "layers" / sha256(tars[1])[7:] / "usr/lib/small").exists()
    assert len(base["layers"]) == 2


def test_a_layer_that_is_there_three_times_is_brought_once(engine, stand_in, tmp_path):
    layout = Layout(tmp_path / "thrice")
    deepest = "/".join(["d"] * 256)
    layout.image(3 * [layer_tar([row("file", b"12345"), row(deepest, **DIR)])], architecture="amd64")
    said = engine.docker("pull", f"{stand_in(source=layout.path).name}/x")
    assert said.count("Already exists") == 2 and said.count("Pull complete") == 1
    image = json.loads((engine.store / "index.json").read_text())["manifests"][0]
    assert image["annotations"]["berth.layer-sizes"] == "5,5,5"


# ---- our own command


def test_berth_pulls_pushes_and_names_as_docker_does(engine, out, tmp_path):
    (tmp_path / "private").mkdir()
    registry = Registry(tmp_path / "private", auth=True)
    try:
        registry.fill("app:1", f"oci:{out}/demo-image")
        name = f"{registry.name}/app:1"
        assert "no basic auth credentials" in engine.berth("pull", name, code=1)
        login = ["login", "-u", USER, "--password-stdin", registry.name]
        assert "unauthorized" in engine.berth(*login, data="wrong", code=1)
        assert engine.berth(*login, data=f"{PASSWORD}\n") == "Login Succeeded\n"
        said = engine.berth("pull", name)
        assert f"Status: Downloaded newer image for {name}\n{name}\n" in said
        assert said.count(": Pull complete\n") == 1 and "Downloading" not in said
        assert engine.docker("pull", "-q", name) == f"{name}\n", "docker reads the same logins"
        engine.berth("tag", name, f"{registry.name}/copy:2")
        assert ": digest: sha256:" in engine.berth("push", f"{registry.name}/copy:2")
        assert registry.digest("copy:2") == registry.digest("app:1")
        assert engine.berth("images").splitlines()[1].split()[:2] == [f"{registry.name}/app", "1"]
        assert engine.berth("history", name).startswith("IMAGE ")
        assert json.loads(engine.berth("image", "inspect", name))[0]["Architecture"] == "amd64"
        assert engine.berth("rmi", f"{registry.name}/copy:2") == f"Untagged: {registry.name}/copy:2\n"
        assert "Deleted: sha256:" in engine.berth("image", "prune", "-af")
        assert engine.berth("logout", registry.name).startswith("Removing login credentials for ")
        assert "no basic auth credentials" in engine.berth("pull", name, code=1)
    finally:
        registry.close()


# ---- declared containers


def test_a_declared_container_s_image_is_pulled_when_the_registry_answers(engine, layout):
    port = free_port()
    engine.kill()
    engine.configure({"containers": [{"name": "web", "image": f"127.0.0.1:{port}/x",
                                      "network_mode": "none"}]})
    engine.start()
    wait_until(lambda: "Could not connect to server; again in" in engine.log(), SHORT_SECONDS,
               "the pull is tried again, and said so")
    assert engine.docker("ps", "-a", "--format", "{{.Names}} {{.State}}") == "web created\n"
    server = StandIn(layout.path, port=port)
    try:
        wait_until(lambda: engine.docker("images", "-q"), SHORT_SECONDS, "the image is there")
        assert f'image "127.0.0.1:{port}/x" is here' in engine.log()
    finally:
        server.close()


def test_a_declared_image_of_which_a_part_failed_is_tried_again(engine, stand_in, layout):
    """What failed says whether another try helps, not what was asked before it."""
    index = {"schemaVersion": 2, "manifests": json.loads(
        (layout.path / "index.json").read_text())["manifests"]}
    server = stand_in()
    server.manifest_type = "application/vnd.oci.image.index.v1+json"
    server.manifest = lambda reference: b"{}" if "sha256:" in reference else json.dumps(index).encode()
    engine.kill()
    engine.configure({"containers": [{"name": "web", "image": f"{server.name}/x",
                                      "network_mode": "none"}]})
    engine.start()
    wait_until(lambda: "content of digest" in engine.log(), SHORT_SECONDS, "the pull failed")
    assert "; again in " in engine.log()


def test_a_declared_image_that_no_registry_has_is_final(engine, registry):
    engine.kill()
    engine.configure({"containers": [{"name": "web", "image": f"{registry.name}/none",
                                      "network_mode": "none"}]})
    engine.start()
    wait_until(lambda: "manifest unknown" in engine.docker(
        "inspect", "--format", "{{.State.Error}}", "web"), SHORT_SECONDS, "the reason is shown")


# ---- volumes


def test_volumes(engine, registry):
    assert engine.docker("volume", "create", "--label", "a=b", "data") == "data\n"
    made = engine.docker("volume", "create").strip()
    assert engine.docker("volume", "ls", "-q").split() == sorted(["data", made])
    shown = json.loads(engine.docker("volume", "inspect", "data"))[0]
    assert (shown["Labels"], shown["Driver"]) == ({"a": "b"}, "local")
    assert os.path.isdir(shown["Mountpoint"])
    assert engine.docker("volume", "ls", "-q", "-f", "label=a=b") == "data\n"
    assert engine.docker("volume", "ls", "-q", "-f", "label=a=c") == ""
    engine.docker("pull", "-q", f"{registry.name}/servers:1")
    container = engine.docker("create", "--network", "none", "-v", "data:/x",
                              f"{registry.name}/servers:1", "/x").strip()
    done = engine.docker("volume", "rm", "data", code=None)
    assert f"remove data: volume is in use - [{container}]" in done.stderr
    assert engine.docker("volume", "ls", "-q", "-f", "dangling=true").split() == [made]
    assert engine.docker("volume", "prune", "-f").startswith(f"Deleted Volumes:\n{made}\n")
    engine.docker("rm", container)
    assert engine.docker("volume", "prune", "-f").startswith("Total reclaimed")
    assert "data" in engine.docker("volume", "prune", "-af")
    done = engine.docker("volume", "inspect", "data", code=None)
    assert "get data: no such volume" in done.stderr
    done = engine.docker("volume", "create", "../up", code=None)
    assert "includes invalid characters for a local volume name" in done.stderr


# ---- crashes


def test_a_killed_pull_leaves_a_whole_store(engine, registry):
    """kill -9 of the engine at many moments of a pull: whatever was, the next pull makes it good."""
    name = f"{registry.name}/servers:1"
    for moment in range(6):
        client = subprocess.Popen(["docker", "pull", "-q", name], env=engine.environment(),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            client.wait(timeout=0.3 + 0.7 * moment)
        except subprocess.TimeoutExpired:
            pass
        engine.kill()
        client.wait(timeout=60)
        engine.start()
        assert engine.docker("images", "-q").count("\n") <= 1
    engine.docker("pull", "-q", name)
    assert engine.docker("images", "--format", "{{.Size}}") == "130MB\n"


def test_nothing_of_a_killed_pull_goes_on(engine, stand_in):
    server = stand_in("stall")
    with subprocess.Popen(["docker", "pull", "-q", f"{server.name}/x"], env=engine.environment(),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        wait_until(lambda: any(path.endswith(server.layers()[0]) for path, _, _ in server.seen),
                   SHORT_SECONDS, "a layer is on its way")
        assert engine.pulling(server.name)
        engine.kill()
    wait_until(lambda: not engine.pulling(server.name), STALL_SECONDS / 2, "all of it has ended")


def test_a_full_disk_fails_the_pull_alone(engine, registry, tmp_path):
    size = tmp_path / "small"
    size.mkdir()
    engine.kill()
    engine.store.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "small", engine.store], check=True)
    try:
        engine.start()
        done = engine.docker("pull", f"{registry.name}/servers:1", code=None)
        assert done.returncode == 1 and "No space left on device" in done.stderr, done.stderr
        assert engine.docker("images", "-q") == "" and engine.leftovers() == []
    finally:
        engine.kill()
        wait_until(lambda: subprocess.run(["umount", engine.store], check=False).returncode == 0,
                   SHORT_SECONDS, "the store can be unmounted")
        engine.start()


# ---- in a booted machine


@pytest.fixture(scope="module")
def tank(image, ssh_key):
    with Machine(image, user_data=f"#cloud-config\nssh_authorized_keys:\n  - {ssh_key.public}\n",
                 memory=384, ssh_key=ssh_key) as machine:
        machine.wait_ssh()
        path = machine.work / "docker.sock"
        argv = machine.ssh_argv("-")
        tunnel = subprocess.Popen([*argv[:-2], "-N", "-L", f"{path}:/run/docker.sock", argv[-2]],
                                  stdin=subprocess.DEVNULL)
        try:
            wait_until(path.exists, SHORT_SECONDS, "the tunnel stands", machine)
            machine.docker_env = {**os.environ, "DOCKER_HOST": f"unix://{path}",
                                  "DOCKER_CONFIG": str(machine.work)}
            yield machine
        finally:
            tunnel.kill()
            tunnel.wait()


def docker(tank, *args):
    done = subprocess.run(["docker", *args], env=tank.docker_env, capture_output=True, text=True,
                          timeout=240, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{args}: {done}\n{tank.console_tail()}"
    return done


def test_run_of_an_image_that_is_in_a_registry(tank, registry, out, tmp_path):
    """The demo image's layer is the machine's own, so only the new one is downloaded; what ran is
    pushed under another name, and is the same there."""
    shutil.copytree(out / "demo-image", tmp_path / "app")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/said").write_text("pulled\n")
    subprocess.run(["umoci", "insert", "--image", f"{tmp_path}/app:latest", tmp_path / "new",
                    "/srv/new"], check=True, capture_output=True)
    registry.fill("app:1", f"oci:{tmp_path}/app:latest")
    host = f"10.0.2.2:{registry.port}"
    tank.ssh("sed -i '1s/^{/{\"berth\":{\"registries\":[{\"host\":\"%s\",\"insecure\":true}]},/' "
             "/run/berth/config.json" % host)
    done = docker(tank, "run", "--rm", "--network", "none", "--entrypoint", "cat", f"{host}/app:1",
                  "/srv/new/said")
    assert done.stdout == "pulled\n"
    assert "Already exists" in done.stderr and done.stderr.count("Pull complete") == 1, done.stderr
    docker(tank, "tag", f"{host}/app:1", f"{host}/again/app:2")
    docker(tank, "push", f"{host}/again/app:2")
    assert registry.digest("again/app:2") == registry.digest("app:1")
    docker(tank, "rmi", f"{host}/again/app:2", f"{host}/app:1")
    assert tank.ssh("ls /var/lib/berth/store/layers") == ""
