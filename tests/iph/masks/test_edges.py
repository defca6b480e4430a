"""Clean edges: on composites of known alpha the colour of the foreground comes back."""

from pathlib import Path

import numpy as np
import pytest
from drawn_hair import drawn_hair

from iph.errors import InputError
from iph.masks import clean_edges

Composite = tuple[np.ndarray, np.ndarray, np.ndarray]
GOLDEN = Path(__file__).parent / "golden" / "foreground.npz"  # made by golden/make_foreground.py


@pytest.fixture(scope="module")
def hair() -> Composite:
    return drawn_hair()


def error(found: np.ndarray, truth: np.ndarray, alpha: np.ndarray) -> float:
    return float(np.abs(found - truth)[(alpha > 0.05) & (alpha < 0.95)].mean())


@pytest.mark.parametrize("times", [1, 8])  # 8: beyond the finest level
def test_hair_carries_no_sky(times: int) -> None:
    picture, alpha, true = drawn_hair(times=times)
    assert error(picture, true, alpha) > 0.3
    assert error(clean_edges(picture, alpha), true, alpha) < 0.004  # measured 0.002; pymatting's 0.002


@pytest.mark.parametrize("textured", [False, True])
def test_as_close_to_the_truth_as_pymattings(textured: bool) -> None:
    picture, alpha, true = drawn_hair(textured)
    soft = (alpha > 0.05) & (alpha < 0.95)
    golden = np.load(GOLDEN)["textured" if textured else "smooth"] / 255
    found = clean_edges(picture, alpha)
    assert np.abs(found[soft] - golden).mean() < (0.025 if textured else 0.004)  # measured 0.018, 0.0016
    assert error(found, true, alpha) < 1.1 * np.abs(golden - true[soft]).mean() + 0.001


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_depth_is_kept_and_the_inside_stays(hair: Composite, dtype: type) -> None:
    picture, alpha, _ = hair
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    image = (picture * full).astype(dtype)
    cleaned = clean_edges(image, alpha)
    assert cleaned.dtype == dtype and cleaned.shape == image.shape
    hard = (alpha == 0) | (alpha == 1)
    np.testing.assert_array_equal(cleaned[hard], image[hard])
    np.testing.assert_allclose(cleaned / full, clean_edges(picture, alpha), atol=0.02)


def test_a_hard_mask_changes_nothing(hair: Composite) -> None:
    picture, alpha, _ = hair
    np.testing.assert_array_equal(clean_edges(picture, (alpha > 0.5).astype(np.float32)), picture)


def test_another_size_gets_a_sentence(hair: Composite) -> None:
    with pytest.raises(InputError, match="the alpha was expected with shape"):
        clean_edges(hair[0], hair[1][:10])
