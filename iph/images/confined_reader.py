"""The process that ``confined`` starts: it reads one photo after the other, each within a limit of memory."""

import json
import os
import resource
import socket
import struct
import sys
from pathlib import Path

from iph.errors import InputError
from iph.images import photo_wire

MOST_ASKED = 1 << 16  # bytes of a question
BYTES_A_PIXEL = 32  # a TIFF of 16 bits with alpha: its file, its samples, colours and alpha apart, and turned
BYTES_OF_FILE = 4  # the file, the copy a decoder sees, and its metadata in text
BYTES_BESIDES = 256 << 20  # codecs' tables and threads


def serve(connection: socket.socket) -> None:
    """Answer questions until the other side closes the connection."""
    from iph.images.imagefile import read_photo  # with every codec: the time to import them passes while nobody waits

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while question := received(connection):
        asked, handle = json.loads(question), None
        try:
            _limit(asked["max_bytes"], asked["max_pixels"])
            said, handle = photo_wire.packed(read_photo(asked["path"], asked["max_bytes"], asked["max_pixels"]))
        except InputError as error:
            # What is left after running out of memory is not to be trusted with the next photo.
            said = json.dumps({"error": str(error), "worn": isinstance(error.__cause__, MemoryError)}).encode()
        sent(connection, said, handle)


def _limit(max_bytes: int, max_pixels: int) -> None:
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    room = BYTES_A_PIXEL * max_pixels + BYTES_OF_FILE * max_bytes + BYTES_BESIDES
    resource.setrlimit(resource.RLIMIT_AS, (held + room, resource.RLIM_INFINITY))


def sent(connection: socket.socket, content: bytes, handle: int | None = None) -> None:
    """A message: its length, its content, and with the length an open file. The file is closed here."""
    head = struct.pack(">QB", len(content), handle is not None)
    if handle is None:
        connection.sendall(head)
    else:
        socket.send_fds(connection, [head], [handle])
        os.close(handle)
    connection.sendall(content)


def received(connection: socket.socket, most: int = MOST_ASKED) -> bytes:
    """The next message without a file; empty at the end. Raises ValueError on one of more than ``most`` bytes."""
    return received_with_file(connection, most)[0]


def received_with_file(connection: socket.socket, most: int) -> tuple[bytes, int | None]:
    """The next message and its open file, if it has one. Raises ValueError on one of more than ``most`` bytes."""
    head, handles, _, _ = socket.recv_fds(connection, struct.calcsize(">QB"), 1)
    handle = handles[0] if handles else None
    try:
        head += _exactly(connection, struct.calcsize(">QB") - len(head)) if head else b""
        if not head:
            return b"", None
        length, with_file = struct.unpack(">QB", head)
        if length > most or with_file != (handle is not None):
            raise ValueError("a message of another form")
        content, kept, handle = _exactly(connection, length), handle, None
        return content, kept
    finally:
        if handle is not None:
            os.close(handle)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = connection.recv(min(count, 1 << 20))
        if not part:
            raise EOFError("the other side has gone")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
