"""Networks by the stock docker CLI, on one machine for all of it: made and removed, who reaches whom,
published ports, what stays after a kill of the engine and a power cut, what is left over."""
import json
import shutil
import urllib.request
from pathlib import Path

import pytest
from test_docker import DEMO, docker, tank  # noqa: F401  (a machine of this module's own)

from machine import SHORT_SECONDS, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="no docker CLI to ask with")

SERVERS = "localhost/servers:umoci"
LOOK = Path(__file__).with_name("rules.pl").read_text()
SPOOF = Path(__file__).with_name("spoof.pl").read_text()
ANSWER = "in one hand"


@pytest.fixture(autouse=True)
def swept(tank):  # noqa: F811
    """A test that fails does not take the others along."""
    yield
    left = docker(tank, "ps", "-aq").split()
    if left:
        docker(tank, "rm", "-f", *left)
    docker(tank, "network", "prune", "-f")


def run(tank, name, *options, command="exec sleep 100000", image=SERVERS, code=0):
    return docker(tank, "run", "-d", "--name", name, *options, "--entrypoint", "sh", image, "-c",
                  command, code=code)


def serve(tank, name, *options):
    """A web server on port 80 of the container."""
    run(tank, name, *options, command=f"mkdir /w; echo {ANSWER} > /w/index.html; "
                                      "exec busybox httpd -f -p 80 -h /w")


def get(tank, name, address, seconds=5):
    """What container `name` gets from a web server, or None."""
    done = docker(tank, "exec", name, "busybox", "timeout", str(seconds), "busybox", "wget", "-qO-",
                  f"http://{address}/", code=None)
    return done.stdout.strip() if done.returncode == 0 else None


def inspect(tank, name, path="Networks"):
    return json.loads(docker(tank, "inspect", "-f", f"{{{{json .NetworkSettings.{path}}}}}", name))


def remove(tank, *names, networks=()):
    docker(tank, "rm", "-f", *names)
    for network in networks:
        docker(tank, "network", "rm", network)


def state(tank):
    """Everything that containers could leave behind on the host, table by table."""
    links = tank.ssh("cd /sys/class/net; echo *").split()
    rules = docker(tank, "run", "--rm", "-i", "--privileged", "--network", "host", "--entrypoint",
                   "perl", SERVERS, "-", data=LOOK).splitlines()
    return {"links": [x for x in links if x.startswith(("vb", "br", "berth"))], "rules": rules,
            "addresses": [x.split()[3] for x in tank.ssh("ip -o addr").splitlines()
                          if x.split()[1] in links],
            "runs": tank.ssh("ls /run/berth/containers").split(),
            "mounts": int(tank.ssh("wc -l < /proc/mounts"))}


def test_networks_are_made_listed_and_removed(tank):
    names = "{{.Name}} {{.Driver}} {{.Scope}}"
    assert docker(tank, "network", "ls", "--format", names).splitlines() == [
        "bridge bridge local", "host host local", "none null local"]
    made = docker(tank, "network", "create", "--subnet", "10.99.0.0/24", "--gateway", "10.99.0.9",
                  "--ip-range", "10.99.0.128/25", "--label", "team=blue", "-o",
                  "com.docker.network.driver.mtu=1400", "-o", "com.docker.network.bridge.name=blue0",
                  "blue").strip()
    docker(tank, "network", "create", "any")
    assert docker(tank, "network", "ls", "-q", "--no-trunc", "-f", "label=team=blue").strip() == made
    assert docker(tank, "network", "ls", "--format", "{{.Name}}", "-f", "type=custom").split() == [
        "any", "blue"]
    assert docker(tank, "network", "ls", "--format", "{{.Name}}", "-f", "dangling=true").split() == [
        "any", "blue"]
    blue, any_one = json.loads(docker(tank, "network", "inspect", "blue", "any"))
    assert blue["Id"] == made and blue["Labels"] == {"team": "blue"} and not blue["Internal"]
    assert blue["IPAM"]["Config"] == [{"Subnet": "10.99.0.0/24", "IPRange": "10.99.0.128/25",
                                       "Gateway": "10.99.0.9"}]
    assert any_one["IPAM"]["Config"][0]["Subnet"].startswith("172.18."), any_one
    assert "inet 10.99.0.9/24" in tank.ssh("ip addr show blue0")
    assert "mtu 1400" in tank.ssh("ip link show blue0")
    assert tank.ssh("berth network ls").splitlines()[0].split() == ["NETWORK", "ID", "NAME", "DRIVER",
                                                                   "SCOPE"]
    run(tank, "member", "--network", "blue", "--network-alias", "db")
    member = inspect(tank, "member")["blue"]
    assert (member["IPAddress"], member["Aliases"]) == ("10.99.0.128", ["db"])
    inside = json.loads(docker(tank, "network", "inspect", "blue"))[0]["Containers"]
    assert [(m["Name"], m["IPv4Address"]) for m in inside.values()] == [("member",
                                                                          "10.99.0.128/24")]
    for args, said in REFUSED:
        done = docker(tank, *args, code=None)
        assert done.returncode and said in done.stderr, (args, done)
    docker(tank, "rm", "-f", "member")
    assert docker(tank, "network", "rm", "blue") == "blue\n"
    assert docker(tank, "network", "prune", "-f") == "Deleted Networks:\nany\n\n"
    assert "blue0" not in tank.ssh("ls /sys/class/net")
    done = docker(tank, "network", "inspect", "blue", code=None)
    assert "network blue not found" in done.stderr


