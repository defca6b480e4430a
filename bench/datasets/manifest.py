"""What is measured: the rows of a manifest (``iph.data.manifest``) with their files located, and its content's hash.

``photo`` names the picture a composite was made from: the statistics resample photos, not composites.
"""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2

from iph.data import manifest as form
from iph.errors import InputError


@dataclass(frozen=True)
class Entry:
    """One composite: its files and where it belongs. ``reference`` and ``target`` may be absent; one file as foreground
    and reference is a two-colour mask."""

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
        return {role: path for role in form.ROLES if (path := getattr(self, role)) is not None}


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
    return located(folder, form.read_manifest(folder, unsaid="test"), name)


def located(folder: str | Path, rows: Iterable[form.Entry], name: str | None = None) -> Dataset:
    """The rows of a manifest in ``folder`` as a data set, called as the folder unless ``name`` is given."""
    folder = Path(folder)
    return Dataset(name or folder.resolve().name, folder, tuple(_entry(folder, row) for row in rows))


def _entry(folder: Path, row: form.Entry) -> Entry:
    files = {role: folder / path if (path := getattr(row, role)) else None for role in form.ROLES}
    for role, file in files.items():
        if file is not None and not file.resolve().is_relative_to(folder.resolve()):
            raise InputError(
                f"expected {role} of {row.id} inside {folder}, but {getattr(row, role)!r} is a link out of it"
            )
    return Entry(id=row.id, split=row.split, subset=row.subset, photo=row.photo, **files)


def write_manifest(folder: str | Path, entries: Iterable[Entry]) -> Path:
    """Write ``folder/manifest.csv``, as the entries come; files must lie inside ``folder``."""
    return form.write_manifest(folder, (_row(Path(folder), entry) for entry in entries), by_id=False)


def _row(folder: Path, entry: Entry) -> form.Entry:
    files = {role: path.relative_to(folder).as_posix() for role, path in entry.files().items()}
    return form.Entry(id=entry.id, split=entry.split, subset=entry.subset, photo=entry.photo, **files)
