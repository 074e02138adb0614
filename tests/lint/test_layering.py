"""Who may include whom: the folders' table in image-build/programs.mk, and DESIGN's rule above it."""
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
ROOTS = ("init", "runtime")


def read_table():
    table = {}
    for line in (TOP / "image-build/programs.mk").read_text().splitlines():
        row = re.match(r"\$\(call folder,([^,]+),([^,]*),", line)
        if row:
            table[row[1]] = set(row[2].split())
    return table


TABLE = read_table()


def closure(folder):
    found = {folder}
    for each in TABLE[folder]:
        found |= closure(each)
    return found


def includes(source):
    for number, line in enumerate(source.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+"(.+)/[^/]+"', line)
        if found:
            yield number, found[1]


def folder_of(name):
    for root in ROOTS:
        if (TOP / root / name).is_dir():
            return f"{root}/{name}"
    return None


@pytest.mark.parametrize("folder", sorted(TABLE))
def test_includes(folder):
    allowed = closure(folder)
    bad = []
    for source in sorted((TOP / folder).glob("*.[ch]")):
        for number, name in includes(source):
            # a program's main file may also read the interfaces of its own sub-folders
            there = folder_of(name)
            if there not in allowed and not (there or "").startswith(folder + "/"):
                bad.append(f"{source.relative_to(TOP)}:{number}: includes {name}")
    assert not bad, "\n".join(bad)


def test_init_never_needs_runtime():
    for folder, needs in TABLE.items():
        if folder.startswith("init/"):
            assert not [need for need in needs if need.startswith("runtime/")], folder


def test_every_folder_is_in_the_table():
    there = {str(path.parent.relative_to(TOP)) for root in ROOTS
             for path in (TOP / root).rglob("*.c")}
    assert there <= set(TABLE), f"not in programs.mk: {sorted(there - set(TABLE))}"
