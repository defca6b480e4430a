"""A photo that every viewer opens is read, whatever its metadata says; and limits follow the picture's own depth."""

import os
import struct
import threading

import numpy as np
import photo_files
import pytest
from cost import cost
from photo_files import GREY8, RGB8, RGB16, closeness, png16, saved, tiff
from PIL import Image

from iph import masks
from iph.errors import InputError
from iph.images.encoding import WRITERS, encode
from iph.images.exif import LEFT_OUT
from iph.images.imagefile import kind_of, read_photo, write_photo

BROKEN = {
    "no header": b"Exif\0\0no TIFF header",
    "empty": b"Exif\0\0",
    "header only": b"Exif\0\0II*\0\x08\0\0\0",
    "directory far away": b"Exif\0\0II*\0\xff\xff\xff\x7f",
    "cut off": photo_files.exif()[:60],
    "text where numbers are expected": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04abc\0\0\0\0\0",
    "a directory inside itself": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\0",
}


def with_exif(kind: str, exif: bytes) -> bytes:
    """The file with this block, whatever it is: Pillow's writers of HEIC and AVIF refuse a broken one."""
    if kind not in ("HEIF", "AVIF"):
        options = {"dpi": (300, 300)} if kind == "JPEG with density" else {}
        return saved(RGB8, kind.split()[0], exif=exif, **options)
    good = b"II*\0\x08\0\0\0\0\0" + b"\0" * 4
    good += b"\x07" * (len(exif) - 6 - len(good)) if len(exif) - 6 > len(good) else b""
    data = saved(RGB8, kind, exif=b"Exif\0\0" + good)
    assert data.count(good) == 1
    return data.replace(good, exif[6:].ljust(len(good), b"\0"))


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("kind", ["JPEG", "JPEG with density", "PNG", "WEBP", "HEIF", "AVIF"])
def test_a_broken_exif_block_is_left_out_and_said(kind, what):
    photo = read_photo(with_exif(kind, BROKEN[what]))
    assert closeness(photo, RGB8) < photo_files.LOSSY_LEVELS
    assert photo.notes in ((LEFT_OUT,), ())
    if what in ("no header", "directory far away"):
        assert photo.notes == (LEFT_OUT,)
    for written in WRITERS:
        assert read_photo(encode(photo, written)).pixels.shape == RGB8.shape


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_whole_exif_block_is_found_where_the_boxes_say(kind):
    block = photo_files.exif()
    photo = read_photo(saved(RGB8, kind, exif=block))
    assert photo.notes == () and photo.exif[:2] == block[6:8] and b"Ann Artist" in photo.exif


def test_a_broken_exif_block_in_16_bits_and_behind_the_pixels():
    chunk = (b"eXIf", b"no TIFF header")
    photo = read_photo(photo_files.with_png_chunks(png16(RGB16), (chunk,)))
    assert photo.notes == (LEFT_OUT,) and np.array_equal(photo.pixels, RGB16)
    png = saved(RGB8, "PNG")
    behind = photo_files.with_png_chunks(png, ((b"eXIf", photo_files.exif(6)[6:]),))[33 : -len(png) + 33]
    assert read_photo(png[:-12] + behind + png[-12:]).pixels.shape == (56, 40, 3)


def test_masks_and_references_are_read_alike():
    mask = np.zeros((40, 56), np.uint8)
    mask[10:20, 10:30] = 255
    photo = read_photo(saved(mask, "PNG", exif=BROKEN["no header"]))
    found = masks.from_photo(photo, RGB8.shape, "foreground")
    assert np.array_equal(found > 0.5, mask > 127)


@pytest.mark.parametrize("name", ["a.jfif", "a.jpe", "a.JPG", "a.JFIF", "a.JPEG"])
def test_every_ending_of_a_jpeg_is_one(tmp_path, name):
    assert kind_of(name) == "JPEG"
    (tmp_path / name).write_bytes(saved(RGB8, "JPEG"))
    photo = read_photo(tmp_path / name)
    write_photo(photo, tmp_path / f"out{name[1:]}")
    assert (tmp_path / f"out{name[1:]}").read_bytes()[:3] == b"\xff\xd8\xff"
    (tmp_path / "png.jpg").write_bytes(saved(GREY8, "PNG"))
    assert read_photo(tmp_path / "png.jpg").format == "PNG"  # the content decides


@pytest.mark.parametrize(
    "data", [png16(RGB16), tiff(RGB16, photometric="rgb"), tiff(RGB16, photometric="rgb", byteorder=">", bigtiff=True)]
)
def test_16_bits_may_have_the_bytes_that_their_pixels_take(tmp_path, data):
    path = tmp_path / "photo"
    path.write_bytes(data)
    for source in (path, data):
        assert read_photo(source, max_bytes=1000, max_pixels=2240).pixels.dtype == np.uint16
        with pytest.raises(InputError, match="expected a"):
            read_photo(source, max_bytes=1000, max_pixels=2239)


def test_other_files_may_not_nor_may_16_bits_with_more_than_pixels(tmp_path):
    for data in (saved(RGB8, "TIFF"), saved(RGB8, "PNG"), png16(RGB16) + bytes(4 << 20)):
        (tmp_path / "photo").write_bytes(data)
        for source in (data, tmp_path / "photo"):
            with pytest.raises(InputError, match="at most 0.001 MB"):
                read_photo(source, max_bytes=1000, max_pixels=60_000_000)


def test_reading_stops_at_the_limit_and_takes_regular_files_only(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in ("/dev/zero", "/dev/stdin", tmp_path / "pipe.jpg", tmp_path):
        sentence, megabytes, seconds = cost(read_photo, path, 64 << 20)
        assert sentence.startswith("expected a picture file") and megabytes < 5 and seconds < 1
    path, stop = tmp_path / "grows.png", threading.Event()
    path.write_bytes(png16(RGB16))

    def grow() -> None:
        with open(path, "ab") as file:
            while not stop.is_set() and file.tell() < 400 << 20:
                file.write(bytes(1 << 20))

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        for _ in range(5):
            try:
                read_photo(path, 1 << 20, 10_000)
            except InputError as error:
                assert str(error).startswith("expected")
    finally:
        stop.set()
        thread.join()
    assert cost(read_photo, path, 1 << 20, 10_000)[1] < 10


def test_a_sentence_quotes_no_file(tmp_path):
    secret = b"hunter2-is-the-password"
    for head in (
        b"",
        b"\xff\xd8\xff\xe1",
        b"\x89PNG\r\n\x1a\n",
        b"II*\0",
        b"GIF89a",
        b"RIFF....WEBP",
        b"....ftypheic",
        b"BM",
    ):
        with pytest.raises(InputError) as error:
            read_photo(head + secret * 100)
        assert "hunter" not in str(error.value) and "password" not in str(error.value)


def test_a_tall_webp_is_refused_by_its_canvas():
    header = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16_000).to_bytes(3, "little") * 2
    with pytest.raises(InputError, match="16001 × 16001"):
        read_photo(b"RIFF" + struct.pack("<I", 22) + b"WEBP" + header)
    assert Image.MAX_IMAGE_PIXELS  # Pillow's own limit stays a last one
