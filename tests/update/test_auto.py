"""A machine that updates by itself, and two that share one place in a fleet's reboot lock."""
import json
import re
import socket
import struct
import threading
import time

import pytest

from machine import BOOT_SECONDS, SHORT_SECONDS, Machine, wait_until
from update.bundles import LATER
from update.fleetlock import FleetLock
from update.webserver import WebServer

DAY = 86400
# The window opens tomorrow for a minute: a test that wants it open says so. The turn is the last one.
SEED = """#cloud-config
ssh_authorized_keys: ["{key}"]
ntp: {{enabled: false}}
berth:
  update:
    channel: "{url}/{channel}.json"
    automatic: reboot
    interval: 10s
    hold: 5s
    limit: 60s
    rollout_wariness: 1
    windows: [{{start: "{start}", length: 1m}}]
    fleet_lock: {{url: "{url}/lock/", group: test}}
containers: {{}}
"""


class TimeServer:
    """NTP (RFC 5905) on port 123, where a machine's user network reaches it as 10.0.2.2."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 123))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                asked, sender = self.socket.recvfrom(512)
            except OSError:
                return
            now = struct.pack(">Q", int((time.time() + 2208988800) * (1 << 32)))
            head = struct.pack(">BBbbII4s", 0x24, 1, 6, -20, 0, 0, b"TEST")
            self.socket.sendto(head + now + asked[40:48] + now + now, sender)

    def close(self):
        self.socket.close()


@pytest.fixture(scope="module")
def web(bundles):
    started = WebServer(bundles.folder, FleetLock())
    yield started
    started.close()


def seed(web, ssh_key, channel):
    start = time.strftime("%H:%M", time.gmtime(time.time() + DAY // 2))
    return SEED.format(key=ssh_key.public, url=web.url, channel=channel, start=start)


@pytest.fixture(scope="module")
def machine(image, ssh_key, web, bundles):
    bundles.make("auto", serial=1, rollout_begin=int(time.time()) + DAY)
    web.cut_after(0)
    with Machine(image, user_data=seed(web, ssh_key, "auto"), ssh_key=ssh_key) as started:
        started.wait_ssh()
        yield started


def status(machine):
    done = machine.try_ssh("berth update status --json", 30)
    return json.loads(done.stdout) if done.returncode == 0 else None


def automatic(machine):
    return (status(machine) or {}).get("automatic", {})


def slot(machine, letter):
    found = status(machine)
    return next(s for s in found["slots"] if s["slot"] == letter) if found else {}


def wait_state(machine, *states, seconds=SHORT_SECONDS):
    def look():
        found = automatic(machine)
        return found if found.get("state") in states else None
    return wait_until(look, seconds, f"automatic updates are at {states}", machine)


def wait_page(machine, *texts):
    """Between two looks the page may say that the channel is being asked."""
    wait_until(lambda: all(text in machine.ssh("berth update status") for text in texts),
               SHORT_SECONDS, f"the page says {texts}", machine)


def configure(machine, **changes):
    """As if the configuration had said so: the service reads it anew at each look."""
    config = json.loads(machine.ssh("cat /run/berth/config.json"))
    for key, value in changes.items():
        if key == "time_servers":
            config["ntp"]["enabled"] = value
        elif value is None:
            config["berth"]["update"].pop(key, None)
        else:
            config["berth"]["update"][key] = value
    machine.ssh("cat >/run/berth/config.new && mv /run/berth/config.new /run/berth/config.json",
                data=json.dumps(config))


def log_lines(machine, text):
    return machine.ssh("cat /run/berth/log/update.log").count(text)


def test_a_server_that_is_away_is_told_once(machine, web):
    found = wait_until(lambda: "status 404" in automatic(machine).get("answer", "") and automatic(machine),
                       SHORT_SECONDS, "the channel does not answer", machine)
    assert found["state"] == "unknown" and "auto.json" in found["answer"]
    before = found["checked_s"]
    wait_until(lambda: automatic(machine).get("checked_s", before) != before, SHORT_SECONDS,
               "it is asked again", machine)
    assert log_lines(machine, "status 404") == 1
    web.cut_after()


def test_each_boot_gives_the_lock_back(machine, web):
    wait_until(lambda: web.lock.steps() == [("steady-state", 200)], SHORT_SECONDS, "it is given back",
               machine)


def test_its_turn_in_the_roll_out_has_not_come(machine):
    found = wait_state(machine, "turn")
    assert found["version"] == LATER
    assert found["until_s"] == found["turn_s"] > time.time() + DAY
    assert slot(machine, "b")["tries"] == 0
    wait_page(machine, f"{LATER}: waits for its turn in the roll-out, until ", "group test, as ")


def test_a_closed_window_keeps_an_installed_version_from_its_reboot(machine, bundles):
    bundles.make("auto", serial=2, rollout_begin=int(time.time()) - DAY)
    found = wait_state(machine, "window", seconds=BOOT_SECONDS)
    assert slot(machine, "b")["tries"] == 3
    assert found["until_s"] > time.time() + 3600
    wait_page(machine, "waits for a window to reboot in, until")


def test_a_clock_that_is_not_set_opens_no_window(machine):
    configure(machine, time_servers=True, windows=[{"start_minute": 0, "length_ms": DAY * 1000}])
    wait_state(machine, "clock")


def test_a_time_server_sets_the_clock(machine, web):
    web.lock.places = 0
    try:
        server = TimeServer()
    except OSError as fault:
        pytest.skip(f"no time server can run on this machine's port 123: {fault}")
    machine.ssh("ntpd -n -N -p 10.0.2.2 >/dev/null 2>&1 </dev/null & echo started")
    wait_state(machine, "lock", seconds=BOOT_SECONDS)
    machine.ssh("kill $(pidof ntpd)")
    server.close()


def test_a_lock_that_is_refused_is_asked_for_again(machine, web):
    web.lock.places = 0
    configure(machine, time_servers=False)
    found = wait_state(machine, "lock")
    assert found["failure"] == ("the fleet's reboot lock: failed_lock: all places are taken "
                                "(status 409)")
    asked = len(web.lock.events)
    wait_until(lambda: len(web.lock.events) > asked + 1, SHORT_SECONDS, "it is asked for again", machine)
    assert log_lines(machine, "all places are taken") == 1
    wait_page(machine, "failed_lock: all places are taken")
    assert machine.ssh("ls /var/lib/berth/update").count("reboot-lock") == 0


def test_from_there_to_confirmed_and_the_lock_given_back(machine, web):
    web.lock.places = 1
    wait_until(lambda: web.lock.holders, SHORT_SECONDS, "the lock is granted", machine)
    wait_until(lambda: web.lock.steps()[-1] == ("steady-state", 200), 2 * BOOT_SECONDS,
               "the lock is given back", machine)
    assert slot(machine, "b")["confirmed"] and slot(machine, "b")["running"]
    assert web.lock.steps()[-2] == ("pre-reboot", 200)
    wait_state(machine, "newest")
    assert automatic(machine)["lock"]["state"] == "not held"


def test_a_version_that_fails_is_not_installed_again(machine, web, bundles):
    """PID 1 of the new version ends: it comes back by itself, and gives the lock back."""
    (bundles.folder / "auto.boot").unlink()
    bundles.make("auto", serial=3, arguments="panic=1 init=/usr/bin/true")
    wait_state(machine, "window", seconds=BOOT_SECONDS)
    configure(machine, windows=None)
    wait_until(lambda: web.lock.holders, SHORT_SECONDS, "the lock is granted", machine)
    wait_until(lambda: not web.lock.holders, 2 * BOOT_SECONDS, "the lock is given back", machine)
    wait_state(machine, "refused")
    assert slot(machine, "a")["result"] == "failed" and slot(machine, "b")["running"]
    before = automatic(machine)["checked_s"]
    wait_until(lambda: automatic(machine).get("checked_s", before) != before, SHORT_SECONDS,
               "the channel is asked again", machine)
    assert slot(machine, "a")["tries"] == 0
    wait_page(machine, "refused here until berth update forget")


def test_what_it_takes_in_memory(machine):
    pid = machine.ssh("pidof update").split()[0]
    resident = int(machine.ssh(f"grep ^VmRSS /proc/{pid}/status").split()[1])
    print(f"the service's resident memory: {resident} kB")
    assert resident < 1500


def test_two_machines_never_reboot_at_once(image, ssh_key, bundles):
    web = WebServer(bundles.folder, FleetLock())
    bundles.make("fleet", serial=1)
    text = re.sub("    windows:.*\n", "", seed(web, ssh_key, "fleet"))
    with Machine(image, user_data=text, ssh_key=ssh_key) as one, \
            Machine(image, user_data=text, ssh_key=ssh_key) as two:
        for each in (one, two):
            wait_until(lambda each=each: slot(each, "b").get("confirmed"),
                       4 * BOOT_SECONDS, "it runs the new version", each)
        wait_until(lambda: not web.lock.holders, SHORT_SECONDS, "the lock is given back", one)
        boots = {automatic(m)["lock"]["id"]: status(m)["boots"][0]["time_ns"] / 1e9 for m in (one, two)}
    web.close()
    assert len(boots) == 2
    held = {}
    for machine, booted in boots.items():
        granted = [t for t, step, who, code in web.lock.events
                   if (step, who, code) == ("pre-reboot", machine, 200)]
        back = [t for t, step, who, _ in web.lock.events
                if (step, who) == ("steady-state", machine) and t > granted[-1]]
        held[machine] = (granted[0], back[0])
        assert granted[0] < booted < back[0]
    (first, first_end), (second, _) = sorted(held.values())
    assert first < first_end <= second
