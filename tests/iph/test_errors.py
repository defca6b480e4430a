"""Errors for people read the same everywhere: after ``iph:`` on a terminal, or in a sentence that a screen ends."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def ends(message: ast.expr) -> tuple[str, str]:
    """What a text says first and last, as far as it is fixed."""
    if isinstance(message, ast.JoinedStr):
        return ends(message.values[0])[0], ends(message.values[-1])[1]
    fixed = message.value if isinstance(message, ast.Constant) else ""
    return fixed, fixed


@pytest.mark.parametrize("package", ["iph", "demo"])
def test_a_sentence_starts_small_and_has_no_full_stop(package):
    messages = [
        (f"{file.name}:{call.lineno}", *ends(call.args[0]))
        for file in (ROOT / package).rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "InputError"
    ]
    assert len(messages) > 20
    assert not [place for place, first, last in messages if first[:1].isupper() or last.endswith(".")]
