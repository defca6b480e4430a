"""Who is measured: methods by name, and folders of finished pictures (``name=DIR``) of methods without code here."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.datasets.manifest import Dataset, Entry, file_digest
from bench.datasets.pictures import Picture, read_image
from bench.methods import METHODS, Method, own, resolve
from bench.methods.method_card import MethodCard, card_beside
from bench.methods.registry import Harmonize, card_of
from bench.metrics.protocols import Protocol, resized
from iph.data.parallel_folders import pictures_in
from iph.errors import InputError

FEW = 3  # names shown in a sentence
ANSWER, BESIDE = "_harmonized", ("_real", "_mask", "_comp")  # endings of PCT-Net's names


@dataclass(frozen=True)
class Entrant:
    """A row of the table, in a form that another process can build again.

    spec: what ``resolve`` takes; ``folder``: where the pictures of a method without code are; ``function``: what was
    handed over in Python, for this process alone; two of the three are None.
    missing: why it cannot run here, or None. card: what the ``method.toml`` or ``method.json`` there says, or None.
    """

    name: str
    spec: str | None = None
    folder: Path | None = None
    function: Harmonize | None = None
    weights_hash: str = ""
    missing: str | None = None
    card: MethodCard | None = None

    def open(self, protocol: Protocol) -> "MethodRun | PredictionRun":
        """What answers for each picture. Costly: weights are loaded here."""
        if self.folder is not None:
            return PredictionRun(self.folder, protocol)
        return MethodRun(self.function or self.method().make())

    def method(self) -> Method:
        return resolve([self.spec])[0]

    def facts(self) -> dict:
        """It as the dashboard and the tables show it."""
        if self.function is not None:
            card = card_of(None, self.name, note="a function in Python")
        elif self.spec is None:
            card = card_of(None, self.name, note=f"pictures of {self.folder.name}")
            card |= self.card.facts() if self.card else {}
        else:
            card = self.method().card()
        return card | {"weights_hash": self.weights_hash, "missing": self.missing}


class MethodRun:
    """Harmonizes pictures."""

    def __init__(self, harmonize: Harmonize) -> None:
        self.harmonize = harmonize

    def __call__(self, entry: Entry, picture: Picture) -> NDArray[np.uint8]:
        return self.harmonize(picture.composite, picture.foreground, picture.reference)


class PredictionRun:
    """Reads pictures that somebody harmonized elsewhere."""

    def __init__(self, folder: Path, protocol: Protocol) -> None:
        self.predictions, self.protocol = Predictions(folder), protocol

    def __call__(self, entry: Entry, picture: Picture) -> NDArray[np.uint8]:
        """The finished picture; one of the composite's own size is resized as the composite was."""
        output = read_image(self.predictions.of(entry.id))
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


def function(name: str, harmonize: Harmonize) -> Entrant:
    """The entrant for a function, another one at every call: what a function does cannot be told from its name."""
    if name in METHODS:
        raise InputError(f"expected a new name for the function, but {name!r} is a method of this benchmark")
    return Entrant(name, function=own.checked(harmonize, f"the function {name}"), weights_hash=uuid.uuid4().hex[:16])


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
    found = Predictions(Path(folder))
    files = {entry.id: path for entry in whole.entries if (path := found.of(entry.id))}
    if missing := sorted({entry.id for entry in chosen.entries} - set(files)):
        raise InputError(
            f"expected a picture named by its id for each of {len(chosen.entries)} images in {folder}, but "
            f"{len(missing)} are missing: {_few(missing)}"
        )
    if extra := found.beyond(files.values()):
        raise InputError(
            f"expected pictures of {whole.name} only in {folder}, but {len(extra)} belong to no image: {_few(extra)}"
        )
    if twice := [path.name for path, count in Counter(files.values()).items() if count > 1]:
        raise InputError(
            f"expected folders as in {whole.name} below {folder}, because several of its images are called alike, but "
            f"these are of more than one: {_few(twice)}"
        )
    digest = hashlib.sha256()
    for id_ in sorted(files):  # and not those of a limit or a shard only: one name, one hash
        digest.update(f"{id_}\t{file_digest(files[id_])}\n".encode())
    card = card_beside(Path(folder))
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


class Predictions:
    """The pictures below a folder, found by the id of an image whose answer they are.

    A file's name is the id, or its last part alone in any folder, as DoveNet and CDTNet write (``a0002_1_4.jpg`` for
    ``HAdobe5k/a0002_1_4``); ``_harmonized`` may follow, as in PCT-Net's, whose ``_real``, ``_mask`` and ``_comp`` are
    no answers.
    """

    def __init__(self, folder: Path) -> None:
        """Raises InputError where two files have one name."""
        self.files: dict[str, Path] = {}  # by the path without its ending, with '/' between folders
        for path in pictures_in(folder, below=True):
            first = self.files.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
            if first != path:
                raise InputError(f"expected one picture for {path.stem!r}, but {first} and {path} are both there")
        self.by_last: dict[str, list[Path]] = {}
        for name, path in self.files.items():
            self.by_last.setdefault(name.rpartition("/")[2], []).append(path)

    def of(self, id_: str) -> Path | None:
        """The picture of an image, None where there is none."""
        last = id_.rpartition("/")[2]
        for ending in ("", ANSWER):
            if found := self.files.get(id_ + ending):
                return found
            if len(alike := self.by_last.get(last + ending, ())) == 1:
                return alike[0]
        return None

    def beyond(self, taken: Iterable[Path]) -> list[str]:
        """Names of the files that are neither ``taken`` nor what PCT-Net writes beside its answers."""
        taken = set(taken)
        beside = {
            f"{name.removesuffix(ANSWER)}{part}" for name in self.files if name.endswith(ANSWER) for part in BESIDE
        }
        return sorted(name for name, path in self.files.items() if path not in taken and name not in beside)


def _few(names: list[str]) -> str:
    return ", ".join(names[:FEW]) + (", …" if len(names) > FEW else "")
