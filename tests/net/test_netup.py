"""netup on virtual cards: what the plan says is what the kernel has."""
import json
import shutil
import subprocess

import pytest

from lab import Lab, TOP

HEX_ROUTER = "0a000001"  # 10.0.0.1


def link(name, kind="ethernet", **keys):
    return {"name": name, "kind": kind, **{k.replace("_", "-"): v for k, v in keys.items()}}


def plan(*links, **keys):
    return {"links": list(links), **keys}


def addresses(*texts):
    return [{"address": text} for text in texts]


@pytest.fixture(scope="module", autouse=True)
def programs():
    assert shutil.which("unshare") and shutil.which("ip")
    subprocess.run(["make", "--no-print-directory", "-s", "-C", str(TOP), "out/target/bin/netup",
                    "out/pkg/busybox.key"], check=True, stdout=subprocess.DEVNULL)


def offer(lab, card, address="10.0.0.5", *options):
    lab.on_wire("ip", "addr", "replace", "10.0.0.1/24", "dev", f"{card}-w")
    return lab.serve("dhcp", f"{card}-w", "10.0.0.1", address, f"3={HEX_ROUTER}", f"6={HEX_ROUTER}",
                     *options)


def defaults(lab):
    return [(r["dev"], r.get("gateway"), r.get("metric")) for r in lab.routes("default")]


def test_without_a_plan_every_card_asks():
    with Lab(["c0", "c1"]) as lab:
        offer(lab, "c0", "10.0.0.5", "15=" + b"example.org".hex(), "42=0a000009", "26=0514",
              "119=" + b"\x03lab\x07example\0".hex(), "121=00" + HEX_ROUTER + "0cac100a000002")
        lab.wait(lambda: lab.addresses("c0") == ["10.0.0.5/24"], "the lease's address")
        index = lab.ip("link", "show", "dev", "c0")[0]["ifindex"]
        lab.wait(lambda: defaults(lab) == [("c0", "10.0.0.1", 1000 + index)], "the default route")
        lab.wait(lambda: lab.state("c0").get("state") == "bound", "the state")
        assert lab.file("/run/berth/resolv.conf") == "nameserver 10.0.0.1\nsearch example.org lab.example\n"
        lab.wait(lambda: lab.ip("link", "show", "dev", "c0")[0]["mtu"] == 1300, "the MTU")
        assert lab.state("c0")["dhcp4"]["ntp"] == ["10.0.0.9"]
        assert any(r["dst"] == "172.16.0.0/12" and r["gateway"] == "10.0.0.2" for r in lab.routes())
        assert lab.state()["state"] == "online" and lab.state()["ready"] == ["c0"]
        lab.wait(lambda: lab.state("c1").get("state") == "no-answer", "the other card asks on")


def test_static_addresses_routes_rules_and_names():
    network = plan(link("c0", addresses=[{"address": "192.0.2.10/24"},
                                         {"address": "192.0.2.11/24", "label": "c0:x", "lifetime": "0"},
                                         {"address": "2001:db8::10/64"}],
                        routes=[{"to": "0.0.0.0/0", "via": "192.0.2.1"},
                                {"to": "::/0", "via": "2001:db8::1"},
                                {"to": "198.51.100.7/24", "via": "192.0.2.2", "metric": 7, "mtu": 1400},
                                {"to": "203.0.113.0/24", "via": "10.9.9.9", "on-link": True},
                                {"to": "10.0.0.0/8", "type": "blackhole"},
                                {"to": "0.0.0.0/0", "via": "192.0.2.3", "table": 100}],
                        routing_policy=[{"from": "192.0.2.0/24", "table": 100, "priority": 50},
                                        {"to": "2001:db8:1::/48", "table": 300, "mark": 4}],
                        nameservers={"addresses": ["192.0.2.53", "2001:db8::53"], "search": ["a.example"]},
                        mtu=1400, macaddress="52:54:00:00:00:42"))
    with Lab(["c0", "c1"], network) as lab:
        lab.wait(lambda: lab.state().get("state") == "online", "it is online")
        lab.wait(lambda: any(r.get("gateway") == "2001:db8::1" for r in lab.ip("-6", "route")), "IPv6")
        assert lab.addresses("c0")[:2] == ["192.0.2.10/24", "192.0.2.11/24"]
        assert "2001:db8::10/64" in lab.addresses("c0")
        index = lab.ip("link", "show", "dev", "c0")[0]["ifindex"]
        assert defaults(lab) == [("c0", "192.0.2.1", 100 + index)]
        by_target = {r["dst"]: r for r in lab.routes()}
        assert by_target["198.51.100.0/24"]["metric"] == 7
        assert by_target["203.0.113.0/24"]["flags"] == ["onlink"]
        assert by_target["10.0.0.0/8"]["type"] == "blackhole"
        assert lab.routes("table", "100")[0]["gateway"] == "192.0.2.3"
        rule = next(r for r in lab.ip("rule") if r.get("table") == "100")
        assert (rule["src"], rule["srclen"], rule["priority"]) == ("192.0.2.0", 24, 50)
        assert any(r.get("table") == "300" and r["fwmark"] == "0x4" for r in lab.ip("-6", "rule"))
        assert lab.file("/run/berth/resolv.conf") == (
            "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch a.example\n")
        is_ = lab.ip("link", "show", "dev", "c0")[0]
        assert (is_["mtu"], is_["address"]) == (1400, "52:54:00:00:00:42")
        assert "UP" not in lab.ip("link", "show", "dev", "c1")[0]["flags"], "not in the plan"
        assert lab.state("c0")["state"] == "static"
        assert lab.state("c0")["addresses"][0] == {"address": "192.0.2.10/24", "from": "static"}


