"""Ways to stop a machine in order: each ends with the file system clean and nothing lost."""
import pytest

from machine import BOOT_SECONDS, Machine, wait_until

SEED = """#cloud-config
hostname: switch
ssh_authorized_keys: ["{key}"]
ntp: {{enabled: true, servers: [10.0.2.2]}}
containers:
  slow:
    image: localhost/demo:latest
    entrypoint: ["/bin/sh", "-c"]
    command: ["trap 'sleep 2; echo farewell; exit 0' TERM; echo waiting; while :; do sleep 1; done"]
    network_mode: none
    stop_signal: SIGTERM
    restart: always
"""


# A second network card, on a network of its own.
SECOND = ["-netdev", "user,id=second,net=10.9.8.0/24", "-device", "e1000,netdev=second,romfile="]


@pytest.fixture(scope="module")
def switch(image, ssh_key):
    with Machine(image, user_data=SEED.format(key=ssh_key.public), ssh_key=ssh_key,
                 qemu=SECOND) as machine:
        machine.wait_ssh()
        yield machine


def boot_again(machine):
    if machine.process.poll() is not None:
        machine.start()
    machine.wait_ssh()


def test_every_wired_link_gets_an_address(switch):
    links = wait_until(lambda: (lambda t: t if t.count('"bound"') == 2 else None)(
        switch.ssh("cat /run/berth/net/*.json")), BOOT_SECONDS, "both links are bound", switch)
    assert "10.0.2.15" in links
    assert "10.9.8.15" in links


def test_the_time_server_that_the_configuration_names_is_asked(switch):
    assert "server 10.0.2.2" in switch.ssh("cat /etc/ntp.conf")
    wait_until(lambda: any(s["name"] == "time" and s["pid"] > 0 for s in switch.status()["services"]),
               BOOT_SECONDS, "the time service runs", switch)


def test_each_watchdog_is_fed(switch):
    dogs = switch.ssh("cat /sys/class/watchdog/*/identity /sys/class/watchdog/*/state")
    assert "Software Watchdog" in dogs and "iTCO_wdt" in dogs, "softdog was armed by the kernel"
    assert dogs.split("\n").count("active") == 2, dogs


def test_poweroff_gives_containers_their_grace(switch):
    wait_until(lambda: "waiting" in switch.ssh("berth logs slow"), BOOT_SECONDS, "slow runs", switch)
    assert switch.try_ssh("berth poweroff").returncode in (0, 255)
    switch.wait_off()
    boot_again(switch)
    assert "farewell" in switch.ssh("berth logs slow")
    assert "recovering journal" not in switch.console()


def test_the_power_button_stops_it_in_order(switch):
    switch.qmp("system_powerdown")
    switch.wait_off()
    boot_again(switch)
    assert "recovering journal" not in switch.console()


def test_ctrl_alt_del_reboots_in_order(switch):
    boot = switch.ssh("cat /proc/sys/kernel/random/boot_id")
    switch.qmp("send-key", keys=[{"type": "qcode", "data": k} for k in ("ctrl", "alt", "delete")])
    wait_until(lambda: (lambda d: d.returncode == 0 and d.stdout != boot)(
        switch.try_ssh("cat /proc/sys/kernel/random/boot_id", 30)), BOOT_SECONDS,
        "the machine is there again", switch)


def test_identity_is_kept_and_is_its_own(switch):
    before = switch.ssh("cat /etc/machine-id; cat /var/lib/berth/ssh/*.pub 2>/dev/null || "
                        "md5sum /var/lib/berth/ssh/*")
    switch.power_cut()
    boot_again(switch)
    after = switch.ssh("cat /etc/machine-id; cat /var/lib/berth/ssh/*.pub 2>/dev/null || "
                       "md5sum /var/lib/berth/ssh/*")
    assert before == after
    assert len(before.split()[0]) == 32


def test_status_is_a_page_worth_reading(switch):
    page = switch.ssh("berth status")
    for word in ("switch", "slot a", "persistent", "BOOT STEP", "SERVICE", "engine"):
        assert word in page, page
    status = switch.status()
    assert all(step["state"] == "ok" for step in status["steps"]), status["steps"]
