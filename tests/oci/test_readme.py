"""README.md's table from the specification to rows names rows that are there."""
import re

from test_oci import HERE, load_cases


def test_rows_are_there(monkeypatch):
    monkeypatch.delenv("BERTH_CASES", raising=False)
    text = (HERE / "README.md").read_text()
    table = text[text.index("## Specification to rows"):]
    named = {name for line in table.splitlines() if line.startswith("| ")
             for name in re.findall(r"`([a-z0-9-]+)`", line.split("|")[2])}
    assert named
    assert sorted(named - set(load_cases())) == []
