"""``iph info``: the version, the device, and what is in weight files."""

import importlib.metadata
import json
from pathlib import Path
from typing import Annotated

import typer

from iph.errors import InputError

PACKAGE = "interactive-portrait-harmonization"


def info(
    weights: Annotated[
        list[str] | None, typer.Argument(help="Shipped names or .safetensors files. [default: all that are shipped]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
) -> int:
    """Show the version and what is in the weight files.

    Of each file its parameters, size, checksum and settings. A shipped file whose content was altered is named and
    makes the exit code 1.
    """
    import torch  # not before it is needed: it takes seconds

    from iph.checkpoint import shipped_names

    device = f"CPU with {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        device = f"CUDA {torch.cuda.get_device_name()}"
    described = [_describe(name) for name in weights or shipped_names()]
    whole = {"version": _version(), "torch": torch.__version__, "device": device, "weights": described}
    print(json.dumps(whole) if as_json else "\n".join(_lines(whole)))
    return int(any("error" in one for one in described))


def _describe(name: str) -> dict:
    from iph import checkpoint

    path = checkpoint.locate(name)
    about = {"name": path.stem, "file": str(path), "bytes": path.stat().st_size, "sha256": checkpoint.checksum(path)}
    try:
        tensors, settings = checkpoint.load_tensors(name)
    except InputError as error:
        return about | {"error": str(error)}
    about["verified"] = path.parent == checkpoint.FOLDER
    about["parameters"] = sum(tensor.numel() for tensor in tensors.values())
    return about | {"kind": settings.get("kind"), "config": settings.get("config")}


def _lines(whole: dict) -> list[str]:
    """The same for a person to read."""
    first = f"iph {whole['version']}, torch {whole['torch']}, {whole['device']}"
    return [first, *(line for one in whole["weights"] for line in _lines_of(one))]


def _lines_of(one: dict) -> list[str]:
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
