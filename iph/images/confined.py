"""Strangers' photos, read in a process of its own with limits of memory and time.

What ``screening`` counts is the first line; this is the second, against what nobody thought of: a decoder that crashes,
runs for ever or takes all memory ends a process that holds nothing else, and the caller gets one sentence.

    photo = read_photo_confined(path, max_bytes=64 << 20, max_pixels=60_000_000)

``warm_up()`` at a server's start saves the first visitor the second that a reader takes to import its codecs.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from iph.errors import InputError
from iph.images import confined_reader, photo_wire
from iph.images.imagefile import MAX_BYTES, MAX_PIXELS, read_photo
from iph.images.photo import Photo

SECONDS = 30.0
MOST_READERS = 2  # at once; more callers wait for their turn
MOST_SAID = 512 << 20  # bytes of metadata in text; the photo's file was smaller
CAN_CONFINE = sys.platform == "linux"


def read_photo_confined(
    path: str | os.PathLike, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS, seconds: float = SECONDS
) -> Photo:
    """``iph.images.imagefile.read_photo`` of a path, in another process; with the same photo and the same sentences.

    Memory is limited by ``max_pixels`` and ``max_bytes``, the time of reading to ``seconds``; where either is exceeded
    or the process dies, InputError says so. May be called from many threads: two photos are read at a time, and the
    others wait (which does not count). Where the system is not Linux the photo is read here.
    """
    if not CAN_CONFINE:
        return read_photo(path, max_bytes, max_pixels)
    question = {"path": os.path.abspath(os.fspath(path)), "max_bytes": max_bytes, "max_pixels": max_pixels}
    asked, name = json.dumps(question).encode(), repr(Path(path).name)
    if len(asked) > confined_reader.MOST_ASKED:
        raise InputError("expected a picture file, got a name that is too long")
    with _turns:
        reader = _taken()
        try:
            photo = reader.read(asked, seconds)
        except TimeoutError:
            _replace(reader)
            raise InputError(f"expected a picture that is read within {seconds:g} seconds, got {name}") from None
        except InputError:  # about the file, not about the reader
            _given_back(reader)
            raise
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            _replace(reader)
            raise InputError(f"expected a whole picture, got {name}, at which its reader ended") from None
        except BaseException:
            _replace(reader)
            raise
        _given_back(reader)
        return photo


def warm_up() -> None:
    """Start a reader, if none is there, without waiting for it."""
    if CAN_CONFINE:
        _given_back(_taken())


class _Reader:
    """One process and the connection to it; used by one thread at a time."""

    def __init__(self) -> None:
        self.connection, theirs = socket.socketpair()
        # The way to this package, one thread for each codec, and no secret that a server keeps in its environment.
        environment = {name: os.environ[name] for name in ("LANG", "LD_LIBRARY_PATH") if name in os.environ}
        environment |= {
            "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        environment |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS")} | {"MALLOC_ARENA_MAX": "2"}
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", confined_reader.__name__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment,
                cwd="/",
                start_new_session=True,  # a terminal's Ctrl-C is for the server
            )
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()

    def read(self, question: bytes, seconds: float) -> Photo:
        """The answer. Raises InputError with the reader's sentence, TimeoutError, EOFError where the reader ended."""
        late = threading.Timer(seconds, self.process.kill)
        start = time.monotonic()
        late.start()
        try:
            confined_reader.sent(self.connection, question)
            said, handle = confined_reader.received_with_file(self.connection, MOST_SAID)
            if not said:
                raise EOFError("the reader has gone")
        except (OSError, EOFError):
            raise TimeoutError if time.monotonic() - start >= seconds else EOFError from None
        finally:
            late.cancel()
        if handle is None:
            answer = json.loads(said)
            if answer["worn"]:
                self.end()
            raise InputError(str(answer["error"]))
        return photo_wire.unpacked(said, handle)

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        self.connection.close()
        with suppress(OSError):
            self.process.kill()
        self.process.wait()


_turns, _lock = threading.BoundedSemaphore(MOST_READERS), threading.Lock()
_idle: list[_Reader] = []


def _taken() -> _Reader:
    """An idle reader, or a new one."""
    with _lock:
        while _idle:
            reader = _idle.pop()
            if reader.is_alive():
                return reader
            reader.end()
    return _Reader()


def _given_back(reader: _Reader) -> None:
    with _lock:
        _idle.append(reader)


def _replace(reader: _Reader) -> None:
    """A new reader, so that the next caller does not wait for it to start."""
    reader.end()
    _given_back(_Reader())


@atexit.register
def _end_all() -> None:
    with _lock:
        while _idle:
            _idle.pop().end()


def _forget() -> None:
    """In a forked process: the readers answer to its parent."""
    global _turns, _lock
    _turns, _lock = threading.BoundedSemaphore(MOST_READERS), threading.Lock()
    _idle.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
