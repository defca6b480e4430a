"""What keeps a server from starting, said in a sentence before anything that takes long."""

import os
import socket
import tempfile
from contextlib import closing
from pathlib import Path

from iph.errors import InputError


def check_start(host: str, port: int | str) -> None:
    """Raises InputError where nobody can listen at the address, or where no picture could be written."""
    _check_address(host, port)
    for name in ("TMPDIR", "GRADIO_TEMP_DIR"):
        if folder := os.environ.get(name):
            _check_folder(name, Path(folder))


def _check_address(host: str, port: int | str) -> None:
    if not str(port).isdecimal() or not 0 < int(port) < 65536:
        raise InputError(f"expected a port from 1 to 65535 to listen at, got {str(port)[:20]!r}")
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind)) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
    except OSError as error:
        raise InputError(f"this server cannot listen at {host}:{port}: {error.strerror or error}") from None


def _check_folder(name: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"expected a folder that can be written in {name}, got {folder}: {error.strerror}") from None
