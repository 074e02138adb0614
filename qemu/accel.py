"""Which accelerator QEMU gets on this machine, and what must be known about it."""
import os
import re
import subprocess

# Before 8.1 a processor could run code that another one was just patching ("Oops: int3" in the
# guest, one boot in some hundreds, more on a busy host): there all take turns in one thread.
TCG_THREADS_SINCE = (8, 1)


def kvm_works():
    """/dev/kvm may open where no guest runs; the processor's flags tell (DESIGN.md 8)."""
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
            flags = next((line for line in f if line.startswith("flags")), "").split()
    except OSError:
        return False
    return "vmx" in flags or "svm" in flags


def qemu_version():
    try:
        said = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True,
                              check=False).stdout
    except OSError:
        said = ""
    found = re.search(r"version (\d+)\.(\d+)", said)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def accel_args():
    if kvm_works():
        return ["-accel", "kvm", "-cpu", "host"]
    thread = "multi" if qemu_version() >= TCG_THREADS_SINCE else "single"
    return ["-accel", f"tcg,thread={thread}", "-cpu", "max"]