def test_a_reload_changes_what_differs_and_nothing_else():
    one = link("c0", addresses=addresses("192.0.2.10/24"), routes=[{"to": "0.0.0.0/0", "via": "192.0.2.1"}])
    two = link("c0", addresses=addresses("192.0.2.10/24", "192.0.2.77/24"),
               routes=[{"to": "0.0.0.0/0", "via": "192.0.2.2"}])
    with Lab(["c0", "c1"], plan(one)) as lab:
        lab.wait(lambda: defaults(lab), "the first route")
        monitor = subprocess.Popen(lab.enter("ip", "monitor", "address"), stdout=subprocess.PIPE, text=True)
        lab.reload(plan(two, link("c1", addresses=addresses("198.51.100.1/24"))))
        assert sorted(lab.addresses("c0")) == ["192.0.2.10/24", "192.0.2.77/24"]
        assert [d[1] for d in defaults(lab)] == ["192.0.2.2"]
        assert lab.addresses("c1") == ["198.51.100.1/24"]
        lab.reload(plan(two))
        monitor.terminate()
        assert "192.0.2.10" not in monitor.communicate()[0], "an address that stays is not touched"
        lab.run("ip", "addr", "add", "203.0.113.9/32", "dev", "c0")
        lab.run("ip", "route", "add", "203.0.113.128/25", "dev", "c0")
        lab.reload(plan(link("c0", addresses=addresses("192.0.2.77/24"))))
        assert sorted(lab.addresses("c0")) == ["192.0.2.77/24", "203.0.113.9/32"], "others' stay"
        assert any(r["dst"] == "203.0.113.128/25" for r in lab.routes())
        assert not defaults(lab)


def test_a_bridge_with_members_is_made_and_removed():
    members = [link("c0"), link("c1")]
    bridge = link("br7", "bridge", interfaces=["c0", "c1"], addresses=addresses("192.0.2.10/24"),
                  parameters={"stp": False, "forward-delay": 4000, "path-cost": {"c0": 77}})
    with Lab(["c0", "c1"], plan(*members)) as lab:
        lab.run("ip", "link", "add", "br7", "type", "bridge", "forward_delay", "1000")
        lab.reload(plan(*members, bridge))
        lab.wait(lambda: lab.state("br7").get("ready"), "the bridge is ready, made anew")
        assert lab.ip("link", "show", "dev", "c0")[0]["master"] == "br7"
        lab.wait(lambda: lab.state("c1")["state"] == "member", "its member has a carrier")
        assert lab.run("cat", "/sys/class/net/br7/bridge/stp_state").strip() == "0"
        assert lab.run("cat", "/sys/class/net/br7/bridge/forward_delay").strip() == "400"
        assert lab.run("cat", "/sys/class/net/c0/brport/path_cost").strip() == "77"
        lab.reload(plan(members[0], members[1], {**bridge, "interfaces": ["c0"]}))
        assert "master" not in lab.ip("link", "show", "dev", "c1")[0]
        assert lab.addresses("br7") == ["192.0.2.10/24"]
        index = lab.ip("link", "show", "dev", "br7")[0]["ifindex"]
        lab.stop()
        assert lab.addresses("br7") == ["192.0.2.10/24"], "the network outlives its service"
        lab.start()
        lab.wait(lambda: lab.state().get("state") == "online", "the next one takes over")
        assert lab.ip("link", "show", "dev", "br7")[0]["ifindex"] == index
        lab.reload(plan(*members))
        assert lab.ip("link", "show", "type", "bridge") == []
        assert lab.state("br7") == {}


