"""JPEG segments (ITU T.81), PNG chunks (ISO 15948), AVIF boxes: what a file holds beside its pixels, as it is."""

import struct
import zlib
from collections.abc import Iterator

import imagecodecs
import numpy as np

EXIF, MOST_EXIF_SEGMENTS = b"Exif\x00\x00", 16  # writers that split the block use a handful
JPEG_MARKERS_ALONE = {0x01, *range(0xD0, 0xD9)}
PHOTOSHOP = b"Photoshop 3.0\x00"
THUMBNAILS = {1033, 1036}  # Photoshop's resources that show the photo before the edit
LONGEST = 65_000  # bytes of a resource block in one segment
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\x00"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_XMP = b"XML:com.adobe.xmp"
PNG_COLOR = {b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI"}
PNG_TEXT = {b"tEXt", b"zTXt", b"iTXt"}
PNG_KEPT = PNG_COLOR | PNG_TEXT | {b"pHYs", b"tIME"}
# Text chunks that repeat, in hexadecimal, what is written as EXIF and XMP.
PNG_REPEATED = (PNG_XMP, b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp")

Chunks = tuple[tuple[bytes, bytes], ...]


def jpeg_marks(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The marker, content's start and end of each segment before the coded pixels, that of the first scan last.

    A byte that belongs to no segment comes as marker 0, for readers skip such bytes one by one.
    """
    position = 2
    while position + 4 <= len(data):
        marker = data[position + 1]
        if data[position] != 0xFF or marker in (0x00, 0xFF) or marker in JPEG_MARKERS_ALONE:
            yield 0, position, position
            position += 2 if data[position] == 0xFF and marker != 0xFF else 1
            continue
        start, end = position + 4, position + 2 + struct.unpack_from(">H", data, position + 2)[0]
        yield marker, start, end
        if marker == 0xDA:
            return
        position = max(end, start)


def exif_marks(data: bytes) -> list[tuple[int, int, int]]:
    """The segments of a JPEG that hold its EXIF block: one, or several that continue each other."""
    return [mark for mark in jpeg_marks(data) if mark[0] == 0xE1 and data.startswith(EXIF, mark[1])]


def jpeg_exif(data: bytes) -> bytes | None:
    """The EXIF block of a JPEG from TIFF's signature on; None where there is none, empty where it is in shreds."""
    marks = exif_marks(data)
    if len(marks) > MOST_EXIF_SEGMENTS:
        return b""
    return b"".join(data[start + len(EXIF) : end] for _, start, end in marks) if marks else None


def png_exif(data: bytes) -> bytes | None:
    """The eXIf chunk of a PNG, wherever it stands, or None."""
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"eXIf":
            return data[position + 8 : position + 8 + length]
        position += 12 + length
    return None


def jpeg_segments(data: bytes) -> bytes:
    """The segments of a JPEG that hold captions and comments: IPTC and Photoshop's (APP13), extended XMP, comments."""
    kept, resources = [], []
    for marker, start, end in jpeg_marks(data):
        is_extended_xmp = marker == 0xE1 and data.startswith(EXTENDED_XMP, start)
        if end <= len(data) and marker == 0xED and data.startswith(PHOTOSHOP, start):
            resources.append(data[start + len(PHOTOSHOP) : end])
        elif end <= len(data) and (marker in (0xED, 0xFE) or is_extended_xmp):
            kept.append(data[start - 4 : end])
    return b"".join([*_photoshop_segments(without_thumbnails(b"".join(resources))), *kept])


def _photoshop_segments(resources: bytes) -> Iterator[bytes]:
    for start in range(0, len(resources), LONGEST):
        content = PHOTOSHOP + resources[start : start + LONGEST]
        yield b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def without_thumbnails(resources: bytes) -> bytes:
    """Photoshop's image resources (signature, id, name, data; each even) without its small copies of the photo."""
    kept, position = [], 0
    while position + 12 <= len(resources):
        number, name = struct.unpack_from(">HB", resources, position + 4)
        start = position + 7 + name + (name + 1) % 2  # the name and its length, padded to an even number of bytes
        if start + 4 > len(resources):
            break
        size = struct.unpack_from(">I", resources, start)[0]
        end = start + 4 + size + size % 2
        if number not in THUMBNAILS:
            kept.append(resources[position:end])
        position = end
    return b"".join([*kept, resources[position:]])


def png_chunks(data: bytes) -> Chunks:
    """The (type, data) chunks of a PNG that say something about the picture: colour, resolution, texts, time."""
    kept, position = [], len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + length]
        repeated = kind in PNG_TEXT and content.startswith(PNG_REPEATED)
        if kind in PNG_KEPT and not repeated and len(content) == length:
            kept.append((kind, content))
        position += 12 + length
    return tuple(kept)


def png_file(samples: np.ndarray, chunks: Chunks) -> bytes:
    """A PNG of RGB or RGBA ``samples`` (H, W, 3 or 4) uint8 or uint16, with these chunks before the picture.

    Every row is stored as its difference from the row above: as small as libpng's choice of filters, in a sixth of
    the time.
    """
    height, width, channels = samples.shape
    rows = np.ascontiguousarray(samples if samples.dtype == np.uint8 else samples.astype(">u2"))
    rows = rows.view(np.uint8).reshape(height, -1)  # (H, bytes a row)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2  # the filter "up"
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, samples.itemsize * 8, 2 if channels == 3 else 6, 0, 0, 0)
    data = imagecodecs.deflate_encode(filtered.reshape(-1), level=4)
    everything = ((b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b""))
    return PNG_SIGNATURE + b"".join(_png_chunk(kind, content) for kind, content in everything)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def png_profile(icc: bytes) -> tuple[bytes, bytes]:
    """An ICC profile as a chunk."""
    return b"iCCP", b"ICC profile\x00\x00" + zlib.compress(icc)


def png_xmp(xmp: bytes) -> tuple[bytes, bytes]:
    """An XMP packet as a chunk, uncompressed as the XMP specification asks."""
    return b"iTXt", PNG_XMP + b"\x00\x00\x00\x00\x00" + xmp


def png_resolution(dpi: tuple[float, float]) -> tuple[bytes, bytes]:
    """Dots per inch as a chunk, which counts by the metre."""
    return b"pHYs", struct.pack(">IIB", *(round(d / 0.0254) for d in dpi), 1)


def webp_is_lossless(data: bytes) -> bool:
    """Whether a WebP's (first) picture is of the lossless kind."""
    position = 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if kind in (b"VP8L", b"VP8 "):
            return kind == b"VP8L"
        # An animation's frame has a header of 16 bytes before the picture's own chunk.
        position += 24 if kind == b"ANMF" else 8 + length + length % 2
    return False


def avif_colors(data: bytes) -> tuple[int, int]:
    """Colour primaries and transfer curve that an AVIF names by number (ISO/IEC 23091-2); sRGB by default."""
    start = data.find(b"colrnclx")
    if start < 0 or start + 12 > len(data):
        return 1, 13
    return struct.unpack_from(">HH", data, start + 8)


def avif_bits(data: bytes) -> int:
    """Bits a channel of an AVIF: 8, 10 or 12, from its AV1 configuration (AV1-ISOBMFF, 2.3.3)."""
    start = data.find(b"av1C")
    if start < 0 or start + 7 > len(data):
        return 8
    flags = data[start + 6]
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
