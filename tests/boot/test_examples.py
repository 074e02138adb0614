"""Configurations of rootfs/examples as they stand in the README, booted with what the tests' images
have in place of a registry's."""
import json
import re
import ssl
import subprocess
import urllib.request

import pytest

from machine import SHORT_SECONDS, TOP, Machine, wait_until

SERVERS = "localhost/servers:umoci"


def example(name, key, **images):
    text = (TOP / f"rootfs/examples/{name}.yaml").read_text()
    for image, ours in images.items():
        text, count = re.subn(f"docker.io/library/{image}:[0-9.]+", ours, text)
        assert count, f"{name} has no {image}"
    return re.sub("ssh-ed25519 .*", key.public, text)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", "site.key", "-out", "site.crt", "-days", "3650", "-subj",
                    "/CN=web", "-addext", "subjectAltName=IP:127.0.0.1"], cwd=folder, check=True,
                   capture_output=True)
    return folder


def get(machine, certificate, path="/"):
    trust = ssl.create_default_context(cafile=certificate / "site.crt")
    url = f"https://127.0.0.1:{machine.ports[443]}{path}"
    try:
        with urllib.request.urlopen(url, timeout=10, context=trust) as answer:
            return answer.read().decode()
    except OSError:
        return None


def redirect(machine):
    """Where port 80 sends one."""
    done = subprocess.run(["curl", "-s", "-m", "20", "-o", "/dev/null", "-w", "%{redirect_url}",
                           f"http://127.0.0.1:{machine.ports[80]}/page"], capture_output=True,
                          text=True, check=False)
    return done.stdout


def test_a_web_site_behind_tls(servers_image, ssh_key, certificate):
    text = example("web-site", ssh_key, nginx=SERVERS, busybox=SERVERS)
    with Machine(servers_image, user_data=text, ssh_key=ssh_key, forward=[80, 443, 8080]) as machine:
        machine.wait_ssh()
        # As its administrator would: the key comes over SSH, the pages into the volume.
        for name in ("site.crt", "site.key"):
            machine.ssh(f"mkdir -p /var/lib/tls; cat >/var/lib/tls/{name}",
                        data=(certificate / name).read_text())
        wait_until(lambda: machine.try_ssh("berth exec -i site sh -c 'cat >/www/index.html'",
                                           data="<h1>ahoy</h1>\n").returncode == 0, SHORT_SECONDS,
                   "the page is in the volume", machine)
        wait_until(lambda: get(machine, certificate) == "<h1>ahoy</h1>\n", SHORT_SECONDS,
                   "the page, by TLS", machine)
        assert redirect(machine) == "https://127.0.0.1/page"
        assert machine.try_http(8080) is None, "the site itself is for containers alone"
        assert json.loads(machine.ssh("cat /run/berth/config.json"))["faults"] == []


def typed(machine, line, answer):
    start = len(machine.console())
    machine.type(line)
    wait_until(lambda: answer in machine.console()[start:], SHORT_SECONDS, f"{answer!r}", machine)


def test_an_edge_box_without_network(image, ssh_key):
    text = example("edge-box", ssh_key)
    with Machine(image, user_data=text, ssh_key=ssh_key, network=False, keyboard=True) as machine:
        machine.wait_console("Press Enter for the menu")
        typed(machine, "", "Password of root:")
        typed(machine, "wrong", "That is not it.")
        typed(machine, "", "Password of root:")
        typed(machine, "harbour", "A number, or Enter to leave:")
        typed(machine, "1", "pump-7, Berth")
        typed(machine, "s", "# ")
        typed(machine, "until berth exec sensor cat /data/readings | grep -q .; do sleep 1; done; "
              "echo do''ne", "done")
        typed(machine, "berth ps --format '{{.Names}} {{.State}}'", "sensor running")