def test_cards_are_told_apart_and_named():
    with Lab(["c0", "c1"]) as lab:
        mac = lab.ip("link", "show", "dev", "c1")[0]["address"]
        lab.reload(plan(link("lan", match={"macaddress": mac}, set_name="lan9",
                             addresses=addresses("192.0.2.9/24")),
                        link("rest", match={"name": "c*", "driver": ["veth", "nope*"]},
                             addresses=addresses("192.0.2.8/24"), optional=True)))
        assert lab.addresses("lan9") == ["192.0.2.9/24"]
        assert lab.state("lan9")["ready"] and lab.state("c1") == {}


def test_overrides_and_two_default_routes():
    options = lambda metric, **more: {"dhcp4": True, "dhcp4-overrides": {"route-metric": metric, **more}}
    network = plan({**link("c0"), **options(200)},
                   {**link("c1"), **options(100, **{"use-dns": False, "use-routes": True})})
    with Lab(["c0", "c1"], network) as lab:
        offer(lab, "c0", "10.0.0.5")
        lab.on_wire("ip", "addr", "replace", "10.1.0.1/24", "dev", "c1-w")
        lab.serve("dhcp", "c1-w", "10.1.0.1", "10.1.0.5", "3=0a010001", "6=0a010001")
        lab.wait(lambda: len(defaults(lab)) == 2, "two default routes")
        assert [d[0] for d in defaults(lab)] == ["c1", "c0"], "the smaller metric goes first"
        assert lab.file("/run/berth/resolv.conf") == "nameserver 10.0.0.1\n"
        assert lab.ip("route", "get", "8.8.8.8")[0]["dev"] == "c1"
        lab.on_wire("ip", "link", "set", "c1-w", "down")
        lab.wait(lambda: lab.ip("route", "get", "8.8.8.8")[0]["dev"] == "c0", "a cable that is out")
        lab.on_wire("ip", "link", "set", "c1-w", "up")
        lab.wait(lambda: lab.ip("route", "get", "8.8.8.8")[0]["dev"] == "c1", "and is back")
        lab.reload(plan({**link("c0"), **options(50)},
                        {**link("c1"), **options(100, **{"use-routes": False})}))
        assert [d[::2] for d in defaults(lab)] == [("c0", 50)]


def test_a_server_that_goes_and_comes_back_with_another_address():
    with Lab(["c0"]) as lab:
        server = offer(lab, "c0", "10.0.0.5")
        lab.wait(lambda: lab.addresses("c0") == ["10.0.0.5/24"], "the first lease")
        server.kill()
        lab.on_wire("ip", "link", "set", "c0-w", "down")
        offer(lab, "c0", "10.0.0.6")
        lab.on_wire("ip", "link", "set", "c0-w", "up")
        lab.wait(lambda: lab.addresses("c0") == ["10.0.0.6/24"], "the cable leads elsewhere now")
        lab.stop()
        lab.start()
        lab.wait(lambda: lab.state("c0").get("state") == "bound", "the service is back")
        assert lab.addresses("c0") == ["10.0.0.6/24"]


def test_a_lease_is_renewed_and_nothing_is_touched():
    """By a cable that was out; udhcpc itself asks after half the time, and not before 61 s."""
    with Lab(["c0"]) as lab:
        offer(lab, "c0", "10.0.0.5")
        lab.wait(lambda: lab.addresses("c0") == ["10.0.0.5/24"], "the lease")
        until = lambda: json.loads(lab.file("/run/berth/net/lease/c0.4"))["until_ms"]
        first = until()
        monitor = subprocess.Popen(lab.enter("ip", "monitor", "address"), stdout=subprocess.PIPE,
                                   text=True)
        lab.on_wire("ip", "link", "set", "c0-w", "down")
        lab.wait(lambda: lab.state("c0")["state"] == "no-carrier", "the cable is out")
        lab.on_wire("ip", "link", "set", "c0-w", "up")
        lab.wait(lambda: until() > first, "the lease is a longer one")
        lab.wait(lambda: lab.state("c0")["state"] == "bound", "the cable is in")
        monitor.terminate()
        assert "10.0.0.5" not in monitor.communicate()[0]


