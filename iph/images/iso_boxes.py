"""The EXIF item of a HEIC or AVIF (ISO/IEC 14496-12), found and hidden: their readers take it apart on opening."""

import re
import struct
from collections.abc import Iterator

from iph.errors import InputError

MOST_ITEMS, MOST_PIECES = 4096, 10_000
# The entry of an EXIF item (8.11.6): version, flags, id, protection, type.
EXIF_ITEM = re.compile(rb"infe(?:\x02.{3}.{2}|\x03.{3}.{4}).{2}(Exif)", re.DOTALL)


def without_exif(data: bytes) -> bytes:
    """The file with its EXIF items renamed to a type that readers skip. Raises InputError on thousands of items."""
    if data.count(b"infe") > MOST_ITEMS:
        raise InputError(f"expected a picture of at most {MOST_ITEMS} items, got more")
    places = [found.start(1) for found in EXIF_ITEM.finditer(data)]
    if not places:
        return data
    copy = bytearray(data)
    for place in places:
        copy[place : place + 4] = b"skip"
    return bytes(copy)


def exif_of(data: bytes) -> bytes | None:
    """The first EXIF block, from TIFF's signature on; empty where it cannot be found, None where there is none."""
    found = EXIF_ITEM.search(data)
    if not found:
        return None
    wide = data[found.start() + 4] == 3
    wanted = struct.unpack_from(">I" if wide else ">H", data, found.start() + 8)[0]
    start = data.find(b"iloc")
    try:
        for item, pieces in _locations(data, start + 4) if start >= 0 else ():
            if item == wanted and sum(size for _, size in pieces) <= len(data):
                block = b"".join(data[at : at + size] for at, size in pieces)
                return block[4 + struct.unpack_from(">I", block)[0] :]
    except (struct.error, KeyError, IndexError):
        pass
    return b""


def _locations(data: bytes, position: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Each item's number and the pieces (start, bytes) that it is made of (8.11.3)."""

    def number(size: int) -> int:
        nonlocal position
        position += size
        if position > len(data):
            raise IndexError("the box is cut off")
        return int.from_bytes(data[position - size : position], "big")

    version, _, sizes = number(1), number(3), number(2)
    offset_size, length_size, base_size, index_size = (
        {0: 0, 4: 4, 8: 8}[sizes >> shift & 15] for shift in (12, 8, 4, 0)
    )
    inside = data.find(b"idat") + 4  # where pieces of method 1 are counted from
    left = MOST_PIECES
    for _ in range(min(MOST_ITEMS, number(4 if version == 2 else 2))):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        number(2)  # the file that the pieces are in: this one
        base, count = number(base_size), number(2)
        left -= count
        if left < 0:
            return
        pieces = []
        for _ in range(count):
            number(index_size if version else 0)
            start = base + number(offset_size) + (inside if method == 1 else 0)
            pieces.append((start, number(length_size)))
        yield item, pieces
