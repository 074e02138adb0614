"""Configurations of rootfs/examples as they stand in the README, booted with what the tests' images
have in place of a registry's."""
import json
import re
import ssl
import subprocess
import urllib.request
from datetime import datetime

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


@pytest.fixture(scope="module")
def web(servers_image, ssh_key):
    text = example("web-site", ssh_key, nginx=SERVERS, busybox=SERVERS)
    with Machine(servers_image, user_data=text, ssh_key=ssh_key, forward=[80, 443, 8080]) as machine:
        machine.wait_ssh()
        yield machine


def test_a_web_site_behind_tls(web, certificate):
    # As its administrator would: the key comes over SSH, the pages into the volume.
    for name in ("site.crt", "site.key"):
        web.ssh(f"mkdir -p /var/lib/tls; cat >/var/lib/tls/{name}",
                data=(certificate / name).read_text())
    wait_until(lambda: web.try_ssh("berth exec -i site sh -c 'cat >/www/index.html'",
                                   data="<h1>ahoy</h1>\n").returncode == 0, SHORT_SECONDS,
               "the page is in the volume", web)
    wait_until(lambda: get(web, certificate) == "<h1>ahoy</h1>\n", SHORT_SECONDS, "the page, by TLS", web)
    assert redirect(web) == "https://127.0.0.1/page"
    assert web.try_http(8080) is None, "the site itself is for containers alone"
    assert json.loads(web.ssh("cat /run/berth/config.json"))["faults"] == []


JOBS = f"""  quick: {{image: "{SERVERS}", entrypoint: [sh, -c, "echo ran; exit 3"], network_mode: none,
          schedule: every 10s}}
  slow: {{image: "{SERVERS}", entrypoint: [sleep, "25"], network_mode: none, schedule: every 10s, init: true}}
  never: {{image: "{SERVERS}", entrypoint: [sh], network_mode: none, schedule: 0 0 30 2 *}}
"""


def schedule(machine, name):
    return json.loads(machine.ssh(f"berth inspect {name}"))[0]["Schedule"]


def runs(machine, name):
    """When they began; none known while the engine is started again."""
    done = machine.try_ssh(f"berth inspect {name}")
    known = json.loads(done.stdout)[0]["Schedule"]["Runs"] if done.returncode == 0 else []
    return [run["StartedAt"] for run in known]


def test_jobs_run_by_their_schedule(web):
    """One at a time; how each run ended is kept, and an engine that is killed goes on with it."""
    web.ssh("cat >/tmp/new; berth config apply /tmp/new", data=web.seed.read_text() + JOBS)
    wait_until(lambda: len(runs(web, "quick")) >= 2, SHORT_SECONDS, "two runs", web)
    known = schedule(web, "quick")
    assert known["When"] == "every 10s" and {run["ExitCode"] for run in known["Runs"]} == {3}
    first, second = (datetime.fromisoformat(start[:19]) for start in runs(web, "quick")[:2])
    assert (second - first).total_seconds() >= 9
    assert web.ssh("berth logs quick").startswith("ran\nran\n")
    assert known["Next"] > known["Runs"][-1]["StartedAt"]
    wait_until(lambda: 'container "slow" still runs' in web.ssh("berth logs engine"), SHORT_SECONDS,
               "a run is left out", web)
    assert "never" not in web.ssh("berth ps") and not runs(web, "never")
    wait_until(lambda: re.search(r"containers +\d running, \d not\n(.*\n)* +quick  Exited \(3\) ",
                                 web.ssh("berth status")), SHORT_SECONDS, "status names it", web)
    before = runs(web, "quick")
    web.ssh("berth services restart engine")
    wait_until(lambda: len(runs(web, "quick")) > len(before), SHORT_SECONDS, "it goes on", web)
    assert runs(web, "quick")[:len(before)] == before, "the runs of before are known"


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
