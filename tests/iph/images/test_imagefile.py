"""Photos read and written in every format, against the arrays they were made from and against Pillow."""

import io

import cv2
import imagecodecs
import numpy as np
import photo_files
import pillow_heif
import pytest
from photo_files import GREY8, GREY16, LOSSY_LEVELS, RGB8, RGB16, RGBA8, RGBA16, closeness, png16, tiff
from PIL import Image

from iph.errors import InputError
from iph.images.color_profile import profile_of_code
from iph.images.containers import png_file
from iph.images.encoding import WRITERS, encode
from iph.images.imagefile import read_photo, write_photo
from iph.images.photo import Photo

EXACT = {
    "png": (photo_files.saved(RGB8, "PNG"), RGB8, None),
    "png with alpha": (photo_files.saved(RGBA8, "PNG"), RGBA8[..., :3], RGBA8[..., 3]),
    "png of 16 bits": (png16(RGB16), RGB16, None),
    "png of 16 bits with alpha": (png16(RGBA16), RGBA16[..., :3], RGBA16[..., 3]),
    "webp, lossless": (photo_files.saved(RGB8, "WEBP", lossless=True), RGB8, None),
    "webp, lossless, with alpha": (
        photo_files.saved(RGBA8, "WEBP", lossless=True, exact=True),
        RGBA8[..., :3],
        RGBA8[..., 3],
    ),
    "bmp": (photo_files.saved(RGB8, "BMP"), RGB8, None),
    "tiff": (photo_files.saved(RGB8, "TIFF"), RGB8, None),
    "tiff, lzw": (photo_files.saved(RGB8, "TIFF", compression="tiff_lzw"), RGB8, None),
    "tiff of 16 bits": (tiff(RGB16, photometric="rgb"), RGB16, None),
    "tiff of 16 bits, big-endian": (tiff(RGB16, photometric="rgb", byteorder=">"), RGB16, None),
    "tiff of 16 bits, deflate": (tiff(RGB16, photometric="rgb", compression="zlib", predictor=True), RGB16, None),
    "tiff of 16 bits, planes": (
        tiff(np.moveaxis(RGB16, 2, 0).copy(), photometric="rgb", planarconfig="separate"),
        RGB16,
        None,
    ),
    "tiff of 16 bits with alpha": (
        tiff(RGBA16, photometric="rgb", extrasamples=["unassalpha"]),
        RGBA16[..., :3],
        RGBA16[..., 3],
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_lossless_files_give_the_pixels_and_take_them_back(name, tmp_path):
    data, pixels, alpha = EXACT[name]
    photo = read_photo(data)
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert photo.pixels.dtype == pixels.dtype and photo.notes == ()
    assert (photo.alpha is None) == (alpha is None)
    if alpha is not None:
        np.testing.assert_array_equal(photo.alpha, alpha)
    path = tmp_path / f"out{photo.ending}"
    write_photo(photo, path)
    again = read_photo(path)
    assert again.pixels.tobytes() == photo.pixels.tobytes()
    assert alpha is None or again.alpha.tobytes() == photo.alpha.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "HEIF", "AVIF"])