CREATE = ("network", "create")
REFUSED = [
    ((*CREATE, "blue"), "network with name blue already exists"),
    ((*CREATE, "--subnet", "10.99.0.0/16", "x"), "Pool overlaps with other one on this address space"),
    ((*CREATE, "--subnet", "10.0.2.0/28", "x"), "a route of the host"),
    ((*CREATE, "--subnet", "10.99.1.1/24", "x"), "invalid subnet 10.99.1.1/24"),
    ((*CREATE, "--subnet", "10.98.0.0/24", "--gateway", "10.97.0.1", "x"),
     "no matching subnet for gateway 10.97.0.1"),
    ((*CREATE, "-d", "overlay", "x"), '"overlay" is not supported'),
    ((*CREATE, "-o", "com.docker.network.bridge.name=berth0", "x"), 'has a link "berth0" already'),
    (("network", "rm", "blue"), "network blue has active endpoints"),
    (("network", "rm", "bridge"), "bridge is a pre-defined network and cannot be removed"),
    (("network", "rm", "nobody"), "network nobody not found"),
    (("network", "connect", "blue", "member"), "endpoint with name member already exists in network"),
    (("network", "connect", "host", "member"), "connected to host"),
    (("network", "disconnect", "any", "member"), "is not connected to network any"),
    (("run", "--rm", "--network", "nobody", SERVERS), "network nobody not found"),
    (("run", "--rm", "--network", "blue", "--ip", "10.99.0.128", SERVERS), "Address already in use"),
    (("run", "--rm", "--network", "blue", "--ip", "10.1.1.1", SERVERS),
     "no configured subnet or ip-range contain the IP address 10.1.1.1"),
    (("run", "--rm", "--ip", "172.17.0.9", SERVERS),
     "user specified IP address is supported on user defined networks only"),
]


def test_who_reaches_whom(tank):
    docker(tank, "network", "create", "--subnet", "10.99.0.0/24", "red")
    docker(tank, "network", "create", "--subnet", "10.98.0.0/24", "green")
    docker(tank, "network", "create", "--internal", "shut")
    serve(tank, "web", "--network", "red", "--ip", "10.99.0.7", "--mac-address", "02:00:00:00:00:07",
          "-p", "8090:80")
    run(tank, "near", "--network", "red")
    run(tank, "far", "--network", "green")
    run(tank, "plain")
    run(tank, "inside", "--network", "shut")
    assert get(tank, "near", "10.99.0.7") == ANSWER
    assert inspect(tank, "web")["red"]["MacAddress"] == "02:00:00:00:00:07"
    for name in ("far", "plain", "inside"):
        assert get(tank, name, "10.99.0.7", 3) is None, f"{name} is on another network"
    # What is published is for everybody who reaches the host: from outside, the host itself, other
    # networks and its own, by any address of the host's; not for who is shut in.
    port = tank.ports[8090]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=SHORT_SECONDS) as answer:
        assert answer.read().decode().strip() == ANSWER
    for host in ("127.0.0.1", "10.99.0.1"):
        assert tank.ssh(f"wget -qO- http://{host}:8090/").strip() == ANSWER
    host = tank.ssh("ip -o -4 addr show eth0").split()[3].split("/")[0]
    for name in ("near", "far", "plain", "web"):
        assert get(tank, name, f"{host}:8090") == ANSWER, name
    assert get(tank, "inside", f"{host}:8090", 3) is None
    assert docker(tank, "exec", "inside", "ip", "route").count("default") == 0
    # On one more network, and off it again; the default route is by another one then.
    docker(tank, "network", "connect", "--ip", "10.99.0.20", "red", "far")
    assert get(tank, "far", "10.99.0.7") == ANSWER
    assert sorted(inspect(tank, "far")) == ["green", "red"]
    docker(tank, "network", "disconnect", "green", "far")
    assert "default via 10.99.0.1" in docker(tank, "exec", "far", "ip", "route")
    docker(tank, "network", "disconnect", "red", "far")
    assert get(tank, "far", "10.99.0.7", 3) is None
    events = docker(tank, "events", "--since", "10m", "--until", "0s", "--filter", "type=network",
                    "--format", "{{.Action}} {{.Actor.Attributes.name}}").splitlines()
    assert [x for x in events if x.endswith("green")] == ["create green", "connect green",
                                                          "disconnect green"]
    remove(tank, "web", "near", "far", "plain", "inside", networks=("red", "green", "shut"))


