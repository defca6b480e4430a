"""``iph export``: the shipped networks as ONNX, which the commands and the studio run without torch."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from iph.errors import InputError, unknown
from iph.runtime import shipped


def export(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which of them. [default: all that ship]")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the files. [default: where they ship]")
    ] = shipped.FOLDER,
) -> int:
    """Write the shipped networks as ONNX, from their weights in torch.

    \b
    After new weights came to iph/weights:
      iph export

    \b
    One of them, elsewhere:
      iph export match --out runs/onnx
    """
    shipped.check_torch("iph export")
    for package in ("onnx", "onnxscript"):
        if find_spec(package) is None:
            raise InputError(f"expected the package {package} to export with, found it not; run: make setup")
    from iph.runtime.export import EXPORTS, export

    for name in names or ():
        if name not in EXPORTS:
            raise unknown("network", name, EXPORTS)
    out.mkdir(parents=True, exist_ok=True)
    ships = out.resolve() == shipped.FOLDER.resolve()
    if ships:
        shipped.record_checksums()  # of the weights that came; others than those recorded are not read
    for name in names or EXPORTS:
        path = export(name, out)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    if ships:
        shipped.record_checksums()
    return 0
