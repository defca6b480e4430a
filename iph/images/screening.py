"""What a file's structure would cost to read, counted before any decoder sees it: segments, scans, chunks, blocks.

Decoders trust these numbers and many loop over them in Python, some in squares. An honest file is far below each limit.
Broken or costly side blocks (EXIF, MPF) are hidden from the decoder instead: the picture can still be read.
"""

import re
import struct

from iph.errors import InputError
from iph.images import containers, iso_boxes, tags

MOST_SEGMENTS, MOST_SCANS = 2048, 100
MOST_CHUNKS, MOST_COMPRESSED_TEXTS, LEAST_CHUNK = 10_000, 256, 256
MOST_COMMENTS, LEAST_BLOCK = 1 << 20, 64
DEEPEST_PIXEL, DEEP_EXTRAS = 9, 2 << 20  # bytes a pixel at most; for profile, metadata and rows' filters
MPF = b"MPF\x00"
UNKNOWN_TAG = 0xFDE8  # TIFF 6.0: private, reserved by nobody
NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # what ends coded pixels: no stuffed zero, restart or filling


def screened(data: bytes, max_pixels: int) -> bytes:
    """The file as the decoder may see it. Raises InputError on one that would cost more than a picture does."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(containers.PNG_SIGNATURE):
        _check_png(data)
    elif data[:4] in tags.SIGNATURES:
        return _tiff(data, max_pixels)
    elif data.startswith(b"GIF8"):
        _check_gif(data)
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        _check_webp(data, max_pixels)
    elif data[4:8] == b"ftyp":
        return iso_boxes.without_exif(data)
    return data


def may_be_deep(data: bytes) -> bool:
    """Whether a file of this beginning may hold 16 bits a channel with little or no compression."""
    return data[:4] in tags.SIGNATURES or data.startswith(containers.PNG_SIGNATURE) and data[24:25] == b"\x10"


def bytes_of_deep(data: bytes, max_pixels: int) -> int:
    """How many bytes a PNG or TIFF of 16 bits may have for its own pixels: what they take when nothing is compressed.

    0 for any other file, and for more than ``max_pixels``.
    """
    width = height = channels = 0
    if data.startswith(containers.PNG_SIGNATURE) and data[24:25] == b"\x10" and len(data) > 25:
        width, height = struct.unpack_from(">II", data, 16)
        channels = {0: 1, 2: 3, 4: 2, 6: 4}.get(data[25], 0)
    elif data[:4] in tags.SIGNATURES:
        block = tags.counted(data, nested=False)
        if max(block.numbers(258, 5), default=1) == 16:
            width, height = block.number(256, 0), block.number(257, 0)
            channels = min(block.number(277, 1), 5)
    pixels = width * height
    return 2 * channels * pixels + DEEP_EXTRAS + pixels // 4 if channels and pixels <= max_pixels else 0


def _jpeg(data: bytes) -> bytes:
    hidden, components, progressive, count = [], 0, False, 0
    for marker, start, end in containers.jpeg_marks(data):
        count += 1
        if count > MOST_SEGMENTS:
            raise InputError(f"expected a JPEG of at most {MOST_SEGMENTS} segments, got more")
        if marker == 0xE2 and data.startswith(MPF, start) and _is_costly(data[start + 4 : end]):
            hidden.append(start)
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and start + 6 <= end:
            progressive, components = marker in (0xC2, 0xC6, 0xCA, 0xCE), data[start + 5]
        elif marker == 0xDA:
            if progressive or data[start] < components:
                _check_scans(data, end)
    exif = containers.jpeg_exif(data)
    if exif is not None and _is_costly(exif):
        hidden += [start for _, start, _ in containers.exif_marks(data)]
    return with_bytes(data, {start: bytes(4) for start in hidden})


def with_bytes(data: bytes, changes: dict[int, bytes]) -> bytes:
    """A copy of ``data`` with some bytes overwritten; itself where nothing changes."""
    if not changes:
        return data
    copy = bytearray(data)
    for place, content in changes.items():
        copy[place : place + len(content)] = content
    return bytes(copy)


def _is_costly(block: bytes) -> bool:
    """Whether a block of tags is broken or promises too much."""
    try:
        tags.counted(block)
    except InputError:
        return True
    return False


def _check_scans(data: bytes, position: int) -> None:
    """Every scan goes over the whole picture: from the end of the first scan's header to the picture's end."""
    scans = 1
    while found := NEXT_MARKER.search(data, position):
        position, marker = found.end(), data[found.end() - 1]
        if marker == 0xD9:
            return
        scans += marker == 0xDA
        if scans > MOST_SCANS:
            raise InputError(f"expected a JPEG of at most {MOST_SCANS} scans, got more")
        if marker not in (0x01, 0xD8) and position + 2 <= len(data):
            position += struct.unpack_from(">H", data, position)[0]


def _check_png(data: bytes) -> None:
    count = texts = 0
    position = len(containers.PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        count += 1
        texts += kind in (b"zTXt", b"iTXt", b"iCCP")  # each may unpack to a megabyte
        if count > MOST_CHUNKS + len(data) // LEAST_CHUNK or texts > MOST_COMPRESSED_TEXTS:
            raise InputError("expected fewer chunks in a PNG of this size")
        position += 12 + length


def _check_gif(data: bytes) -> None:
    """Up to the second frame, for that is how far the reader goes."""
    most, steps, comments, frames = 10_000 + len(data) // LEAST_BLOCK, 0, 0, 0
    position = 13 + _color_table(data, 10)
    while position + 1 < len(data) and frames < 2 and data[position] != 0x3B:
        kind, steps = data[position], steps + 1
        is_comment = kind == 0x21 and data[position + 1] == 0xFE
        if kind == 0x2C:  # a frame: its place and size, its colours, the least code size
            frames += 1
            position += 11 + _color_table(data, position + 9)
        elif kind == 0x21:
            position += 2
        else:  # a stray byte, which readers skip
            position += 1
        while kind in (0x21, 0x2C) and position < len(data):
            size, steps = data[position], steps + 1
            position += 1 + size
            comments += size * is_comment
            if not size or steps > most:
                break
        if steps > most or comments > MOST_COMMENTS:
            raise InputError("expected fewer blocks in a GIF of this size")


def _color_table(data: bytes, flags_at: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _check_webp(data: bytes, max_pixels: int) -> None:
    """The canvas, which the decoder makes room for when it opens the file."""
    if data[12:16] == b"VP8X" and len(data) >= 30:
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        if width * height > max_pixels:
            raise too_large(max_pixels, f"{width} × {height}")


def too_large(max_pixels: int, got: str) -> InputError:
    return InputError(f"expected a picture of at most {max_pixels / 1e6:g} megapixels, got {got}")


def _tiff(data: bytes, max_pixels: int) -> bytes:
    """Room for a tile, and the bytes behind all strips or tiles, in proportion to the picture and to the file."""
    block = tags.counted(data, nested=False)
    area = block.number(256, 0) * block.number(257, 0)
    if area > max_pixels:
        raise too_large(max_pixels, f"{block.number(256, 0)} × {block.number(257, 0)}")
    tile = block.number(322, 0) * block.number(323, 0) * max(1, block.number(32998, 1))
    if tile > 2 * area + (1 << 22):  # a small picture may lie in one tile of 2048²
        raise InputError("expected tiles no larger than the picture in a TIFF, got larger ones")
    for counts in (279, 325):
        if sum(block.numbers(counts, tags.MOST_NUMBERS)) > 4 * len(data) + tags.SLACK:
            raise InputError("expected strips that hold their own bytes in a TIFF, got strips that share them")
    if not _is_costly(data):
        return data
    pointers = [block.tags[tag] for tag in (tags.EXIF_IFD, tags.GPS_IFD, tags.INTEROP_IFD) if tag in block.tags]
    return with_bytes(data, {pointer.place: struct.pack(block.order + "H", UNKNOWN_TAG) for pointer in pointers})
