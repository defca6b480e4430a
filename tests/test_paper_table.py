"""docs/paper.md names files and tests: each of them exists, and the table is complete from abstract to appendix."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:iph|bench|userstudy|demo|tests)/[\w./-]+(?:::\w+)?)`", TEXT)))


@pytest.mark.parametrize("named", NAMED)
def test_every_file_and_test_that_is_named_exists(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).is_file(), f"no file {path}"
    if test:
        found = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if hasattr(node, "name")}
        assert test in found, f"no {test} in {path}"


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", TEXT):
        assert (ROOT / "docs" / link).is_file(), link


def test_the_table_is_complete() -> None:
    """Every section, numbered equation and table of the paper, and every row with its three cells."""
    sections = ("(Sec. 1)", "(Sec. 2)", "(Sec. 3)", "(Sec. 4)", "(Sec. 5)", "(Sec. 6", "(Sec. 7)", "## Appendix")
    for wanted in (*sections, "Eq. 1–3", "Eq. 4", "Eq. 5", "Eq. 6", "Eq. 7", "Table 1", "Table 2", "Table 3"):
        assert wanted in TEXT, wanted
    main = TEXT[: TEXT.index("## What was never run")]
    rows = [line for line in main.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    assert len(rows) > 55 and all(line.count(" | ") == 2 and line.endswith(" |") for line in rows)
    assert len(NAMED) > 50
