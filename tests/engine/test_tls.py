"""Docker's API over TCP: the stock docker CLI with certificates, and everybody who has none. One machine."""
import json
import os
import shutil
import socket
import ssl
import subprocess

import pytest

from machine import SHORT_SECONDS, Machine, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="no docker CLI to ask with")

SHELL = ("--network", "none", "--entrypoint", "sh", "localhost/demo")
WIDE_SECONDS = 120
PORT = 2376
STRANGERS = 16  # as many as are waited for at a time (runtime/tls/main.c)


class Authority:
    def __init__(self, folder, name):
        self.folder = folder
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.pem"
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj",
                     f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)

    def sign(self, name, extensions, kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """A folder as docker wants it in DOCKER_CERT_PATH."""
        out = self.folder / name
        out.mkdir()
        (out / "extensions").write_text(extensions + "\n")
        self.openssl("req", "-newkey", *kind, "-nodes", "-subj", f"/CN={name}", "-keyout",
                     out / "key.pem", "-out", out / "request")
        self.openssl("x509", "-req", "-in", out / "request", "-CA", self.certificate, "-CAkey", self.key,
                     "-CAcreateserial", "-days", "3650", "-extfile", out / "extensions", "-out",
                     out / "cert.pem")
        return out


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    ours, other = Authority(folder, "ours"), Authority(folder, "other")
    server = ours.sign("server", "extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1")
    client = "extendedKeyUsage=clientAuth"
    made = {"server": server, "client": ours.sign("client", client),
            "old": ours.sign("old", client, kind=("rsa:2048",)),
            "stranger": other.sign("stranger", client)}
    for each in made.values():
        shutil.copy(ours.certificate, each / "ca.pem")
    return made


def quoted(path):
    return json.dumps(path.read_text())


def configuration(ssh_key, certificates, api=True):
    text = f"#cloud-config\nssh_authorized_keys:\n  - {ssh_key.public}\ncontainers: {{}}\n"
    server = certificates["server"]
    return text + (f"berth:\n  api:\n    client_ca_certs: {quoted(server / 'ca.pem')}\n"
                   f"    certificate: {quoted(server / 'cert.pem')}\n"
                   f"    key: {quoted(server / 'key.pem')}\n" if api else "")


@pytest.fixture(scope="module")
def tank(servers_image, ssh_key, certificates):
    with Machine(servers_image, user_data=configuration(ssh_key, certificates), memory=256,
                 ssh_key=ssh_key, forward=[PORT]) as machine:
        machine.wait_ssh()
        machine.at = ("127.0.0.1", machine.ports[PORT])
        wait_until(lambda: "api-tls" in machine.ssh("berth services"), SHORT_SECONDS, "api-tls", machine)
        yield machine


def environment(tank, folder):
    return {**os.environ, "DOCKER_HOST": "tcp://%s:%d" % tank.at, "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(folder), "DOCKER_CONFIG": str(tank.work)}


def docker(tank, folder, *args, data=None):
    return subprocess.run(["docker", *args], env=environment(tank, folder), input=data, text=True,
                          capture_output=True, timeout=WIDE_SECONDS)


@pytest.mark.parametrize("who", ["client", "old"])
def test_a_client_with_a_certificate_is_served(tank, certificates, who):
    wait_until(lambda: docker(tank, certificates[who], "version").returncode == 0, WIDE_SECONDS,
               "docker version by TLS", tank)
    assert "localhost/demo" in docker(tank, certificates[who], "images").stdout


def test_streams_go_both_ways_and_their_ends_too(tank, certificates):
    text = "".join(f"line {i}\n" for i in range(30000))
    done = docker(tank, certificates["client"], "run", "--rm", "-i", "--network", "none", "--entrypoint",
                  "cat", "localhost/demo", data=text)
    assert (done.stdout, done.returncode) == (text, 0), done.stderr
    done = docker(tank, certificates["client"], "run", "--rm", *SHELL, "-c", "echo no >&2; exit 7")
    assert (done.stderr, done.returncode) == ("no\n", 7)


def test_a_session_is_nobody_and_ends_with_its_client(tank, certificates):
    sessions = "for p in $(pidof api-tls); do grep -q '^Uid:.65534' /proc/$p/status && echo $p; done; true"
    with subprocess.Popen(["docker", "events"], env=environment(tank, certificates["client"]),
                          stdout=subprocess.DEVNULL) as watcher:
        try:
            wait_until(lambda: tank.ssh(sessions).split(), SHORT_SECONDS, "a session", tank)
            pid = tank.ssh(sessions).split()[0]
            status = dict(line.split(":\t", 1) for line in tank.ssh(f"cat /proc/{pid}/status").splitlines())
            assert status["Seccomp"] == "2" and status["CapEff"].strip("0") == "", status
            assert status["NoNewPrivs"] == "1"
            # stdin, stdout, stderr, the client, the parent, the engine
            assert len(tank.ssh(f"ls /proc/{pid}/fd").split()) == 6
        finally:
            watcher.kill()
    wait_until(lambda: not tank.ssh(sessions).split(), SHORT_SECONDS, "it has ended", tank)


@pytest.mark.parametrize("who, sentence", [
    ("stranger", "not correctly signed by the trusted CA"),
    ("server", "extendedKeyUsage"),
])
def test_other_certificates_are_refused(tank, certificates, who, sentence):
    folder = tank.work / who
    shutil.copytree(certificates[who], folder)
    done = docker(tank, folder, "version")
    assert done.returncode and "Server:" not in done.stdout, done
    wait_until(lambda: sentence in tank.ssh("berth logs api-tls"), SHORT_SECONDS, "it is said", tank)


@pytest.mark.parametrize("version, sentence", [
    (ssl.TLSVersion.TLSv1_2, "it has no certificate"),
    (ssl.TLSVersion.TLSv1_3, "it has no certificate"),
])
def test_no_certificate(tank, version, sentence):
    before = tank.ssh("berth logs api-tls").count(sentence)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(tank.at, SHORT_SECONDS) as raw, pytest.raises(OSError):
        with context.wrap_socket(raw) as line:  # version 1.3's client learns it with the answer
            line.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            assert line.recv(100) == b"", "an answer"
            raise ConnectionError
    wait_until(lambda: tank.ssh("berth logs api-tls").count(sentence) > before, SHORT_SECONDS, "said", tank)


def test_what_is_no_tls_gets_no_answer(tank):
    for first in (b"GET /containers/json HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 4096, bytes(range(256)) * 256):
        with socket.create_connection(tank.at, SHORT_SECONDS) as line:
            line.settimeout(SHORT_SECONDS)
            try:
                line.sendall(first)
                said = line.recv(4096)
            except ConnectionError:
                said = b""
            assert b"HTTP" not in said


def test_silent_strangers_keep_nobody_out_for_long(tank, certificates):
    lines = [socket.create_connection(tank.at, SHORT_SECONDS) for _ in range(STRANGERS + 4)]
    try:
        wait_until(lambda: docker(tank, certificates["client"], "version").returncode == 0, WIDE_SECONDS,
                   "a client between silent ones", tank)
        assert "no handshake within 10 s" in tank.ssh("berth logs api-tls")
    finally:
        for line in lines:
            line.close()


def test_the_port_closes_when_it_is_configured_no_longer(tank, certificates, ssh_key):
    assert f":{PORT} " in tank.ssh("netstat -ltn")
    tank.ssh("cat > /tmp/without", data=configuration(ssh_key, certificates, api=False))
    assert tank.ssh("berth config diff /tmp/without") == "berth: gone, at once\n"
    tank.ssh("berth config apply /tmp/without")
    wait_until(lambda: f":{PORT} " not in tank.ssh("netstat -ltn"), SHORT_SECONDS, "it is closed", tank)
    tank.ssh("cat > /tmp/with", data=configuration(ssh_key, certificates))
    tank.ssh("berth config apply /tmp/with")
    wait_until(lambda: docker(tank, certificates["client"], "version").returncode == 0, WIDE_SECONDS,
               "it is open again", tank)
