#!/usr/bin/env python3
"""make bench: medians of at least five boots of the shipped image, and the sizes of its parts.

    wall time from power-on to the demo answering     outside, host's clock
    kernel entry to the first container's exec        inside, CLOCK_BOOTTIME (machine.json)
    memory in use, idle, demo running                 size of the VM less MemAvailable, 256 MiB
"""
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from machine import BOOT_SECONDS, TOP, Machine, SshKey, wait_until  # noqa: E402

RUNS, MEMORY_MIB = 5, 256

SEED = """#cloud-config
ssh_authorized_keys: ["{key}"]
containers:
  demo:
    image: localhost/demo:latest
    ports: ["80:8080"]
    volumes: ["/run/berth/public:/host:ro"]
    restart: always
"""


def measure(image, key):
    with Machine(image, user_data=SEED.format(key=key.public), ssh_key=key, memory=MEMORY_MIB,
                 forward=[80]) as machine:
        wait_until(lambda: machine.try_http(80, seconds=1), BOOT_SECONDS, "the demo answers", machine)
        answering = time.monotonic() - machine.started
        machine.wait_ssh()
        boot_ms = wait_until(lambda: json.loads(
            machine.ssh("cat /run/berth/public/machine.json")).get("boot_ms"), 60, "boot_ms", machine)
        available = int(machine.ssh("sed -n 's/^MemAvailable: *//p' /proc/meminfo").split()[0])
        return answering, boot_ms / 1000, MEMORY_MIB - available / 1024


def row(name, values, unit):
    print(f"{name:<46} {statistics.median(values):8.2f} {unit:<4}"
          f" (of {len(values)}: {min(values):.2f} to {max(values):.2f})")


def sizes(out):
    kernel = (out / "direct/bzImage").stat().st_size
    root = (out / "direct/root.erofs").stat().st_size
    for name, size in (("kernel", kernel), ("root with hash tree", root), ("sum", kernel + root)):
        print(f"{name:<46} {size / (1 << 20):8.2f} MiB")


def main():
    out = TOP / "out"
    with tempfile.TemporaryDirectory() as folder:
        key = SshKey(folder)
        runs = []
        for n in range(RUNS):
            runs.append(measure(out / "berth.img", key))
            print(f"  run {n + 1}: demo after {runs[-1][0]:.1f} s", file=sys.stderr, flush=True)
    answering, boot, memory = zip(*runs)
    row("power-on to the demo answering", answering, "s")
    row("kernel entry to the first container's exec", boot, "s")
    row(f"memory in use, idle, of {MEMORY_MIB} MiB", memory, "MiB")
    sizes(out)


if __name__ == "__main__":
    main()
