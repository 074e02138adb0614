"""The stock docker CLI of this host against a booted machine, over an SSH-forwarded socket: create,
run, attach, resize. One machine for all of it."""
import fcntl
import json
import os
import pty
import re
import shutil
import socket
import struct
import subprocess
import termios
import time

import pytest

from machine import SHORT_SECONDS, Machine, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="no docker CLI to ask with")

DEMO = "localhost/demo"
SHELL = ("--network", "none", "--entrypoint", "sh", DEMO)
WIDE_SECONDS = 120


@pytest.fixture(scope="module")
def tank(servers_image, ssh_key):
    user_data = f"#cloud-config\nssh_authorized_keys:\n  - {ssh_key.public}\ncontainers: {{}}\n"
    with Machine(servers_image, user_data=user_data, memory=384, ssh_key=ssh_key,
                 forward=[8090]) as machine:
        machine.wait_ssh()
        path = machine.work / "docker.sock"
        argv = machine.ssh_argv("-")
        tunnel = subprocess.Popen([*argv[:-2], "-N", "-L", f"{path}:/run/docker.sock", argv[-2]],
                                  stdin=subprocess.DEVNULL)
        try:
            wait_until(path.exists, SHORT_SECONDS, "the tunnel stands", machine)
            machine.docker_host = f"unix://{path}"
            yield machine
        finally:
            tunnel.kill()
            tunnel.wait()


def environment(tank):
    return {**os.environ, "DOCKER_HOST": tank.docker_host, "DOCKER_CONFIG": str(tank.work)}


def docker(tank, *args, data=None, code=0, seconds=WIDE_SECONDS):
    """Standard output; with `code` None, the whole process."""
    done = subprocess.run(["docker", *args], env=environment(tank), input=data, text=True,
                          capture_output=True, timeout=seconds,
                          **({} if data is not None else {"stdin": subprocess.DEVNULL}))
    if code is None:
        return done
    assert done.returncode == code, f"{args}: {done}\n{tank.console_tail()}"
    return done.stdout


def background(tank, *args):
    return subprocess.Popen(["docker", *args], env=environment(tank), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def end(process):
    process.kill()
    process.communicate()


def test_run_streams_both_outputs_and_its_exit_code(tank):
    done = docker(tank, "run", "--rm", *SHELL, "-c", "echo out; echo err >&2; exit 3", code=None)
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)
    assert docker(tank, "ps", "-aq") == "", "--rm has removed it"


def test_stdin_goes_in_and_its_end_as_well(tank):
    text = "".join(f"line {i}\n" for i in range(30000))
    assert docker(tank, "run", "--rm", "-i", "--network", "none", "--entrypoint", "cat", DEMO,
                  data=text) == text


@pytest.mark.parametrize("args, code, said", [
    (("--entrypoint", "/no/such/program", DEMO), 127, "no such file"),
    (("--entrypoint", "/etc/passwd", DEMO), 126, "ermission denied"),
    (("--pid", "container:nobody", DEMO), 125, "No such container: nobody"),
    (("--ipc", "shareable", DEMO), 125, 'HostConfig.IpcMode: "shareable" is not supported'),
    (("--volumes-from", "nobody", DEMO), 125, "No such container: nobody"),
    (("--cpus", "1", "--cpu-quota", "5000", DEMO), 125, "Conflicting options"),
    (("--network", "blue", DEMO), 125, "network blue not found"),
    (("--name", "x", DEMO), 125, "Invalid container name (x)"),
    (("--pull", "never", "--platform", "linux/s390x", DEMO), 125, "platform"),
    (("--pull", "never", "localhost/nothere"), 125, "No such image: localhost/nothere:latest"),
])
def test_what_cannot_run_says_why(tank, args, code, said):
    done = docker(tank, "run", "--rm", *args, code=None)
    assert (done.returncode, said.lower() in done.stderr.lower()) == (code, True), done
    assert docker(tank, "ps", "-aq") == ""


class Terminal:
    """A docker command on a terminal of its own, or with `ssh` one of `berth` on the machine."""

    def __init__(self, tank, *args, rows, columns, ssh=None):
        argv = ["docker", *args] if ssh is None else [*tank.ssh_argv(ssh)[:-2], "-tt",
                                                      *tank.ssh_argv(ssh)[-2:]]
        self.process_id, self.fd = pty.fork()
        if self.process_id == 0:
            os.execvpe(argv[0], argv, environment(tank))
        self.size(rows, columns)
        self.said = ""

    def size(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self):
        try:
            self.said += os.read(self.fd, 4096).decode(errors="replace")
            return True
        except OSError:
            return False

    def expect(self, pattern):
        stop = time.monotonic() + WIDE_SECONDS
        while not re.search(pattern, self.said):
            assert time.monotonic() < stop and self.read(), f"no {pattern!r} in {self.said!r}"
        self.said = self.said[re.search(pattern, self.said).end():]

    def wait(self):
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.process_id, 0)[1])


def test_a_shell_on_a_terminal(tank):
    term = Terminal(tank, "run", "--rm", "-it", *SHELL, rows=33, columns=101)
    term.expect(r"[$#] ")
    term.type("busybox stty size\n")
    term.expect(r"33 101\r\n")
    term.size(44, 90)
    term.type("while ! busybox stty size | busybox grep 44; do sleep 0.2; done\n")
    term.expect(r"44 90\r\n")
    term.type("exit 5\n")
    assert term.wait() == 5


