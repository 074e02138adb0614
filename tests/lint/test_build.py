"""How the build speaks to people: help, cleaning, and a package that cannot be built."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
ENV = {name: value for name, value in os.environ.items() if "MAKE" not in name}


def make(*arguments):
    return subprocess.run(["make", "--no-print-directory", "-C", str(TOP), *arguments], env=ENV,
                          capture_output=True, text=True, check=True).stdout


def test_help_lists_each_target_with_what_it_does():
    page = make("help")
    for target in ("run", "test", "image", "kernel", "bench", "clean", "distclean"):
        assert any(line.split()[:2] == ["make", target] and len(line.split()) > 3
                   for line in page.splitlines()), page


@pytest.mark.parametrize("target, cache", [("clean", False), ("distclean", True)])
def test_cleaning_removes_what_it_says(target, cache):
    said = make("-n", target, "BERTH_CACHE=/nowhere/cache")
    assert "rm -rf out" in said
    assert ("/nowhere/cache" in said) is cache


def test_a_package_that_fails_shows_its_last_lines_and_where_they_are(tmp_path):
    """A package of ours in a copy of the tree: `false` in the middle of its build."""
    tree = tmp_path / "tree"
    shutil.copytree(TOP / "image-build", tree / "image-build")
    (tree / "out/sources").mkdir(parents=True)
    (tree / "out/sources/broken").write_text("Name: broken\nVersion: 1\nSHA256: none\n")
    (tree / "image-build/packages/broken").write_text(
        "kind=host\nstyle=make\n"
        "package_unpack() { echo 'the compiler says no'; return 3; }\n")
    done = subprocess.run([tree / "image-build/build-package", "broken"], capture_output=True,
                          text=True, env={**ENV, "BERTH_CACHE": str(tmp_path / "cache")}, check=False)
    assert done.returncode == 1
    assert "broken" in done.stdout and "FAILED after" in done.stdout
    assert "out/log/broken.log" in done.stdout
    assert "the compiler says no" in done.stdout
    assert not list((tmp_path / "cache/build").glob("[0-9a-f]*")), "no half result"
    assert not (tree / "out/pkg/broken.key").exists()


def test_the_image_build_and_the_updater_agree_on_the_boot_states_place():
    disk = (TOP / "image-build/disk/make-disk").read_text()
    header = (TOP / "init/update/bootstate.h").read_text()
    made = re.search(r"STATE_COPIES = \((.*)\)", disk)[1].lower()
    assert made == re.search(r"BOOTSTATE_OFFSETS \{ (.*) \}", header)[1]
