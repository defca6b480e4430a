"""Photos read and written in every format, against the arrays they were made from and against Pillow."""

import io
import os
import stat
import zlib
from dataclasses import replace

import cv2
import imagecodecs
import numpy as np
import photo_files
import pillow_heif
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps, PngImagePlugin

from iph.containers import png_file
from iph.encoding import WRITERS, encode
from iph.errors import InputError
from iph.imagefile import KINDS, read_photo, write_photo
from iph.metadata import is_marked_edited
from iph.photo import Photo

LOSSY_LEVELS = 6  # mean error of a lossy codec at its usual quality on the small test picture
RGB8, RGB16 = photo_files.pixels(), photo_files.pixels(np.uint16)
RGBA8, RGBA16 = photo_files.pixels(channels=4), photo_files.pixels(np.uint16, channels=4)


def png16(samples: np.ndarray) -> bytes:
    return imagecodecs.png_encode(samples)


def tiff(samples: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, samples, metadata=None, **options)
    return stream.getvalue()


def closeness(photo: Photo, expected: np.ndarray) -> float:
    assert photo.pixels.shape == expected.shape and photo.pixels.dtype == expected.dtype
    return np.abs(photo.pixels.astype(float) - expected).mean() / np.iinfo(expected.dtype).max * 255


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


GREY8, GREY16 = RGB8[..., 0].copy(), RGB16[..., 0].copy()


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


