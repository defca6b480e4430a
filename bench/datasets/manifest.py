"""The one data-set form: a folder with ``manifest.csv`` (design, section 2).

Columns ``id, composite, foreground`` must be there; ``reference, target, split, subset, photo`` may be. Paths are
relative to the folder. ``foreground`` and ``reference`` that name the same file are a two-colour mask (red foreground,
blue reference), and a column ``mask`` stands for both. ``photo`` names the picture a composite was made from: the
statistics resample photos, not composites.
"""

import csv
import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2

from bench.errors import InputError
from iph.files import replacing

COLUMNS = ("id", "composite", "foreground", "reference", "target", "split", "subset", "photo")
ROLES = ("composite", "foreground", "reference", "target")


@dataclass(frozen=True)
class Entry:
    """One composite: its files and where it belongs. ``reference`` and ``target`` may be absent."""

    id: str
    composite: Path
    foreground: Path
    reference: Path | None = None
    target: Path | None = None
    split: str = "test"
    subset: str = ""
    photo: str = ""

    def files(self) -> dict[str, Path]:
        """The files that the entry names, by role."""
        return {role: path for role in ROLES if (path := getattr(self, role)) is not None}


@dataclass(frozen=True)
class Dataset:
    """A named list of entries below one folder."""

    name: str
    root: Path
    entries: tuple[Entry, ...]

    def of_split(self, split: str) -> "Dataset":
        """The entries of ``split``. Raises InputError where there is none."""
        kept = tuple(entry for entry in self.entries if entry.split == split)
        if not kept:
            found = ", ".join(sorted({entry.split for entry in self.entries})) or "no images at all"
            raise InputError(f"expected images of the split {split!r} in {self.root}, but it holds {found}")
        return Dataset(self.name, self.root, kept)

    def content_hash(self) -> str:
        """16 hex digits over ids, photos and the content of every file; paths and file order do not count."""
        paths = sorted({path for entry in self.entries for path in entry.files().values()})
        with ThreadPoolExecutor() as pool:
            digests = dict(zip(paths, pool.map(file_digest, paths), strict=True))
        whole = hashlib.sha256()
        for entry in sorted(self.entries, key=lambda entry: entry.id):
            parts = [f"{role}={digests[path]}" for role, path in entry.files().items()]
            whole.update("\t".join([entry.id, entry.photo, *parts, "\n"]).encode())
        return whole.hexdigest()[:16]


def file_digest(path: Path) -> str:
    """SHA-256 of a file; of its pixels for PNG, so that packing the same picture again changes nothing."""
    try:
        if path.suffix.lower() == ".png":
            pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if pixels is not None:
                return hashlib.sha256(f"{pixels.dtype}{pixels.shape}".encode() + pixels.tobytes()).hexdigest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"expected a readable file at {path}, but: {error.strerror or error}") from None


def read_manifest(folder: str | Path, name: str | None = None) -> Dataset:
    """The data set of ``folder/manifest.csv``. Raises InputError with the line where the manifest is wrong."""
    folder = Path(folder)
    path = folder / "manifest.csv"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"expected a manifest at {path}, but: {error.strerror or error}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"expected a UTF-8 table with commas in {path}, but: {error}") from None
    if not rows:
        raise InputError(f"expected at least one image in {path}, found none")
    entries = tuple(_entry(folder, path, line, row) for line, row in enumerate(rows, start=2))
    _check_unique(path, entries)
    return Dataset(name or folder.resolve().name, folder, entries)


def _entry(folder: Path, path: Path, line: int, row: dict[str, str]) -> Entry:
    row = {key: (value or "").strip() for key, value in row.items() if key}
    if row.get("mask"):
        row = {"foreground": row["mask"], "reference": row["mask"]} | {k: v for k, v in row.items() if v}
    missing = [column for column in ("id", "composite", "foreground") if not row.get(column)]
    if missing:
        raise InputError(f"expected a value for {', '.join(missing)} in line {line} of {path}, found none")
    files = {role: folder / row[role] if row.get(role) else None for role in ROLES}
    for role, file in files.items():
        if file is not None and not file.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"expected {role} inside {folder} in line {line} of {path}, but got {row[role]!r}")
    return Entry(
        id=row["id"],
        split=row.get("split") or "test",
        subset=row.get("subset", ""),
        photo=row.get("photo") or row["id"],
        **files,
    )


def _check_unique(path: Path, entries: Iterable[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise InputError(f"expected every id once in {path}, but {entry.id!r} is there twice")
        seen.add(entry.id)


def write_manifest(folder: str | Path, entries: Iterable[Entry]) -> Path:
    """Write ``folder/manifest.csv``; files must lie inside ``folder``."""
    folder = Path(folder)
    path = folder / "manifest.csv"
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for entry in entries:
            files = {role: file_.relative_to(folder).as_posix() for role, file_ in entry.files().items()}
            writer.writerow({column: getattr(entry, column) or "" for column in COLUMNS} | files)
    return path