@pytest.mark.parametrize("network, card", [
    (plan(link("c0", faulty=True), faulty=True), "c0"),
    (plan(faulty=True), "c0"),
    (plan(link("eth9", dhcp4=True)), "c0"),
    (plan(link("c0", addresses=addresses("192.0.2.1/24"), faulty=True), faulty=True), "c0"),
], ids=["faulty link", "faulty plan", "no such card", "half a link"])
def test_a_mistake_does_not_cost_the_network(network, card):
    with Lab(["c0"], network) as lab:
        offer(lab, card)
        lab.wait(lambda: "10.0.0.5/24" in lab.addresses(card), "DHCP is there all the same")


def test_a_config_that_is_no_json():
    with Lab(["c0"]) as lab:
        offer(lab, "c0")
        lab.run("sh", "-c", "echo '{' > /run/berth/config.json")
        lab.stop()
        lab.start()
        lab.wait(lambda: lab.addresses("c0") == ["10.0.0.5/24"], "DHCP")
        assert "is no JSON" in lab.log.read_text()


# DHCPv6's options: search domains (RFC 3646), time servers (RFC 5908; before it RFC 4075).
DOMAIN6 = "24=" + b"\x03lab\x07example\0".hex()
TIME6 = "56=0001001020010db8000000000000000000000123"
OLD_TIME6 = "31=20010db8000000000000000000000124"


@pytest.mark.parametrize("flags, given, found", [
    ("80", "2001:db8::77", "2001:db8::77/128"),
    ("40", "-", None),
], ids=["stateful", "stateless"])
def test_a_router_says_how_ipv6_is_found(flags, given, found):
    with Lab(["c0"]) as lab:
        lab.serve("dhcp6", "c0-w", given, "2001:db8::53", DOMAIN6, TIME6, OLD_TIME6)
        lab.serve("router", "c0-w", "2001:db8::/64", flags)
        lab.wait(lambda: any(a.startswith("2001:db8::") for a in lab.addresses("c0")), "an address")
        lab.wait(lambda: "2001:db8::53" in lab.file("/run/berth/resolv.conf"), "the name server")
        if found:
            lab.wait(lambda: found in lab.addresses("c0"), "the server's address")
        assert lab.ip("-6", "route", "show", "default"), "the router's default route"
        lease = lab.state("c0")["dhcp6"]
        assert (lease["dns"], lease["search"]) == (["2001:db8::53"], ["lab.example"])
        assert lease["ntp"] == ["2001:db8::123", "2001:db8::124"]


def name_server(last, seconds):
    """RDNSS (RFC 8106): 2001:db8::LAST, for so long."""
    return f"25=0000{seconds:08x}20010db80000000000000000000000{last:02x}"


DOMAIN = "31=000000000708" + b"\x07example\x03org\0".hex()


def test_a_router_names_servers_and_domains():
    with Lab(["c0"]) as lab:
        router = lab.serve("router", "c0-w", "2001:db8::/64", "00", name_server(0x53, 3), DOMAIN)
        lab.wait(lambda: lab.file("/run/berth/resolv.conf") ==
                 "nameserver 2001:db8::53\nsearch example.org\n", "the router's words")
        assert lab.state("c0")["ra"]["dns"] == ["2001:db8::53"]
        lab.reload(plan(link("c0", ra_overrides={"use-dns": False})))
        assert lab.file("/run/berth/resolv.conf") == "search example.org\n"
        lab.reload(plan(link("c0", ra_overrides={"use-domains": False})))
        lab.wait(lambda: lab.file("/run/berth/resolv.conf") == "nameserver 2001:db8::53\n",
                 "the server alone")
        router.kill()
        lab.wait(lambda: "nameserver" not in lab.file("/run/berth/resolv.conf"), "its time is over")
        lab.reload(plan(link("c0", accept_ra=False)))
        lab.serve("router", "c0-w", "2001:db8::/64", "00", name_server(0x54, 600))
        lab.wait(lambda: "ra" not in lab.state("c0"), "nothing that a router says")


def test_no_ipv6_by_itself_where_none_is_wanted():
    network = plan(link("c0", addresses=addresses("192.0.2.1/24"), link_local=[], accept_ra=False))
    with Lab(["c0"], network) as lab:
        lab.serve("router", "c0-w", "2001:db8::/64", "00")
        lab.wait(lambda: lab.state().get("state") == "online", "IPv4")
        assert lab.ip("-6", "addr", "show", "dev", "c0") in ([], [{}])