def test_detach_leaves_it_running_and_attach_comes_back(tank):
    term = Terminal(tank, "run", "-it", "--name", "shell", *SHELL, rows=24, columns=80)
    term.expect(r"[$#] ")
    term.type("\x10\x11")
    assert term.wait() == 0
    assert docker(tank, "ps", "--format", "{{.Names}}") == "shell\n"
    term = Terminal(tank, "attach", "shell", rows=24, columns=80)
    term.type("echo $((6*7))\n")
    term.expect(r"42\r\n")
    term.type("exit 4\n")
    assert term.wait() == 4
    docker(tank, "rm", "shell")


def test_options_of_run_reach_the_container(tank):
    docker(tank, "run", "-d", "--name", "web", "-p", "8090:8080", "-e", "A=b", "-v", "vol1:/data",
           "--memory", "32m", "--cpus", "0.5", "--pids-limit", "40", "-l", "k=v", "--restart",
           "on-failure:3", "--read-only", "--tmpfs", "/tmp:size=1m", "--cap-drop", "ALL", "-w",
           "/www", "-h", "glass", "--stop-timeout", "1", "--ulimit", "nofile=100:200", DEMO)
    shown = docker(tank, "inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} "
                   "{{.HostConfig.PidsLimit}} {{.Config.Labels.k}} {{.HostConfig.RestartPolicy.Name}} "
                   "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.Config.WorkingDir}} "
                   "{{.Config.Hostname}} {{.HostConfig.AutoRemove}} {{index .Config.Env 0}}", "web")
    for part in ("33554432 500000000 40 v on-failure true [ALL] /www glass false",):
        assert part in shown
    assert "A=b" in docker(tank, "inspect", "--format", "{{.Config.Env}}", "web")
    assert docker(tank, "port", "web").startswith("8080/tcp -> 0.0.0.0:8090")
    tank.wait_http(8090)
    done = docker(tank, "run", "--name", "web", DEMO, code=None)
    assert done.returncode == 125 and 'The container name "/web" is already in use' in done.stderr
    docker(tank, "rm", "-fv", "web")


def test_several_clients_see_the_same_and_wait_tells_the_code(tank):
    docker(tank, "create", "--name", "choir", *SHELL, "-c", "sleep 1; echo la; exit 7")
    waiter = background(tank, "wait", "choir")
    clients = [background(tank, "start", "-a", "choir")]
    wait_until(lambda: "Up" in docker(tank, "ps", "-a"), SHORT_SECONDS, "choir runs", tank)
    clients.append(background(tank, "attach", "--no-stdin", "choir"))
    heard = [c.communicate(timeout=WIDE_SECONDS)[0] for c in clients]
    # Who came while it ran already may have come after the word.
    assert heard[0] == b"la\n" and heard[1] in (b"la\n", b"")
    assert clients[0].returncode == 7
    end(waiter)
    assert docker(tank, "wait", "choir") == "7\n"
    assert docker(tank, "logs", "choir") == "la\n"
    docker(tank, "rm", "choir")


