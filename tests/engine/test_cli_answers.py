"""`berth` before an engine that is a table of answers: what it makes of those that are seldom."""
import http.server
import json
import socketserver
import subprocess
import threading

import pytest

ROW = {"Id": "a" * 64, "Names": ["/one"], "Image": "demo", "Created": 0, "State": "running", "Status": "Up",
       "Command": "sh -c 'echo \"a\"\nexit'"}
STATS = {"id": "a" * 64, "name": "/one"}


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body = self.server.answers.get(f"{self.command} {self.path.split('?')[0]}", (404, {
            "message": f"nothing at {self.path}"}))
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass

    def address_string(self):
        return "berth"


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def berth(out, tmp_path, monkeypatch):
    """Runs it; `berth.answers`: what is said to "GET /path"."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    def run(*argv, host=f"unix://{tmp_path}/engine"):
        done = subprocess.run([out / "target/bin/berth", "-H", host, *argv], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    with Engine(f"{tmp_path}/engine", Handler) as engine:
        engine.answers = run.answers = {}
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        yield run
        engine.shutdown()


def test_a_service_s_log_needs_no_engine(berth):
    code, _, why = berth("logs", "-n", "1", "kernel", host="unix:///no/such/socket")
    assert "/no/such/socket" in why, "it is told"
    assert code == 0 and why.count("\n") == 1, why


def test_stats_of_all_pass_over_one_that_went_and_of_a_name_do_not(berth):
    berth.answers["GET /containers/json"] = 200, [{"Id": "gone"}, {"Id": "one"}]
    berth.answers["GET /containers/one/stats"] = 200, STATS
    assert berth("stats", "--no-stream", "--format", "{{.Name}}") == (0, "one\n", "")
    code, said, why = berth("stats", "--no-stream", "--format", "{{.Name}}", "gone")
    assert (code, said) == (1, "") and "nothing at" in why


def test_an_id_s_file_is_there_before_the_container(berth, tmp_path):
    path = tmp_path / "cid"
    berth.answers["POST /containers/create"] = 201, {"Id": "b" * 64}
    assert berth("create", "--cidfile", str(path), "demo")[0] == 0 and path.read_text() == "b" * 64
    berth.answers["POST /containers/create"] = 500, {"message": "asked"}
    code, _, why = berth("create", "--cidfile", str(path), "demo")
    assert code == 1 and why == f'berth: container ID file "{path}": File exists\n'
    assert berth("create", "--cidfile", f"{path}2", "demo")[2] == "berth: asked\n"
    assert not (tmp_path / "cid2").exists()


def test_a_login_never_costs_the_others(berth, tmp_path):
    berth.answers["POST /auth"] = 200, {"Status": "Login Succeeded"}
    config = tmp_path / "config.json"
    assert berth("login", "-u", "me", "-p", "pw", "reg.example")[0] == 0
    assert berth("login", "-u", "me", "-p", "pw", "two.example")[0] == 0
    assert set(json.loads(config.read_text())["auths"]) == {"reg.example", "two.example"}
    config.write_text(config.read_text()[:-3])
    broken = config.read_text()
    for argv in ["login", "-u", "me", "-p", "pw", "three.example"], ["logout", "reg.example"]:
        assert berth(*argv)[::2] == (1, f'berth: "{config}" is no JSON object\n')
    assert config.read_text() == broken
    assert "no login is used" in berth("pull", "reg.example/x")[2]


def test_a_command_of_several_lines_is_one_cell(berth):
    berth.answers["GET /containers/json"] = 200, [ROW]
    assert berth("ps", "--format", "{{.Command}}")[1] == '"sh -c \'echo \\"a\\"\\nexi…"\n'
    assert len(berth("ps")[1].splitlines()) == 2


def test_inspect_tells_a_failure_from_a_name_that_is_nobody_s(berth):
    assert berth("inspect", "x")[2] == "berth: No such object: x\n"
    assert "/no/such/socket" in berth("inspect", "x", host="unix:///no/such/socket")[2]
    berth.answers["GET /containers/x/json"] = 500, {"message": "the disk is full"}
    assert berth("inspect", "x")[2] == "berth: the disk is full\n"


def test_history_and_search_are_tables(berth):
    berth.answers["GET /images/x/history"] = 200, [
        {"Id": "sha256:" + "c" * 64, "Created": 0, "CreatedBy": "COPY " + "y" * 60, "Size": 1500}]
    head, row = berth("history", "x")[1].splitlines()
    assert head.split() == ["IMAGE", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    assert row.startswith("c" * 12 + "   ") and "COPY " + "y" * 39 + "…   1.5kB" in row
    assert berth("history", "-q", "x")[1] == "sha256:" + "c" * 64 + "\n"
    berth.answers["GET /images/search"] = 200, [{"name": "a/b", "star_count": 7, "is_official": True}]
    assert berth("search", "b")[1].splitlines()[1].split() == ["a/b", "7", "[OK]"]


@pytest.mark.parametrize("body", [{}, {"StatusCode": "7"}, []])
def test_an_exit_code_that_is_not_there_is_not_0(berth, body):
    berth.answers["POST /containers/x/wait"] = 200, body
    assert berth("wait", "x") == (1, "", "berth: the engine's answer has no exit code\n")
    berth.answers["POST /containers/x/wait"] = 200, {"StatusCode": 7}
    assert berth("wait", "x") == (0, "7\n", "")
