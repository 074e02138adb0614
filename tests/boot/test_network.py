"""Two machines with four cables between them: a node whose bonds, VLANs, tunnel and addresses come from
its configuration, and a machine that plays two switches: a bridge with the same VLANs on it for two
cables, a bond that speaks LACP for the others. A fifth cable leads from the node to a DHCP server."""
import json

import pytest

from machine import SHORT_SECONDS, Machine, free_port, wait_until
from net.wire import Wire

HEAD = """#cloud-config
hostname: {name}
ssh_authorized_keys: ["{key}"]
containers: {{}}
network:
  version: 2
  ethernets:
    mgmt: {{match: {{driver: virtio_net}}, dhcp4: true, dhcp4-overrides: {{route-metric: 500}}}}
    port1: {{match: {{macaddress: "52:54:00:be:{n}:01"}}, set-name: port1}}
    port2: {{match: {{macaddress: "52:54:00:be:{n}:02"}}, set-name: port2}}
    port3: {{match: {{macaddress: "52:54:00:be:{n}:03"}}, set-name: port3}}
    port4: {{match: {{macaddress: "52:54:00:be:{n}:04"}}, set-name: port4}}
"""
NODE = HEAD + """
    leased: {{match: {{macaddress: "52:54:00:be:00:05"}}, set-name: leased, dhcp4: true, optional: true}}
  bonds:
    bond1:
      interfaces: [port3, port4]
      parameters: {{mode: 802.3ad, lacp-rate: fast, mii-monitor-interval: 100}}
      addresses: [10.98.0.1/24, "fd98::1/64"]
      routes:
        - {{to: default, via: 10.98.0.2, metric: 60}}
        - {{to: "::/0", via: "fd98::2", metric: 60}}
    bond0:
      interfaces: [port1, port2]
      parameters: {{mode: active-backup, primary: port1, mii-monitor-interval: 100}}
      addresses: [10.99.0.1/24, "fd99::1/64"]
      routes:
        - {{to: default, via: 10.99.0.2, metric: 50}}
        - {{to: "::/0", via: "fd99::2", metric: 50}}
        - {{to: 192.0.2.0/24, via: 10.99.0.2, table: 100}}
      routing-policy: [{{from: 10.10.0.1, table: 100, priority: 77}}]
  vlans:
    office: {{id: 10, link: bond0, addresses: [10.10.0.1/24]}}
    bond0.20: {{id: 20, link: bond0, addresses: [10.20.0.1/24]}}
  tunnels:
    wg0:
      mode: wireguard
      addresses: [10.77.0.1/24]
      key: JTA7RlFcZ3J9iJOeqbS/ytXg6/YBDBciLThDTllkb3o=
      port: 51820
      peers:
        - keys: {{public: nE8FLoGzMKTG0kG3iR9qjT/5/DHquRoC1sXtMg0rLXg=}}
          endpoint: "[fd99::2]:51820"
          allowed-ips: [10.77.0.0/24]
  wifis: {{}}
"""
SWITCH = HEAD + """
  bonds:
    trunk:
      interfaces: [port3, port4]
      parameters: {{mode: 802.3ad, lacp-rate: fast, mii-monitor-interval: 100}}
      addresses: [10.98.0.2/24, "fd98::2/64"]
  dummy-devices:
    beyond: {{addresses: [198.51.100.1/32, "2001:db8:99::1/128"]}}
  bridges:
    lan: {{interfaces: [port1, port2], parameters: {{stp: false}}, addresses: [10.99.0.2/24, "fd99::2/64"]}}
  vlans:
    office: {{id: 10, link: lan, addresses: [10.10.0.2/24]}}
    guests: {{id: 20, link: lan, addresses: [10.20.0.2/24]}}
  tunnels:
    wg0:
      mode: wireguard
      addresses: [10.77.0.2/24]
      key: SlVga3aBjJeirbjDztnk7/oFEBsmMTxHUl1oc36JlJ8=
      port: 51820
      peers:
        - keys: {{public: nHydJOz6F47m+3a3NVL1zVONO+fcvus79vmX+yk1yTo=}}
          allowed-ips: [10.77.0.0/24]
"""


def cards(number, cables):
    """e1000 cards, each with a cable of UDP datagrams (here, there): no end has to be there first."""
    argv = []
    for i, (here, there) in enumerate(cables, 1):
        argv += ["-netdev", f"socket,id=wire{i},udp=127.0.0.1:{there},localaddr=127.0.0.1:{here}",
                 "-device", f"e1000,id=card{i},netdev=wire{i},mac=52:54:00:be:{number}:0{i},romfile="]
    return argv


@pytest.fixture(scope="module")
def wire():
    """The DHCP server's end of its cable."""
    with Wire("10.30.0.1", free_port(), free_port()) as server:
        yield server


