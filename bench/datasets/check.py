"""One report about a data set's folder: what is there, what is missing, what does not fit, and its checksum."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
from PIL import Image

from bench.datasets.catalogue import CATALOGUE, KnownDataset
from bench.datasets.manifest import Dataset, Entry
from bench.datasets.pictures import load
from iph.errors import InputError

SHOWN = 5  # how many examples of one kind of fault are named


@dataclass(frozen=True)
class Report:
    """What was found. ``faults`` maps a kind of fault to the sentences about it.

    content_hash: of the test images, as tables print it; None where files are faulty or nothing is for testing.
    """

    dataset: Dataset
    by_split: dict[str, int]
    by_subset: dict[str, int]
    roles: dict[str, int]
    faults: dict[str, list[str]]
    content_hash: str | None

    @property
    def sound(self) -> bool:
        return not self.faults

    def lines(self) -> Iterable[str]:
        """The report as text."""
        known = CATALOGUE.get(self.dataset.name)
        yield f"{known.title if known else self.dataset.name} in {self.dataset.root}"
        photos = len({entry.photo for entry in self.dataset.entries})
        yield f"  images      {len(self.dataset.entries)} of {photos} photos ({_counts(self.by_split)})"
        if known and known.test_images:
            found = self.by_split.get("test", 0)
            verdict = "" if found == known.test_images else ", so this is not the whole set"
            yield f"  expected    {known.test_images} test images; here {found}{verdict}"
        if len(self.by_subset) > 1:
            yield f"  subsets     {_counts(self.by_subset)}"
        yield f"  files       {_counts(self.roles)}"
        yield f"  checksum    {self._checksum()}"
        if known and self.content_hash and (sentence := known.deviates(self.content_hash)):
            yield f"              {sentence}"
        for kind, sentences in self.faults.items():
            yield f"  {kind}: {len(sentences)}"
            yield from (f"    {sentence}" for sentence in sentences[:SHOWN])
            if len(sentences) > SHOWN:
                yield f"    and {len(sentences) - SHOWN} more"
        yield "  no fault found" if self.sound else "  this folder cannot be used as it is"

    def _checksum(self) -> str:
        if self.content_hash:
            return f"{self.content_hash}, the data hash of tables: of the test images"
        return "none, because files are missing or broken" if self.faults else "none, because no image is for testing"


def check(dataset: Dataset, read_all: bool = True) -> Report:
    """Look at every file of ``dataset``; with ``read_all`` every picture is decoded and every mask checked."""
    faults: dict[str, list[str]] = {}
    present = []
    for entry in dataset.entries:
        missing = [role for role, path in entry.files().items() if not path.is_file()]
        for role in missing:
            faults.setdefault("missing files", []).append(f"{role} of {entry.id}: {getattr(entry, role)}")
        if not missing:
            present.append(entry)
    if (unlisted := sum(entry.split == "unlisted" for entry in dataset.entries)) > 0:
        faults["in no split list"] = [f"{unlisted} images are named by none of the split lists"]
    with ThreadPoolExecutor() as pool:
        for entry, fault in zip(present, pool.map(_fault_decoded if read_all else _fault_header, present), strict=True):
            if fault:
                kind = "size mismatches" if "like its composite" in fault else "unusable pictures"
                faults.setdefault(kind, []).append(f"{entry.id}: {fault}")
    by_split = dict(Counter(entry.split for entry in dataset.entries))
    return Report(
        dataset,
        by_split,
        dict(Counter(entry.subset or "-" for entry in dataset.entries)),
        dict(Counter(role for entry in dataset.entries for role in entry.files())),
        faults,
        None if faults or "test" not in by_split else dataset.of_split("test").content_hash(),
    )


def require_complete(entries: Iterable[Entry], root: Path) -> None:
    """Raise one InputError that counts the files which ``entries`` name and which are not there."""
    missing = [path for entry in entries for path in entry.files().values() if not path.is_file()]
    if missing:
        raise InputError(
            f"expected every file of the data set, but {len(missing)} are missing in {root}, first {missing[0]}; "
            f"'python -m bench datasets {root}' lists them"
        )


def describe(name: str, known: KnownDataset) -> Iterable[str]:
    """A data set of the catalogue in four lines."""
    count = f", {known.test_images} test images" if known.test_images else ""
    yield f"{name}: {known.title}{count}"
    yield f"  {known.about}"
    yield f"  from: {known.where}"
    yield f"  licence: {known.licence}"


def _fault_decoded(entry: Entry) -> str | None:
    cv2.setNumThreads(1)
    try:
        load(entry)
    except InputError as error:
        return str(error)
    return None


def _fault_header(entry: Entry) -> str | None:
    """Size mismatches from the files' headers only: quick, and blind to broken pixels."""
    sizes = {}
    for role, path in entry.files().items():
        try:
            with Image.open(path) as file:
                sizes[role] = file.size
        except OSError:
            return f"expected a readable picture, but {path} is broken or no image"
    for role, (width, height) in sizes.items():
        if (width, height) != sizes["composite"]:
            w, h = sizes["composite"]
            return f"expected {role} of {entry.id} to be {w}x{h} like its composite, but it is {width}x{height}"
    return None


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