def attach_and_never_read(tank, name):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(tank.docker_host.removeprefix("unix://"))
    peer.sendall(f"POST /v1.44/containers/{name}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n"
                 "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode())
    assert peer.recv(4096).startswith(b"HTTP/1.1 101")
    return peer


def test_a_client_that_does_not_read_holds_nobody_up_for_long(tank):
    docker(tank, "run", "-id", "--name", "flood", *SHELL, "-c",
           "read go; busybox yes $(busybox seq 40) | busybox head -c 3000000; echo; echo over")
    with attach_and_never_read(tank, "flood"):
        reader = background(tank, "attach", "flood")
        assert reader.communicate(b"go\n", timeout=WIDE_SECONDS)[0].endswith(b"over\n")
    assert docker(tank, "wait", "flood") == "0\n"
    assert docker(tank, "logs", "--tail", "1", "flood") == "over\n"
    docker(tank, "rm", "flood")


def test_attached_clients_outlive_the_engine(tank):
    process = background(tank, "run", "-i", "--name", "cat", "--network", "none", "--entrypoint",
                         "cat", DEMO)
    process.stdin.write(b"before\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"before\n"
    tank.ssh("kill -9 $(pidof engine)")
    process.stdin.write(b"after\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"after\n"
    process.stdin.close()
    process.stdin = None
    process.communicate(timeout=WIDE_SECONDS)
    wait_until(lambda: docker(tank, "version", code=None).returncode == 0, SHORT_SECONDS,
               "the engine is back", tank)
    wait_until(lambda: "Exited (0)" in docker(tank, "ps", "-a"), SHORT_SECONDS, "cat ends", tank)
    docker(tank, "rm", "cat")


def test_over_ssh_as_docker_does_it(tank):
    """DOCKER_HOST=ssh://: the CLI runs `ssh ... docker system dial-stdio`, once per connection."""
    wrapper = tank.work / "bin/ssh"
    wrapper.parent.mkdir(exist_ok=True)
    options = " ".join(f"'{word}'" for word in tank.ssh_argv("-")[3:-2])
    wrapper.write_text(f"#!/bin/sh\nexec /usr/bin/ssh {options} \"$@\"\n")
    wrapper.chmod(0o755)
    env = {**environment(tank), "DOCKER_HOST": f"ssh://root@127.0.0.1:{tank.ports[22]}",
           "PATH": f"{wrapper.parent}:{os.environ['PATH']}"}
    text = "".join(f"line {i}\n" for i in range(20000))
    done = subprocess.run(["docker", "run", "--rm", "-i", "--network", "none", "--entrypoint", "cat",
                           DEMO], env=env, input=text, text=True, capture_output=True,
                          timeout=WIDE_SECONDS)
    assert (done.returncode, done.stdout == text) == (0, True), done.stderr


def test_berth_pause_wait_rename_rm(tank):
    docker(tank, "run", "-d", "--name", "boat", *SHELL, "-c", "while :; do sleep 1; done")
    assert tank.ssh("berth pause boat") == "boat\n"
    assert "(Paused)" in tank.containers()["boat"]["STATUS"]
    assert tank.ssh("berth unpause boat") == "boat\n"
    assert tank.ssh("berth rename boat dinghy") == ""
    assert "container is running" in tank.try_ssh("berth rm dinghy").stderr
    assert tank.ssh("berth kill dinghy; berth wait dinghy") == "dinghy\n137\n"
    assert tank.ssh("berth rm -f -v dinghy") == "dinghy\n"
    gone = tank.try_ssh("berth wait dinghy")
    assert gone.returncode == 1 and "No such container: dinghy" in gone.stderr


def run(tank, *options, script):
    return docker(tank, "run", "--rm", *options, *SHELL, "-c", script)


def test_init_reaps_passes_signals_on_and_ends_as_its_program(tank):
    docker(tank, "run", "-d", "--init", "--name", "inner", *SHELL, "-c",
           "trap 'exit 7' TERM; (busybox sleep 0.1 &) ; while :; do sleep 0.1; done")
    wait_until(lambda: "docker-init -- sh" in docker(tank, "top", "inner"), SHORT_SECONDS, "it runs", tank)
    zombies = "for p in /proc/[0-9]*; do busybox grep -q 'State:.Z' $p/status && echo $p; done; true"
    wait_until(lambda: docker(tank, "exec", "inner", "sh", "-c", zombies) == "", SHORT_SECONDS,
               "orphans are reaped", tank)
    docker(tank, "stop", "-s", "TERM", "inner")
    assert docker(tank, "wait", "inner") == "7\n"
    docker(tank, "rm", "inner")
    done = docker(tank, "run", "--rm", "--init", "--network", "none", "--entrypoint", "/no/such", DEMO,
                  code=None)
    assert done.returncode == 127 and 'docker-init: cannot run "/no/such"' in done.stderr


def test_namespaces_of_the_host_and_of_others(tank):
    host = {kind: tank.ssh(f"readlink /proc/self/ns/{kind}").strip()
            for kind in ("pid", "ipc", "uts", "cgroup", "user")}
    look = "for n in pid ipc uts cgroup user; do busybox readlink /proc/self/ns/$n; done"
    for options, shared in (((), set()), (("--pid", "host"), {"pid", "user"}),
                            (("--ipc", "host"), {"ipc", "user"}), (("--uts", "host"), {"uts"}),
                            (("--cgroupns", "host"), {"cgroup"})):
        seen = run(tank, *options, script=look).split()
        assert {kind for kind, at in zip(("pid", "ipc", "uts", "cgroup", "user"), seen)
                if at == host[kind]} == shared, options
    assert run(tank, "--uts", "host", script="busybox hostname") == tank.ssh("hostname")
    mounted = "busybox grep -c ' /dev/shm ' /proc/mounts || true"
    assert [run(tank, *options, script=mounted) for options in ((), ("--ipc", "none"))] == ["1\n", "0\n"]
    docker(tank, "run", "-d", "--name", "home", *SHELL, "-c", "while :; do sleep 1; done")
    assert "while :; do sleep 1; done" in run(
        tank, "--pid", "container:home", script="busybox ps")
    docker(tank, "stop", "-t", "0", "home")
    assert "non running container" in docker(tank, "run", "--rm", "--pid", "container:home", *SHELL,
                                             code=None).stderr
    docker(tank, "rm", "home")


def test_volumes_of_another(tank):
    docker(tank, "create", "--name", "keeper", "-v", "kept:/kept", "-v", "/anonymous", *SHELL)
    run(tank, "-u", "root", "--volumes-from", "keeper",
        script="echo here > /kept/a; echo there > /anonymous/b")
    assert run(tank, "-u", "root", "--volumes-from", "keeper:ro",
               script="cat /kept/a /anonymous/b; echo no > /kept/a || true") == "here\nthere\n"
    refused = docker(tank, "run", "--rm", "--volumes-from", "keeper:x", *SHELL, code=None)
    assert "invalid mode" in refused.stderr
    docker(tank, "rm", "-v", "keeper")


def test_update_changes_a_container_that_runs(tank):
    docker(tank, "run", "-d", "--name", "grow", "-m", "32m", "--cpu-quota", "5000", *SHELL, "-c",
           "while :; do sleep 1; done")
    group = "/sys/fs/cgroup/containers/" + docker(tank, "inspect", "--format", "{{.Id}}", "grow").strip()
    assert tank.ssh(f"cat {group}/cpu.max") == "5000 100000\n"
    docker(tank, "update", "-m", "48m", "--pids-limit", "33", "--cpu-quota", "20000", "--restart",
           "always", "grow")
    assert tank.ssh(f"cat {group}/memory.max {group}/pids.max {group}/cpu.max").split() == \
        [str(48 << 20), "33", "20000", "100000"]
    assert docker(tank, "inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}",
                  "grow") == f"{48 << 20} always\n"
    said = docker(tank, "update", "--memory-swap", "8m", "grow", code=None)
    assert said.returncode == 1 and "memoryswap" in said.stderr
    assert tank.ssh(f"cat {group}/memory.max").strip() == str(48 << 20)
    assert "update" in docker(tank, "events", "--since", "2020-01-01T00:00:00Z", "--until",
                              str(int(time.time()) + 1), "--filter", "event=update", "--filter",
                              "container=grow", "--format", "{{.Action}} {{.Actor.Attributes.name}}")
    lines = docker(tank, "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.PIDs}}", "grow")
    assert re.fullmatch(r"grow [0-9.]+[KM]iB / 48MiB \d+\n", lines)
    docker(tank, "rm", "-f", "grow")


def test_syslog_gets_the_lines_and_logs_say_so(tank):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(SHORT_SECONDS)
        address = f"udp://10.0.2.2:{server.getsockname()[1]}"  # QEMU's name for this host
        docker(tank, "run", "--name", "radio", "--log-driver", "syslog", "--log-opt",
               f"syslog-address={address}", "--log-opt", "tag=radio", *SHELL, "-c", "echo mayday")
        assert re.fullmatch(r"<30>.* radio\[\d+\]: mayday", server.recv(4096).decode())
    assert "does not support reading" in docker(tank, "logs", "radio", code=None).stderr
    docker(tank, "rm", "radio")


def test_logs_of_the_local_driver_are_read_as_others(tank):
    docker(tank, "run", "--name", "diary", "--log-driver", "local", *SHELL, "-c", "echo dear; echo diary >&2")
    assert docker(tank, "logs", "diary") == "dear\n"
    assert docker(tank, "inspect", "-f", "{{.HostConfig.LogConfig.Type}}", "diary") == "local\n"
    docker(tank, "rm", "diary")


def test_prune_takes_what_has_ended(tank):
    for name, label in (("old", "k=v"), ("older", "k=w")):
        docker(tank, "run", "--name", name, "-l", label, *SHELL, "-c", "true")
    docker(tank, "run", "-d", "--name", "alive", *SHELL, "-c", "while :; do sleep 1; done")
    assert docker(tank, "ps", "-aq", "--filter", "before=older", "--filter", "since=old") == ""
    assert docker(tank, "ps", "-a", "--filter", "since=old", "--format", "{{.Names}}").split() == \
        ["alive", "older"]
    docker(tank, "container", "prune", "-f", "--filter", "label!=k=v")
    assert docker(tank, "ps", "-a", "--format", "{{.Names}}").split() == ["alive", "old"]
    docker(tank, "container", "prune", "-f", "--filter", "until=24h")
    assert "old" in docker(tank, "ps", "-a")
    docker(tank, "container", "prune", "-f")
    assert docker(tank, "ps", "-a", "--format", "{{.Names}}") == "alive\n"
    docker(tank, "rm", "-f", "alive")


def health(tank, name):
    return json.loads(docker(tank, "inspect", "--format", "{{json .State.Health}}", name))


def wait_health(tank, name, status):
    return wait_until(lambda: (lambda h: h if h["Status"] == status else None)(health(tank, name)),
                      WIDE_SECONDS, f"{name} is {status}", tank)


def test_a_health_check_goes_through_docker_s_states(tank):
    since = str(int(time.time()) - 100000)
    docker(tank, "run", "-d", "--name", "ill", "--health-cmd", "echo how; test -e /tmp/well",
           "--health-interval", "1s", "--health-retries", "2", "--tmpfs", "/tmp", *SHELL, "-c",
           "while :; do sleep 1; done")
    assert "(health: starting)" in docker(tank, "ps")
    shown = wait_health(tank, "ill", "unhealthy")
    assert shown["FailingStreak"] >= 2 and shown["Log"][-1]["ExitCode"] == 1
    assert shown["Log"][-1]["Output"] == "how\n" and shown["Log"][-1]["Start"] < shown["Log"][-1]["End"]
    assert docker(tank, "ps", "-q", "--filter", "health=healthy") == ""
    docker(tank, "exec", "ill", "sh", "-c", ": > /tmp/well")
    assert wait_health(tank, "ill", "healthy")["FailingStreak"] == 0
    assert "(healthy)" in docker(tank, "ps", "--filter", "health=healthy")
    said = docker(tank, "events", "--since", since, "--until", str(int(time.time()) + 2), "--format",
                  "{{.Action}}")
    assert "health_status: unhealthy" in said and "health_status: healthy" in said
    assert said.count("exec_create") == said.count("exec_start") == said.count("exec_die"), \
        "probes make no events of exec"
    assert "exec_create: sh -c : > /tmp/well" in said
    assert docker(tank, "inspect", "--format", "{{json .Config.Healthcheck}}", "ill") == \
        ('{"Test":["CMD-SHELL","echo how; test -e /tmp/well"],"Interval":1000000000,"Retries":2}\n')


def test_health_outlives_the_engine_and_pauses_with_its_container(tank):
    tank.ssh("kill -9 $(pidof engine)")
    wait_until(lambda: docker(tank, "version", code=None).returncode == 0, SHORT_SECONDS,
               "the engine is back", tank)
    shown = health(tank, "ill")
    assert shown["Status"] == "healthy" and shown["Log"], "as the engine before left it"
    last = shown["Log"][-1]["Start"]
    wait_until(lambda: health(tank, "ill")["Log"][-1]["Start"] > last, WIDE_SECONDS,
               "probes go on", tank)
    docker(tank, "pause", "ill")
    assert docker(tank, "exec", "ill", "true", code=None).returncode == 1
    assert health(tank, "ill")["Status"] == "healthy"
    docker(tank, "unpause", "ill")
    last = health(tank, "ill")["Log"][-1]["Start"]
    wait_until(lambda: health(tank, "ill")["Log"][-1]["Start"] > last, WIDE_SECONDS,
               "probes go on after the pause", tank)
    docker(tank, "restart", "-t", "0", "ill")
    assert health(tank, "ill")["Status"] in ("starting", "unhealthy")
    docker(tank, "rm", "-f", "ill")


def test_a_probe_that_hangs_or_floods_is_bounded(tank):
    docker(tank, "run", "-d", "--name", "slow", "--health-cmd",
           "busybox yes $(busybox seq 100) | busybox head -c 100000; sleep 4321", "--health-interval",
           "1s", "--health-timeout", "2s", "--health-retries", "1", *SHELL, "-c", "while :; do sleep 1; done")
    probe = wait_health(tank, "slow", "unhealthy")["Log"][0]
    assert (probe["ExitCode"], probe["Output"]) == (-1, "Health check exceeded timeout (2000ms)")
    docker(tank, "rm", "-f", "slow")
    docker(tank, "run", "-d", "--name", "loud", "--health-cmd", "busybox yes | busybox head -c 100000",
           "--health-interval", "1s", *SHELL, "-c", "while :; do sleep 1; done")
    probe = wait_health(tank, "loud", "healthy")["Log"][0]
    assert (len(probe["Output"]), probe["Output"][-5:]) == (4099, "y\n...")
    docker(tank, "rm", "-f", "loud")
    docker(tank, "run", "-d", "--name", "none", "--no-healthcheck", *SHELL, "-c", "sleep 100")
    assert health(tank, "none") is None and docker(tank, "ps", "-qf", "health=none") != ""
    docker(tank, "rm", "-f", "none")


@pytest.fixture(scope="module")
def ship(tank):
    docker(tank, "run", "-d", "--name", "ship", *SHELL, "-c", "while :; do sleep 1; done")
    return tank


def test_exec_streams_and_its_exit_code(ship):
    done = docker(ship, "exec", "ship", "sh", "-c", "echo out; echo err >&2; exit 3", code=None)
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)
    text = "".join(f"line {i}\n" for i in range(20000))
    assert docker(ship, "exec", "-i", "ship", "cat", data=text) == text


def test_exec_takes_user_directory_and_variables(ship):
    assert docker(ship, "exec", "-u", "root", "-w", "/www", "-e", "SHIP=berth", "ship", "sh", "-c",
                  "whoami; pwd; echo $SHIP") == "root\n/www\nberth\n"


def test_exec_privileged(ship):
    plain, all_of_them = (docker(ship, "exec", "-u", "root", *more, "ship", "sh", "-c",
                                 "busybox grep CapEff /proc/self/status").split()[1]
                          for more in ((), ("--privileged",)))
    assert (plain, all_of_them) == ("00000000a80425fb", "000001ffffffffff")
    ids = json.loads(docker(ship, "inspect", "--format", "{{json .ExecIDs}}", "ship"))
    assert ids is None
    process = background(ship, "exec", "ship", "sh", "-c", "echo up; sleep 1000")
    assert process.stdout.readline() == b"up\n"
    ids = json.loads(docker(ship, "inspect", "--format", "{{json .ExecIDs}}", "ship"))
    assert len(ids) == 1 and re.fullmatch("[0-9a-f]{64}", ids[0])
    docker(ship, "exec", "ship", "busybox", "pkill", "-f", "sleep 1000")
    process.communicate(timeout=WIDE_SECONDS)


def test_exec_on_a_terminal(ship):
    term = Terminal(ship, "exec", "-it", "ship", "sh", rows=31, columns=99)
    term.expect(r"[$#] ")
    term.type("while ! busybox stty size | busybox grep '31 99'; do sleep 0.2; done; exit 6\n")
    term.expect(r"31 99\r\n")
    assert term.wait() == 6


def test_exec_detached(ship):
    docker(ship, "exec", "-d", "ship", "sleep", "98765")
    assert "sleep 98765" in docker(ship, "top", "ship")
    assert docker(ship, "exec", "ship", "busybox", "pkill", "-f", "98765", code=None).returncode == 0
    wait_until(lambda: "98765" not in docker(ship, "top", "ship"), SHORT_SECONDS, "it ends", ship)


@pytest.mark.parametrize("args, code, said", [
    (("ship", "/no/such/program"), 127, "no such file"),
    (("ship", "/etc/passwd"), 126, "ermission denied"),
    (("nobody", "true"), 1, "No such container: nobody"),
])
def test_exec_that_cannot_run_says_why(ship, args, code, said):
    done = docker(ship, "exec", *args, code=None)
    assert done.returncode == code and said.lower() in (done.stdout + done.stderr).lower(), done


def test_exec_ends_with_its_container(ship):
    process = background(ship, "exec", "ship", "sh", "-c", "echo up; sleep 1000")
    assert process.stdout.readline() == b"up\n"
    docker(ship, "restart", "-t", "0", "ship")
    process.communicate(timeout=WIDE_SECONDS)
    assert process.returncode == 137
    docker(ship, "pause", "ship")
    assert "is paused" in docker(ship, "exec", "ship", "id", code=None).stderr
    docker(ship, "unpause", "ship")


def test_berth_exec(ship):
    done = ship.try_ssh("berth exec ship sh -c 'echo out; echo err >&2; exit 3'")
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)
    text = "".join(f"line {i}\n" for i in range(20000))
    assert ship.ssh("berth exec -i ship cat", data=text) == text
    assert ship.ssh("berth exec -u root -w /www -e A=1 -e B=2 ship sh -c 'whoami; pwd; echo $A$B'") \
        == "root\n/www\n12\n"
    assert ship.ssh("berth exec -d ship sleep 54321") == ""
    assert ship.ssh("berth exec ship busybox pkill -f 54321") == ""
    assert "not a TTY" in ship.try_ssh("berth exec -it ship sh").stderr
    gone = ship.try_ssh("berth exec nobody id")
    assert gone.returncode == 1 and "No such container: nobody" in gone.stderr


def test_berth_exec_on_a_terminal(ship):
    term = Terminal(ship, rows=30, columns=98, ssh="berth exec -it ship sh")
    term.expect(r"[$#] ")
    term.size(35, 97)
    term.type("while ! busybox stty size | busybox grep '35 97'; do sleep 0.2; done; exit 6\n")
    term.expect(r"35 97\r\n")
    assert term.wait() == 6


# ---- files of containers that run


@pytest.fixture(scope="module")
def hold(tank):
    """One with a volume, a file system in memory and a host's directory, all of its own user."""
    tank.ssh("mkdir -p /tmp/host && echo host >/tmp/host/h")
    docker(tank, "run", "-d", "--name", "hold", "-u", "root", "-v", "stuff:/stuff", "--tmpfs", "/mem",
           "-v", "/tmp/host:/host:ro", *SHELL, "-c",
           "echo root >/www/new; echo stuff >/stuff/s; echo mem >/mem/m; busybox chown 5:6 /www/new; "
           "busybox ln -s /proc/1/root/www /self; echo up; while :; do sleep 1; done")
    wait_until(lambda: docker(tank, "logs", "hold") == "up\n", WIDE_SECONDS, "it has written", tank)
    return tank


def test_cp_out_of_one_that_runs(hold, tmp_path):
    for path, said in [("/www/new", "root\n"), ("/stuff/s", "stuff\n"), ("/mem/m", "mem\n"),
                       ("/host/h", "host\n")]:
        docker(hold, "cp", f"hold:{path}", str(tmp_path / "out"))
        assert (tmp_path / "out").read_text() == said
    listing = subprocess.run(["tar", "-tv", "--numeric-owner"], text=True, capture_output=True,
                             input=docker(hold, "cp", "hold:/www/new", "-")).stdout
    assert " 5/6 " in listing, listing
    # Nothing of what speaks with the kernel, whatever the container makes of its paths.
    done = docker(hold, "cp", "hold:/self/new", "-", code=None)
    assert "Could not find the file /self/new in container hold" in done.stderr, done
    assert docker(hold, "cp", "-q", "hold:/proc", str(tmp_path / "proc")) == ""
    assert not list((tmp_path / "proc").iterdir())


def test_cp_into_one_that_runs(hold, tmp_path):
    (tmp_path / "in").write_text("x" * 200000)
    for target in ("/www/in", "/stuff/in", "/mem/in"):
        docker(hold, "cp", str(tmp_path / "in"), f"hold:{target}")
        told = docker(hold, "exec", "hold", "sh", "-c",
                      f"busybox wc -c <{target}; busybox stat -c '%u %g' {target}")
        assert told == f"200000\n{os.getuid()} {os.getgid()}\n"
    done = docker(hold, "cp", str(tmp_path / "in"), "hold:/host/in", code=None)
    assert "mounted volume is marked read-only" in done.stderr, done
    docker(hold, "pause", "hold")
    docker(hold, "cp", str(tmp_path / "in"), "hold:/www/paused")
    docker(hold, "unpause", "hold")
    assert docker(hold, "exec", "hold", "ls", "/www/paused") == "/www/paused\n"


def test_diff_and_export_of_one_that_runs(hold, tmp_path):
    told = docker(hold, "diff", "hold").split("\n")
    assert "A /www/new" in told and "C /www" in told and "A /self" in told
    assert not [line for line in told if "/etc/" in line or "/proc" in line or "/stuff/" in line]
    docker(hold, "export", "-o", str(tmp_path / "all.tar"), "hold")
    names = subprocess.run(["tar", "-tf", tmp_path / "all.tar"], text=True,
                           capture_output=True).stdout.split("\n")
    assert "www/new" in names and "stuff/s" not in names and "mem/m" not in names


def test_commit_of_one_that_runs(hold):
    """Frozen meanwhile, unless the client wants it otherwise."""
    docker(hold, "commit", "hold", "held:1")
    assert docker(hold, "inspect", "-f", "{{.State.Status}}", "hold") == "running\n"
    until = str(int(hold.ssh("date +%s")) + 1)
    told = docker(hold, "events", "--since", "1", "--until", until, "--filter", "container=hold",
                  "--format", "{{.Action}}").split()
    assert told[-2:] == ["pause", "unpause"], told
    assert docker(hold, "run", "--rm", "--network", "none", "--entrypoint", "sh", "held:1", "-c",
                  "cat /www/new; ls /stuff /proc/self/exe") == "root\n/proc/self/exe\n\n/stuff:\n"
    docker(hold, "commit", "--pause=false", "hold", "held:2")
    docker(hold, "rmi", "held:1", "held:2")


def test_an_image_of_the_system_is_saved_with_its_files(tank, tmp_path):
    docker(tank, "save", "-o", str(tmp_path / "demo.tar"), DEMO)
    names = subprocess.run(["tar", "-tf", tmp_path / "demo.tar"], text=True, check=True,
                           capture_output=True).stdout.split("\n")
    assert "manifest.json" in names and "index.json" in names
    if shutil.which("skopeo"):
        shown = subprocess.run(["skopeo", "inspect", f"docker-archive:{tmp_path}/demo.tar"], text=True,
                               capture_output=True, check=False)
        assert shown.returncode == 0, shown


def test_what_is_copied_before_the_start_is_there_after_it(tank, tmp_path):
    (tmp_path / "f").write_text("early\n")
    docker(tank, "create", "--name", "early", "-v", "/vol", *SHELL, "-c", "cat /www/f /vol/f")
    docker(tank, "cp", str(tmp_path / "f"), "early:/www/f")
    docker(tank, "cp", str(tmp_path / "f"), "early:/vol/f")
    assert docker(tank, "start", "-a", "early") == "early\nearly\n"
    docker(tank, "rm", "-v", "early")


def test_berth_run(tank):
    plain = f"--network none --entrypoint sh {DEMO} -c"
    done = tank.try_ssh(f"berth run --rm {plain} 'echo out; echo err >&2; exit 3'")
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)
    text = "".join(f"line {i}\n" for i in range(20000))
    assert tank.ssh(f"berth run --rm -i --network none --entrypoint cat {DEMO}", data=text) == text
    options = "-d --name rig -e A=1 -e B=2 -l k=v -m 32m --cpus 0.5 -h glass -w /www -u root --rm"
    tank.ssh(f"berth run {options} {plain} 'hostname; pwd; echo $A$B; while :; do sleep 1; done'")
    wait_until(lambda: tank.ssh("berth logs rig") == "glass\n/www\n12\n", SHORT_SECONDS,
               "rig has said what it sees", tank)
    assert docker(tank, "inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} "
                  "{{.Config.Labels.k}}", "rig") == "33554432 500000000 v\n"
    assert tank.try_ssh(f"berth run --name rig {DEMO}").returncode == 125
    tank.ssh("berth stop -t 0 rig")
    wait_until(lambda: "rig" not in tank.ssh("berth ps -a"), SHORT_SECONDS, "--rm removes it", tank)
    assert tank.try_ssh(f"berth run --rm --entrypoint /no/such {DEMO}").returncode == 127
    assert tank.try_ssh(f"berth run --rm --entrypoint /etc/passwd {DEMO}").returncode == 126
    missing = tank.try_ssh("berth run localhost/nothere")
    assert missing.returncode == 125
    assert missing.stderr.startswith("Unable to find image 'localhost/nothere:latest' locally\n")
    assert "Failed to connect to localhost port 80" in missing.stderr
    made = tank.ssh(f"berth create --name rig {plain} true")
    assert re.fullmatch("[0-9a-f]{64}\n", made) and tank.ssh("berth rm rig") == "rig\n"


