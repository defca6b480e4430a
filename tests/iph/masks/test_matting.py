"""The edge of a cut-out drawn by closed-form matting: pymatting's answer, known alpha, and masks of any kind."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_hair import drawn_hair, rough_mask
from hypothesis import given, settings
from hypothesis import strategies as st

from iph.masks import matting
from iph.masks.matting import Sizes, band_of, finished, matted
from iph.pixels import small_copy

GOLDEN = Path(__file__).parent / "golden" / "matting.npz"  # made by golden/make_matting.py


def drawn(textured: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture (H, W, 3) uint8, its true alpha, and a rough mask."""
    picture, alpha, _ = drawn_hair(textured)
    return np.rint(picture * 255).astype(np.uint8), alpha, rough_mask(alpha)


@pytest.mark.parametrize("textured", [False, True])
def test_the_band_becomes_pymattings(textured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    picture, _, mask = drawn(textured)
    band = band_of(mask)
    golden = np.load(GOLDEN)["textured" if textured else "smooth"] / 255
    usual = matted(picture, mask)[band]
    monkeypatch.setattr(matting, "STEPS", 500)
    monkeypatch.setattr(matting, "PRIOR", 0.0)
    assert np.abs(matted(picture, mask)[band] - golden).mean() < 0.003
    assert np.abs(usual - golden).mean() < 0.3 * np.abs(mask[band] - golden).mean()


@pytest.mark.parametrize("textured", [False, True])
def test_a_rough_mask_comes_nearer_to_the_truth(textured: bool) -> None:
    picture, alpha, mask = drawn(textured)
    band = band_of(mask)
    error = [np.abs(found - alpha)[band].mean() for found in (mask, matted(picture, mask))]
    assert error[1] < 0.8 * error[0]  # measured 0.66 and 0.73; pymatting 0.66 and 0.75


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40))
def test_any_mask_of_any_picture_stays_a_mask(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    if seed % 2:
        picture[:] = picture[:1, :1]  # one colour: no window says anything
    mask = rng.random((height, width), np.float32) ** rng.uniform(0.2, 5)
    found = matted(picture, mask.copy())
    assert found.shape == mask.shape and found.dtype == np.float32
    assert 0 <= found.min() and found.max() <= 1
    beyond = ~band_of(mask) & (mask > 0.1) & (mask < 0.9)
    np.testing.assert_array_equal(found[beyond], mask[beyond])


@pytest.mark.parametrize("colours", [(30, 220), (0, 255), (128, 128)])
@pytest.mark.parametrize("way", ["grey", "red"])
def test_colours_on_a_line_leave_the_edge_where_it_is(colours: tuple[int, int], way: str) -> None:
    """No window has more than one direction of colour, which leaves its inverse next to nothing to hold on to."""
    rng = np.random.default_rng(1)
    mask = np.zeros((60, 80), np.float32)
    mask[:, 40:] = 1
    plane = np.where(mask > 0, *colours[::-1]).astype(np.uint8)
    for noise in (0, 3):
        values = np.clip(plane + rng.integers(-noise, noise + 1, plane.shape), 0, 255).astype(np.uint8)
        picture = np.repeat(values[..., None], 3, 2)
        if way == "red":
            picture[..., 1:] = 255 - picture[..., 1:]
        found = matted(picture, mask)
        assert np.isfinite(found).all()
        if colours[0] != colours[1]:
            assert np.abs(found - mask).max() < 0.1
        else:  # nothing to see: the edge is where it was, give or take the band
            assert ((found > 0.5) == (mask > 0.5)).mean() > 0.97


def test_a_mask_of_nothing_but_edges_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, _, mask = drawn(False)
    monkeypatch.setattr(matting, "MOST", 100)
    band = band_of(mask)
    np.testing.assert_array_equal(matted(picture, mask)[band], mask[band])


def test_many_windows_at_once_or_few_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, _, mask = drawn(True)
    whole = matted(picture, mask)
    monkeypatch.setattr(matting, "AT_ONCE", 97)
    np.testing.assert_allclose(matted(picture, mask), whole, atol=1e-4)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_finished_at_the_pictures_own_size_and_depth(dtype: type, soft: bool) -> None:
    picture, alpha, _ = drawn_hair(times=5)
    image = picture if dtype == np.float32 else np.rint(picture * np.iinfo(dtype).max).astype(dtype)
    copy, _, mask = drawn(False)
    mask = 0.5 + 0.6 * (mask - 0.5) if soft else mask  # half clear, as a probability is
    found = finished(Sizes(image, small_copy(image, matting.SIDE), copy), mask, soft)
    enlarged = cv2.resize(mask, alpha.shape[::-1])
    assert found.shape == alpha.shape and found.dtype == np.float32
    assert np.abs(found - alpha).mean() < 0.85 * np.abs(enlarged - alpha).mean()
