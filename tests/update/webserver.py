"""A plain static web server that sends parts of files, as any does; it counts what it sends, and its
connection can be cut for good after so many bytes more. What is posted goes to `lock`."""
import http.server
import threading
from pathlib import Path

ENDLESS = 1 << 60


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def do_POST(self):
        status, data = self.server.lock.answer(
            self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        path = Path(self.server.folder) / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        if not self.server.left:
            self.send_error(404)
            return
        first, end, status = 0, len(data), 200
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            left, right = wanted[6:].split("-")
            first, end, status = int(left), min(int(right or end - 1), end - 1) + 1, 206
        self.send_response(status)
        self.send_header("Content-Length", str(end - first))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{len(data)}")
        self.end_headers()
        end = min(end, first + self.server.left)
        self.wfile.write(data[first:end])
        self.server.sent += end - first
        self.server.left -= end - first
        if not self.server.left:
            self.close_connection = True


class WebServer:
    """A machine's user network reaches it at `url`."""

    def __init__(self, folder, lock=None):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.folder, self.server.sent, self.server.left = folder, 0, ENDLESS
        self.lock = self.server.lock = lock
        self.url = f"http://10.0.2.2:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def sent(self):
        return self.server.sent

    def cut_after(self, size=ENDLESS):
        self.server.left = size

    def close(self):
        self.server.shutdown()
