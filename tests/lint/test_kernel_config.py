"""kernel-config/check: a symbol that did not take is named, with what was asked and where."""

import pathlib
import subprocess

import pytest

KERNEL_CONFIG = pathlib.Path(__file__).resolve().parents[2] / "kernel-config"

CONFIG = """\
# CONFIG_MODULES is not set
CONFIG_NET=y
CONFIG_HZ=250
CONFIG_LSM="lockdown,yama"
"""

# name, fragment, what is said (in order), or nothing: everything took
TOOK = [
    ("set", "CONFIG_NET=y\n", []),
    ("not set, and said so", "# CONFIG_MODULES is not set\n", []),
    ("not set, and not known", "# CONFIG_WLAN is not set\n", []),
    ("number and string", 'CONFIG_HZ=250\nCONFIG_LSM="lockdown,yama"\n', []),
    ("comments and empty lines", "# A word about NET.\n\nCONFIG_NET=y\n", []),
    ("asked twice for the same", "CONFIG_NET=y\nCONFIG_NET=y\n", []),
    (
        "not in the configuration",
        "CONFIG_NET=y\nCONFIG_WIREGUARD=y\n",
        ["CONFIG_WIREGUARD did not take: asked y, became n (not in the configuration) (F:2)"],
    ),
    (
        "off in the configuration",
        "CONFIG_MODULES=y\n",
        ["CONFIG_MODULES did not take: asked y, became n (F:1)"],
    ),
    (
        "asked to be off and on",
        "# CONFIG_NET is not set\n",
        ["CONFIG_NET did not take: asked n, became y (F:1)"],
    ),
    (
        "another value",
        "CONFIG_HZ=100\n",
        ["CONFIG_HZ did not take: asked 100, became 250 (F:1)"],
    ),
    (
        "another string",
        'CONFIG_LSM="yama"\n',
        ['CONFIG_LSM did not take: asked "yama", became "lockdown,yama" (F:1)'],
    ),
    (
        "each of several",
        "CONFIG_TUN=y\nCONFIG_NET=y\nCONFIG_VETH=y\n",
        [
            "CONFIG_TUN did not take: asked y, became n (not in the configuration) (F:1)",
            "CONFIG_VETH did not take: asked y, became n (not in the configuration) (F:3)",
        ],
    ),
    (
        "asked twice for different values",
        "CONFIG_NET=y\n# CONFIG_NET is not set\n",
        ["CONFIG_NET is asked for twice: y at F:1, n at F:2"],
    ),
    (
        "a line that would ask for nothing",
        "CONFIG_NET = y\n#CONFIG_NET is not set\n",
        [
            'F:1: not a kconfig line: "CONFIG_NET = y"',
            'F:2: not a kconfig line: "#CONFIG_NET is not set"',
        ],
    ),
]


def check(*args):
    return subprocess.run(
        [KERNEL_CONFIG / "check", *args], capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.parametrize("fragment, said", [row[1:] for row in TOOK], ids=[row[0] for row in TOOK])
def test_check(tmp_path, fragment, said):
    config, asked = tmp_path / "config", tmp_path / "a.config"
    config.write_text(CONFIG)
    asked.write_text(fragment)
    result = check(config, asked)
    assert result.stderr.replace(str(asked), "F").splitlines() == ["check: " + s for s in said]
    assert result.returncode == (1 if said else 0)
    assert result.stdout == ""


def test_conflict_between_fragments(tmp_path):
    one, two = tmp_path / "one.config", tmp_path / "two.config"
    one.write_text("CONFIG_NET=y\n")
    two.write_text("\n# CONFIG_NET is not set\n")
    result = check("--conflicts", one, two)
    assert result.stderr == f"check: CONFIG_NET is asked for twice: y at {one}:1, n at {two}:2\n"
    assert result.returncode == 1


def test_conflicts_alone_reads_no_configuration(tmp_path):
    one = tmp_path / "one.config"
    one.write_text("CONFIG_NET=y\n")
    assert check("--conflicts", one).returncode == 0


def test_configuration_missing(tmp_path):
    one = tmp_path / "one.config"
    one.write_text("CONFIG_NET=y\n")
    result = check(tmp_path / "none", one)
    assert (result.returncode, result.stderr) == (1, f"check: cannot read '{tmp_path}/none'\n")


def test_our_fragments_do_not_contradict_each_other():
    result = check("--conflicts", *sorted(KERNEL_CONFIG.glob("**/*.config")))
    assert (result.returncode, result.stderr) == (0, "")