def test_lossy_files_are_read_as_pillow_reads_them(kind):
    data = photo_files.saved(RGB8, kind)
    photo = read_photo(data)
    np.testing.assert_array_equal(photo.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert closeness(photo, RGB8) < LOSSY_LEVELS and photo.format == kind


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("samples", [RGB8, RGB16, RGBA8, RGBA16], ids=["rgb8", "rgb16", "rgba8", "rgba16"])
def test_every_photo_goes_into_every_format(kind, samples):
    opaque = samples.shape[2] == 3
    photo = Photo(np.ascontiguousarray(samples[..., :3]), None if opaque else np.ascontiguousarray(samples[..., 3]))
    again = read_photo(encode(photo, kind))
    deep = samples.dtype == np.uint16 and kind in ("PNG", "TIFF", "HEIF")
    assert again.pixels.dtype == (np.uint16 if deep else np.uint8)
    scale = np.iinfo(again.pixels.dtype).max / np.iinfo(samples.dtype).max
    if opaque:
        assert closeness(again, np.rint(samples * scale).astype(again.pixels.dtype)) < LOSSY_LEVELS
    elif kind == "JPEG":
        share = samples[..., 3:] / np.iinfo(samples.dtype).max
        white = samples[..., :3] / np.iinfo(samples.dtype).max * share + 1 - share
        assert again.alpha is None and closeness(again, np.rint(white * 255).astype(np.uint8)) < LOSSY_LEVELS
    else:
        assert np.abs(again.alpha / scale - samples[..., 3]).mean() * 255 / np.iinfo(samples.dtype).max < LOSSY_LEVELS


def palette(transparency: bool = False) -> bytes:
    image = Image.fromarray(RGB8).quantize(32)
    return photo_files.saved(image, "PNG", **({"transparency": 0} if transparency else {}))


def animated(kind: str) -> bytes:
    frames = [Image.fromarray(RGB8), Image.fromarray(255 - RGB8)]
    return photo_files.saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, lossless=True)


@pytest.mark.parametrize(
    "data, expected",
    [
        (photo_files.saved(GREY8, "PNG"), np.dstack([GREY8] * 3)),
        (photo_files.saved(GREY8, "TIFF"), np.dstack([GREY8] * 3)),
        (png16(GREY16), np.dstack([GREY16] * 3)),
        (tiff(GREY16, photometric="minisblack"), np.dstack([GREY16] * 3)),
        (tiff(65535 - GREY16, photometric="miniswhite"), np.dstack([GREY16] * 3)),
        (photo_files.saved(Image.fromarray(GREY8 > 99), "PNG"), np.dstack([(GREY8 > 99).astype(np.uint8) * 255] * 3)),
        (palette(), np.asarray(Image.open(io.BytesIO(palette())).convert("RGB"))),
    ],
    ids=["grey png", "grey tiff", "grey png of 16 bits", "grey tiff of 16 bits", "white is zero", "1 bit", "palette"],
)
def test_grey_and_palette_become_rgb(data, expected):
    photo = read_photo(data)
    np.testing.assert_array_equal(photo.pixels, expected)
    assert photo.pixels.dtype == expected.dtype and photo.alpha is None


@pytest.mark.parametrize(
    "data",
    [
        photo_files.saved(Image.fromarray(np.dstack([GREY8, 255 - GREY8]), "LA"), "PNG"),
        palette(transparency=True),
        photo_files.saved(Image.fromarray(GREY8), "PNG", transparency=int(GREY8[0, 0])),
        photo_files.saved(Image.fromarray(RGB8), "PNG", transparency=tuple(int(v) for v in RGB8[0, 0])),
    ],
    ids=["grey with alpha", "transparent palette", "transparent grey", "transparent colour"],
)
def test_transparency_of_every_kind_becomes_alpha(data):
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    photo = read_photo(data)
    np.testing.assert_array_equal(photo.pixels, expected[..., :3])
    np.testing.assert_array_equal(photo.alpha, expected[..., 3])
    again = read_photo(encode(photo, "PNG"))
    np.testing.assert_array_equal(again.alpha, photo.alpha)


def test_associated_alpha_is_divided_out():
    share = RGBA16[..., 3:] / 65535
    premultiplied = np.dstack([np.rint(RGBA16[..., :3] * share).astype(np.uint16), RGBA16[..., 3]])
    photo = read_photo(tiff(premultiplied, photometric="rgb", extrasamples=["assocalpha"]))
    assert np.abs(photo.pixels.astype(int) - RGBA16[..., :3]).max() <= 4


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_taken_and_said(kind):
    photo = read_photo(animated(kind))
    assert closeness(photo, RGB8) < (20 if kind == "GIF" else 0.01)
    assert photo.notes == ("Only the first page is used." if kind == "TIFF" else "Only the first frame is used.",)


