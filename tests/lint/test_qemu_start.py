"""qemu/start's choices, without starting anything."""
import io
import os
import subprocess
from pathlib import Path

import accel
import pytest

START = Path(__file__).resolve().parent.parent.parent / "qemu/start"


@pytest.mark.parametrize("opens, flags, expected", [
    (True, "fpu vmx sse", True),
    (True, "fpu svm sse", True),
    (True, "fpu sse", False),  # it opens, and no guest runs
    (False, "fpu vmx sse", False),
])
def test_kvm_only_where_it_works(monkeypatch, opens, flags, expected):
    def fake_open(path, mode):
        assert path == "/dev/kvm"
        if not opens:
            raise PermissionError(path)
        return os.dup(0)
    monkeypatch.setattr(accel.os, "open", fake_open)
    monkeypatch.setattr(accel, "open", lambda *a, **k: io.StringIO(f"flags\t\t: {flags}\n"),
                        raising=False)
    assert accel.kvm_works() is expected


@pytest.mark.parametrize("version, kvm, cpus", [
    ((7, 2), False, 1), ((8, 0), False, 1), ((8, 1), False, 2), ((10, 0), False, 2),
    ((7, 2), True, 2)])
def test_one_processor_where_qemu_would_trip_over_two(monkeypatch, version, kvm, cpus):
    monkeypatch.setattr(accel, "kvm_works", lambda: kvm)
    monkeypatch.setattr(accel, "qemu_version", lambda: version)
    assert accel.usual_cpus() == cpus


def shown(*arguments):
    return subprocess.run([START, "--print", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments, expected", [
    (["--disk", "ahci"], "ide-hd,drive=disk0"),
    (["--disk", "nvme"], "nvme,drive=disk0"),
    (["--disk", "virtio"], "virtio-blk-pci,drive=disk0"),
    (["--firmware", "uefi"], "if=pflash,unit=0"),
    (["--memory", "96"], "-m 96"),
    (["--forward", "8080:80"], "hostfwd=tcp:127.0.0.1:8080-:80"),
    (["--no-nic"], "-nic none"),
    (["--watchdog"], "i6300esb"),
    (["--pxe", "there"], "tftp=there,bootfile=berth.ipxe"),
])
def test_options_reach_qemu(tmp_path, arguments, expected):
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(512))
    assert expected in shown(*arguments, str(disk)).stdout


@pytest.mark.parametrize("arguments, sentence", [
    (["/no/such.img"], "no such file: /no/such.img"),
    (["--forward", "http:80", str(START)], "expected HOSTPORT:GUESTPORT"),
    ([], "give a disk image, --direct DIR or --pxe DIR"),
    (["--pxe", ".", "--no-nic"], "--pxe needs a network card"),
])
def test_mistakes_are_told(arguments, sentence):
    done = shown(*arguments)
    assert done.returncode != 0
    assert sentence in done.stderr