@pytest.fixture(scope="module")
def pair(image, ssh_key, wire):
    cables = [(free_port(), free_port()) for _ in range(4)]
    boot = lambda name, text, n, ends: Machine(
        image, user_data=text.format(name=name, key=ssh_key.public, n=n), ssh_key=ssh_key,
        qemu=cards(n, ends))
    with boot("node", NODE, "00", [*cables, (wire.there, wire.here)]) as node, \
         boot("switch", SWITCH, "01", [(there, here) for here, there in cables]) as switch:
        node.wait_ssh()
        switch.wait_ssh()
        yield node, switch


def reaches(machine, address):
    return wait_until(lambda: machine.try_ssh(f"ping -c1 -W2 {address}").returncode == 0, SHORT_SECONDS,
                      f"an answer from {address}", machine)


def test_everything_is_there_and_reaches_the_other_side(pair):
    node, switch = pair
    wait_until(lambda: json.loads(node.ssh("cat /run/berth/network.json"))["state"] == "online",
               SHORT_SECONDS, "the node is online", node)
    for address in ("10.99.0.2", "fd99::2", "10.10.0.2", "10.20.0.2", "10.77.0.2", "10.98.0.2", "fd98::2"):
        reaches(node, address)
    assert "active-backup" in node.ssh("cat /proc/net/bonding/bond0")
    assert "office@bond0" in node.ssh("ip link") and "office@lan" in switch.ssh("ip link")
    page = node.ssh("berth network")
    for text in ("bond0", "10.99.0.1/24", "static", "member of bond0", "wg0", "wireguard"):
        assert text in page, page
    assert "bond0.20  10.20.0.1/24" in node.ssh("berth status"), "a dot is part of the name"


def test_rules_and_tables(pair):
    node, _ = pair
    assert "from 10.10.0.1 lookup 100" in node.ssh("ip rule")
    assert "via 10.99.0.2" in node.ssh("ip route show table 100")


def test_what_is_not_done_is_shown_and_costs_nothing(pair):
    node, _ = pair
    assert "network.wifis: not supported: Berth has no radio drivers" in node.ssh("berth status")


def ports_in_use(machine, bond):
    """Of a bond that speaks LACP: those that both ends agree on."""
    text = machine.ssh(f"cat /proc/net/bonding/{bond}")
    return int(text.split("Number of ports: ")[1].split()[0])


def test_lacp_is_agreed_on_and_a_cable_less_is_taken_out_by_both(pair):
    node, switch = pair
    wait_ports = lambda count: [
        wait_until(lambda m=machine, b=bond: ports_in_use(m, b) == count, SHORT_SECONDS,
                   f"{bond} uses {count} ports", machine)
        for machine, bond in ((node, "bond1"), (switch, "trunk"))]
    wait_ports(2)
    assert "Partner Mac Address: 00:00:00:00:00:00" not in node.ssh("cat /proc/net/bonding/bond1")
    # Only one end sees that the carrier is gone: the other hears no more LACP on that cable.
    for machine, card in ((node, "card3"), (switch, "card4")):
        machine.qmp("set_link", name=card, up=False)
        wait_ports(1)
        reaches(node, "10.98.0.2")
        reaches(switch, "fd98::1")
        machine.qmp("set_link", name=card, up=True)
        wait_ports(2)


def test_a_dhcp_server_that_goes_away_and_comes_back(pair, wire):
    node, _ = pair
    addresses = lambda: node.ssh("ip -4 -o addr show dev leased")
    state = lambda: json.loads(node.ssh("cat /run/berth/net/leased.json"))["state"]
    # Option 121: 203.0.113.0/24 via 10.30.0.1.
    wire.serve("10.30.0.5", 20, "6=0a1e0001", "121=18cb00710a1e0001")
    wait_until(lambda: "10.30.0.5/24" in addresses(), SHORT_SECONDS, "the first lease", node)
    wait_until(lambda: "via 10.30.0.1" in node.ssh("ip route show 203.0.113.0/24"), SHORT_SECONDS,
               "the route that came with it", node)
    assert "10.30.0.1" in node.ssh("cat /run/berth/resolv.conf")
    wire.silence()
    wait_until(lambda: addresses() == "", SHORT_SECONDS, "the lease's time is over", node)
    wait_until(lambda: state() == "no-answer", SHORT_SECONDS, "it asks on", node)
    assert node.ssh("ip route show 203.0.113.0/24") == ""
    assert "10.30.0.1" not in node.ssh("cat /run/berth/resolv.conf")
    assert "no DHCP server answers" in node.ssh("berth logs net")
    wire.serve("10.30.0.6", 3600)
    wait_until(lambda: "10.30.0.6/24" in addresses() and state() == "bound", SHORT_SECONDS,
               "the server is back", node)


def way_out(node):
    return node.ssh("ip route get 8.8.8.8")