def names(tank, container, name):
    """The addresses that a container finds for a name, sorted."""
    ask = "use Socket; my @a = gethostbyname shift; print join ' ', map inet_ntoa($_), @a[4 .. $#a]"
    done = docker(tank, "exec", container, "perl", "-e", ask, name, code=None)
    return sorted(done.stdout.split())


def restarted(tank, program):
    """Kills it, and waits for the next one."""
    pid = tank.ssh(f"pidof {program}").strip()
    tank.ssh(f"kill -9 {pid}")
    wait_until(lambda: tank.try_ssh(f"pidof {program}").stdout.strip() not in ("", pid), SHORT_SECONDS,
               f"another {program}", tank)


def test_names(tank):
    docker(tank, "network", "create", "--subnet", "10.99.0.0/24", "red")
    docker(tank, "network", "create", "--subnet", "10.98.0.0/24", "green")
    serve(tank, "web", "--network", "red", "--ip", "10.99.0.10", "--network-alias", "www")
    serve(tank, "web2", "--network", "red", "--ip", "10.99.0.11", "--network-alias", "www")
    run(tank, "near", "--network", "red", "--link", "web:site", "--hostname", "n.example", "--dns-search",
        "example.test")
    run(tank, "far", "--network", "green")
    run(tank, "plain")
    run(tank, "linked", "--link", "plain:other")
    short = docker(tank, "inspect", "-f", "{{.Id}}", "web")[:12]
    assert docker(tank, "exec", "near", "cat", "/etc/resolv.conf").splitlines()[:3] == [
        "nameserver 127.0.0.11", "search example.test", "options ndots:0"]
    assert "127.0.0.11" not in docker(tank, "exec", "plain", "cat", "/etc/resolv.conf")
    assert tank.ssh("cat /run/berth/resolv.conf") == docker(tank, "exec", "plain", "cat",
                                                            "/etc/resolv.conf")
    assert "other plain" in docker(tank, "exec", "linked", "cat", "/etc/hosts")
    assert get(tank, "linked", "other") is None and get(tank, "near", "web") == ANSWER
    for name, found in (("web", ["10.99.0.10"]), ("site", ["10.99.0.10"]), (short, ["10.99.0.10"]),
                        ("web.red", ["10.99.0.10"]), ("www", ["10.99.0.10", "10.99.0.11"]),
                        ("near", [inspect(tank, "near")["red"]["IPAddress"]]), ("far", [])):
        assert names(tank, "near", name) == found, name
    assert names(tank, "web", "site") == [], "a link is for its owner alone"
    assert names(tank, "far", "web") == []
    # On another network at once, and no longer; a name that changes hands.
    docker(tank, "network", "connect", "--alias", "store", "green", "web2")
    assert names(tank, "far", "store") == ["10.98.0.3"] == names(tank, "far", "web2")
    docker(tank, "network", "disconnect", "green", "web2")
    assert names(tank, "far", "web2") == []
    docker(tank, "network", "connect", "red", "plain")
    assert names(tank, "plain", "www") == ["10.99.0.10", "10.99.0.11"]
    docker(tank, "network", "disconnect", "red", "plain")
    assert "127.0.0.11" not in docker(tank, "exec", "plain", "cat", "/etc/resolv.conf")
    docker(tank, "rename", "web2", "shop")
    assert names(tank, "near", "shop") == ["10.99.0.11"] and names(tank, "near", "web2") == []
    docker(tank, "stop", "-t", "0", "web")
    assert names(tank, "near", "www") == ["10.99.0.11"]
    docker(tank, "start", "web")
    # The container may have a name server of its own on port 53.
    run(tank, "server", "--network", "red", command="busybox nc -ll -p 53 -e echo mine & exec sleep 1000")
    assert docker(tank, "exec", "server", "sh", "-c", "busybox nc 127.0.0.1 53 < /dev/null") == "mine\n"
    for program in ("dns", "engine", "dns"):
        restarted(tank, program)
        wait_until(lambda: names(tank, "near", "www") == ["10.99.0.10", "10.99.0.11"], SHORT_SECONDS,
                   f"names again without the former {program}", tank)
    remove(tank, "web", "shop", "near", "far", "plain", "linked", "server", networks=("red", "green"))
    assert tank.ssh("pidof dns").count(" ") == 0


