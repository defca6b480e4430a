"""Files with weights: found by a shipped name or a path, and read; the shipped ones carry a checksum.

Nothing is ever unpickled. Shipped files lie in ``iph/weights/`` with ``checksums.json``: weights as safetensors, most
in half precision, and what runs as ONNX (``iph.runtime.graphs``).
"""

import difflib
import hashlib
import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from iph.errors import InputError
from iph.files import replacing

FOLDER = Path(__file__).parents[1] / "weights"
MADE_BY = {
    "paper": "python -m iph train --config paper --photos DIR --out runs/paper, then pass runs/paper/best.safetensors",
}


def read_tensors(name: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """float32 tensors and settings of a shipped name (checksum verified) or of a ``.safetensors`` path."""
    path = locate(name)
    if path.parent == FOLDER:
        verify(path.name, checksum(path))
    try:
        with safe_open(path, framework="np") as file:
            tensors = {key: file.get_tensor(key).astype(np.float32) for key in file.keys()}
            settings = json.loads((file.metadata() or {}).get("settings", "{}"))
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise InputError(f"expected a safetensors file at {path}, but it cannot be read: {error}") from error
    return tensors, settings


def locate(name: str | Path, proposed: Iterable[str] = ()) -> Path:
    """The file of a shipped name (``match``, ``small``, …) or of a path. InputError proposes names for another one."""
    path = Path(name)
    if path.suffix == ".safetensors":
        if path.is_file():
            return path
        raise InputError(f"expected a weight file at {path}, found none")
    shipped = FOLDER / f"{name}.safetensors"
    if shipped.is_file():
        return shipped
    if str(name) in MADE_BY:
        raise InputError(f"the weights {str(name)!r} are not shipped; make them with: {MADE_BY[str(name)]}")
    names = sorted(proposed) or shipped_names()
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InputError(f"expected weights out of {', '.join(names)}, or a .safetensors path, got {str(name)!r}{hint}")


def shipped_names() -> list[str]:
    """The names of the weights in this installation."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def graph_files() -> list[str]:
    """The names of the files with networks as ONNX."""
    return sorted(path.name for path in FOLDER.glob("*.onnx"))


def checksum(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record_checksums() -> None:
    """Write ``checksums.json`` for the files in ``iph/weights/``: part of committing new weights."""
    files = sorted([*FOLDER.glob("*.onnx"), *FOLDER.glob("*.safetensors")])
    with replacing(FOLDER / "checksums.json") as temporary:
        temporary.write_text(json.dumps({path.name: checksum(path) for path in files}, indent=1) + "\n")


def verify(file: str, sha256: str) -> None:
    """Raise InputError where a shipped file's content is not that of its checksum."""
    if json.loads((FOLDER / "checksums.json").read_text()).get(file) != sha256:
        raise InputError(f"the weights {file} were altered: their checksum is not the one in checksums.json; reinstall")


def check_torch(what: str) -> None:
    """Raise InputError where torch, which ``what`` runs on, is not installed."""
    if find_spec("torch") is None:
        raise InputError(f"expected torch, which {what} runs on, found it not; run: pip install '.[torch]'")
