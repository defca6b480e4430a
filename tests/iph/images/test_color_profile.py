"""ICC conversion against published numbers and against Pillow's own binding of LittleCMS."""

import io

import numpy as np
import photo_files
import pytest
from PIL import Image, ImageCms

from iph.errors import InputError
from iph.images import color_profile
from iph.images.photo import Photo

# sRGB's primaries in Display P3, as CSS Color 4 prints them: color(display-p3 0.9175 0.2003 0.1386) and so on.
SRGB_IN_P3 = {
    (255, 0, 0): (0.9175, 0.2003, 0.1386),
    (0, 255, 0): (0.4584, 0.9853, 0.2983),
    (0, 0, 255): (0.0, 0.0, 0.9596),
    (255, 255, 255): (1.0, 1.0, 1.0),
}


@pytest.mark.parametrize("dtype, tolerance", [(np.uint8, 1 / 255), (np.uint16, 0.001)])
def test_srgb_primaries_in_display_p3(dtype, tolerance):
    full = np.iinfo(dtype).max
    pixels = (np.array([list(SRGB_IN_P3)]) * (full / 255)).astype(dtype)
    out = color_profile.convert(pixels, None, photo_files.display_p3())
    assert out.dtype == dtype and out.shape == pixels.shape
    np.testing.assert_allclose(out[0] / full, list(SRGB_IN_P3.values()), atol=tolerance)


def test_8_bits_as_pillow_converts_them():
    pixels, p3 = photo_files.pixels(), photo_files.display_p3()
    profiles = [ImageCms.ImageCmsProfile(io.BytesIO(icc)) for icc in (color_profile.SRGB, p3)]
    expected = ImageCms.profileToProfile(
        Image.fromarray(pixels),
        *profiles,
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    np.testing.assert_array_equal(color_profile.convert(pixels, None, p3), np.asarray(expected))


def test_there_and_back_in_16_bits_is_the_same():
    photo = Photo(photo_files.pixels(np.uint16))
    p3 = photo.converted_to(photo_files.display_p3())
    assert p3.icc == photo_files.display_p3()
    assert np.abs(p3.pixels.astype(int) - photo.pixels).max() > 2000
    assert np.abs(p3.converted_to(None).pixels.astype(int) - photo.pixels).max() < 40


def test_the_same_profile_is_no_work():
    photo = Photo(photo_files.pixels(), icc=photo_files.display_p3())
    assert photo.converted_to(photo_files.display_p3()) is photo


def test_a_profile_made_from_a_code_is_display_p3():
    pixels = photo_files.pixels()
    made = color_profile.profile_of_code(12)
    difference = color_profile.convert(pixels, None, made).astype(int) - color_profile.convert(
        pixels, None, photo_files.display_p3()
    )
    assert np.abs(difference).max() <= 1 and color_profile.profile_of_code(1) is None


def test_cmyk_goes_through_its_profile():
    inks = np.array([[[0, 0, 0, 0], [0, 255, 255, 0], [255, 0, 255, 0], [0, 0, 0, 255]]], np.uint8)
    expected = [[[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 0]]]
    np.testing.assert_allclose(
        color_profile.convert(inks, photo_files.cmyk_profile()), expected, atol=10
    )  # its table holds whole Lab levels


@pytest.mark.parametrize(
    "source, part",
    [
        (photo_files.cmyk_profile(), "rgb colours as source, got cmyk"),
        (b"nonsense" * 30, "rgb colours as source, got None"),
        (photo_files.display_p3()[:200], "usable ICC profile"),
    ],
)
def test_a_profile_of_another_kind_is_a_sentence(source, part):
    with pytest.raises(InputError, match=part):
        color_profile.convert(photo_files.pixels(), source)