def test_cmyk_becomes_srgb_with_and_without_a_profile():
    inks = np.asarray(Image.fromarray(RGB8).convert("CMYK"))
    for icc, word in ((photo_files.cmyk_profile(), "through its profile"), (None, "without a profile")):
        data = photo_files.saved(Image.fromarray(inks, "CMYK"), "TIFF", **({"icc_profile": icc} if icc else {}))
        photo = read_photo(data)
        assert word in photo.notes[0] and photo.icc is None
        assert closeness(photo, RGB8) < (25 if icc else 1)
    np.testing.assert_array_equal(photo.pixels, RGB8)
    deep = read_photo(tiff(inks.astype(np.uint16) * 257, photometric="separated"))
    np.testing.assert_array_equal(deep.pixels, RGB8.astype(np.uint16) * 257)
    jpeg = read_photo(photo_files.saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=98))
    assert closeness(jpeg, RGB8) < LOSSY_LEVELS


def test_grey_with_a_profile_keeps_its_look():
    grey = imagecodecs.cms_profile("gray", gamma=1.0)
    photo = read_photo(photo_files.saved(GREY8, "PNG", icc_profile=grey))
    linear = GREY8[..., None] / 255
    expected = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    assert photo.icc is None and np.abs(photo.pixels - expected).max() < 3


def test_heic_of_10_bits_keeps_them():
    stream = io.BytesIO()
    pillow_heif.encode("RGB;16", (56, 40), RGB16.tobytes(), stream, quality=95, chroma=444)
    photo = read_photo(stream.getvalue())
    assert photo.pixels.dtype == np.uint16 and closeness(photo, RGB16) < LOSSY_LEVELS
    white = io.BytesIO()
    pillow_heif.encode("RGB;16", (64, 64), np.full((64, 64, 3), 65535, np.uint16).tobytes(), white, quality=100)
    assert read_photo(white.getvalue()).pixels.max() == 65535  # 1023 of 1023 is white
    assert len(np.unique(read_photo(encode(photo, "HEIF")).pixels)) > 256


@pytest.mark.parametrize("samples", [RGB8, RGBA8, RGB16, RGBA16], ids=["rgb8", "rgba8", "rgb16", "rgba16"])
def test_a_png_is_read_alike_by_libpng_and_by_opencv(samples):
    data = png_file(samples, ())
    np.testing.assert_array_equal(imagecodecs.png_decode(data), samples)
    blue_first = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(blue_first[..., [2, 1, 0, 3][: samples.shape[2]]], samples)


@pytest.mark.parametrize("orientation", [1, 6])
def test_tiff_channels_that_pillow_has_no_mode_for(orientation):
    grey = np.dstack([RGB16[..., 0], RGBA16[..., 3]])
    tags = [(274, "H", 1, orientation, False)]
    data = tiff(grey, photometric="minisblack", extrasamples=["unassalpha"], extratags=tags)
    photo = read_photo(data)
    expected = grey if orientation == 1 else np.rot90(grey, -1)
    assert (photo.pixels == expected[..., :1]).all() and (photo.alpha == expected[..., 1]).all()
    with pytest.raises(InputError, match="at most 0.001 megapixels"):
        read_photo(data, max_pixels=1000)


def test_an_avif_keeps_its_colours_and_says_what_is_lost():
    wide = imagecodecs.avif_encode(RGB8, level=100, primaries=12, transfer=13, matrix=6)
    photo = read_photo(wide)
    assert photo.icc == profile_of_code(12) and photo.notes == ()
    ten = imagecodecs.avif_encode((RGB16 >> 6), level=100, bitspersample=10)
    assert read_photo(ten).notes == ("Of its 10 bits a channel 8 are read.",)
    bright = imagecodecs.avif_encode(RGB8, primaries=9, transfer=16, matrix=9)
    assert read_photo(bright).notes == (
        "Its high dynamic range (PQ) was read as an ordinary picture's: it looks flat.",
    )
