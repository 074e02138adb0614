"""runtime/api/README.md's table of endpoints: each route of server.c is in it, once, and the other way
round; each row names tests that exist."""
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent


def routes():
    text = (TOP / "runtime/api/server.c").read_text()
    found = re.findall(r'^\t\{ "([A-Z]+)", "([^"]+)", (\w+),', text, re.MULTILINE)
    return sorted(f"{method} {path.replace('{*}', '{}')}" for method, path, handler in found
                  if handler != "NULL")


def rows():
    text = (TOP / "runtime/api/README.md").read_text()
    table = text[text.index("| endpoint |"):].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.split("\n")[2:]]


def test_each_route_has_its_row():
    assert sorted(one for row in rows() for one in row[0].split(", ")) == routes()


def functions(name):
    return set(re.findall(r"^def (test_\w+)", (TOP / "tests/engine" / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].split(",")[0])
def test_each_row_names_its_tests(row):
    known, seen = set(), 0
    for word in re.findall(r"[\w.]+", row[2]):
        if word == "unit":
            known = {path.stem for path in (TOP / "tests/unit/runtime").glob("*/test_*.c")}
        elif word.endswith(".py"):
            known = functions(word)
        else:
            assert word in known, f"{word} is no test"
            seen += 1
    assert seen