def test_nobody_passes_for_another(tank):
    """ARP from a packet socket, which every container may have; who may change its links on purpose
    (NET_ADMIN) may say what it likes, and shows that the others are held back by us."""
    docker(tank, "network", "create", "--subnet", "10.99.0.0/24", "red")
    serve(tank, "web", "--network", "red", "--ip", "10.99.0.7")
    run(tank, "near", "--network", "red")
    run(tank, "liar", "--network", "red")
    run(tank, "lord", "--network", "red", "--cap-add", "NET_ADMIN")
    assert get(tank, "near", "10.99.0.7") == ANSWER

    def believed():
        rows = docker(tank, "exec", "near", "cat", "/proc/net/arp").splitlines()
        return next(row.split()[3] for row in rows if row.startswith("10.99.0.7 "))
    for name, believed_then in (("liar", "02:42:0a:63:00:07"),
                                ("lord", inspect(tank, "lord")["red"]["MacAddress"])):
        docker(tank, "exec", "-i", name, "perl", "-", "10.99.0.7", data=SPOOF)
        assert believed() == believed_then, name
    remove(tank, "web", "near", "liar", "lord", networks=("red",))


def test_a_network_is_shared(tank):
    docker(tank, "network", "create", "--subnet", "10.99.0.0/24", "red")
    serve(tank, "web", "--network", "red", "-p", "8090:80", "--hostname", "glass")
    run(tank, "guest", "--network", "container:web")
    assert get(tank, "guest", "127.0.0.1") == ANSWER and names(tank, "guest", "web") != []
    same = [docker(tank, "exec", name, "sh", "-c", "readlink /proc/self/ns/net; cat /etc/hosts; hostname")
            for name in ("web", "guest")]
    assert same[0] == same[1]
    assert docker(tank, "exec", "guest", "busybox", "ping", "-c", "1", "web")
    for options, said in ((("--network", "container:web", "-p", "80:80"), "port publishing"),
                          (("--network", "container:web", "-h", "x"), "hostname"),
                          (("--network", "container:nobody"), "No such container: nobody"),
                          (("--network", "container:guest"), "it has none of its own")):
        done = docker(tank, "run", "--rm", *options, SERVERS, code=None)
        assert done.returncode == 125 and said in done.stderr, done
    docker(tank, "stop", "-t", "0", "web")
    done = docker(tank, "restart", "-t", "0", "guest", code=None)
    assert "cannot join network namespace of a non running container" in done.stderr, done
    remove(tank, "web", "guest", networks=("red",))


def test_nothing_is_left_over(tank):
    """50 containers in a row, and some whose engine is killed while they start or end."""
    docker(tank, "network", "create", "--subnet", "10.99.0.0/24", "red")
    docker(tank, "run", "--rm", "--network", "red", "--entrypoint", "sh", DEMO, "-c", "true")
    before = state(tank)
    one = f"berth run --rm --network red -p 8091:80 --network-alias x --entrypoint sh {DEMO} -c true"
    tank.ssh(f"i=0; while [ $((i += 1)) -le 50 ]; do {one} || exit 1; done", seconds=300)
    assert state(tank) == before
    tank.ssh(f"i=0; while [ $((i += 1)) -le 20 ]; do {one}; done >/dev/null 2>&1 & "
             "sleep 0.3; i=0; while [ $((i += 1)) -le 8 ]; do kill -9 $(pidof engine); sleep 0.7; done; wait",
             seconds=300)
    wait_until(lambda: docker(tank, "ps", "-q", code=None).stdout == "", SHORT_SECONDS, "none runs", tank)
    docker(tank, "container", "prune", "-f")
    wait_until(lambda: state(tank) == before, SHORT_SECONDS, "nothing is left over", tank)
    docker(tank, "network", "rm", "red")


def test_networks_outlive_a_killed_engine(tank):
    docker(tank, "network", "create", "--subnet", "10.99.0.0/24", "--label", "a=b", "red")
    docker(tank, "network", "create", "idle")
    serve(tank, "web", "--network", "red", "--restart", "always", "-p", "8090:80")
    run(tank, "near", "--network", "red", "--restart", "always")
    docker(tank, "network", "connect", "bridge", "near")
    address = inspect(tank, "web")["red"]["IPAddress"]
    before, networks = state(tank), docker(tank, "network", "inspect", "red", "idle")
    for _ in range(3):
        pid = tank.ssh("pidof engine").strip()
        tank.ssh(f"kill -9 {pid}")
        wait_until(lambda old=pid: tank.try_ssh("pidof engine").stdout.strip() not in ("", old),
                   SHORT_SECONDS, "the engine is back", tank)
        wait_until(lambda: docker(tank, "ps", "-q", code=None).stdout.count("\n") == 2, SHORT_SECONDS,
                   "it answers", tank)
    assert docker(tank, "network", "inspect", "red", "idle") == networks
    assert get(tank, "near", address) == ANSWER
    assert state(tank) == before
    assert sorted(inspect(tank, "near")) == ["bridge", "red"]
