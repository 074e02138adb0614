"""What an administrator has: logs, the support archive, the console's menu and rescue mode once."""
import base64
import io
import subprocess
import tarfile

import pytest

from machine import BOOT_SECONDS, SHORT_SECONDS, Machine, wait_until

CANARY = "canary-7f3a"  # stands wherever a secret can stand
SEED = """#cloud-config
hostname: harbour
nonsense: 1
ssh_authorized_keys: ["{key}"]
write_files: [{{path: /var/lib/secret, content: "{canary}", permissions: "0600"}}]
containers:
  demo: {{image: "localhost/demo:latest", environment: {{DB_PASSWORD: "{canary}", OTHER: "{canary}"}}}}
  loud:
    image: localhost/demo:latest
    network_mode: none
    entrypoint: ["/bin/sh", "-c", "echo {canary}; sleep 100000", "{canary}"]
"""


@pytest.fixture(scope="module")
def harbour(image, ssh_key):
    seed = SEED.format(key=ssh_key.public, canary=CANARY)
    with Machine(image, user_data=seed, ssh_key=ssh_key, keyboard=True) as machine:
        machine.wait_ssh()
        wait_until(lambda: machine.ssh("berth ps -q").count("\n") == 2, SHORT_SECONDS, "both run", machine)
        yield machine


def test_who_logs_in_is_told_version_faults_and_addresses(harbour):
    said = harbour.ssh("cat /etc/motd; sh -lic true 2>/dev/null")
    assert "Berth " in said and " on harbour" in said
    assert "user-data:3:1: nonsense: there is no such key here" in said
    assert said.endswith("address  eth0 10.0.2.15/24\n"), said


def test_status_counts_containers(harbour):
    assert "containers   2 running, 0 not\n" in harbour.ssh("berth status")


def test_logs_of_a_service(harbour):
    said = harbour.ssh("berth logs ssh")
    assert all(line[:2] == "20" and line[23] == "Z" for line in said.splitlines())
    assert "pubkey" in said.lower()


def test_logs_of_the_kernel(harbour):
    assert "Linux version 6." in harbour.ssh("berth logs kernel").splitlines()[0]
    assert len(harbour.ssh("berth logs -n 3 kernel").splitlines()) == 3


def test_logs_of_the_whole_machine_are_in_order(harbour):
    lines = harbour.ssh("berth logs").splitlines()
    assert {line.split()[1] for line in lines} >= {"kernel", "init", "ssh"}
    assert [line[:24] for line in lines] == sorted(line[:24] for line in lines)


def test_a_container_goes_before_a_service(harbour):
    assert harbour.ssh("berth logs loud") == CANARY + "\n"
    done = harbour.try_ssh("berth logs nothing", 30)
    assert done.returncode == 1 and "No such container: nothing" in done.stderr


def test_logs_follow(harbour):
    said = harbour.ssh("timeout 20 berth logs -f -n 0 kernel | head -n 1 & sleep 1;"
                       " echo ahoy >/dev/kmsg; wait")
    assert said.endswith("ahoy\n")


def test_support_tells_much_and_no_secret(harbour):
    packed = base64.b64decode(harbour.ssh("berth support | base64"))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        parts = {m.name.split("/", 1)[1]: archive.extractfile(m).read().decode() for m in archive}
    for name in ("status.txt", "services.txt", "config.json", "containers.txt", "logs/kernel.log",
                 "logs/init.log", "network/addresses.txt", "system/meminfo.txt", "engine/info.json"):
        assert parts[name].strip(), name
    assert "Name: init State:" in parts["system/processes.txt"]
    assert len([name for name in parts if name.startswith("boots/")]) == 1
    inspected = [text for name, text in parts.items() if name.startswith("engine/container-")]
    assert len(inspected) == 2 and all('"Image"' in text for text in inspected)
    assert not [name for name, text in parts.items() if CANARY in text]
    assert "DB_PASSWORD=[hidden]" in "".join(inspected)
    assert parts["notes.txt"] == "", parts["notes.txt"]


def test_toolbox_may_write_anywhere_and_leaves_nothing(harbour):
    said = harbour.ssh("berth toolbox sh -c 'echo new >/usr/bin/new && cat /usr/bin/new"
                       " && ls /host/usr/bin/berth /proc/1/root/usr/bin/init && hostname'")
    assert said == "new\n/host/usr/bin/berth\n/proc/1/root/usr/bin/init\nharbour\n"
    assert harbour.ssh("ls /usr/bin/new 2>/dev/null; grep -c toolbox /proc/mounts || true") == "0\n"
    assert harbour.try_ssh("berth toolbox nothing", 30).returncode == 127


@pytest.mark.parametrize("line, words", [
    ("berth sta", {"start", "status", "stop"}), ("berth logs ", {"demo", "loud", "ssh", "kernel"}),
    ("berth update ", {"status", "install"}), ("docker rm --fo", {"--force"}),
    ("berth restart ", {"demo"}),
])
def test_what_may_stand_next(harbour, line, words):
    assert set(harbour.ssh(f"COMP_LINE='{line}' berth __complete").split()) >= words


def test_tab_completes_in_the_shell(harbour):
    """At a terminal: -tt, and what is typed comes through the pipe."""
    argv = harbour.ssh_argv("timeout -s KILL 60 sh -i")
    with subprocess.Popen([argv[0], "-tt", *argv[1:]], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as shell:
        # Before the prompt the terminal would take the Tab for a blank.
        assert any(byte == b"#" for byte in iter(lambda: shell.stdout.read(1), b"")), "no prompt"
        shell.stdin.write(b"berth logs lou\t\n")
        shell.stdin.flush()
        lines = iter(shell.stdout.readline, b"")
        assert any(line.strip() == CANARY.encode() for line in lines)
        shell.kill()


def menu(machine, typed, answer):
    start = len(machine.console())
    machine.type(typed)
    wait_until(lambda: answer in machine.console()[start:], SHORT_SECONDS, f"{answer!r}", machine)


def test_the_console_has_a_menu_and_no_shell(harbour):
    menu(harbour, "", "A number, or Enter to leave:")
    assert "root shell" not in harbour.console()[-600:]
    menu(harbour, "s", 'There is no "s" here.')
    menu(harbour, "2", "default via 10.0.2.2")
    menu(harbour, "1", "harbour, Berth")
    menu(harbour, "4", 'Type "yes" to go on:')
    menu(harbour, "no", "A number, or Enter to leave:")
    menu(harbour, "", "Press Enter for the menu.")


def test_rescue_once_from_the_console(harbour):
    menu(harbour, "", "A number, or Enter to leave:")
    menu(harbour, "5", 'Type "yes" to go on:')
    start = len(harbour.console())
    harbour.type("yes")
    wait_until(lambda: "Press Enter for a root shell" in harbour.console()[start:], BOOT_SECONDS,
               "rescue mode", harbour)
    assert "rescue mode: asked for at the console" in harbour.console()[start:]
    assert "the configuration was not read and no container runs" in harbour.console()[start:]
    assert "no such file" in harbour.try_ssh("cat /run/berth/config.json", 60).stderr.lower()
    assert harbour.ssh("hostname") != "harbour\n"


def test_the_next_boot_is_an_ordinary_one(harbour):
    harbour.try_ssh("reboot", 30)
    wait_until(lambda: harbour.try_ssh("hostname", 20).stdout == "harbour\n", BOOT_SECONDS,
               "the configuration is in force again", harbour)
