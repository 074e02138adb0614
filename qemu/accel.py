"""Which accelerator QEMU gets on this machine, and how many processors a machine in it."""
import os
import re
import subprocess

# Before 8.1 a processor could run code that another one was just patching ("Oops: int3" in the
# guest, one boot in some hundreds, more on a busy host): there a machine has one, unless asked.
TCG_PATCHES_SINCE = (8, 1)


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
    return (["-accel", "kvm", "-cpu", "host"] if kvm_works() else
            ["-accel", "tcg,thread=multi", "-cpu", "max"])


def usual_cpus():
    return 2 if kvm_works() or qemu_version() >= TCG_PATCHES_SINCE else 1
