"""sources.lock is complete, sorted, and each package and patch belongs to a row of it."""
import re
import runpy
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "image-build"
FETCH = runpy.run_path(str(BUILD / "fetch"))
ENTRIES = list(FETCH["parse_stanzas"]((BUILD / "sources.lock").read_text()))
NAMES = [entry["Name"] for entry in ENTRIES]
SPDX = {"MIT", "Zlib", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "GPL-2.0-only",
        "GPL-2.0-or-later", "GPL-3.0-or-later", "LGPL-2.0-only", "LGPL-2.1-only",
        "LGPL-2.1-or-later", "ISC", "MPL-2.0", "curl", "LicenseRef-public-domain"}


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_entry(entry):
    assert set(entry) == set(FETCH["FIELDS"])
    assert re.fullmatch(r"[0-9a-f]{64}", entry["SHA256"])
    # A native package of Debian's has no ".orig".
    name = f"{entry['Name']}_{entry['Version']}"
    assert re.fullmatch(rf"{re.escape(name)}(\.orig)?\.tar\.\w+", entry["File"])
    assert re.fullmatch(r"pool/(updates/)?main/[a-z0-9]+/[a-z0-9+.-]+", entry["Directory"])
    words = set(re.findall(r"[A-Za-z0-9.-]+", entry["Licence"])) - {"AND", "OR", "WITH"}
    assert words and words <= SPDX


def test_sorted_and_unique():
    assert NAMES == sorted(set(NAMES))


@pytest.mark.parametrize("package", sorted(path.name for path in (BUILD / "packages").iterdir()))
def test_package_has_a_source(package):
    text = (BUILD / "packages" / package).read_text()
    source = re.search(r"^source=(\S+)$", text, re.M)
    assert (source[1] if source else package) in NAMES


def test_every_source_is_built():
    used = set()
    for path in (BUILD / "packages").iterdir():
        source = re.search(r"^source=(\S+)$", path.read_text(), re.M)
        used.add(source[1] if source else path.name)
    assert set(NAMES) <= used, f"locked, but built by no package: {set(NAMES) - used}"


def test_patches_belong_to_a_source():
    assert {path.name for path in (BUILD / "patches").iterdir()} <= set(NAMES)


@pytest.mark.parametrize("older, newer", [
    ("6.12.9", "6.12.107"), ("1.3.dfsg", "1.3.dfsg+really1.3.1"), ("2.0~rc1", "2.0"),
    ("2.0~rc1", "2.0~rc2"), ("1.0", "1.0.1"), ("1.9", "1.10"),
])
def test_version_order(older, newer):
    key = FETCH["version_key"]
    assert key(older) < key(newer)