def with_orientation(kind: str, samples: np.ndarray, orientation: int) -> bytes:
    block = photo_files.exif(orientation)
    if kind == "16-bit TIFF":
        return tiff(samples, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    if kind == "16-bit PNG":
        return photo_files.with_png_chunks(png16(samples), ((b"eXIf", block.removeprefix(b"Exif\x00\x00")),))
    if kind == "TIFF":
        return photo_files.saved(samples, "TIFF", tiffinfo={274: orientation})
    options = {"WEBP": {"lossless": True}, "PNG": {}}.get(kind, {"quality": 95})
    return photo_files.saved(samples, kind, exif=block, **options)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF", "16-bit TIFF", "16-bit PNG"])
def test_every_orientation_is_made_upright_once(kind, orientation, tmp_path):
    samples = RGB16 if kind.startswith("16") else RGB8
    tag = Image.Exif()
    tag[0x0112] = orientation
    stored = Image.fromarray(RGB8)
    stored.info["exif"] = tag.tobytes()
    expected = np.asarray(ImageOps.exif_transpose(stored))
    photo = read_photo(with_orientation(kind, samples, orientation))
    eight = photo.pixels if photo.pixels.dtype == np.uint8 else ((photo.pixels + 128.0) // 257).astype(np.uint8)
    assert eight.shape == expected.shape and np.abs(eight.astype(int) - expected).mean() < LOSSY_LEVELS
    again = read_photo(encode(photo, photo.format))
    assert again.pixels.shape == photo.pixels.shape and closeness(again, photo.pixels) < LOSSY_LEVELS


def with_everything(kind: str) -> bytes:
    """A file with profile, EXIF, XMP and resolution, as another program writes it."""
    options = {"exif": photo_files.exif(), "icc_profile": photo_files.display_p3(), "dpi": (300, 300)}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", photo_files.XMP.decode())
        text.add_text("Copyright", "Ann Artist")
        options["pnginfo"] = text
    elif kind == "TIFF":
        block = Image.Exif()
        block.load(options["exif"])
        block[700] = photo_files.XMP
        options["exif"] = block
    else:
        options["xmp"] = photo_files.XMP
    return photo_files.saved(RGB8, kind, **options)


@pytest.mark.parametrize("to", WRITERS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_profile_exif_and_xmp_travel_and_the_edit_is_marked(kind, to, tmp_path):
    photo = read_photo(with_everything(kind))
    path = tmp_path / ("out" + next(ending for ending, k in KINDS.items() if k == to))
    write_photo(photo, path)
    with Image.open(path) as image:  # as another program sees it
        exif = image.getexif()
        image.load()
        assert image.info["icc_profile"] == photo_files.display_p3()
        assert exif[0x010F] == "Canon" and exif[0x013B] == "Ann Artist" and exif[0x0131] == "Camera 1.0"
        details = exif.get_ifd(0x8769)
        assert details[0x9003] == "2024:05:06 07:08:09" and details[0x927C] == b"maker note " * 9
        assert (details[0xA002], details[0xA003]) == (56, 40) and exif.get_ifd(0x8825)[2] == (52.0, 31.0, 12.0)
        xmp = image.info["xmp"]
        assert "Jürgen &amp; Co".encode() in xmp and is_marked_edited(xmp)
        if kind in ("JPEG", "PNG", "TIFF") and to in ("JPEG", "PNG", "TIFF"):
            assert [round(float(d)) for d in image.info["dpi"]] == [300, 300]
    unmarked = read_photo(encode(photo, to, edited=False))
    assert unmarked.xmp is None or not is_marked_edited(unmarked.xmp)


def test_16_bit_files_keep_all_of_it_too():
    photo = replace(read_photo(with_everything("JPEG")), pixels=RGB16)
    for kind in ("PNG", "TIFF", "HEIF"):
        again = read_photo(encode(photo, kind))
        assert again.icc == photo.icc and is_marked_edited(again.xmp) and again.pixels.dtype == np.uint16
        block = Image.Exif()
        block.load(again.exif)
        assert block[0x013B] == "Ann Artist" and block.get_ifd(0x8825)[1] == "N"
    with tifffile.TiffFile(io.BytesIO(encode(photo, "TIFF"))) as file:
        np.testing.assert_array_equal(file.pages[0].asarray(), RGB16)
        assert file.pages[0].tags[34665].value["ExposureTime"] == (1, 250)


def test_captions_and_texts_of_one_format_stay():
    caption = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x08\x1c\x02\x78\x00\x03abc"
    extended = b"http://ns.adobe.com/xmp/extension/\x00" + b"0" * 32 + bytes(8) + b"<more/>"
    extra = b"".join(
        b"\xff" + marker + (len(content) + 2).to_bytes(2, "big") + content
        for marker, content in ((b"\xed", caption), (b"\xe1", extended), (b"\xfe", b"A comment"))
    )
    written = encode(read_photo(photo_files.saved(RGB8, "JPEG", extra=extra)), "JPEG")
    assert caption in written and extended in written
    with Image.open(io.BytesIO(written)) as image:
        assert image.info["comment"] == b"A comment" and image.info["photoshop"]
    with Image.open(io.BytesIO(encode(read_photo(with_everything("PNG")), "PNG"))) as image:
        assert image.text["Copyright"] == "Ann Artist"
    tags = read_photo(photo_files.saved(RGB8, "TIFF", tiffinfo={34377: b"8BIM" + bytes(9)}))
    with Image.open(io.BytesIO(encode(tags, "TIFF"))) as image:
        assert image.tag_v2[34377] == b"8BIM" + bytes(9)


def test_a_png_tells_its_colours_once():
    gamma = photo_files.with_png_chunks(
        photo_files.saved(RGB8, "PNG"), ((b"gAMA", (45455).to_bytes(4, "big")), (b"sRGB", b"\x00"))
    )
    photo = read_photo(gamma)
    assert b"gAMA" in encode(photo, "PNG") and b"sRGB" in encode(photo, "PNG")
    converted = encode(photo.converted_to(photo_files.display_p3()), "PNG")
    assert b"iCCP" in converted and b"gAMA" not in converted and b"sRGB" not in converted


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_goes_back_with_its_own_tables(subsampling, orientation):
    block = photo_files.exif(orientation)
    data = photo_files.saved(photo_files.photographic(), "JPEG", quality=83, subsampling=subsampling, exif=block)
    photo = read_photo(data)
    own, high = read_photo(encode(photo, "JPEG")), read_photo(encode(photo, "JPEG", quality=95))
    if (orientation, subsampling) != (6, 1):  # 4:2:2 has no turned form
        assert closeness(own, photo.pixels) < closeness(high, photo.pixels)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(encode(photo, "JPEG"))) as after:
        turned = [np.reshape(table, (8, 8)) for table in before.quantization.values()]
        turned = [table.T if orientation == 6 else table for table in turned]
        assert [table.ravel().tolist() for table in turned] == [list(t) for t in after.quantization.values()]


def test_what_is_too_long_for_a_jpeg_is_shortened_not_refused():
    block = Image.Exif()
    block.load(photo_files.exif())
    block.get_ifd(0x8769)[0x927C] = bytes(70_000)
    exif = block.tobytes().removeprefix(b"Exif\x00\x00")
    xmp = photo_files.XMP.replace(b"Co<", b"Co" + b"o" * 70_000 + b"<")
    again = read_photo(encode(Photo(RGB8, exif=exif, xmp=xmp), "JPEG"))
    block.load(again.exif)
    assert block[0x013B] == "Ann Artist" and 0x927C not in block.get_ifd(0x8769)
    assert is_marked_edited(again.xmp)


def test_progressive_stays_progressive():
    data = encode(read_photo(photo_files.saved(RGB8, "JPEG", progressive=True)), "JPEG")
    assert "progressive" in Image.open(io.BytesIO(data)).info


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


def test_pixels_can_be_replaced_by_their_like_only():
    photo = read_photo(with_everything("PNG"))
    other = photo.with_pixels(255 - photo.pixels)
    assert other.exif == photo.exif and (other.pixels == 255 - photo.pixels).all()
    for wrong in (photo.pixels[1:], photo.pixels.astype(np.uint16)):
        with pytest.raises(InputError, match="like the photo's own"):
            photo.with_pixels(wrong)
    for pixels, alpha in (
        (RGB8[..., 0], None),
        (RGB8.astype(float), None),
        (RGB8, RGB16[..., 0]),
        (RGB8, RGB8[1:, :, 0]),
    ):
        with pytest.raises(InputError, match="expected"):
            Photo(pixels, alpha)


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


@pytest.mark.parametrize("name", ["png of 16 bits", "tiff of 16 bits", "tiff of 16 bits, deflate"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_a_truncated_file_of_16_bits_is_a_sentence(name, share):
    data = EXACT[name][0]
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
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
    path.write_bytes(EXACT["png"][0])
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
