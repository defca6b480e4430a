"""Archives that strangers send: only pictures and the method's card come out, and only into the folder they are given.

Refused whole: links, devices, absolute paths, ``..``, two entries of one name, encrypted entries, and bombs, known by
what comes out and not by what a header claims.
"""

import gzip
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from bench.methods.method_card import CARD
from iph.data.parallel_folders import IMAGE_SUFFIXES
from iph.errors import InputError

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")
MOST_ENTRIES = 100_000
MOST_BYTES = 64 * 2**30  # of all that comes out
MOST_RATIO = 100  # bytes out for a byte in: pictures are packed already, and hardly shrink
FREE = 16 * 2**20  # bytes that come out whatever the ratio, for small archives of flat pictures
CHUNK = 2**20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile, gzip.BadGzipFile, EOFError, NotImplementedError)
_BROKEN += (UnicodeError, ValueError, OverflowError, RuntimeError)  # what odd headers raise in the standard library


@dataclass(frozen=True)
class _Member:
    """An entry: its name, whether it is a plain file (None for a folder), and how its bytes are read."""

    name: str
    plain: bool | None
    open: Callable[[], IO[bytes]]


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder of a submission: ``path`` itself, or what comes out of an archive, gone when the block ends.

    Raises InputError for what is neither, and for a folder or an archive that is refused.
    """
    if path.is_dir():
        for found in path.rglob("*"):
            if found.is_symlink():
                raise InputError(f"expected pictures and no links in {path}, but {found.name!r} is one")
        yield path
        return
    if not path.is_file() or not path.name.lower().endswith(ENDINGS):
        raise InputError(f"expected a folder of pictures or an archive ({', '.join(ENDINGS)}), but got {path}")
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            _unpack(path, folder)
        except InputError:
            raise
        except _BROKEN as error:
            raise InputError(f"expected a whole archive at {path}, but: {error or type(error).__name__}") from None
        inside = [*folder.iterdir()]
        yield inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _unpack(path: Path, folder: Path) -> None:
    seen: set[str] = set()
    left = min(MOST_BYTES, max(FREE, MOST_RATIO * path.stat().st_size))
    for count, member in enumerate(_members(path), start=1):
        if count > MOST_ENTRIES:
            raise InputError(f"expected at most {MOST_ENTRIES} entries in {path}, but it has more")
        _check(member, path, seen)
        if member.plain is None or not _wanted(member.name):
            continue
        target = folder / PurePosixPath(member.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, target.open("xb") as sink:
            while chunk := source.read(CHUNK):
                if (left := left - len(chunk)) < 0:
                    raise InputError(f"expected pictures in {path}, but far more comes out of it than is in it")
                sink.write(chunk)


def _check(member: _Member, path: Path, seen: set[str]) -> None:
    """Raises InputError for an entry that no tool writes which packs a folder of pictures."""
    name = member.name
    parts = PurePosixPath(name).parts
    if (
        (member.plain and not parts)
        or name.startswith("/")
        or ".." in parts
        or re.search(r"[\\:\x00-\x1f\x7f]", name)
        or len(name) > 400
    ):
        raise InputError(f"expected names inside the folder in {path}, but got {name[:80]!r}")
    if member.plain is False:
        raise InputError(f"expected files and folders in {path}, but {name[:80]!r} is a link or a device")
    if member.plain and (key := "/".join(parts).casefold()) in seen:
        raise InputError(f"expected every file once in {path}, but {name[:80]!r} is there twice")
    elif member.plain:
        seen.add(key)


def _wanted(name: str) -> bool:
    parts = PurePosixPath(name).parts
    left_by_systems = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not left_by_systems and (parts[-1] == CARD or parts[-1].lower().endswith(IMAGE_SUFFIXES))


def _members(path: Path) -> Iterator[_Member]:
    if path.name.lower().endswith(".zip"):
        yield from _zipped(path)
        return
    with path.open("rb") as file, gzip.open(file) if path.name.lower().endswith("gz") else file as stream:
        with tarfile.open(fileobj=_Bounded(stream, path), mode="r:", errors="strict") as archive:
            for info in archive:
                plain = None if info.isdir() else info.isreg() and not info.issparse()
                yield _Member(info.name, plain, lambda info=info: archive.extractfile(info))


def _zipped(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.flag_bits & 1:
                raise InputError(f"expected readable pictures in {path}, but {info.filename[:60]!r} is encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InputError(f"expected a plain zip at {path}, but it is packed in a rare way; pack it as usual")
            kind = stat.S_IFMT(info.external_attr >> 16)
            plain = None if info.is_dir() else kind in (0, stat.S_IFREG)
            yield _Member(info.filename, plain, lambda info=info: archive.open(info))


class _Bounded:
    """A tar's bytes. Its headers are read in one piece, however long they claim to be: no longer than ``CHUNK`` here.

    What is skipped is unpacked too: it counts as if it came out.
    """

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self.stream, self.path = stream, path
        self.most = min(MOST_BYTES, max(FREE, MOST_RATIO * path.stat().st_size))

    def read(self, size: int) -> bytes:
        if size > CHUNK:
            raise InputError(f"expected a tar as tools write it at {self.path}, but one of its headers is too long")
        return self.stream.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        if place > self.most + CHUNK:
            raise InputError(f"expected pictures in {self.path}, but far more comes out of it than is in it")
        return self.stream.seek(place, whence)

    def tell(self) -> int:
        return self.stream.tell()
