"""Arrows point one way: demo → iph, bench, userstudy; bench → iph; userstudy never imports torch."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "iph": {"iph"},
    "userstudy": {"userstudy"},
    "bench": {"bench", "iph"},
    "demo": {"demo", "iph", "bench", "userstudy"},
}
SCREENS = {"gradio", "streamlit"}


def imported(path: Path) -> set[str]:
    """Top-level names a file imports, wherever in the file it does so."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", ALLOWED)
def test_arrows_point_one_way(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        ours = imported(path) & set(ALLOWED)
        assert ours <= ALLOWED[package], f"{path.relative_to(ROOT)} imports {sorted(ours - ALLOWED[package])}"


def test_userstudy_needs_no_torch_and_no_screen() -> None:
    for path in sorted((ROOT / "userstudy").rglob("*.py")):
        assert not imported(path) & (SCREENS | {"torch"}), path.name


def test_the_method_and_the_benchmark_show_no_screen() -> None:
    for package in ("iph", "bench"):
        for path in sorted((ROOT / package).rglob("*.py")):
            assert not imported(path) & SCREENS, path.name