def test_two_default_routes_and_the_better_one_is_cut(pair):
    node, switch = pair
    beyond = ("198.51.100.1", "2001:db8:99::1")
    counted = lambda bond: int(node.ssh(f"cat /sys/class/net/{bond}/statistics/tx_packets"))
    lead = lambda bond: [wait_until(lambda a=a: f"dev {bond}" in node.ssh(f"ip route get {a}"),
                                    SHORT_SECONDS, f"{bond} leads to {a}", node) for a in beyond]
    lead("bond0")
    for card in ("card1", "card2"):
        node.qmp("set_link", name=card, up=False)
    lead("bond1")
    before = counted("bond1")
    for address in beyond:
        reaches(node, address)
    assert counted("bond1") >= before + 2
    for card in ("card1", "card2"):
        node.qmp("set_link", name=card, up=True)
    lead("bond0")
    for address in beyond:
        reaches(node, address)


def test_a_bond_survives_a_cable_and_a_default_route_its_link(pair):
    node, _ = pair
    assert "dev bond0" in way_out(node), "the smaller metric"
    node.qmp("set_link", name="card1", up=False)
    wait_until(lambda: "port2" in node.ssh("cat /sys/class/net/bond0/bonding/active_slave"),
               SHORT_SECONDS, "the other cable is in use", node)
    reaches(node, "10.99.0.2")
    reaches(node, "10.10.0.2")
    node.qmp("set_link", name="card2", up=False)
    for card in ("card3", "card4"):
        node.qmp("set_link", name=card, up=False)
    wait_until(lambda: "dev bond" not in way_out(node), SHORT_SECONDS, "the third way out", node)
    for card in ("card1", "card2", "card3", "card4"):
        node.qmp("set_link", name=card, up=True)
    wait_until(lambda: "dev bond0" in way_out(node), SHORT_SECONDS, "the bond is back", node)
    wait_until(lambda: "port1" in node.ssh("cat /sys/class/net/bond0/bonding/active_slave"),
               SHORT_SECONDS, "the primary is back", node)
    reaches(node, "fd99::2")


MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")


def test_every_mode_of_a_bond_is_made(pair, ssh_key):
    _, switch = pair
    text = SWITCH.format(name="switch", key=ssh_key.public, n="01")
    bonds = "".join(f"    b{i}: {{interfaces: [], parameters: {{mode: {mode}}}}}\n"
                    for i, mode in enumerate(MODES))
    switch.ssh("cat >/tmp/new; berth config apply /tmp/new",
               data=text.replace("  bonds:\n", "  bonds:\n" + bonds))
    for i, mode in enumerate(MODES):
        wait_until(lambda f=f"/sys/class/net/b{i}/bonding/mode", m=mode:
                   switch.try_ssh(f"cat {f}").stdout.split(" ")[0] == m, SHORT_SECONDS,
                   f"a bond in mode {mode}", switch)
    switch.ssh("cat >/tmp/new; berth config apply /tmp/new", data=text)
    wait_until(lambda: "b0" not in switch.ssh("ls /sys/class/net"), SHORT_SECONDS, "they are gone", switch)


def test_the_host_lets_in_ssh_and_nothing_that_was_not_asked_for(pair):
    node, switch = pair
    node.ssh("nohup httpd -p 8080 -h /tmp >/dev/null 2>&1 &")
    assert node.ssh("wget -q -O - http://127.0.0.1:8080/ 2>&1 || true").find("404") >= 0
    refused = switch.try_ssh("wget -T 5 -q -O - http://10.99.0.1:8080/ 2>&1")
    assert refused.returncode != 0 and "404" not in refused.stdout, refused
    assert "SSH-2.0" in switch.ssh("nc -w 5 10.99.0.1 22 </dev/null || true")


def test_a_changed_firewall_takes_effect_at_once(pair, ssh_key):
    node, switch = pair
    text = NODE.format(name="node", key=ssh_key.public, n="00").replace("  wifis: {}\n", "")
    node.ssh("cat >/tmp/new; berth config apply /tmp/new", data=text)
    done = node.ssh("echo 'berth: {firewall: {allow: [8080/tcp]}}' >>/tmp/new; berth config apply /tmp/new")
    assert done == "berth: new, at once\n", done
    wait_until(lambda: "404" in switch.try_ssh("wget -T 5 -q -O - http://10.99.0.1:8080/ 2>&1").stdout,
               SHORT_SECONDS, "the port is let in", node)


def test_a_tunnel_s_key_is_shown_to_nobody(pair):
    node, _ = pair
    assert "JTA7RlFcZ3" in node.ssh("cat /run/berth/config.json")
    shown = node.ssh("berth config show")
    assert "nE8FLoGzMK" in shown and "JTA7RlFcZ3" not in shown


def test_a_reload_takes_a_changed_plan_live(pair):
    node, _ = pair
    before = node.ssh("cat /sys/class/net/bond0/ifindex")
    node.ssh("sed -i 's/10.10.0.1/10.10.0.7/g' /run/berth/config.json && /usr/lib/berth/netup reload")
    assert "10.10.0.7/24" in node.ssh("ip addr show office")
    assert "10.10.0.1/24" not in node.ssh("ip addr show office")
    assert node.ssh("cat /sys/class/net/bond0/ifindex") == before, "the bond was not touched"
    reaches(node, "10.10.0.2")
