"""Weight files: safetensors with the network's settings beside the tensors; the shipped ones carry a checksum.

Nothing is ever unpickled. Shipped files lie in ``iph/weights/`` in half precision, with ``checksums.json``.
"""

import difflib
import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from iph.errors import InputError
from iph.files import replacing
from iph.network import Config, Network, StyleEncoder

FOLDER = Path(__file__).parent / "weights"
MADE_BY = {
    "paper": "python -m iph train --config paper --photos DIR --out runs/paper, then pass runs/paper/best.safetensors",
}


def save_network(path: str | Path, network: Network | StyleEncoder, half: bool = False) -> None:
    """Write a network's tensors and settings; ``half`` stores float16."""
    dtype = torch.float16 if half else torch.float32
    tensors = {name: value.detach().to("cpu", dtype).contiguous() for name, value in network.state_dict().items()}
    settings = {"kind": type(network).__name__, "config": network.settings()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"settings": json.dumps(settings)}))


def load_network(name: str | Path) -> Network | StyleEncoder:
    """The network of a shipped name or a path, in evaluation mode on the CPU. InputError says what is wrong."""
    tensors, settings = load_tensors(name)
    kinds = {"Network": Network, "StyleEncoder": StyleEncoder}
    try:
        config = Config(**{key: tuple(v) if isinstance(v, list) else v for key, v in settings["config"].items()})
        network = kinds[settings["kind"]](config)
    except (KeyError, TypeError) as error:
        raise InputError(
            f"expected the weights {name} to name their network, but their settings say {settings}"
        ) from error
    wanted, found = network.state_dict(), tensors
    differing = sorted(set(wanted) ^ set(found)) or [key for key in wanted if wanted[key].shape != found[key].shape]
    if differing:
        raise InputError(
            f"expected the weights {name} to fit their network, but these differ: {', '.join(differing[:3])}"
        )
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False)


def load_tensors(name: str | Path) -> tuple[dict[str, Tensor], dict]:
    """float32 tensors and settings of a shipped name (checksum verified) or of a ``.safetensors`` path."""
    path = locate(name)
    if path.parent == FOLDER:
        _verify(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}
            settings = json.loads((file.metadata() or {}).get("settings", "{}"))
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise InputError(f"expected a safetensors file at {path}, but it cannot be read: {error}") from error
    return tensors, settings


def locate(name: str | Path) -> Path:
    """The file of a shipped name (``general``, ``portrait``, …) or of a path."""
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
    names = shipped_names()
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InputError(f"expected weights out of {', '.join(names)}, or a .safetensors path, got {str(name)!r}{hint}")


def shipped_names() -> list[str]:
    """The names of the weights in this installation."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def checksum(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record_checksums() -> None:
    """Write ``checksums.json`` for the files in ``iph/weights/``: part of committing new weights."""
    sums = {path.name: checksum(path) for path in sorted(FOLDER.glob("*.safetensors"))}
    with replacing(FOLDER / "checksums.json") as temporary:
        temporary.write_text(json.dumps(sums, indent=1) + "\n")


def _verify(path: Path) -> None:
    sums = json.loads((FOLDER / "checksums.json").read_text())
    if sums.get(path.name) != checksum(path):
        raise InputError(
            f"the weights {path.name} were altered: their checksum is not the one in checksums.json; reinstall"
        )