def test_who_waits_is_told():
    network = plan(link("c0", dhcp4=True), link("c1", dhcp4=True, optional=True))
    with Lab(["c0", "c1"], network) as lab:
        lab.wait(lambda: lab.state().get("waiting") == ["c0"], "c0 is waited for")
        short = subprocess.run(lab.enter("/usr/lib/berth/netup", "wait", "1"), capture_output=True, text=True)
        assert short.returncode == 2 and "not ready within 1 s" in short.stderr
        waiting = subprocess.Popen(lab.enter("/usr/lib/berth/netup", "wait", "60"))
        offer(lab, "c0")
        assert waiting.wait(30) == 0
        assert lab.state()["state"] == "online"


def knock(lab, port, family="192.0.2.10", udp=False):
    """What somebody on the wire meets: "open", "closed"."""
    kind = "SOCK_DGRAM" if udp else "SOCK_STREAM"
    code = (f"import socket; s = socket.socket(socket.AF_INET6 if ':' in '{family}' else socket.AF_INET, "
            f"socket.{kind}); s.settimeout(5); s.connect(('{family}', {port})); s.send(b'x'); "
            "print(s.recv(9).decode())")
    try:
        return "open" if lab.on_wire("python3", "-c", code).strip() == "hello" else "closed"
    except subprocess.CalledProcessError:
        return "closed"


LISTENER = """
import socket, threading
def serve(port, kind):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", port))
    if kind == socket.SOCK_DGRAM:
        while True:
            s.sendto(b"hello", s.recvfrom(99)[1])
    s.listen(9)
    while True:
        c, _ = s.accept()
        c.send(b"hello")
        c.close()
for port in (22, 80, 8001, 9000):
    threading.Thread(target=serve, args=(port, socket.SOCK_STREAM)).start()
threading.Thread(target=serve, args=(53, socket.SOCK_DGRAM)).start()
print("ready", flush=True)
"""


def test_the_firewall_lets_in_what_it_should():
    eth = link("c0", addresses=addresses("192.0.2.10/24", "2001:db8::10/64"))
    port = lambda first, last, protocol, *sources: {
        "port": {"first": first, "last": last, "protocol": protocol}, "from": list(sources)}
    with Lab(["c0"], plan(eth)) as lab:
        for address in ("192.0.2.1/24", "192.0.2.2/24", "2001:db8::1/64"):
            lab.on_wire("ip", "addr", "add", address, "dev", "c0-w", "nodad")
        listener = subprocess.Popen(lab.enter("python3", "-c", LISTENER), stdout=subprocess.PIPE, text=True)
        lab.helpers.append(listener)
        assert listener.stdout.readline() == "ready\n"
        lab.wait(lambda: lab.state().get("state") == "online", "it is online")
        lab.wait(lambda: lab.run("ip", "-6", "addr", "show", "tentative") == "", "IPv6")
        doors = lambda: [(p, knock(lab, p)) for p in (22, 80, 8001, 9000)]
        assert doors() == [(22, "open"), (80, "closed"), (8001, "closed"), (9000, "closed")]
        assert knock(lab, 22, "2001:db8::10") == "open" and knock(lab, 80, "2001:db8::10") == "closed"
        lab.ping("192.0.2.10")
        lab.ping("2001:db8::10")
        assert lab.run("python3", "-c", "import socket; print(socket.create_connection"
                       "(('127.0.0.1', 80)).recv(9))") == "b'hello'\n", "the host reaches itself"
        lab.config["berth"] = {"firewall": {"allow": [
            port(80, 80, "tcp"), port(8000, 8010, "tcp", "192.0.2.0/30", "fd00::/8"), port(53, 53, "udp"),
            port(9000, 9000, "tcp", "198.51.100.0/24", "2001:db8::/32")]}}
        lab.reload(plan(eth))
        assert doors() == [(22, "open"), (80, "open"), (8001, "open"), (9000, "closed")]
        assert knock(lab, 9000, "2001:db8::10") == "open" and knock(lab, 8001, "2001:db8::10") == "closed"
        assert knock(lab, 53, udp=True) == "open"
        lab.config["berth"] = {"firewall": {"ssh_from": ["198.51.100.1"]}}
        lab.reload(plan(eth))
        assert doors()[0] == (22, "closed")
        lab.config["berth"] = {"firewall": {"enabled": False}}
        lab.reload(plan(eth))
        assert [door for _, door in doors()] == ["open"] * 4
        assert "berth-host" not in lab.run("nft", "list", "tables")
