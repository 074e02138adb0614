"""qemu/start's choices, without starting anything."""
import importlib.machinery
import importlib.util
import io
import os
import subprocess
from pathlib import Path

import pytest

START = Path(__file__).resolve().parent.parent.parent / "qemu/start"


@pytest.fixture
def start():
    loader = importlib.machinery.SourceFileLoader("qemu_start", str(START))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("qemu_start", loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("opens, flags, expected", [
    (True, "fpu vmx sse", True),
    (True, "fpu svm sse", True),
    (True, "fpu sse", False),  # it opens, and no guest runs
    (False, "fpu vmx sse", False),
])
def test_kvm_only_where_it_works(start, monkeypatch, opens, flags, expected):
    def fake_open(path, mode):
        assert path == "/dev/kvm"
        if not opens:
            raise PermissionError(path)
        return os.dup(0)
    monkeypatch.setattr(start.os, "open", fake_open)
    monkeypatch.setattr(start, "open", lambda *a, **k: io.StringIO(f"flags\t\t: {flags}\n"), raising=False)
    assert start.kvm_works() is expected


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
])
def test_options_reach_qemu(tmp_path, arguments, expected):
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(512))
    assert expected in shown(*arguments, str(disk)).stdout


@pytest.mark.parametrize("arguments, sentence", [
    (["/no/such.img"], "no such file: /no/such.img"),
    (["--forward", "http:80", str(START)], "expected HOSTPORT:GUESTPORT"),
    ([], "give a disk image or --direct DIR"),
])
def test_mistakes_are_told(arguments, sentence):
    done = shown(*arguments)
    assert done.returncode != 0
    assert sentence in done.stderr
