"""Registries for tests: docker-registry of Debian as a real one, a stand-in that does what it should
not, and the engine on this machine (no guest), as far as images go."""
import http.server
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

from machine import SHORT_SECONDS, free_port, wait_until

USER, PASSWORD = "berth", "secret"
PIECE_BYTES = 100000
STALL_SECONDS = 20  # less than what fetch takes for a broken connection
BCRYPT = "$2b$04$YhI5ZJwJPp/TRhmJMVOog.cngSNjx9Bv3Txq5YV7tRVxKyjA1DH0W"  # of PASSWORD


def make_certificate(folder):
    """Of a CA that nobody knows, for 127.0.0.1 and the host as a guest sees it."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
                    "-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1,IP:10.0.2.2",
                    "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
                   check=True, capture_output=True)


class Registry:
    """docker-registry with its data in `folder`."""

    def __init__(self, folder, tls=False, auth=False):
        self.folder, self.port, self.tls = Path(folder), free_port(), tls
        self.name = f"127.0.0.1:{self.port}"
        config = [f"version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: "
                  f"{folder}/data}}, delete: {{enabled: true}}}}\nhttp:\n  addr: 127.0.0.1:{self.port}"]
        if tls:
            make_certificate(self.folder)
            config.append(f"  tls: {{certificate: {folder}/cert.pem, key: {folder}/key.pem}}")
        if auth:
            (self.folder / "users").write_text(f"{USER}:{BCRYPT}\n")
            config.append(f"auth: {{htpasswd: {{realm: test, path: {folder}/users}}}}")
        (self.folder / "config.yml").write_text("\n".join(config) + "\n")
        self.credentials = ["--{}-creds", f"{USER}:{PASSWORD}"] if auth else []
        self.process = subprocess.Popen(
            ["docker-registry", "serve", str(self.folder / "config.yml")],
            stdout=open(self.folder / "log", "ab"), stderr=subprocess.STDOUT)
        wait_until(self.answers, SHORT_SECONDS, "docker-registry answers")

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def skopeo(self, command, *args, side="dest"):
        flag = "" if command == "inspect" else side + "-"
        creds = [word.replace("{}-", flag) for word in self.credentials]
        done = subprocess.run(["skopeo", command, f"--{flag}tls-verify=false", *creds, *map(str, args)],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fill(self, name, source, *options):
        self.skopeo("copy", *options, source, f"docker://{self.name}/{name}")

    def digest(self, name):
        return json.loads(self.skopeo("inspect", f"docker://{self.name}/{name}"))["Digest"]

    def close(self):
        self.process.terminate()
        self.process.wait()


class StandIn:
    """Serves one OCI layout as every repository there is. `fault` is what it does wrong to blobs,
    `seen` what it was asked, with the Authorization header."""

    def __init__(self, layout, fault=None, other=None, port=0):
        self.layout, self.fault, self.other = Path(layout), fault, other
        self.seen, self.faults_left, self.token = [], 1, None
        self.manifest_type = "application/vnd.oci.image.manifest.v1+json"
        handler = type("Handler", (StandInHandler,), {"stand_in": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.name = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def blob(self, digest):
        return (self.layout / "blobs/sha256" / digest[7:]).read_bytes()

    def manifest(self, reference):
        index = json.loads((self.layout / "index.json").read_text())
        return self.blob(reference if reference.startswith("sha256:") else
                         index["manifests"][0]["digest"])

    def layers(self):
        return [layer["digest"] for layer in json.loads(self.manifest("latest")).get("layers", [])]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class StandInHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        headers.setdefault("Content_Length", len(body))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        me = self.stand_in
        me.seen.append((self.path, self.headers.get("Authorization"), self.headers.get("Range")))
        if self.path.startswith("/v1/search"):
            self.answer(200, json.dumps({"results": [
                {"name": "team/app", "description": "found", "star_count": 7}]}).encode())
        elif self.path == "/v2/":
            self.answer(200)
        elif self.path.startswith("/token"):
            me.token = f"t0ken{len(me.seen)}"
            self.answer(200, json.dumps({"token": me.token}).encode()) if me.fault != "token-elsewhere" else \
                self.answer(307, Location=f"http://localhost:{me.other.server.server_port}{self.path}")
        elif (me.fault or "").startswith("token") and self.headers.get("Authorization") != \
                f"Bearer {me.token}":
            self.answer(401, WWW_Authenticate=f'Bearer realm="http://{me.name}/token",service="here",'
                        'scope="repository:x:pull"')
        elif me.fault == "basic" and not self.headers.get("Authorization"):
            self.answer(401, WWW_Authenticate='Basic realm="here"')
        elif "/manifests/" in self.path:
            self.answer(200, me.manifest(self.path.rsplit("/", 1)[1]), Content_Type=me.manifest_type)
        else:
            self.send_blob(self.path.rsplit("/", 1)[1])

    def do_POST(self):
        """An identity token for a token: the form is seen with the path."""
        self.path += "?" + self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.do_GET()

    def send_blob(self, digest):
        me, body = self.stand_in, self.stand_in.blob(digest)
        fault = getattr(self, "fault_" + (me.fault or "").replace("-", "_"), None)
        if digest in me.layers() and fault and me.faults_left:
            fault(body)
            return
        first = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if me.fault == "token-ends" and len(body) - first > PIECE_BYTES:
            self.send_piece(body, first)
            return
        if first and me.fault != "reset-whole":
            self.answer(206, body[first:], Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")
        else:
            self.answer(200, body)

    def half(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2])
        self.wfile.flush()

    def send_piece(self, body, first):
        """The connection breaks, and the token is none any more when the rest is asked for."""
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(body) - first))
        self.end_headers()
        self.wfile.write(body[first:first + PIECE_BYTES])
        self.wfile.flush()
        self.stand_in.token = None
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def fault_reset(self, body):
        self.stand_in.faults_left -= 1
        self.half(body)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    fault_reset_whole = fault_reset

    def fault_reset_end(self, body):
        """All of it, but not the last chunk, which says so."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def fault_stall(self, body):
        self.stand_in.faults_left -= 1
        self.half(body)
        time.sleep(STALL_SECONDS)

    def fault_long(self, body):
        self.answer(200, body + b"more")

    def fault_short(self, body):
        self.answer(200, body[:-10])

    def fault_digest(self, body):
        self.answer(200, body[:-1] + bytes([body[-1] ^ 1]))

    def fault_gone(self, unused):
        self.answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}')

    def fault_broken(self, unused):
        self.answer(500)

    def fault_busy(self, unused):
        self.stand_in.faults_left -= 1
        self.answer(429, Retry_After=1)

    def fault_circle(self, unused):
        self.answer(307, Location=self.path)

    def fault_basic(self, unused):
        """After the password was asked for: the layers lie somewhere else."""
        self.answer(307, Location=f"http://localhost:{self.stand_in.other.server.server_port}{self.path}")


