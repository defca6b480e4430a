"""``iph info``: the version, what networks run on, and what is in weight files."""

import importlib.metadata
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from iph.errors import InputError

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # of batch normalisation, which are no parameters
PACKAGE = "interactive-portrait-harmonization"


def info(
    weights: Annotated[
        list[str] | None, typer.Argument(help="Shipped names or .safetensors files. [default: all that are shipped]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
) -> int:
    """Show the version, what networks run on, and what is in the weight files.

    Of each file its size, checksum and, of weights, parameters and settings. A shipped file whose content was altered
    is named and makes the exit code 1.
    """
    from iph.runtime import shipped

    described = [_describe(name) for name in weights or (*shipped.shipped_names(), *shipped.graph_files())]
    whole = {"version": _version(PACKAGE) or f"in {Path(__file__).parents[2]} (not installed)"}
    whole |= {"onnxruntime": _version("onnxruntime"), **_torch(), "weights": described}
    print(json.dumps(whole) if as_json else "\n".join(_lines(whole)))
    return int(any("error" in one for one in described))


def _torch() -> dict:
    """The version of torch and what it trains on; None and the CPU where it is not installed."""
    if find_spec("torch") is None:
        from iph.runtime.graphs import threads

        return {"torch": None, "device": f"CPU with {threads()} threads"}
    import torch  # not before it is needed: it takes seconds

    if torch.cuda.is_available():
        return {"torch": torch.__version__, "device": f"CUDA {torch.cuda.get_device_name()}"}
    return {"torch": torch.__version__, "device": f"CPU with {torch.get_num_threads()} threads"}


def _describe(name: str) -> dict:
    from iph.runtime import shipped

    graph = name in shipped.graph_files()
    path = shipped.FOLDER / name if graph else shipped.locate(name)
    sha256 = shipped.checksum(path)
    about = {
        "name": name if graph else path.stem,
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": sha256,
        "verified": path.parent == shipped.FOLDER,
    }
    try:
        if graph:
            shipped.verify(name, sha256)
            return about
        tensors, settings = shipped.read_tensors(name)
    except InputError as error:
        return about | {"verified": False, "error": str(error)}
    about["parameters"] = sum(tensor.size for key, tensor in tensors.items() if not key.endswith(STATISTICS))
    return about | {"kind": settings.get("kind"), "config": settings.get("config")}


def _lines(whole: dict) -> list[str]:
    """The same for a person to read."""
    runtimes = ", ".join(f"{name} {whole[name] or 'not installed'}" for name in ("onnxruntime", "torch"))
    first = f"iph {whole['version']}, {runtimes}, {whole['device']}"
    return [first, *(line for one in whole["weights"] for line in _lines_of(one))]


def _lines_of(one: dict) -> list[str]:
    if "error" in one:
        return [f"{one['name']}: {one['error']}"]
    checked = "matches checksums.json" if one["verified"] else "not a shipped file"
    parameters = f"{one['parameters']:,} parameters, " if "parameters" in one else ""
    lines = [
        f"{one['name']}: {parameters}{one['bytes'] / 1e6:.1f} MB",
        f"  file      {one['file']}",
        f"  sha256    {one['sha256']} ({checked})",
    ]
    if one.get("config"):
        lines.append(f"  {one['kind']:<9} {', '.join(f'{key} {value}' for key, value in one['config'].items())}")
    return lines


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
