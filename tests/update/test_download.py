"""The target's own download program, run on this machine against servers with every fault that a
network has. No virtual machine is needed: the program is static."""
import http.server
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

    def do_GET(self):
        server = self.server
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
    started.asked, started.elsewhere = [], ""
    started.handle_error = lambda *unused: None
    threading.Thread(target=started.serve_forever, daemon=True).start()
    started.url = f"http://127.0.0.1:{started.server_port}"
    yield started
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
