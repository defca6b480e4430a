"""Where the weights of compared networks come from, whether they are here, and that they have not changed.

Nothing is downloaded: a person puts the files under ``$IPH_WEIGHTS`` (default ``~/.cache/iph``), one folder a network.
At first use the SHA-256 of each file is written to ``checksums.json`` beside it; every later use must find the same.
torchvision's names say how it begins (``vgg16-397923af.pth``), and that must be true at first use too.
Files are read with ``weights_only=True``: nothing in them is run.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from iph.errors import InputError, unknown

if TYPE_CHECKING:
    from torch import Tensor

MEGABYTE = 1e6
_CHECKSUMS = "checksums.json"
_NAMED = re.compile(r"-([0-9a-f]{8})\.pth$")  # of published names


@dataclass(frozen=True)
class Weights:
    """The published files of one network: their names, the size of their tensors, and where they are offered."""

    name: str
    files: dict[str, float]  # file name → expected size in MB
    sources: tuple[str, ...]
    licence: str


@dataclass(frozen=True)
class Status:
    """Whether one network's weights can be used here; ``sentence`` tells a person what to do if not."""

    name: str
    state: Literal["ready", "missing", "damaged"]
    sentence: str


_UNPUBLISHED = (
    "your own training, for nobody published them: train BargainNet with the reference as its guide on iHarmony4 and "
    "IntHarmony, for (++) on MHP too, and save both networks"
)

WEIGHTS: dict[str, Weights] = {
    w.name: w
    for w in [
        Weights(
            "dovenet",
            {"latest_net_G.pth": 219.08},
            (
                "https://pan.baidu.com/s/12oGrBF88O-x0BlWGVkMjag (code 8q8a)",
                "https://1drv.ms/u/s!AohNSvvkuxZmgUMXtSAUP0K8V9Ix?e=CWgIE6",
                "linked in https://github.com/bcmi/Image-Harmonization-Dataset-iHarmony4/tree/master/DoveNet",
            ),
            "MIT",
        ),
        Weights(
            "bargainnet",
            {"latest_net_G.pth": 219.14, "latest_net_E.pth": 15.68},
            (
                "https://pan.baidu.com/s/1AYMKS8AieLzO5RoXj0ASRQ (code adr4)",
                "https://drive.google.com/file/d/1CzfTf6A7ra8TDT1IUnZvXAvljks4xjbG",
                "linked in https://github.com/bcmi/BargainNet-Image-Harmonization (its checkpoints/ hold the E file)",
            ),
            "MIT",
        ),
        Weights("bargainnet-r", {"latest_net_G.pth": 219.14, "latest_net_E.pth": 15.68}, (_UNPUBLISHED,), "yours"),
        Weights("bargainnet-r-pp", {"latest_net_G.pth": 219.14, "latest_net_E.pth": 15.68}, (_UNPUBLISHED,), "yours"),
        Weights(
            "rainnet",
            {"net_G_last.pth": 219.04},
            ("https://drive.google.com/drive/folders/1NMvHbnD1kW-j1KKMxEb9R9IR5drMK3GQ",),
            "MIT",
        ),
        Weights(
            "lpips",
            {"alexnet-owt-7be5be79.pth": 244.42},
            ("https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",),
            "BSD",
        ),
        Weights(
            "dists",
            {"vgg16-397923af.pth": 553.43},
            ("https://download.pytorch.org/models/vgg16-397923af.pth",),
            "BSD",
        ),
    ]
}


def folder() -> Path:
    """Where weights are looked for: ``$IPH_WEIGHTS``, or ``~/.cache/iph``."""
    return Path(os.environ.get("IPH_WEIGHTS") or Path.home() / ".cache" / "iph")


def shown(path: Path) -> str:
    """A path as sentences have it, which end up in tables that go elsewhere: from $IPH_WEIGHTS or the home on."""
    root = os.environ.get("IPH_WEIGHTS")
    for whole, short in ((Path(root) if root else None, "$IPH_WEIGHTS"), (Path.home(), "~")):
        if whole is not None and path.is_relative_to(whole):
            return (Path(short) / path.relative_to(whole)).as_posix()
    return str(path)


