"""Images and keys that the machine tests share. What is made is kept under out/test."""
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP / "qemu")]

from machine import SshKey  # noqa: E402  (needs the path above)
from update.bundles import Bundles  # noqa: E402

OUT = Path(os.environ.get("BERTH_OUT") or TOP / "out")


@pytest.fixture(scope="session")
def out():
    return OUT


@pytest.fixture(scope="session")
def ssh_key(tmp_path_factory):
    return SshKey(tmp_path_factory.mktemp("ssh"))


@pytest.fixture(scope="session")
def image():
    """The disk image as it is shipped. `make test` has built it before pytest runs."""
    path = OUT / "berth.img"
    assert path.exists(), f"{path} is missing: run make image"
    return path


@pytest.fixture(scope="session")
def bundles(tmp_path_factory):
    """Maker of update bundles: of a later version, and of one with something wrong in it."""
    return Bundles(OUT / "update", tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="session")
def servers_image():
    """The same system with nginx and redis from Debian packages embedded besides the demo."""
    path = OUT / "test/berth.img"
    assert path.exists(), f"{path} is missing: run make test-image"
    return path
