"""The hash-locked packages of a deployment are those that the project is tested with."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in PIN.findall(text)}


def test_every_pin_is_locked_with_hashes_and_the_same_version() -> None:
    """After a change of requirements-onnx.txt: ``make lock``."""
    text = (ROOT / "deploy/requirements.lock").read_text()
    locked, wanted = pins(text), pins((ROOT / "requirements-onnx.txt").read_text())
    assert {name: locked.get(name) for name in wanted} == wanted
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert block.count("--hash=sha256:") >= 1, block.splitlines()[0]
    assert "://" not in text and "torch" not in locked


def test_use_installs_everything_but_torch_and_what_goes_with_it() -> None:
    everything, use = (
        {line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")}
        for name in ("requirements.txt", "requirements-onnx.txt")
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = {name: set(project["project"]["optional-dependencies"][name]) for name in ("onnx", "torch")}
    assert project["tool"]["setuptools"]["dynamic"]["dependencies"]["file"] == ["requirements-onnx.txt"]
    assert use | extras["torch"] == everything and not use & extras["torch"]
    assert extras["onnx"] <= use and any(line.startswith("torch==") for line in extras["torch"])
