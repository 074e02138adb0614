"""A new configuration that breaks the machine is taken back by the machine itself."""
import base64
import gzip
import json
import re

import pytest

from machine import BOOT_SECONDS, SHORT_SECONDS, Machine, SshKey, wait_until

SEED = """#cloud-config
hostname: {name}
ssh_authorized_keys: ["{key}"]
berth: {{update: {{hold: 8s, limit: 20s}}}}
containers:
  demo: {{image: "localhost/demo:latest", ports: ["80:8080"]}}
"""
LET_IN = 5555


def seed(name, key):
    return SEED.format(name=name, key=key.public)


def in_force(machine):
    return json.loads(machine.ssh("cat /run/berth/config.json"))


def wait_kept(machine):
    wait_until(lambda: "is the last good one" in machine.ssh("berth logs gate"), BOOT_SECONDS,
               "the configuration is kept", machine)


def boot_with(machine, text):
    machine.power_cut()
    machine.seed.write_text(text)
    machine.start()


@pytest.fixture(scope="module")
def machine(image, ssh_key):
    with Machine(image, user_data=seed("first", ssh_key), ssh_key=ssh_key, forward=[80, LET_IN]) as started:
        yield started


def test_a_configuration_that_breaks_the_machine(machine, ssh_key):
    said = "this configuration was tried and is refused: network: "
    machine.wait_ssh()
    assert in_force(machine)["trial"] == "first"
    wait_kept(machine)

    boot_with(machine, seed("second", ssh_key))
    machine.wait_ssh()
    assert in_force(machine)["trial"] == "new"
    wait_kept(machine)

    # As if this one had taken the network away: there is no card while it is tried.
    bad = seed("third", ssh_key)
    machine.network = False
    boot_with(machine, bad)
    machine.wait_console("the new configuration did not pass its gate: network: 0 links have an")
    machine.wait_console(said)
    machine.network = True
    boot_with(machine, bad)
    machine.wait_ssh()
    now = in_force(machine)
    assert now["hostname"] == "second" and now["source"]["used"] == "last good"
    assert said in now["faults"][0]["message"]
    assert said in machine.ssh("cat /etc/motd") and said in machine.ssh("berth status")
    boots = json.loads(machine.ssh("berth update status --json"))["boots"]
    refused = next(b for b in boots if b["outcome"] == "config refused")
    assert refused["config"] != boots[0]["config"] == now["digest"]

    boot_with(machine, seed("fourth", ssh_key))
    machine.wait_ssh()
    assert in_force(machine)["hostname"] == "fourth", "another text is another configuration"
    assert machine.ssh("berth config confirm 2>&1") == ""
    boot_with(machine, bad)
    machine.wait_ssh()
    assert in_force(machine)["hostname"] == "fourth", "confirmed by hand: the last good one"
    assert "1 refused configuration forgotten" in machine.try_ssh("berth config forget").stderr


def apply(machine, text, options=""):
    return machine.try_ssh(f"cat >/tmp/new; berth config apply {options} /tmp/new", data=text)


def test_a_change_that_locks_everybody_out_is_back_by_itself(machine, ssh_key, tmp_path):
    locked = seed("locked", SshKey(tmp_path))
    done = apply(machine, locked, "--confirm-within 15s")
    assert done.returncode == 0, done.stderr
    assert "hostname: changed, at once" in done.stdout and "back in 15 s" in done.stderr
    wait_until(lambda: "denied" in machine.try_ssh("true").stderr, SHORT_SECONDS, "nobody gets in")
    machine.wait_ssh()
    assert machine.ssh("hostname") == "fourth\n"
    assert machine.try_ssh("ls /var/lib/berth/config/user-data").returncode == 1, "nothing was kept"
    assert "nobody confirmed the new configuration" in machine.ssh("dmesg")
    assert "no change waits" not in machine.ssh("berth config confirm 2>&1")


def test_a_change_that_is_confirmed_stays(machine, ssh_key):
    assert apply(machine, seed("short", ssh_key), "--confirm-within 10s").returncode == 0
    machine.ssh("berth config confirm")
    text = seed("fifth", ssh_key)
    assert apply(machine, text, "--confirm-within 300s").returncode == 0
    again = apply(machine, text, "--confirm-within 300s")
    assert again.returncode == 1 and "another change waits" in again.stderr
    assert machine.ssh("sleep 12; hostname") == "fifth\n", "the time of the one before is not its own"
    machine.ssh("berth config confirm")
    assert machine.ssh("hostname; cat /var/lib/berth/config/user-data") == "fifth\n" + text
    bad = apply(machine, text + "hostnam: typo\nhostname: [x]\n")
    assert bad.returncode == 1 and "nothing was changed" in bad.stderr
    assert machine.ssh("berth config diff /tmp/new || hostname").endswith("fifth\n")


