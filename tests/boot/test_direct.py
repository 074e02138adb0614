"""Kernel and root without a loader of ours (out/direct), driven on the serial console: rescue mode,
a machine that has nothing at all, and what hangs before there is a PID 1."""
import pytest

from machine import SHORT_SECONDS, Machine, wait_until


def direct(out, *options, **more):
    return Machine(out / "direct", options=options, keyboard=True, **more)


def ask(machine, command, pattern):
    """Types the command at the console's shell; what the pattern found in the answer."""
    start = len(machine.console())
    machine.type(f"{command}; echo done-$((40 + 2))")
    wait_until(lambda: "done-42" in machine.console()[start:], SHORT_SECONDS,
               f"{command} has answered", machine)
    found = machine.console()[start:]
    assert pattern in found, found
    return found


def test_rescue_mode_gives_a_shell_and_reads_no_configuration(out):
    with direct(out, "--append", "berth.rescue") as machine:
        machine.wait_console("rescue mode: asked for on the kernel command line")
        machine.wait_console(r"Press Enter for a root shell|# $")
        machine.type("")
        ask(machine, "id -u", "\n0\n")
        ask(machine, "berth status", "rescue")
        ask(machine, "ls /run/berth/config.json", "No such file")
        machine.type("poweroff")
        machine.wait_off()


@pytest.fixture(scope="module")
def bare(out):
    """No disk but the root, and no network card: what is left is the demo."""
    with direct(out, "--append", "berth.console=shell", network=False) as machine:
        machine.wait_console(r"berth +(running|degraded)")
        machine.type("")
        yield machine


def test_no_network_card(bare):
    bare.wait_console(r"no (wired )?network")


def test_containers_do_not_wait_for_a_network(bare):
    wait_until(lambda: "Up " in ask(bare, "berth ps", "NAMES"), SHORT_SECONDS, "the demo is up", bare)
    ask(bare, "wget -q -O - http://127.0.0.1/ | grep -c '<title>Berth'", "\n1\n")


def test_no_disk_is_said_loudly(bare):
    assert "NOTHING written to it outlives a reboot" in bare.console()


def test_sigpwr_powers_off_in_order(bare):
    bare.type("kill -PWR 1")
    bare.wait_console(r"power failure \(SIGPWR\)", SHORT_SECONDS)
    bare.wait_off()


def test_a_hang_before_pid_1_restarts_the_machine(out):
    """The root never appears: the kernel would wait for ever."""
    with direct(out, "--append", "dm-mod.waitfor=PARTUUID=11111111-2222-3333-4444-555555555555",
                "--append", "softdog.soft_margin=5", "--no-reboot", network=False) as machine:
        machine.wait_off(240)
        assert "mounts " not in machine.console()
        assert "softdog: Initiating system reboot" in machine.console()
