"""Who is measured: methods by name, and folders of finished pictures (``name=DIR``) of methods without code here."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.datasets.manifest import Dataset, Entry, file_digest
from bench.datasets.pictures import Picture, read_image
from bench.methods import METHODS, Method, resolve
from bench.methods.method_card import MethodCard, read_card
from bench.methods.registry import card_of
from bench.metrics.protocols import Protocol, resized
from iph.data.parallel_folders import is_image
from iph.errors import InputError

FEW = 3  # names shown in a sentence


@dataclass(frozen=True)
class Entrant:
    """A row of the table, in a form that another process can build again.

    spec: what ``resolve`` takes; ``folder``: where the pictures of a method without code are; one of the two is None.
    missing: why it cannot run here, or None. card: what such a folder's ``method.json`` says, or None.
    """

    name: str
    spec: str | None = None
    folder: Path | None = None
    weights_hash: str = ""
    missing: str | None = None
    card: MethodCard | None = None

    def open(self, protocol: Protocol) -> "MethodRun | PredictionRun":
        """What answers for each picture. Costly: weights are loaded here."""
        return PredictionRun(self.folder, protocol) if self.spec is None else MethodRun(self.method())

    def method(self) -> Method:
        return resolve([self.spec])[0]

    def facts(self) -> dict:
        """It as the dashboard and the tables show it."""
        if self.spec is None:
            card = card_of(None, self.name, note=f"pictures of {self.folder.name}")
            card |= self.card.model_dump(exclude_unset=True) if self.card else {}
        else:
            card = self.method().card()
        return card | {"weights_hash": self.weights_hash, "missing": self.missing}


class MethodRun:
    """Harmonizes pictures."""

    def __init__(self, method: Method) -> None:
        self.harmonize = method.make()

    def __call__(self, entry: Entry, picture: Picture) -> NDArray[np.uint8]:
        return self.harmonize(picture.composite, picture.foreground, picture.reference)


class PredictionRun:
    """Reads pictures that somebody harmonized elsewhere."""

    def __init__(self, folder: Path, protocol: Protocol) -> None:
        self.files, self.protocol = prediction_files(folder), protocol

    def __call__(self, entry: Entry, picture: Picture) -> NDArray[np.uint8]:
        """The finished picture; one of the composite's own size is resized as the composite was."""
        output = read_image(self.files[entry.id])
        wanted = picture.composite.shape
        if output.shape != wanted and output.shape == read_image(entry.composite).shape:
            return resized(output, wanted[0], self.protocol)
        return output


def methods(names: Iterable[str]) -> list[Entrant]:
    """Entrants for the names, groups and ``name=WEIGHTS`` that ``resolve`` takes, missing weights noted."""
    found = []
    for method in resolve(names):
        base = method.name.partition("=")[0]
        missing = method.missing()
        if missing and method.source is not None:
            raise InputError(f"expected weights of {base} at {method.source}, but: {missing}")
        digest = "" if missing else (method.digest() or "")
        spec = base if method.source is None else f"{base}={method.source}"
        found.append(Entrant(method.name, spec=spec, weights_hash=digest[:16], missing=missing))
    return found


def predictions(argument: str, chosen: Dataset, whole: Dataset) -> Entrant:
    """The entrant for ``name=DIR``, whose files must be those of ``chosen``, named by id, and no others.

    ``whole`` is the data set before a limit or a shard was taken of it: its other files are no error.
    """
    name, given, folder = argument.partition("=")
    if not given or not name or not folder:
        raise InputError(f"expected predictions as name=DIR, but got {argument!r}")
    if name in METHODS:
        raise InputError(f"expected a new name for the predictions, but {name!r} is a method of this benchmark")
    if not Path(folder).is_dir():
        raise InputError(f"expected a folder of predictions for {name!r} at {folder}, found none")
    files = prediction_files(Path(folder))
    wanted, known = {entry.id for entry in chosen.entries}, {entry.id for entry in whole.entries}
    if missing := sorted(wanted - set(files)):
        raise InputError(
            f"expected a picture named by its id for each of {len(wanted)} images in {folder}, but {len(missing)} are "
            f"missing: {_few(missing)}"
        )
    if extra := sorted(set(files) - known):
        raise InputError(
            f"expected pictures of {whole.name} only in {folder}, but {len(extra)} belong to no image: {_few(extra)}"
        )
    digest = hashlib.sha256()
    for id_ in sorted(files):  # and not those of a limit or a shard only: one name, one hash
        digest.update(f"{id_}\t{file_digest(files[id_])}\n".encode())
    card = read_card(Path(folder) / "method.json")
    return Entrant(name, folder=Path(folder).resolve(), weights_hash=digest.hexdigest()[:16], card=card)


def check_names(entrants: Iterable[Entrant]) -> None:
    """Raises InputError where two share a name, which would be one row, or a name cannot be that of a folder."""
    seen: set[str] = set()
    for name in (entrant.name for entrant in entrants):
        if name in seen:
            raise InputError(f"expected a name for each of what is measured, but {name!r} is there twice")
        if "/" in name or name.startswith("."):
            raise InputError(f"expected a name without '/' and with no dot at its start, but got {name!r}")
        seen.add(name)


def prediction_files(folder: Path) -> dict[str, Path]:
    """Pictures below ``folder`` by id: the path without its ending, with '/' between folders."""
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if is_image(path.name):
            id_ = path.relative_to(folder).with_suffix("").as_posix()
            if id_ in files:
                raise InputError(f"expected one picture for {id_!r}, but {files[id_]} and {path} are both there")
            files[id_] = path
    return files


def _few(names: list[str]) -> str:
    return ", ".join(names[:FEW]) + (", …" if len(names) > FEW else "")
