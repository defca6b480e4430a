"""The hash-locked packages of a deployment are those that the project is tested with."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in PIN.findall(text)}


def test_every_pin_is_locked_with_hashes_and_the_same_version() -> None:
    """After a change of requirements.txt: ``make lock``."""
    text = (ROOT / "deploy/requirements.lock").read_text()
    locked, wanted = pins(text), pins((ROOT / "requirements.txt").read_text())
    wanted.pop("torch")
    assert {name: locked.get(name) for name in wanted} == wanted
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert block.count("--hash=sha256:") >= 1, block.splitlines()[0]
    assert "://" not in text
