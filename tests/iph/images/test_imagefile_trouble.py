"""Files that are no photo, are damaged or too large, and places where nothing can be written."""

import os
import stat
import zlib

import numpy as np
import photo_files
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photo_files import GREY8, RGB8, RGB16, png16, tiff, with_everything
from PIL import Image

from iph.errors import InputError
from iph.images.encoding import encode
from iph.images.imagefile import read_photo, write_photo
from iph.images.photo import Photo


def header_only_png(width: int, height: int) -> bytes:
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    chunk = b"IHDR" + header
    body = zlib.compress(bytes(1000))
    data = b"IDAT" + body
    return (
        b"\x89PNG\r\n\x1a\n"
        + (13).to_bytes(4, "big")
        + chunk
        + zlib.crc32(chunk).to_bytes(4, "big")
        + len(body).to_bytes(4, "big")
        + data
        + zlib.crc32(data).to_bytes(4, "big")
    )


@pytest.mark.parametrize(
    "data, part",
    [
        (b"", "zero bytes"),
        (b"This is a text file, whatever its name says.\n" * 40, "none of these"),
        (bytes(5000), "none of these"),
        (header_only_png(12000, 9000), "100 megapixels"),
        (header_only_png(60000, 60000), "100 megapixels"),
        (header_only_png(2000, 2000), "damaged or cut off"),
        (tiff(RGB8.astype(np.float32), photometric="rgb"), "expected"),
        (photo_files.saved(Image.fromarray(GREY8.astype(np.float32)), "TIFF"), "the mode F"),
        (tiff(np.zeros((5, 9, 9, 3), np.uint16), photometric="rgb", volumetric=True), "one flat picture"),
        (tiff(np.zeros((9, 9, 7), np.uint16), photometric="rgb", extrasamples=[0] * 4), "expected"),
    ],
    ids=["zero", "text", "nul", "108 MP", "bomb", "no pixels", "float rgb", "float grey", "volume", "seven channels"],
)
def test_what_is_no_photo_is_a_sentence(tmp_path, data, part):
    path = tmp_path / "bad.jpg"
    path.write_bytes(data)
    for source in (path, data):
        with pytest.raises(InputError) as error:
            read_photo(source)
        assert part in str(error.value) and not str(error.value).endswith(".")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF", "GIF", "BMP"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_a_truncated_file_is_a_sentence(kind, share):
    data = photo_files.saved(photo_files.photographic(64, 64), kind)
    with pytest.raises(InputError, match="expected"):
        read_photo(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "data",
    [png16(RGB16), tiff(RGB16, photometric="rgb"), tiff(RGB16, photometric="rgb", compression="deflate")],
    ids=["png", "tiff", "tiff, deflate"],
)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_a_truncated_file_of_16_bits_is_a_sentence(data, share):
    with pytest.raises(InputError, match="expected"):
        read_photo(data[: int(len(data) * share)])


SMALL = [
    photo_files.saved(photo_files.pixels(height=16, width=16), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF")
]
SMALL += [
    with_everything("JPEG"),
    with_everything("PNG"),
    png16(RGB16[:9, :9].copy()),
    tiff(RGB16[:9, :9], photometric="rgb"),
]


@given(st.sampled_from(SMALL), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_flipped_bytes_never_raise_anything_but_a_sentence(data, flips):
    broken = bytearray(data)
    for place, value in flips:
        broken[int(place * (len(broken) - 1))] = value
    try:
        photo = read_photo(bytes(broken), max_pixels=1_000_000)
        assert photo.pixels.ndim == 3
        encode(photo, "PNG")
    except InputError as error:
        assert str(error).startswith("expected")


def test_limits_are_checked_before_decoding(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(photo_files.saved(RGB8, "PNG"))
    with pytest.raises(InputError, match="at most 0.001 MB, got 'photo.png'"):
        read_photo(path, max_bytes=1000)
    with pytest.raises(InputError, match="megapixels, got 'photo.png' of 56 × 40"):
        read_photo(path, max_pixels=2000)


def test_places_that_hold_no_file_are_sentences(tmp_path):
    for path in (tmp_path / "none.jpg", tmp_path, "https://example.org/photo.jpg", "nul\0.jpg"):
        with pytest.raises(InputError, match="expected"):
            read_photo(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "photo.webp"
    path.write_bytes(b"old")
    wide = Photo(np.zeros((2, 20000, 3), np.uint8))  # WebP holds 16383
    with pytest.raises(InputError, match="20000 × 2"):
        write_photo(wide, path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["photo.webp"]


def test_a_written_file_has_usual_permissions_or_those_it_had(tmp_path):
    photo = Photo(RGB8)
    mask = os.umask(0o027)
    try:
        write_photo(photo, tmp_path / "new.png")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new.png").stat().st_mode) == 0o640
    (tmp_path / "new.png").chmod(0o600)
    write_photo(photo, tmp_path / "new.png")
    assert stat.S_IMODE((tmp_path / "new.png").stat().st_mode) == 0o600


def test_where_nothing_can_be_written_is_a_sentence(tmp_path):
    photo = Photo(RGB8)
    (tmp_path / "folder.png").mkdir()
    for path, part in (
        (tmp_path / "none" / "photo.png", "existing folder"),
        (tmp_path / "folder.png", "file name"),
        (tmp_path / "photo.jpgg", "did you mean .jpg"),
        (tmp_path / "photo", "ending in"),
        ("/proc/photo.png", "expected"),
    ):
        with pytest.raises(InputError, match=part):
            write_photo(photo, path)
    with pytest.raises(InputError, match="quality from 1 to 100"):
        write_photo(photo, tmp_path / "photo.jpg", quality=0)
    assert os.listdir(tmp_path) == ["folder.png"]
