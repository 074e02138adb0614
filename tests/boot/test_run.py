"""`make run`, as a newcomer sees it: what it prints is followed by hand."""
import os
import re
import shlex
import subprocess
import urllib.request

from machine import BOOT_SECONDS, TOP, wait_until


def fetch(url):
    try:
        return urllib.request.urlopen(url, timeout=10).read().decode()
    except OSError:
        return None


def test_what_make_run_prints_works(tmp_path):
    said = tmp_path / "said"
    env = {**os.environ, "HOME": str(tmp_path), "BERTH_RUN": str(tmp_path)}
    process = subprocess.Popen([str(TOP / "qemu/run")], cwd=TOP, env=env, stdin=subprocess.PIPE,
                               stdout=open(said, "wb"), stderr=subprocess.STDOUT)
    try:
        text = wait_until(lambda: (lambda t: t if "Leave:" in t else None)(said.read_text()), 30,
                          "the addresses are printed")
        url = re.search(r"The demo: +(\S+)", text).group(1)
        login = shlex.split(re.search(r"Log in: +(.*)", text).group(1))
        assert "<title>Berth" in wait_until(lambda: fetch(url), BOOT_SECONDS, "the demo answers")
        machine = fetch(url + "machine.json")
        for word in ('"version"', '"boot_ms"', '"available_bytes"', '"name":"demo"'):
            assert word in machine
        known = ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path}/known",
                 "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20"]
        wait_until(lambda: subprocess.run(
            [login[0], *known, *login[1:], "berth ps"], cwd=TOP, capture_output=True, text=True,
            check=False).stdout.startswith("CONTAINER ID"), BOOT_SECONDS, "SSH answers")
        process.stdin.write(b"\x01x")
        process.stdin.flush()
        process.wait(30)
    finally:
        process.kill()
        process.wait()