def test_berth_run_takes_docker_s_other_options(tank):
    tank.ssh("printf '# note\\nFROM_FILE=1\\nB=file\\n' > /tmp/env; echo team=sea > /tmp/labels; "
             "rm -f /tmp/cid; mkdir -p /var/bound; echo bound > /var/bound/a")
    options = ("--env-file /tmp/env -e B=option --label-file /tmp/labels --cidfile /tmp/cid --init "
               "--mount type=bind,src=/var/bound,dst=/in,readonly --mount type=tmpfs,dst=/t,tmpfs-size=1m "
               "--ulimit nofile=77:88 --device /dev/null:/dev/nothing:r --cpu-shares 512 "
               "--oom-score-adj 10 --domainname sea --network none --entrypoint sh")
    said = tank.ssh(f"berth run --name rig {options} {DEMO} -c 'echo $FROM_FILE $B; cat /in/a; ulimit -n; "
                    "ls /dev/nothing; busybox df /t | busybox tail -n 1'").split("\n")
    assert said[:4] == ["1 option", "bound", "77", "/dev/nothing"] and "1024" in said[4]
    assert tank.ssh("cat /tmp/cid") == tank.ssh("berth inspect --format '{{.Id}}' rig").strip()
    assert tank.ssh("berth inspect -f '{{.Config.Labels.team}} {{.HostConfig.CpuShares}} "
                    "{{range .HostConfig.Ulimits}}{{.Name}}={{.Soft}}:{{.Hard}}{{end}}' rig") == \
        "sea 512 nofile=77:88\n"
    assert tank.try_ssh(f"berth run --cidfile /tmp/cid {DEMO}").returncode == 125
    assert tank.ssh("berth container ls -a --format '{{.Names}}' -f label=team=sea") == "rig\n"
    assert tank.ssh("berth container rm rig") == "rig\n"
    out = tank.try_ssh(f"berth run --rm -a stderr --network none --entrypoint sh {DEMO} -c "
                       "'echo out; echo err >&2'")
    assert (out.stdout, out.stderr) == ("", "err\n")


