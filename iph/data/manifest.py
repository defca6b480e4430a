"""The one data-set form: a folder with ``manifest.csv``, one row a composite, paths relative to the folder.

Columns ``id, composite, foreground`` must be there; ``reference``, ``target``, ``split``, ``subset`` and ``photo``
(the picture a composite was made from) may be; ``look`` and ``seed`` say how the builder made it. ``foreground`` and
``reference`` that name the same file are a two-colour mask (red foreground, blue reference), and a column ``mask``
stands for both. ``bench`` measures what has this form, ``iph train`` learns from it.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from iph.errors import InputError
from iph.files import read_bounded, replacing

NAME = "manifest.csv"
MOST_BYTES, MOST_ROWS, LONGEST_ROW = 256 << 20, 1_000_000, 1 << 16
ROLES = ("composite", "foreground", "reference", "target")


@dataclass(frozen=True)
class Entry:
    """One composite: paths of its pictures, relative to the manifest's folder, "" where there is none."""

    id: str
    composite: str
    foreground: str
    reference: str = ""
    target: str = ""
    split: str = "train"
    subset: str = ""
    photo: str = ""
    look: str = ""
    seed: str = ""


COLUMNS = tuple(field.name for field in fields(Entry))


def read_manifest(folder: str | Path, split: str | None = None, unsaid: str = "train") -> list[Entry]:
    """The rows of ``folder/manifest.csv``, of one ``split`` if given; ``unsaid`` is the split of rows that name none.

    InputError names the line that is wrong.
    """
    path = Path(folder) / NAME
    try:
        content = read_bounded(path, MOST_BYTES)
        if len(content) > MOST_BYTES:
            raise InputError(f"expected a manifest of at most {MOST_BYTES >> 20} MB, got more in {path}")
        entries = _rows(path, io.BytesIO(content), unsaid)
    except OSError as error:
        raise InputError(f"expected a manifest at {path}, but: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"expected a manifest in UTF-8 at {path}, but: {error}") from None
    if not entries:
        raise InputError(f"expected at least one image in {path}, found none")
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise InputError(f"expected every id once in {path}, but {entry.id!r} is there twice")
        seen.add(entry.id)
    kept = [entry for entry in entries if split is None or entry.split == split]
    if not kept:
        found = ", ".join(sorted({entry.split for entry in entries}))
        raise InputError(f"expected composites of the split {split!r} in {path}, but its splits are: {found}")
    return kept


def read_interrupted(path: Path) -> list[Entry]:
    """The rows of a manifest that was being written; a torn last line is left out. Raises OSError, InputError."""
    whole, end, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return _rows(path, io.BytesIO((whole + end).encode()))


def _rows(path: Path, content: io.BytesIO, unsaid: str = "train") -> list[Entry]:
    left = LONGEST_ROW

    def lines() -> Iterator[str]:
        # A row may go over several lines and never end: its length is bounded, not only its cells'.
        nonlocal left
        stream = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
        while line := stream.readline(LONGEST_ROW):
            left -= len(line)
            if left <= 0:
                raise InputError(f"expected rows of less than {LONGEST_ROW} letters in {path}, got a longer one")
            yield line

    entries, header = [], None
    try:
        for row in csv.reader(lines()):
            left = LONGEST_ROW
            if header is None:
                header = row
            elif row:
                entries.append(_entry(path, len(entries) + 2, dict(zip(header, row, strict=False)), unsaid))
            if len(entries) > MOST_ROWS:
                raise InputError(f"expected at most {MOST_ROWS} rows in {path}, got more")
    except csv.Error as error:
        raise InputError(f"expected a table with commas in {path}, but: {error}") from None
    return entries


def _entry(path: Path, line: int, row: dict[str, str], unsaid: str) -> Entry:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    both = (row.get("mask") or "").strip()
    values |= {role: values[role] or both for role in ("foreground", "reference")}
    missing = [name for name in ("id", "composite", "foreground") if not values[name]]
    if missing:
        raise InputError(f"expected a value for {', '.join(missing)} in line {line} of {path}, found none")
    if not _inside(values["id"]):
        raise InputError(f"expected an id that names a file below a folder in line {line} of {path}, got {row['id']!r}")
    for role in ROLES:
        if Path(values[role]).is_absolute() or ".." in Path(values[role]).parts:
            raise InputError(f"expected {role} inside the folder in line {line} of {path}, got {values[role]!r}")
    return Entry(**values | {"split": values["split"] or unsaid, "photo": values["photo"] or values["id"]})


def _inside(name: str) -> bool:
    """Whether a name stays below the folder that it is put into: outputs are kept as ``<folder>/<id>.png``.

    A slash parts it, as in iHarmony4's ids; a root, a drive, ``..`` or a backslash, which Windows takes for a slash,
    would lead elsewhere.
    """
    return not any(part in ("", ".", "..") for part in name.split("/")) and not re.search(r"[\\:\x00-\x1f]", name)


def write_manifest(folder: str | Path, entries: Iterable[Entry], by_id: bool = True) -> Path:
    """Write ``folder/manifest.csv``, sorted by id, or as the ``entries`` come."""
    path = Path(folder) / NAME
    rows = sorted(entries, key=lambda entry: entry.id) if by_id else entries
    write_rows(path, rows)
    return path


def write_rows(path: Path, entries: Iterable[Entry]) -> None:
    """Write a manifest of any name."""
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = row_writer(file)
        writer.writeheader()
        writer.writerows(vars(entry) for entry in entries)


def row_writer(file) -> csv.DictWriter:
    """A writer of manifest rows into an open text file."""
    return csv.DictWriter(file, COLUMNS, lineterminator="\n")
