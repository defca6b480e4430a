"""Files that are never half written: they are made beside their target, then renamed over it; notes in JSON; and which
files of a folder are a person's."""

import errno
import json
import os
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from iph.errors import InputError

_LEFT_BY_SYSTEMS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information")


def listed(folder: str | os.PathLike, endings: Collection[str], below: bool = False) -> list[Path]:
    """The files in ``folder``, or anywhere ``below`` it, whose names end so in any case (".png"), sorted by path.

    What a system leaves beside people's files is no file of theirs: names that begin with a dot (a Mac's ``._a.png`` is
    no picture), the ``__MACOSX`` of its archives, a network disc's ``@eaDir``. Nor is a folder called ``a.png``.
    """
    folder = Path(folder)
    found = folder.rglob("*") if below else folder.glob("*")
    return sorted(
        path
        for path in found
        if path.suffix.lower() in endings
        and not any(part.startswith(".") or part in _LEFT_BY_SYSTEMS for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def check_writable(path: str | os.PathLike) -> Path:
    """The path, if a file can be made there. Raises InputError otherwise; meant to be called before long work."""
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"expected an existing folder to write {path.name!r} into, got {str(path.parent)!r}")
    if path.is_dir():
        raise InputError(f"expected a file name to write to, got the folder {str(path)!r}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"expected a folder that can be written to, got {str(path.parent)!r} without the permission")
    return path


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary file beside ``path``, moved there when the block ends well and deleted when it does not.

    An existing file keeps its permissions; a link stays, and the file that it names is replaced. Raises InputError
    where the file system refuses.
    """
    path = check_writable(os.path.realpath(path) if os.path.islink(path) else path)
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask())
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"expected to write {str(path)!r}, but: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def read_bounded(path: str | os.PathLike, most: int, whole: bool = True) -> bytes:
    """The content of a regular file, at most ``most`` + 1 bytes of it, so that a longer one is known by its length; or
    no more than its first ``most`` bytes.

    The size a file claims is not trusted: it may grow. Raises OSError, also for what is no regular file: a pipe or a
    device might never end.
    """
    # Non-blocking: to open a pipe that nobody writes to would wait for ever.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    with open(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "Is a directory" if stat.S_ISDIR(found.st_mode) else "Not a regular file")
        if not whole:
            return file.read(most)
        expected = min(found.st_size, most)  # room for all of ``most`` would be taken at once
        data = file.read(expected + 1)
        return data if len(data) <= expected else data + file.read(most - expected)


def read_small(path: str | os.PathLike, most: int, what: str) -> bytes:
    """The content of a file of at most ``most`` bytes. Raises InputError. what: as in "recipe"."""
    try:
        content = read_bounded(path, most)
    except OSError as error:
        raise InputError(f"expected a readable {what}, got {str(path)!r}: {error.strerror}") from None
    if len(content) > most:
        raise InputError(f"expected a {what} of at most {most >> 20} MB, got more in {Path(path).name!r}")
    return content


def read_json(path: Path) -> Any:
    """What a note says. Raises FileNotFoundError where there is none, InputError where it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"expected JSON in {path}, but it is damaged: {error}") from None


def write_json(path: Path, content: Any) -> None:
    """Write a note, whole or not at all. Raises InputError where the file system refuses."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _umask() -> int:
    # Read from the kernel: os.umask() can only be asked by setting it, which would race with other threads.
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("Umask:")[1].split()[0], 8)
    except (OSError, IndexError, ValueError):
        return 0o022