def status(name: str, place: Path | None = None) -> Status:
    """Whether the files of ``name`` are here and of the right size; nothing is read.

    ``place`` is another folder with the same file names, or one file where the network has a single one.
    """
    weights, files = _find(name), _files(name, place)
    absent = [path for path in files.values() if not path.is_file()]
    if absent:
        wanted = " and ".join(f"{file} ({size:g} MB)" for file, size in weights.files.items())
        sources = "; ".join(weights.sources)
        return Status(name, "missing", f"weights missing: put {wanted} into {shown(absent[0].parent)} (from {sources})")
    for file, path in files.items():
        expected, found = weights.files[file], path.stat().st_size / MEGABYTE
        if not 0.98 * expected <= found <= 1.05 * expected + 0.1:
            return Status(
                name, "damaged", f"weights damaged: expected {shown(path)} to hold {expected:g} MB, but got {found:.2f}"
            )
    return Status(name, "ready", f"ready in {shown(next(iter(files.values())).parent)}")


def load(name: str, place: Path | None = None) -> dict[str, dict[str, "Tensor"]]:
    """Every file of ``name`` as a state dict on the CPU, by file name. Raises ``InputError`` if missing or changed."""
    found = status(name, place)
    if found.state != "ready":
        raise InputError(found.sentence)
    files = _files(name, place)
    for file, path in files.items():
        if (named := _NAMED.search(file)) and not verify(path).startswith(named[1]):
            raise InputError(
                f"expected a SHA-256 that begins with {named[1]} of {path}, as its name says, but got {verify(path)}"
            )
    return {file: read(path) for file, path in files.items()}


def digest(name: str, place: Path | None = None) -> str:
    """One SHA-256 over all files of ``name``, for result rows; checks each against its record."""
    sums = [verify(path) for _, path in sorted(_files(name, place).items())]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def _files(name: str, place: Path | None) -> dict[str, Path]:
    files = _find(name).files
    place = place or folder() / name
    if len(files) == 1 and place.is_file():
        return dict.fromkeys(files, place)
    return {file: place / file for file in files}


def read(path: Path) -> dict[str, "Tensor"]:
    """The state dict in ``path``, its checksum verified. Raises ``InputError`` for anything but named tensors."""
    import torch  # here, because a status needs no torch

    verify(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a broken or unsafe file
        raise InputError(
            f"expected a PyTorch state dict in {path}, but it cannot be read safely: {_first(error)}"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError(f"expected a state dict of named tensors in {path}, but got {type(state).__name__}")
    return state


def verify(path: Path) -> str:
    """The SHA-256 of ``path``: recorded beside it at first use, compared at every later one."""
    if not path.is_file():
        raise InputError(f"expected a weights file at {path}, but there is none")
    found = sha256(path)
    record = path.parent / _CHECKSUMS
    known = _read_record(record)
    if path.name not in known:
        _write_record(record, known | {path.name: found})
    elif known[path.name] != found:
        raise InputError(
            f"expected {path} to have SHA-256 {known[path.name]} as at first use, but got {found}:"
            f" restore the file, or delete its line in {record} if the change is meant"
        )
    return found


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; read again only when its size or time changed."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=32)
def _sha256(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_record(record: Path) -> dict[str, str]:
    try:
        return json.loads(record.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(f"expected file names and checksums as JSON in {record}, but it cannot be read") from error


def _write_record(record: Path, content: dict[str, str]) -> None:
    """Beside its target, then renamed; a read-only folder goes without a record."""
    draft = record.with_suffix(f".{os.getpid()}.tmp")
    try:
        draft.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
        draft.replace(record)
    except PermissionError:
        draft.unlink(missing_ok=True)


def _find(name: str) -> Weights:
    if name not in WEIGHTS:
        raise unknown("network with weights", name, WEIGHTS)
    return WEIGHTS[name]


def _first(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]
