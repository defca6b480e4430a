"""Sizes of pictures as arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import iph
from iph.pixels import resized

side = st.integers(1, 90)


@given(st.tuples(side, side), st.tuples(side, side), st.integers(0, 2**32))
def test_resizing_averages_down_and_goes_linearly_up(shape, size, seed):
    plane = np.random.default_rng(seed).random(shape, np.float32)
    found = resized(plane, size)
    assert found.shape == size and plane.min() - 1e-6 <= found.min() <= found.max() <= plane.max() + 1e-6
    for axis in range(2):  # each side by itself, in one order or the other
        if size[axis] < shape[axis] and shape[axis] % size[axis] == 0 and size[1 - axis] >= shape[1 - axis]:
            parts = np.stack(np.split(plane, size[axis], axis)).mean(axis + 1)
            means = parts if axis == 0 else parts.T
            np.testing.assert_allclose(found, resized(np.ascontiguousarray(means), size), atol=1e-5)


def test_thin_columns_do_not_vanish_where_the_other_side_grows():
    plane = np.zeros((100, 1024), np.float32)
    plane[:, ::8] = 1
    assert resized(plane, (128, 128)).mean() == pytest.approx(1 / 8, abs=1e-3)


@pytest.mark.parametrize("left", range(600, 608))
def test_a_narrow_reference_in_a_wide_picture_is_seen(left):
    image = np.full((100, 1000, 3), 150, np.uint8)
    image[:, 500:] = 200, 60, 60
    foreground, reference = np.zeros((2, 100, 1000), bool)
    foreground[20:80, 100:160] = reference[:, left : left + 2] = True
    session = iph.load("portrait").open(image, foreground)
    here, there = session.matched(reference)
    assert here[..., 3].any() and there[..., 3].any()


def test_a_copy_of_the_picture_beside_a_mask_is_another_picture_whatever_its_size():
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 255, (6, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    foreground, reference = np.zeros((2, 96, 128), bool)
    foreground[20:80, 10:50] = reference[20:80, 70:120] = True
    session = iph.load("general").open(image, foreground)
    results = [session.harmonize(iph.Reference(reference, one)).image for one in (image, image.copy())]
    np.testing.assert_array_equal(*results)
