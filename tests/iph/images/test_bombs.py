"""Small files that would cost a server gigabytes or hours: each is refused, or read without the part that costs."""

import os
import struct
import zlib

import photo_files
import pytest
from cost import cost
from photo_files import RGB8, RGB16, png16, saved, with_png_chunks
from PIL import Image

from iph.images.exif import LEFT_OUT
from iph.images.imagefile import read_photo

MOST_MEGABYTES, MOST_SECONDS = 150, 3
JPEG = saved(RGB8, "JPEG")


def directory(entries: list[tuple[int, int, int, int]], start: int = 8) -> bytes:
    """A little-endian directory of tags (number, type, count, value or offset)."""
    return struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)


def block(entries: list[tuple[int, int, int, int]], more: bytes = b"") -> bytes:
    return b"II*\x00\x08\x00\x00\x00" + directory(sorted(entries)) + more


def shared(kind: int, entries: int = 1000, length: int = 1 << 20, first: int = 40_000) -> bytes:
    """Tags that all have their values in the same megabyte."""
    size = {5: 8, 3: 2, 7: 1, 4: 4}[kind]
    start = 8 + 2 + 12 * entries + 4
    return block([(first + i, kind, length // size, start) for i in range(entries)], b"\x01" * length)


def tiff_with(entries: list[tuple[int, int, int, int]], more: bytes = b"") -> bytes:
    """A grey TIFF of 8 × 8 that has these tags too; ``more`` follows at 1000."""
    own = {256: (4, 1, 8), 257: (4, 1, 8), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 900)}
    own |= {277: (3, 1, 1), 278: (4, 1, 8), 279: (4, 1, 64)} | {e[0]: e[1:] for e in entries}
    head = block([(tag, *value) for tag, value in own.items()])
    return head.ljust(1000 if len(head) <= 1000 else 20_000, b"\x07") + more


def segment(marker: int, content: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg_with(*segments: bytes) -> bytes:
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = saved(photo_files.photographic(1500, 1500), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def webp_canvas(width: int, height: int) -> bytes:
    content = bytes([2, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = bytes(12) + bytes(4) + saved(RGB8, "WEBP", lossless=True)[12:]
    chunks = b"VP8X" + struct.pack("<I", 10) + content + b"ANIM" + struct.pack("<I", 6) + bytes(6)
    chunks += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def gif_with(blocks: bytes) -> bytes:
    data = saved(Image.fromarray(RGB8).convert("P"), "GIF")
    start = 13 + (3 << (data[10] & 7) + 1)
    return data[:start] + blocks + data[start:]


def tile_of(side: int, deep: bool) -> bytes:
    entries = [(322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 1000), (325, 4, 1, 2000), (259, 3, 1, 8)]
    if deep:
        entries.append((258, 3, 1, 16))
    return tiff_with(entries, zlib.compress(bytes(1 << 20)))


def shared_strips(kind: int) -> bytes:
    """20,000 rows that all lie in the same compressed megabyte."""
    rows, noise = 20_000, zlib.compress(os.urandom(1 << 20))
    table = struct.pack("<I", 1000 + 8 * rows) * rows + struct.pack("<I", len(noise)) * rows
    entries = [(257, 4, 1, rows), (278, 4, 1, 1), (273, 4, rows, 1000), (279, 4, rows, 1000 + 4 * rows)]
    return tiff_with([*entries, (259, 3, 1, 8), (258, 3, 1, kind)], table + noise)


def looping_directories() -> bytes:
    """A TIFF whose next pages, inner pages, EXIF and GPS are all itself."""
    data = tiff_with([(330, 4, 1, 8), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8)])
    end = 8 + 2 + 12 * struct.unpack_from("<H", data, 8)[0]
    return data[:end] + struct.pack("<I", 8) + data[end + 4 :]


def many_pages() -> bytes:
    data = bytearray(tiff_with([]))
    end = 8 + 2 + 12 * struct.unpack_from("<H", data, 8)[0]
    struct.pack_into("<I", data, end, len(data))
    for _ in range(200_000):
        data += struct.pack("<HHHIII", 1, 256, 4, 1, 8, len(data) + 18)
    return bytes(data)


def many_texts(count: int, png: bytes) -> bytes:
    packed = zlib.compress(bytes(8_000_000), 9)
    return with_png_chunks(png, tuple((b"zTXt", b"a%d\0\0" % i + packed) for i in range(count)))


BOMBS = {
    "tags that share a megabyte of bytes": lambda: tiff_with(
        [(40_000 + i, 7, 1 << 20, 20_000) for i in range(1400)], bytes(1 << 20)
    ),
    "tags of a TIFF that share their numbers": lambda: tiff_with(
        [(40_000 + i, 4, 250_000, 1000) for i in range(70)], bytes(1 << 20)
    ),
    "tags of a TIFF that share their fractions": lambda: tiff_with(
        [(40_000 + i, 5, 120_000, 1000) for i in range(70)], bytes(1 << 20)
    ),
    "a tile of 20,000 squared in 8 bits": lambda: tile_of(20_000, deep=False),
    "a tile of 60,000 squared in 16 bits": lambda: tile_of(60_000, deep=True),
    "strips that share a megabyte in 8 bits": lambda: shared_strips(8),
    "strips that share a megabyte in 16 bits": lambda: shared_strips(16),
    "directories in a loop": looping_directories,
    "200,000 pages": many_pages,
    "EXIF of a JPEG that shares its fractions": lambda: jpeg_with(segment(0xE1, b"Exif\0\0" + shared(5, 300, 50_000))),
    "EXIF of a PNG that shares its fractions": lambda: saved(RGB8, "PNG", exif=shared(5, 300)),
    "EXIF of a WebP that shares its fractions": lambda: saved(RGB8, "WEBP", exif=shared(5, 300)),
    "an MPF block that shares its fractions": lambda: jpeg_with(segment(0xE2, b"MPF\0" + shared(5, 300, 50_000))),
    "20,000 captions": lambda: jpeg_with(*[segment(0xED, b"Photoshop 3.0\0" + bytes(3000))] * 20_000),
    "900 pieces of EXIF": lambda: jpeg_with(*[segment(0xE1, b"Exif\0\0" + bytes(65_000))] * 900),
    "30 million bytes between segments": lambda: JPEG[:2] + b"\xff" * 30_000_000 + JPEG[2:],
    "10 million restart markers": lambda: JPEG[:2] + b"\xff\xd0" * 10_000_000 + JPEG[2:],
    "800 scans": lambda: many_scans(800),
    "a million chunks": lambda: with_png_chunks(saved(RGB8, "PNG"), ((b"tEXt", b""),) * 1_000_000),
    "2,000 packed texts": lambda: many_texts(2_000, saved(RGB8, "PNG")),
    "2,000 packed texts in 16 bits": lambda: many_texts(2_000, png16(RGB16)),
    "a packed text of a gigabyte": lambda: with_png_chunks(
        png16(RGB16), ((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(1 << 30), 1)),)
    ),
    "a packed profile of a gigabyte": lambda: with_png_chunks(
        png16(RGB16), ((b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 30), 1)),)
    ),
    "a WebP canvas of 16,000 squared": lambda: webp_canvas(16_000, 16_000),
    "4 million comments in a GIF": lambda: gif_with(b"!\xfe\x01a\x00" * 4_000_000),
    "one long comment in a GIF": lambda: gif_with(b"!\xfe" + (b"\xff" + bytes(255)) * 150_000 + b"\x00"),
    "20 million stray bytes in a GIF": lambda: gif_with(bytes(20_000_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little(name):
    data = BOMBS[name]()
    sentence, megabytes, seconds = cost(read_photo, data, 64 << 20, 60_000_000)
    assert megabytes < MOST_MEGABYTES and seconds < MOST_SECONDS, f"{megabytes:.0f} MB, {seconds:.1f} s, {sentence!r}"
    assert sentence == "" or sentence.startswith("expected")


def test_a_costly_block_is_hidden_and_the_photo_is_read():
    for name in ("EXIF of a JPEG", "EXIF of a PNG", "EXIF of a WebP"):
        photo = read_photo(BOMBS[f"{name} that shares its fractions"]())
        assert photo.notes == (LEFT_OUT,) and photo.exif is None and photo.pixels.shape == RGB8.shape
    assert read_photo(BOMBS["an MPF block that shares its fractions"]()).pixels.shape == RGB8.shape


def test_a_tiff_with_a_costly_exif_directory_is_read_without_it():
    inner = directory([(40_000 + i, 5, 4000, 20_000) for i in range(1000)])
    data = tiff_with([(0x8769, 4, 1, 60_000)], bytes(59_000) + inner)
    photo = read_photo(data)
    assert photo.notes == (LEFT_OUT,) and photo.pixels.shape == (8, 8, 3)
