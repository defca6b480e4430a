"""What travels with a photo's pixels: orientation, profile, EXIF, XMP, captions, a JPEG's own tables."""

import io
from dataclasses import replace

import numpy as np
import photo_files
import pytest
import tifffile
from photo_files import LOSSY_LEVELS, RGB8, RGB16, closeness, png16, tiff, with_everything
from PIL import Image, ImageOps

from iph.errors import InputError
from iph.images.encoding import WRITERS, encode
from iph.images.imagefile import KINDS, read_photo, write_photo
from iph.images.metadata import is_marked_edited
from iph.images.photo import Photo


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


def resource(number: int, content: bytes, name: bytes = b"") -> bytes:
    named = bytes([len(name)]) + name
    padded = content + b"\0" * (len(content) % 2)
    return (
        b"8BIM"
        + number.to_bytes(2, "big")
        + named
        + b"\0" * (len(named) % 2)
        + len(content).to_bytes(4, "big")
        + padded
    )


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_photoshops_small_copy_of_the_photo_goes(kind):
    """It would show the photo before the edit, as EXIF's would."""
    caption, path = resource(1028, b"abc"), resource(2000, b"a path", name=b"Path 1")
    thumbnail = resource(1036, b"thumbnail" * 9_000)
    resources = caption + thumbnail + path
    if kind == "JPEG":
        parts = [resources[start : start + 60_000] for start in range(0, len(resources), 60_000)]
        segments = [b"Photoshop 3.0\x00" + part for part in parts]
        extra = b"".join(b"\xff\xed" + (len(one) + 2).to_bytes(2, "big") + one for one in segments)
        photo = read_photo(photo_files.saved(RGB8, "JPEG", extra=extra))
    else:
        photo = read_photo(photo_files.saved(RGB8, "TIFF", tiffinfo={34377: resources}))
    written = encode(photo, kind)
    assert caption + path in written and b"thumbnail" not in written


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
