"""The whole configurations of rootfs/examples: each is without a fault, and shown in the top README."""
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted((TOP / "rootfs/examples").glob("*.yaml"))


def test_there_are_five():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_without_a_fault(example):
    done = subprocess.run([TOP / "out/host/bin/bootcfg", "check", example], capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_readme_shows_it_as_it_is(example):
    assert f"```yaml\n{example.read_text()}```\n" in (TOP / "README.md").read_text()
