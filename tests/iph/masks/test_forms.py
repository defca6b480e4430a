"""Every form a mask comes in."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.images.photo import Photo
from iph.masks import (
    as_mask,
    check_pair,
    from_alpha,
    from_box_region,
    from_photo,
    from_two_color,
    levels_from_photo,
    marks_from_photo,
)
from iph.masks.forms import top_of

SHAPE = (24, 32)


@pytest.fixture
def disc() -> np.ndarray:
    ys, xs = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (ys - 12) ** 2 + (xs - 16) ** 2 < 64


def forms(disc: np.ndarray) -> dict[str, np.ndarray]:
    grey = (disc * 255).astype(np.uint8)
    opaque = np.full(SHAPE, 255, np.uint8)
    return {
        "bool": disc,
        "uint8": grey,
        "uint8 of ones": disc.astype(np.uint8),
        "int64 of ones": disc.astype(np.int64),
        "uint16": (disc * 65535).astype(np.uint16),
        "float64": disc.astype(np.float64),
        "one channel": grey[..., None],
        "three channels": np.repeat(grey[..., None], 3, 2),
        "painted layer": np.dstack([np.zeros((*SHAPE, 3), np.uint8) + 77, grey]),
        "grey with alpha": np.dstack([opaque, grey]),
        "opaque painted PNG": np.dstack([grey, grey, grey, opaque]),
    }


@pytest.mark.parametrize("form", forms(np.zeros(SHAPE, bool)))
def test_every_form_is_the_same_mask(disc: np.ndarray, form: str) -> None:
    mask = as_mask(forms(disc)[form], (*SHAPE, 3))
    assert mask.dtype == np.float32
    np.testing.assert_array_equal(mask, disc)


@settings(max_examples=30)
@given(arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32)))
def test_soft_masks_stay_soft(soft: np.ndarray) -> None:
    soft[0, 0], soft[0, 1] = 1, 0
    np.testing.assert_array_equal(as_mask(soft, (3, 4)), soft)


@pytest.mark.parametrize("times", [2, 3, 0.5])
def test_another_size_of_the_same_aspect_is_resized(disc: np.ndarray, times: float) -> None:
    other = cv2.resize((disc * 255).astype(np.uint8), None, fx=times, fy=times, interpolation=cv2.INTER_AREA)
    mask = as_mask(other, SHAPE)
    assert mask.shape == SHAPE
    assert abs(mask.sum() - disc.sum()) < 0.06 * disc.sum()


def test_a_side_that_was_rounded_is_the_same_aspect(disc: np.ndarray) -> None:
    assert as_mask(np.pad(disc, ((0, 1), (0, 0)))[:25], SHAPE).shape == SHAPE


def bad_masks() -> dict[str, tuple[np.ndarray, str]]:
    half = np.zeros(SHAPE)
    half[:12] = 1
    colours = np.zeros((*SHAPE, 3), np.uint8)
    colours[:12, :, 0] = 255
    return {
        "empty": (np.zeros(SHAPE), "empty"),
        "nearly empty": (np.full(SHAPE, 0.2), "empty"),
        "full": (np.ones(SHAPE), "whole picture"),
        "NaN": (np.where(half, np.nan, 0), "NaN"),
        "above one": (half * 3, "between 0 and 1"),
        "negative": (-half.astype(np.int64), "between 0 and 255"),
        "another aspect": (half[:, :16], "aspect"),
        "colours": (colours, "colours"),
        "one dimension": (half[0], "1 to 4 channels"),
        "five channels": (np.zeros((*SHAPE, 5)), "1 to 4 channels"),
        "no pixels": (np.zeros((0, 4)), "1 to 4 channels"),
        "text": (np.full(SHAPE, "a"), "numbers"),
    }


@pytest.mark.parametrize("name", bad_masks())
def test_a_bad_mask_gets_one_sentence(name: str) -> None:
    mask, words = bad_masks()[name]
    with pytest.raises(InputError, match=words) as error:
        as_mask(mask, SHAPE, "foreground")
    assert not str(error.value).endswith(".") and "\n" not in str(error.value)


def test_a_whole_photo_may_be_a_reference() -> None:
    assert as_mask(np.ones(SHAPE), SHAPE, allow_full=True).all()


def test_alpha_of_a_cut_out(disc: np.ndarray) -> None:
    layer = np.dstack([np.zeros((*SHAPE, 3), np.uint8), (disc * 255).astype(np.uint8)])
    np.testing.assert_array_equal(from_alpha(layer), disc)
    np.testing.assert_array_equal(from_alpha(layer[..., 3]), disc)


@pytest.mark.parametrize(("alpha", "word"), [(255, "opaque"), (0, "transparent")])
def test_alpha_that_cuts_nothing_out(alpha: int, word: str) -> None:
    with pytest.raises(InputError, match=word):
        from_alpha(np.full((*SHAPE, 4), alpha, np.uint8))
    with pytest.raises(InputError, match="3 channels"):
        from_alpha(np.zeros((*SHAPE, 3), np.uint8))


@pytest.mark.parametrize("quality", [100, 75, 40])
def test_two_colours_survive_jpeg(quality: int) -> None:
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[16:64, 16:64] = (224, 0, 0)
    picture[64:112, 48:112] = (0, 0, 255)
    coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    foreground, reference = from_two_color(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])
    for found, truth in ((foreground, picture[..., 0] > 0), (reference, picture[..., 2] > 0)):
        assert (found.astype(bool) & truth).sum() / (found.astype(bool) | truth).sum() > 0.95


def test_two_colours_that_are_not_there() -> None:
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:8] = (255, 0, 0)
    with pytest.raises(InputError, match="nothing of this one is blue"):
        from_two_color(picture)
    picture[8:] = (0, 255, 0)
    with pytest.raises(InputError, match="other colours"):
        from_two_color(picture)


def test_box_region_in_any_order_of_corners() -> None:
    mask = from_box_region(SHAPE, (20.0, 30, 4, 10))
    assert mask.sum() == 16 * 14
    assert mask[10:24, 4:20].all()


@pytest.mark.parametrize("box", [(40, 0, 50, 10), (3, 3, 3, 9), (0, 0, np.nan, 4), (1, 2, 3)])
def test_a_box_without_pixels(box: tuple) -> None:
    with pytest.raises(InputError, match="box"):
        from_box_region(SHAPE, box)


def test_overlap_is_taken_from_the_reference() -> None:
    foreground, reference = from_box_region(SHAPE, (0, 0, 10, 24)), from_box_region(SHAPE, (5, 0, 20, 24))
    _, rest = check_pair(foreground, reference)
    np.testing.assert_array_equal(rest, from_box_region(SHAPE, (10, 0, 20, 24)))


def test_pairs_that_cannot_be(disc: np.ndarray) -> None:
    mask = disc.astype(np.float32)
    inner = cv2.erode(mask, np.ones((5, 5)))
    with pytest.raises(InputError, match="reference lies on the person"):
        check_pair(mask, inner)
    with pytest.raises(InputError, match="one size"):
        check_pair(mask, inner[:10])
    with pytest.raises(InputError, match="foreground covers"):
        check_pair(np.ones_like(mask), mask)
    with pytest.raises(InputError, match="reference is empty"):
        check_pair(mask, np.zeros_like(mask))


def test_everything_around_the_foreground_is_a_reference(disc: np.ndarray) -> None:
    mask = disc.astype(np.float32)
    np.testing.assert_array_equal(check_pair(mask, np.ones_like(mask))[1], 1 - mask)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_large_mask_is_what_its_pixels_say(channels: int, tmp_path) -> None:
    """Larger than one band of rows; how quick it is, ``python -m bench.speed_iph`` prints."""
    ys, xs = np.ogrid[:1500, :2000]
    plane = np.clip((700 - np.hypot(ys - 750, xs - 1000)) * 12, 0, 255).astype(np.uint8)
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), np.repeat(plane[..., None], channels, 2), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    foreground, reference = marks_from_photo(read_photo(path), plane.shape)
    assert reference is None and np.array_equal(foreground, plane / np.float32(255))


@pytest.mark.parametrize(
    ("scale", "dtype", "size", "stays"),
    [
        (255, np.uint8, SHAPE, np.uint8),
        (1, np.uint8, SHAPE, bool),
        (65535, np.uint16, SHAPE, np.float32),
        (255, np.uint8, (48, 64), np.float32),
    ],
)
def test_a_file_of_8_bits_stays_in_them(disc, scale, dtype, size, stays):
    soft = cv2.blur(disc.astype(np.float32), (3, 3)) if scale > 1 else disc.astype(np.float32)
    plane = np.rint(soft * scale).astype(dtype)
    photo = Photo(np.repeat(plane[..., None], 3, 2))
    levels, mask = (read(photo, size) for read in (levels_from_photo, from_photo))
    assert levels.dtype == stays and levels.shape == size
    np.testing.assert_array_equal(levels / np.float32(top_of(levels)), mask)


@pytest.mark.parametrize(("level", "sentence"), [(100, "is empty"), (200, "covers the whole picture")])
def test_a_file_of_8_bits_that_is_no_mask(level, sentence):
    photo = Photo(np.full((*SHAPE, 3), level, np.uint8))
    with pytest.raises(InputError, match=sentence):
        levels_from_photo(photo, SHAPE, "foreground")
    if level == 200:
        assert levels_from_photo(photo, SHAPE, "reference", allow_full=True).min() == 200
