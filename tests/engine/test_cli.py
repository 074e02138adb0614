"""`berth` beside the docker CLI of this host, both asked for help only: no engine is needed."""
import re
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="no docker CLI to compare with")

# Commands whose every option of docker's is there, or refused with the reason.
COMMANDS = ["run", "create", "ps", "logs", "exec", "attach", "start", "stop", "restart", "kill", "rm",
            "port", "top", "events", "stats", "inspect", "wait", "pause", "unpause", "rename",
            "container update", "container prune", "cp", "diff", "export",
            "commit", "save", "load", "import", "system df",
            "system prune", "volume ls", "volume create", "volume inspect", "volume rm",
            "volume prune"]


@pytest.fixture(scope="module")
def berth(out):
    return out / "target/bin/berth"


def said(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def options(text):
    return set(re.findall(r"^ +(?:-\w, )?--([a-z0-9-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("command", COMMANDS)
def test_each_of_docker_s_options_is_there_or_refused_by_name(berth, command):
    ours = options(said(berth, *command.split(), "--help")[1])
    missing = options(said("docker", *command.split(), "--help")[1]) - ours - {"help"}
    for name in sorted(missing):
        code, text = said(berth, *command.split(), f"--{name}", "x", "y")
        assert code == 125 and f"--{name} is not supported: " in text, (name, text)


@pytest.mark.parametrize("group", ["container", "image", "volume"])
def test_management_commands_are_the_same_commands(berth, group):
    listed = re.search(r"\nCommands:\n(.*?)\n\n", said("docker", group, "--help")[1], re.DOTALL).group(1)
    words = [line.split()[0] for line in listed.splitlines()]
    answers = {word: said(berth, group, word, "--help")[1] for word in words}
    unknown = {word for word, text in answers.items() if not text.startswith("Usage:")}
    assert unknown <= {"build", "update"}


@pytest.mark.parametrize("argv, code, text", [
    (["container"], 125, "Usage:"),
    (["container", "sail"], 1, "'container sail' is not a berth command"),
    (["container", "ls", "--sideways"], 125, "unknown flag: --sideways"),
    (["run", "--gpus", "all", "x"], 125, "--gpus is not supported: there are no drivers"),
    (["run", "--ulimit", "nofile", "x"], 125, "invalid ulimit argument: nofile"),
    (["run", "--mount", "type=bind,src=/a", "x"], 125, "--mount: target is required"),
    (["run", "--env-file", "/no/such/file", "x"], 125, "/no/such/file"),
    (["run", "-a", "stdboth", "x"], 125, "valid streams are"),
    (["-H", "unix:///no/such/socket", "ps"], 1, "/no/such/socket"),
])
def test_what_is_wrong_is_told(berth, argv, code, text):
    done = said(berth, *argv)
    assert done[0] == code and text in done[1], done
