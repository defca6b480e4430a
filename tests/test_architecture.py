"""The house: which room may use which, and how large a room or a file may grow."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each room (a package, or a folder of it) and the rooms that it may import; its own is always allowed.
ALLOWED = {
    "iph": {
        "iph.images",
        "iph.masks",
        "iph.match",
        "iph.runtime",
        "iph.commands",
    },  # commands: the entry ``python -m iph`` alone
    "iph.runtime": {"iph", "iph.masks", "iph.match"},
    "iph.match": {"iph", "iph.masks", "iph.runtime"},
    "iph.images": {"iph"},
    "iph.masks": {"iph", "iph.images", "iph.runtime"},
    "iph.data": {"iph", "iph.images", "iph.masks", "iph.match"},
    "iph.training": {"iph", "iph.data", "iph.masks", "iph.match", "iph.runtime"},
    "iph.commands": {"iph", "iph.images", "iph.masks", "iph.data", "iph.runtime", "iph.training"},
    "bench.metrics": {"bench", "iph", "iph.masks"},
    "bench.networks": {"bench", "iph"},
    "bench.methods": {
        "bench",
        "bench.metrics",
        "bench.networks",
        "iph",
        "iph.masks",
        "iph.match",
        "iph.runtime",
    },
    "bench.datasets": {"bench", "bench.metrics", "iph", "iph.data", "iph.images", "iph.masks", "iph.training"},
    "bench.evaluation": {"bench", "bench.datasets", "bench.methods", "bench.metrics", "iph", "iph.data", "iph.images"},
    "bench.report": {
        "bench",
        "bench.datasets",
        "bench.evaluation",
        "bench.methods",
        "bench.metrics",
        "iph",
        "iph.data",
    },
    "bench.submissions": {
        "bench",
        "bench.datasets",
        "bench.evaluation",
        "bench.methods",
        "bench.metrics",
        "bench.report",
        "iph",
        "iph.data",
    },
    "bench.site": {
        "bench",
        "bench.datasets",
        "bench.evaluation",
        "bench.methods",
        "bench.metrics",
        "bench.report",
        "bench.submissions",
        "iph",
        "iph.data",
    },
    "userstudy.design": {"userstudy", "userstudy.scores", "iph", "iph.images"},
    "userstudy.votes": {"userstudy", "userstudy.design", "userstudy.scores"},
    "userstudy.scores": {"userstudy"},
    "userstudy.report": {"userstudy", "userstudy.votes", "userstudy.scores"},
    # A screen knows the packages below it and what all screens share, never another screen.
    "demo.load": {"iph"},
    "demo.hosting": {"demo", "iph"},
    "demo.studio": {"demo", "demo.hosting", "iph", "iph.images", "iph.masks", "iph.runtime"},
    "demo.vote": {"demo", "demo.hosting", "iph", "userstudy", "userstudy.design", "userstudy.votes"},
    "demo.dashboard": {"demo", "iph", "bench", "bench.*", "userstudy", "userstudy.report", "userstudy.votes"},
}
# Rooms that only whole packages bound: commands, training queues, what all screens share.
PACKAGES = {
    "iph": {"iph"},
    "userstudy": {"userstudy", "iph"},
    "bench": {"bench", "iph", "iph.images", "iph.masks"},
    "demo": {"demo", "iph", "bench", "userstudy"},
}
SCREENS = {"gradio", "streamlit"}
MOST_LINES, MOST_MODULES = 400, 20


def modules(top: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    files = sorted((ROOT / top).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


OURS = {name: path for top in PACKAGES for name, path in modules(top).items()}


def imported(path: Path) -> set[str]:
    """The dotted names a file imports, wherever in the file it does so."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def room_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parts[:-1][:2])


def rooms_used(path: Path) -> set[str]:
    return {room_of(OURS[name]) for name in imported(path) if name in OURS} - {room_of(path)}


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_between_packages_point_one_way(package: str) -> None:
    for path in modules(package).values():
        ours = {name.partition(".")[0] for name in imported(path)} & set(PACKAGES)
        assert ours <= PACKAGES[package], f"{path.relative_to(ROOT)} imports {sorted(ours - PACKAGES[package])}"


@pytest.mark.parametrize("room", ALLOWED)
def test_arrows_between_rooms_point_one_way(room: str) -> None:
    files = [path for path in OURS.values() if room_of(path) == room]
    assert files, f"there is no room {room}"
    for path in files:
        foreign = {
            used
            for used in rooms_used(path)
            if used not in ALLOWED[room] and f"{used.partition('.')[0]}.*" not in ALLOWED[room]
        }
        assert not foreign, f"{path.relative_to(ROOT)} imports from {sorted(foreign)}"


def test_userstudy_needs_no_torch_and_no_screen() -> None:
    for path in modules("userstudy").values():
        assert not {name.partition(".")[0] for name in imported(path)} & (SCREENS | {"torch"}), path.name


def test_the_method_and_the_benchmark_show_no_screen() -> None:
    for package in ("iph", "bench"):
        for path in modules(package).values():
            assert not {name.partition(".")[0] for name in imported(path)} & SCREENS, path.name


@pytest.mark.parametrize("top", [*PACKAGES, "tests", "docs"])
def test_no_file_and_no_folder_holds_too_much(top: str) -> None:
    files = sorted((ROOT / top).rglob("*.py"))
    assert files
    for path in files:
        lines = len(path.read_text().splitlines())
        assert lines <= MOST_LINES, f"{path.relative_to(ROOT)} has {lines} lines: is it still one idea?"
    for folder in {path.parent for path in files}:
        count = len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        assert count <= MOST_MODULES, f"{folder.relative_to(ROOT)} has {count} modules: which of them belong together?"
