"""Directories of tags (TIFF 6.0, BigTIFF; EXIF and MPF blocks are TIFFs without a picture), counted before anything
reads them: a few bytes can promise gigabytes, for values may share their place in the file.
"""

import struct
from dataclasses import dataclass

from iph.errors import InputError

SIGNATURES = {b"II*\x00": ("<", False), b"MM\x00*": (">", False), b"II+\x00": ("<", True), b"MM\x00+": (">", True)}
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
PLAIN, FRACTIONS = {1, 2, 7}, {5, 10}  # read as bytes; as objects of half a kilobyte each. Other types are numbers.
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
MOST_ENTRIES, MOST_NUMBERS, MOST_FRACTIONS = 4096, 1_000_000, 10_000
SLACK = 1 << 16  # bytes that a small block's values may share, as both resolutions often do


@dataclass(frozen=True)
class Tag:
    """Where a value lies: ``count`` of TIFF's type ``kind``, ``size`` bytes from ``offset``; its entry's ``place``."""

    kind: int
    count: int
    offset: int
    size: int
    place: int


@dataclass(frozen=True)
class Block:
    """A block's first directory and those inside it, with no value read yet. Raises InputError where it is no block."""

    data: bytes
    order: str
    big: bool
    tags: dict[int, Tag]

    def numbers(self, tag: int, most: int = 1) -> tuple[int, ...]:
        """The first whole numbers of a tag; none where it is missing or of another type."""
        found = self.tags.get(tag)
        form = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(found.kind) if found else None
        if form is None:
            return ()
        count = min(found.count, most, max(0, len(self.data) - found.offset) // TYPE_BYTES[found.kind])
        return struct.unpack_from(f"{self.order}{count}{form}", self.data, found.offset)

    def number(self, tag: int, default: int) -> int:
        return (*self.numbers(tag), default)[0]


def counted(data: bytes, nested: bool = True) -> Block:
    """The block, if reading all of its values costs no more than the block's own size allows.

    ``nested``: with the directories of EXIF, GPS and interoperability. ``data`` begins with TIFF's signature. Raises
    InputError on a broken block, and on one that promises too much.
    """
    order, big = SIGNATURES.get(bytes(data[:4]), (None, False))
    if order is None:
        raise InputError("expected a block of tags with TIFF's signature, got another one")
    try:
        first = struct.unpack_from(order + "Q" if big else order + "I", data, 8 if big else 4)[0]
        tags = _directory(data, order, big, first)
        block = Block(data, order, big, tags)
        seen, everything = {first}, list(tags.values())
        for pointer in (EXIF_IFD, GPS_IFD) if nested else ():
            for inner in _nested(block, pointer, seen, everything):
                _nested(Block(data, order, big, inner), INTEROP_IFD, seen, everything)
    except (struct.error, OverflowError):
        raise InputError("expected whole directories of tags, got one that is cut off") from None
    _check_cost(everything, len(data))
    return block


def _nested(block: Block, pointer: int, seen: set[int], everything: list[Tag]) -> list[dict[int, Tag]]:
    """The directory that a tag points to, once: directories may point to each other."""
    start = block.number(pointer, 0)
    if not start or start in seen:
        return []
    seen.add(start)
    found = _directory(block.data, block.order, block.big, start)
    everything += found.values()
    return [found]


def _directory(data: bytes, order: str, big: bool, start: int) -> dict[int, Tag]:
    count_form, entry_form, inline = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    count = struct.unpack_from(order + count_form, data, start)[0]
    if count > MOST_ENTRIES:
        raise InputError(f"expected at most {MOST_ENTRIES} tags in a directory, got {count}")
    position, tags = start + struct.calcsize(count_form), {}
    for index in range(count):
        number, kind, values = struct.unpack_from(order + entry_form, data, position)
        place, position = position, position + struct.calcsize(order + entry_form)
        size, offset = TYPE_BYTES.get(kind, 0) * values, position
        if size > inline:
            offset = struct.unpack_from(order + ("Q" if big else "I"), data, position)[0]
        # A tag that is there twice is read twice: both count, the last one is the value.
        if number in tags:
            tags[-index - 1] = tags[number]
        tags[number] = Tag(kind, values, offset, size, place)
        position += inline
    return tags


def _check_cost(tags: list[Tag], length: int) -> None:
    held = [(tag, max(0, min(tag.size, length - tag.offset))) for tag in tags]  # readers stop at the file's end
    if sum(size for _, size in held) > 2 * length + SLACK:
        raise InputError("expected tags that hold their own values, got tags that share them")
    values = [(tag.kind, size // TYPE_BYTES[tag.kind]) for tag, size in held if size]
    if (
        sum(count for kind, count in values if kind not in PLAIN) > MOST_NUMBERS
        or sum(count for kind, count in values if kind in FRACTIONS) > MOST_FRACTIONS
    ):
        raise InputError("expected fewer numbers in the tags of a picture")
