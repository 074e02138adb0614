"""The target's own download program, run on this machine against servers with every fault that a
network has. No virtual machine is needed: the program is static."""
import http.server
import json
import os
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("BERTH_OUT") or TOP / "out") / "target/bin/download"
BODY = bytes(range(256)) * 1200
LINES = b"0 9\n1000 1255\n300000 300000\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """What is wrong with it is in the path: /cut/... /whole/... (no parts) /gone /large ..."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def part(self):
        words = self.headers.get("Range", "")
        if not words.startswith("bytes=") or self.path.startswith("/whole"):
            return 200, 0, len(BODY)
        first, last = words[6:].split("-")
        return 206, int(first), min(int(last or len(BODY) - 1), len(BODY) - 1) + 1

    def echo(self):
        """What was asked, as the answer; the path is /echo/STATUS."""
        length = self.headers.get("Content-Length")
        data = self.rfile.read(int(length or 0))
        told = json.dumps([self.command, sorted(self.headers.items()), data.decode()]).encode()
        self.send_response(int(self.path.split("/")[2]))
        self.send_header("X-Token", "abc")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told)

    def do_PUT(self):
        self.do_GET()

    do_POST = do_HEAD = do_PUT

    def do_GET(self):
        server = self.server
        if self.path.startswith("/echo/"):
            server.asked.append((self.path, None))
            self.echo()
            return
        if self.path == "/slow":
            server.asked.append((self.path, None))
            server.release.wait(60)
            return
        server.asked.append((self.path, self.headers.get("Range")))
        if self.path.startswith("http:"):  # as a proxy
            self.path = "/proxied"
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", server.elsewhere)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/busy" and len(server.asked) < 3:
            self.send_error(503)
            return
        status, first, end = self.part()
        self.send_response(status)
        self.send_header("Content-Length", str(end - first))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{len(BODY)}")
        self.end_headers()
        data = BODY[first:end]
        if "/cut" in self.path and len(data) > 100000:
            self.wfile.write(data[:100000])
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(data)


@pytest.fixture
def server():
    started = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    started.asked, started.elsewhere, started.release = [], "", threading.Event()
    started.handle_error = lambda *unused: None
    threading.Thread(target=started.serve_forever, daemon=True).start()
    started.url = f"http://127.0.0.1:{started.server_port}"
    yield started
    started.release.set()
    started.shutdown()


def download(*arguments, data=b"", environment=None):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, input=data, timeout=60,
                          check=False, env={"PATH": "/usr/bin", **(environment or {})})


# path, arguments, input; exit code, output, what is said
ROWS = [
    ("whole", "/file", [], b"", 0, BODY, ""),
    ("from a byte on", "/file", ["--offset", "1000"], b"", 0, BODY[1000:], ""),
    ("from a byte on, no parts", "/whole", ["--offset", "1000"], b"", 0, BODY[1000:], ""),
    ("a connection that is cut", "/cut", [], b"", 0, BODY, "once more"),
    ("cut, no parts", "/whole/cut", [], b"", 1, BODY[:100000], "/whole/cut"),
    ("busy at first", "/busy", [], b"", 0, BODY, "503"),
    ("not there", "/gone", [], b"", 1, b"", "404"),
    ("larger than expected", "/file", ["--max", "100"], b"", 1, b"", "is larger than the 100 bytes"),
    ("parts", "/file", ["--ranges"], LINES, 0, BODY[:10] + BODY[1000:1256] + BODY[300000:300001], ""),
    ("no parts to be had", "/whole", ["--ranges"], LINES, 3, b"", ""),
    ("a part behind the end", "/file", ["--ranges"], b"307100 307300\n", 3, BODY[307100:], ""),
]


@pytest.mark.parametrize("name, path, arguments, data, code, out, said", ROWS,
                         ids=[r[0] for r in ROWS])
def test_download(server, name, path, arguments, data, code, out, said):
    done = download(*arguments, server.url + path, data=data)
    assert (done.returncode, said in done.stderr.decode()) == (code, True), done.stderr
    assert done.stdout == out


def test_it_goes_on_where_it_was_cut(server):
    assert download(server.url + "/cut").stdout == BODY
    assert [r for _, r in server.asked] == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]


def test_a_proxy_is_asked(server):
    done = download("http://nowhere.invalid/file", environment={"http_proxy": server.url})
    assert done.stdout == BODY
    assert server.asked[0][0] == "http://nowhere.invalid/file"


def asked(*arguments, data=b""):
    """The answer of --ask: status, headers by lower-case name, body."""
    done = download("--ask", *arguments, data=data)
    assert done.returncode == 0, done.stdout
    head, _, body = done.stdout.partition(b"\n\n")
    status, *lines = head.decode().split("\n")
    return int(status), {n.lower(): v for n, _, v in (x.partition(": ") for x in lines)}, body


