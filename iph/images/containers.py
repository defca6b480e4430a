"""JPEG segments (ITU T.81), PNG chunks (ISO 15948), AVIF boxes: what a file holds beside its pixels, as it is."""

import struct
import zlib
from collections.abc import Callable, Iterator

import imagecodecs
import numpy as np

EXIF, MOST_EXIF_SEGMENTS = b"Exif\x00\x00", 16  # writers that split the block use a handful
JPEG_MARKERS_ALONE = {0x01, *range(0xD0, 0xD9)}
PHOTOSHOP = b"Photoshop 3.0\x00"
THUMBNAILS = {1033, 1036}  # Photoshop's resources that show the photo before the edit
LONGEST = 65_000  # bytes of a resource block in one segment
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\x00"
GREY = 0  # of a PNG's kinds of picture
ROWS = 64  # that are filtered at a time
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


def png_file(samples: np.ndarray, chunks: Chunks, alpha: np.ndarray | None = None) -> bytes:
    """A PNG of grey, RGB or RGBA ``samples`` (H, W, 1, 3 or 4) uint8 or uint16, with these chunks before the picture;
    ``alpha`` (H, W) makes RGBA of RGB.

    Every row is stored as its difference from the row above: as small as libpng's choice of filters, in a sixth of
    the time.
    """
    height, width, channels = samples.shape

    def rows(part: slice) -> np.ndarray:
        found = samples[part] if alpha is None else np.dstack([samples[part], alpha[part]])
        found = np.ascontiguousarray(found if found.dtype == np.uint8 else found.astype(">u2"))
        return found.view(np.uint8).reshape(len(found), -1)

    kind = {1: GREY, 3: 2, 4: 6}[channels + (alpha is not None)]
    return _png_of_rows(rows, (height, width), samples.itemsize * 8, kind, chunks)


def png_of_yes_and_no(mask: np.ndarray) -> bytes:
    """A PNG of one bit a pixel, white where ``mask`` (H, W) bool is set."""
    return _png_of_rows(lambda part: np.packbits(mask[part], axis=1), mask.shape, 1, GREY, ())


def _png_of_rows(
    rows: Callable[[slice], np.ndarray], size: tuple[int, int], bits: int, kind: int, chunks: Chunks
) -> bytes:
    """A PNG of (height, width). rows: some of its rows as bytes, for few at a time take no memory of their own; kind:
    the standard's number of what the channels are."""
    filtered = np.empty((size[0], rows(slice(0, 1)).shape[1] + 1), np.uint8)
    filtered[:, 0] = 2  # the filter "up"
    above = np.zeros(filtered.shape[1] - 1, np.uint8)
    for start in range(0, size[0], ROWS):
        band = rows(slice(start, start + ROWS))
        into = filtered[start : start + ROWS, 1:]
        np.subtract(band[0], above, out=into[0])
        np.subtract(band[1:], band[:-1], out=into[1:])
        above = band[-1]
    header = struct.pack(">IIBBBBB", *size[::-1], bits, kind, 0, 0, 0)
    if kind == GREY:  # a mask, mostly of one value: zlib-ng takes a fifth of libdeflate's time, for as few bytes
        data = imagecodecs.zlibng_encode(filtered.reshape(-1), level=4)
    else:
        data = imagecodecs.deflate_encode(filtered.reshape(-1), level=4)
    del filtered
    everything = ((b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b""))
    return b"".join((PNG_SIGNATURE, *(part for kind, content in everything for part in _png_chunk(kind, content))))


def _png_chunk(kind: bytes, content: bytes) -> tuple[bytes, bytes, bytes]:
    checksum = struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
    return struct.pack(">I4s", len(content), kind), content, checksum


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