# An address of a network that is not there: from inside all is well.
ASTRAY = """network:
  version: 2
  ethernets:
    eth0: {addresses: [192.0.2.9/24], routes: [{to: default, via: 192.0.2.1}]}
"""


def go_astray(machine, ssh_key, options=""):
    """Over the very connection that it cuts; how the session ends is not known."""
    text = seed("astray", ssh_key) + ASTRAY
    machine.try_ssh(f"cat >/tmp/new; berth config apply {options} /tmp/new", 15, text)
    wait_until(lambda: machine.try_ssh("true", 5).returncode != 0, SHORT_SECONDS, "SSH is cut off")


def boot_id(machine):
    return machine.ssh("cat /proc/sys/kernel/random/boot_id")


def test_a_change_of_the_network_that_cuts_ssh_off_is_back_by_itself(machine, ssh_key):
    machine.wait_ssh()
    before, this_boot = machine.ssh("ip -4 -o addr show dev eth0"), boot_id(machine)
    go_astray(machine, ssh_key, "--confirm-within 40s")
    machine.wait_ssh()
    assert machine.ssh("ip -4 -o addr show dev eth0").split()[3] == before.split()[3]
    assert boot_id(machine) == this_boot
    assert machine.ssh("hostname") == "fifth\n"
    assert "nobody confirmed the new configuration" in machine.ssh("dmesg")
    assert "astray" not in machine.ssh("cat /var/lib/berth/config/user-data"), "nothing was kept"


def test_settings_take_effect_at_once(machine, ssh_key):
    def time_is(state):
        return any(s["name"] == "time" and s["state"] == state for s in machine.status()["services"])

    machine.wait_ssh()
    assert apply(machine, seed("fifth", ssh_key)).returncode == 0
    machine.ssh(f"busybox httpd -p {LET_IN} -h /usr/share/berth")
    assert machine.try_http(LET_IN, "/default.yaml") is None
    more = ("berth: {watchdog: 2m, sysctl: {vm.swappiness: 33}, proxy: {http: 'http://192.0.2.1:3128'}, "
            f"firewall: {{allow: [{LET_IN}]}}, ")
    text = seed("fifth", ssh_key).replace("berth: {", more) + "ntp: {enabled: false}\n"
    done = apply(machine, text)
    assert done.stdout == "berth: changed, at once\nntp: changed, at once\n", done.stdout
    machine.wait_http(LET_IN, "/default.yaml", SHORT_SECONDS)
    assert machine.ssh("cat /proc/sys/vm/swappiness") == "33\n"
    assert set(machine.ssh("cat /sys/class/watchdog/*/timeout").split()) == {"120"}
    assert "http_proxy=http://192.0.2.1:3128" in machine.ssh("cat /run/berth/proxy")
    wait_until(lambda: time_is("stopped"), SHORT_SECONDS, "no clock is set", machine)
    assert apply(machine, text.replace("2m", "off")).returncode == 0
    assert "\nactive" not in "\n" + machine.ssh("cat /sys/class/watchdog/*/state")
    # In the wrapping of a cloud's user-data, as the boot would take it.
    plain = seed("fifth", ssh_key).encode()
    assert apply(machine, base64.b64encode(gzip.compress(plain)).decode()).returncode == 0
    wait_until(lambda: time_is("running"), SHORT_SECONDS, "the clock is set", machine)
    assert set(machine.ssh("cat /sys/class/watchdog/*/state").split()) == {"active"}
    assert set(machine.ssh("cat /sys/class/watchdog/*/timeout").split()) == {"60"}