@pytest.mark.parametrize("method, data, status, seen", [
    ("GET", b"", 200, b""),
    ("GET", b"X-Mine: 1\n\n", 404, b""),
    ("PUT", b"X-Mine: 1\n\n", 200, b""),
    ("POST", b"Content-Type: text/plain\nX-Mine: 1\n\nline\n\nline", 500, b"line\n\nline"),
])
def test_a_whole_answer_whatever_its_status(server, method, data, status, seen):
    got, headers, body = asked(method, "--tries", "1", f"{server.url}/echo/{status}", data=data)
    told_method, told_headers, told_body = json.loads(body)
    told = {name.lower(): value for name, value in told_headers}
    assert (got, headers["x-token"]) == (status, "abc")
    assert (told_method, told_body.encode()) == (method, seen)
    assert told.get("x-mine") == ("1" if data else None)
    assert told.get("content-type") == ("text/plain" if seen else None)
    assert told.get("content-length") == (None if method == "GET" else str(len(seen)))
    assert "expect" not in told


def test_head_has_no_body(server):
    got, headers, body = asked("HEAD", f"{server.url}/echo/200")
    assert (got, headers["x-token"], body) == (200, "abc", b"")


def test_as_many_tries_as_the_caller_says(server):
    assert asked("GET", "--tries", "3", server.url + "/echo/503")[0] == 503
    assert len(server.asked) == 3
    assert asked("GET", "--tries", "3", server.url + "/echo/404")[0] == 404
    assert len(server.asked) == 4


def test_a_redirection_is_the_answer_unless_it_is_followed(server):
    server.elsewhere = server.url + "/echo/200"
    status, headers, _ = asked("GET", "--redirects", "0", server.url + "/moved")
    assert (status, headers["location"]) == (302, server.elsewhere)
    assert asked("GET", "--redirects", "1", server.url + "/moved")[0] == 200
    assert asked("PUT", "--redirects", "1", server.url + "/moved")[0] == 302


# arguments, what is said on standard output
@pytest.mark.parametrize("arguments, path, data, said", [
    (["--seconds", "1", "--tries", "1"], "/slow", b"", "timed out"),
    (["--max", "10", "--tries", "1"], "/file", b"", "is larger than 10 bytes"),
    (["--tries", "1"], "/file", b"no header\n\n", 'not "Name: value"'),
    (["--tries", "1"], "/file", b"X: 1\rY: 2\n\n", 'not "Name: value"'),
])
def test_no_answer_is_one_sentence(server, arguments, path, data, said):
    done = download("--ask", "GET", *arguments, server.url + path, data=data)
    assert done.returncode == 1 and said in done.stdout.decode(), done
    assert done.stderr == b""


def test_nobody_there():
    done = download("--ask", "GET", "--tries", "2", "--seconds", "2", "http://127.0.0.1:1/")
    assert done.returncode == 1 and b"http://127.0.0.1:1/" in done.stdout


@pytest.mark.parametrize("arguments", [
    [], ["--max"], ["--max", "x", "http://a/"], ["--tries", "0", "http://a/"], ["--what", "1", "http://a/"],
    ["--ask", "GET", "--ranges", "http://a/"], ["http://a/", "http://b/"],
])
def test_usage(arguments):
    done = download(*arguments)
    assert done.returncode == 2 and b"expected" in done.stderr


@pytest.fixture
def protected(server, tmp_path_factory):
    """The same behind TLS, with a certificate of its own for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    for each in (folder, *folder.parents[:2]):
        os.chmod(each, 0o755)  # the program reads it as nobody
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key",
                    "-out", folder / "ca.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key")
    started = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    started.asked, started.elsewhere = [], server.url + "/file"
    started.handle_error = lambda *unused: None
    started.socket = context.wrap_socket(started.socket, server_side=True)
    threading.Thread(target=started.serve_forever, daemon=True).start()
    started.url, started.ca = f"https://127.0.0.1:{started.server_port}", folder / "ca.pem"
    yield started
    started.shutdown()


def test_tls_with_the_right_authority(protected):
    done = download("--ca", protected.ca, protected.url + "/file")
    assert done.stdout == BODY, done.stderr


def test_tls_with_a_strange_authority_is_refused(protected, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mozilla")
    os.chmod(folder, 0o755)
    mozilla = folder / "ca.pem"
    key = (TOP / "out/pkg/ca-certificates.key").read_text().strip()
    cache = Path(os.environ.get("BERTH_CACHE") or Path.home() / ".cache/berth")
    packed = cache / "build" / key / "root/usr/share/berth/ca-certificates.pem"
    mozilla.write_bytes(packed.read_bytes())
    done = download("--ca", mozilla, protected.url + "/file")
    assert done.returncode == 1 and done.stdout == b""
    assert b"certificate" in done.stderr.lower() or b"ssl" in done.stderr.lower()
    assert packed.read_text().count("BEGIN CERTIFICATE") > 100


def test_what_began_protected_stays_protected(protected):
    done = download("--ca", protected.ca, protected.url + "/moved")
    assert done.returncode == 1 and done.stdout == b""
    assert b"rotocol" in done.stderr