class HostEngine:
    """The engine's programs as the image has them, run here with all data under `folder`."""

    def __init__(self, out, folder):
        self.programs, self.folder = out / "target/bin", Path(folder)
        self.fetch = self.programs / "fetch"
        self.store = self.folder / "var/lib/berth/store"
        self.socket = self.folder / "run/berth/engine.sock"
        (self.folder / "run/berth").mkdir(parents=True)
        (self.folder / "config").mkdir()
        self.configure({})
        self.process = None
        self.start()

    def configure(self, settings):
        (self.folder / "run/berth/config.json").write_text(json.dumps({"containers": [], **settings}))

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [self.programs / "engine", "--root-prefix", self.folder, "--store-program",
             self.programs / "store", "--fetch", self.fetch],
            stdout=open(self.folder / "engine.log", "ab"), stderr=subprocess.STDOUT)
        wait_until(self.socket.exists, SHORT_SECONDS, "the engine answers")

    def kill(self):
        self.process.kill()
        self.process.wait()

    close = kill

    def environment(self):
        return {**os.environ, "DOCKER_HOST": f"unix://{self.socket}",
                "DOCKER_CONFIG": str(self.folder / "config")}

    def docker(self, *args, code=0, data=None, text=True):
        """Standard output; with `code` None, the whole process."""
        done = subprocess.run(["docker", *map(str, args)], env=self.environment(), input=data,
                              text=text, capture_output=True, timeout=300,
                              **({} if data is not None else {"stdin": subprocess.DEVNULL}))
        if code is None:
            return done
        assert done.returncode == code, f"{args}: {done}\n{self.log()}"
        return done.stdout

    def berth(self, *args, code=0, data=None):
        """As docker(), by our own command."""
        done = subprocess.run([self.programs / "berth", *args], env=self.environment(), text=True,
                              input=data, capture_output=True, timeout=300)
        assert done.returncode == code, f"{args}: {done}\n{self.log()}"
        return done.stdout + done.stderr

    def log(self):
        return (self.folder / "engine.log").read_text(errors="replace")[-2000:]

    def pulling(self, registry):
        """The processes that a pull from this registry has, the client's not."""
        found = subprocess.run(["pgrep", "-f", f"^{self.programs}/.*{registry}"],
                               capture_output=True, text=True, check=False)
        return found.stdout.split()

    def leftovers(self):
        """What lies in the store beside its index: nothing, when all that was refused is gone."""
        wait_until(lambda: not list((self.store / "tmp").iterdir()), SHORT_SECONDS, "tmp is empty")
        return [str(p.relative_to(self.store)) for part in ("layers", "blobs/sha256")
                for p in (self.store / part).iterdir()]