def test_berth_looks_at_containers_as_docker_does(tank):
    docker(tank, "run", "-d", "--name", "buoy", "-p", "8090:8080", "-m", "32m", "-l", "k=v", DEMO)
    assert tank.ssh("berth port buoy") == docker(tank, "port", "buoy")
    assert tank.ssh("berth port buoy 8080") == docker(tank, "port", "buoy", "8080")
    gone = tank.try_ssh("berth port buoy 1")
    assert gone.returncode == 1 and "no public port '1/tcp' published for buoy" in gone.stderr
    for command in ("top buoy", "ps --format json --no-trunc --filter name=buoy",
                    "ps --filter name=buoy --format '{{.ID}} {{.Ports}} {{.Labels}}'",
                    "inspect --format '{{json .State}}' buoy", "ps -q --filter label=k=v"):
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command)]
        ours, theirs = (" ".join(re.sub(r"\d\d:\d\d", "", text).split())
                        for text in (tank.ssh(f"berth {command}"), docker(tank, *words)))
        if "json" in command and "ps" in command:
            ours, theirs = (json.loads(text) for text in (ours, theirs))
            same = set(ours) & set(theirs) - {"CreatedAt", "RunningFor", "Status", "Size"}
            assert {k: ours[k] for k in same} == {k: theirs[k] for k in same}
        elif "State" in command:
            assert json.loads(ours) == json.loads(theirs)
        else:
            assert ours == theirs, command
    assert re.search(r"buoy +\d+\.\d\d% +[\d.]+[KM]iB / 32MiB", tank.ssh("berth stats --no-stream"))
    assert tank.ssh("berth container update -m 48m --memory-swap 64m buoy") == "buoy\n"
    assert tank.ssh("berth inspect -f '{{.HostConfig.Memory}}' buoy") == f"{48 << 20}\n"
    said = tank.ssh("berth events --since 10m --until 0s -f container=buoy --format '{{.Action}}'").split()
    assert said == ["create", "start", "update"]
    assert re.search(r"^20\S+Z container start [0-9a-f]{64} \(k=v, image=localhost/demo, name=buoy\)$",
                     tank.ssh("berth events --since 10m --until 0s -f event=start -f container=buoy"), re.M)
    docker(tank, "rm", "-f", "buoy")
    docker(tank, "run", "--name", "wreck", *SHELL, "-c", "true")
    assert tank.ssh("echo n | berth container prune").endswith("[y/N] ")
    assert "Deleted Containers:\n" in tank.ssh("berth container prune -f")
    assert docker(tank, "ps", "-aq", "-f", "name=wreck") == ""


