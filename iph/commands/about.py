"""The work of ``iph info``: the version, the device, and what is in weight files."""

import importlib.metadata
from pathlib import Path

import torch

from iph.checkpoint import FOLDER, checksum, load_tensors, locate, shipped_names
from iph.errors import InputError

PACKAGE = "interactive-portrait-harmonization"


def about(weights: list[str] | None) -> dict:
    """All of it, of the weights named, or else of all that are shipped."""
    described = [_describe(name) for name in weights or shipped_names()]
    return {"version": _version(), "torch": torch.__version__, "device": _device(), "weights": described}


def lines(whole: dict) -> list[str]:
    """The same for a person to read."""
    first = f"iph {whole['version']}, torch {whole['torch']}, {whole['device']}"
    return [first, *(line for one in whole["weights"] for line in _lines(one))]


def _describe(name: str) -> dict:
    path = locate(name)
    about = {"name": path.stem, "file": str(path), "bytes": path.stat().st_size, "sha256": checksum(path)}
    try:
        tensors, settings = load_tensors(name)
    except InputError as error:
        return about | {"error": str(error)}
    about["verified"] = path.parent == FOLDER
    about["parameters"] = sum(tensor.numel() for tensor in tensors.values())
    return about | {"kind": settings.get("kind"), "config": settings.get("config")}


def _lines(one: dict) -> list[str]:
    if "error" in one:
        return [f"{one['name']}: {one['error']}"]
    checked = "matches checksums.json" if one["verified"] else "not a shipped file"
    lines = [
        f"{one['name']}: {one['parameters']:,} parameters, {one['bytes'] / 1e6:.1f} MB",
        f"  file      {one['file']}",
        f"  sha256    {one['sha256']} ({checked})",
    ]
    if one["config"]:
        lines.append(f"  {one['kind']:<9} {', '.join(f'{key} {value}' for key, value in one['config'].items())}")
    return lines


def _version() -> str:
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return f"in {Path(__file__).parents[2]} (not installed)"


def _device() -> str:
    if torch.cuda.is_available():
        return f"CUDA {torch.cuda.get_device_name()}"
    return f"CPU with {torch.get_num_threads()} threads"