def test_containers_that_changed_are_made_anew_and_the_others_run_on(machine, ssh_key):
    machine.wait_ssh()
    apply(machine, seed("fifth", ssh_key))
    machine.wait_http(80)
    before = machine.containers()["demo"]["CONTAINER ID"]
    more = seed("fifth", ssh_key) + "  extra: {image: localhost/demo, network_mode: none}\n"
    done = apply(machine, more)
    assert done.stdout == "containers.extra: new, at once\n", done.stdout
    wait_until(lambda: "Up" in machine.containers().get("extra", {}).get("STATUS", ""), SHORT_SECONDS,
               "extra runs", machine)
    assert machine.containers()["demo"]["CONTAINER ID"] == before
    changed = '["80:8080"], labels: [a=b], environment: {DB_PASSWORD: canary}}'
    done = apply(machine, seed("fifth", ssh_key).replace('["80:8080"]}', changed))
    assert "containers.demo: changed, at once\ncontainers.extra: gone" in done.stdout
    wait_until(lambda: list(machine.containers()) == ["demo"] and
               machine.containers()["demo"]["CONTAINER ID"] != before, SHORT_SECONDS,
               "the containers are as declared", machine)
    assert "Berth" in machine.wait_http(80)
    shown = machine.ssh("berth config show")
    assert re.search(r"(?m)^hostname: fifth +# \S+:\d+$", shown), shown
    assert "# default" in shown
    assert json.loads(machine.ssh("berth config show --json"))["sources"]["hostname"] in shown
    assert "DB_PASSWORD" in shown and "canary" not in shown
    # An editor that takes the fault in and, the second time, out again.
    done = machine.try_ssh("EDITOR='sed -i s/fifth/[x]/' berth config edit")
    assert done.returncode == 1 and "goes on with what was written" in done.stderr
    machine.ssh("EDITOR='sed -i s/[[]x[]]/sixth/' berth config edit")
    assert machine.ssh("hostname") == "sixth\n"


NO_NETWORK = "network: {version: 2, ethernets: {all: {match: {name: 'e*'}, dhcp4: false}}}\n"


def status(machine):
    """Empty while the machine is on its way from one boot to the next."""
    done = machine.try_ssh("berth update status --json", 30)
    return json.loads(done.stdout) if done.returncode == 0 else {"slots": [], "boots": []}


def install_and_start_with(machine, bundle, text):
    """The next boot tries a version and a configuration at once."""
    done = machine.ssh_file("berth update install -", bundle)
    assert done.returncode == 0, done.stderr
    machine.try_ssh("berth poweroff", 30)
    machine.wait_off()
    machine.seed.write_text(text)
    machine.start()
    machine.wait_console("the new configuration did not pass its gate: network: 0 links have an")


def wait_slot(machine, letter):
    """It runs, is confirmed, and good with the configuration in force."""
    def look():
        found = status(machine)
        slot = next((s for s in found["slots"] if s["slot"] == letter), {"running": False})
        return (slot["running"] and slot["confirmed"] and
                slot["config"] == in_force(machine)["digest"] and found)
    return wait_until(look, 2 * BOOT_SECONDS, f"slot {letter} runs and is confirmed", machine)


def outcomes(found, count):
    return [(boot["slot"], boot["outcome"]) for boot in found["boots"][:count]]


def test_a_bad_configuration_does_not_cost_a_good_version(machine, ssh_key, bundles):
    install_and_start_with(machine, bundles.make("sound"), seed("cut-off", ssh_key) + NO_NETWORK)
    found = wait_slot(machine, "b")
    now = in_force(machine)
    assert now["hostname"] == "fourth" and now["source"]["used"] == "last good"
    assert "is refused: network: 0 links" in now["faults"][0]["message"]
    assert outcomes(found, 2) == [("b", "confirmed"), ("b", "config refused")]
    assert not found["refused"]


def test_a_bad_version_does_not_cost_a_good_configuration(machine, ssh_key, bundles):
    """Refused beside the version, and tried again without it."""
    deaf = bundles.make("deaf", arguments="initcall_blacklist=virtio_net_driver_init")
    install_and_start_with(machine, deaf, seed("seventh", ssh_key))
    found, now = wait_slot(machine, "b"), in_force(machine)
    assert now["hostname"] == "seventh" and not now["faults"]
    assert outcomes(found, 3) == [("b", "running"), ("a", "failed"), ("a", "config refused")]
    assert "network: 0 links have an address" in found["refused"][0]["reason"]


def test_a_network_that_was_not_confirmed_is_given_back_at_the_next_boot(machine, ssh_key):
    machine.power_cut()
    machine.seed = None  # what was applied is what the next boot reads
    machine.start()
    machine.wait_ssh()
    assert in_force(machine)["source"]["kind"] == "installed"
    wait_kept(machine)
    go_astray(machine, ssh_key)
    machine.power_cut()
    machine.start()
    machine.wait_console("did not pass its gate: network: no router answers over IPv4, before the new")
    machine.wait_ssh()
    now = in_force(machine)
    assert now["hostname"] == "sixth" and now["source"]["used"] == "last good"
    assert "is refused: network: no router answers over IPv4" in machine.ssh("berth status")
