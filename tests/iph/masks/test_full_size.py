"""A mask that was made on a small copy, at its picture's own size."""

import cv2
import numpy as np
import pytest
from drawn_hair import drawn_hair
from hypothesis import given, settings
from hypothesis import strategies as st

from iph.masks.refine import at_full_size


def shrunk(plane: np.ndarray, times: int) -> np.ndarray:
    size = plane.shape[1] // times, plane.shape[0] // times
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("textured", [False, True])
@pytest.mark.parametrize("times", [2, 3, 4])
def test_strands_come_back_that_the_copy_had_lost(textured: bool, times: int) -> None:
    picture, alpha, _ = drawn_hair(textured)
    small = shrunk(alpha, times)
    linear = cv2.resize(small, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)
    edge = (alpha > 0.02) & (alpha < 0.98)
    errors = [np.abs(mask - alpha)[edge].mean() for mask in (at_full_size(picture.astype(np.float32), small), linear)]
    assert errors[0] < 0.5 * errors[1]


def test_every_depth_gives_the_same_mask() -> None:
    picture, alpha, _ = drawn_hair()
    small = shrunk(alpha, 2)
    deep = np.rint(picture * 65535).astype(np.uint16)
    whole = at_full_size(picture.astype(np.float32), small)
    np.testing.assert_allclose(at_full_size(deep, small), whole, atol=0.01)
    np.testing.assert_allclose(at_full_size(np.rint(picture * 255).astype(np.uint8), small), whole, atol=0.1)


def test_at_its_own_size_it_is_itself_and_a_larger_one_is_averaged() -> None:
    picture, alpha, _ = drawn_hair()
    assert at_full_size(picture, alpha) is alpha
    large = cv2.resize(alpha, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    np.testing.assert_allclose(at_full_size(picture, large), alpha, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 90), st.integers(4, 300), st.floats(1, 5))
def test_any_size_stays_a_mask_where_nothing_shows_the_edge(seed: int, height: int, width: int, times: float) -> None:
    """A plain picture has no detail: what comes is the mask enlarged, in [0, 1], untouched where it is flat."""
    mask = np.zeros((height, width), np.float32)
    mask[: height // 2] = 1
    picture = np.full((round(height * times), round(width * times), 3), seed % 256, np.uint8)
    whole = at_full_size(picture, mask)
    assert whole.shape == picture.shape[:2] and whole.dtype == np.float32
    assert 0 <= whole.min() and whole.max() <= 1
    edge = height // 2 * times
    np.testing.assert_allclose(whole[: max(0, int(edge - 3 * times))], 1, atol=1e-6)
    assert not whole[int(edge + 3 * times) + 1 :].any()