def test_berth_run_on_a_terminal(tank):
    shell = f"berth run --rm -it --network none --entrypoint sh {DEMO}"
    term = Terminal(tank, rows=30, columns=98, ssh=shell)
    term.expect(r"[$#] ")
    term.type("while ! busybox stty size | busybox grep '30 98'; do sleep 0.2; done; exit 5\n")
    term.expect(r"30 98\r\n")
    assert term.wait() == 5


def test_berth_attach_and_detach(tank):
    docker(tank, "run", "-dit", "--name", "bar", *SHELL)
    term = Terminal(tank, rows=24, columns=80, ssh="berth attach bar")
    term.type("echo $((6*7))\n")
    term.expect(r"42\r\n")
    term.type("\x10\x11")
    assert term.wait() == 0
    term = Terminal(tank, rows=24, columns=80, ssh="berth attach --detach-keys ctrl-x bar")
    term.type("exit 9\n")
    assert term.wait() == 9
    assert "stopped container" in tank.try_ssh("berth attach bar").stderr
    docker(tank, "rm", "bar")


@pytest.mark.parametrize("request_line, body, status, said", [
    ("POST /containers/create", "{", 400, "is no JSON"),
    ("POST /containers/create?name=a/b", '{"Image":"localhost/demo"}', 400, "Invalid container name"),
    ("POST /containers/nobody/attach?stream=1", "", 404, "No such container: nobody"),
    ("POST /containers/nobody/resize?h=1&w=1", "", 404, "No such container: nobody"),
    ("POST /containers/{id}/attach?stream=1&stdout=1", "", 400, "Upgrade: tcp"),
    ("POST /containers/{id}/stop?signal=LOUD", "", 400, "Invalid signal: LOUD"),
    ("POST /containers/{id}/update", '{"Sails":3}', 501, "Sails is not supported"),
    ("POST /containers/prune?filters=%7B%22x%22:[%22y%22]%7D", "", 400, "invalid filter 'x'"),
    ("GET /events?filters=%7B%22x%22:[%22y%22]%7D", "", 400, "invalid filter 'x'"),
    ("POST /containers/{id}/attach?logs=1", "", 501, "logs=1"),
    ("POST /containers/{id}/attach?stdout=1", "", 501, "without stream=1"),
    ("POST /containers/{id}/resize?h=x&w=1", "", 400, "needs h and w"),
    ("POST /containers/{id}/resize?h=10&w=10", "", 409, "is not running"),
    ("POST /containers/{id}/exec", '{"Cmd":["id"]}', 409, "is not running"),
    ("POST /containers/ship/exec", '{"Cmd":[]}', 400, "No exec command specified"),
    ("POST /containers/ship/exec", '{"Cmd":["id"],"Sails":3}', 501, "Sails is not supported"),
    ("POST /containers/ship/exec", '{"Cmd":["id"],"Env":["=x"]}', 400, "not NAME=value"),
    ("POST /exec/none/start", "{}", 404, "No such exec instance: none"),
    ("POST /exec/none/resize?h=1&w=1", "", 404, "No such exec instance: none"),
    ("GET /exec/none/json", "", 404, "No such exec instance: none"),
])
def test_faulty_requests_are_answered(tank, ship, request_line, body, status, said):
    name = "still"
    if "{id}" in request_line and docker(tank, "ps", "-aqf", "name=still") == "":
        docker(tank, "create", "--name", name, *SHELL)
    method, path = request_line.format(id=name).split()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(SHORT_SECONDS)
        peer.connect(tank.docker_host.removeprefix("unix://"))
        peer.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = b"".join(iter(lambda: peer.recv(4096), b"")).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ") and said in answer, answer


def test_nothing_is_left(tank):
    docker(tank, "rm", "-f", "still", "ship", "hold")
    assert docker(tank, "ps", "-aq") == ""
    wait_until(lambda: tank.try_ssh("pidof shim").returncode != 0, SHORT_SECONDS, "shims end", tank)
    assert tank.ssh("ls /sys/fs/cgroup/containers | grep -c -E '^[0-9a-f]{64}$' || true") == "0\n"
    for place in ("containers", "exec"):
        assert tank.ssh(f"ls /run/berth/{place} 2>/dev/null | wc -l").strip() == "0"
