"""Clean edges: on composites of known alpha the colour of the foreground comes back."""

import cv2
import numpy as np
import pytest

from iph.errors import InputError
from iph.masks import clean_edges

Composite = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def hair() -> Composite:
    """Dark strands before a bright sky: the picture, float32 in [0, 1], its alpha, and the true foreground."""
    height, width = 200, 240
    rng = np.random.default_rng(4)
    alpha = np.zeros((height, width), np.float32)
    cv2.circle(alpha, (120, 120), 60, 1.0, -1)
    for angle in rng.uniform(0, 2 * np.pi, 150):
        end = 120 + 85 * np.cos(angle), 120 + 85 * np.sin(angle)
        cv2.line(alpha, (120, 120), (round(end[0]), round(end[1])), 1.0, 1, cv2.LINE_AA)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 1.2)
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    true = np.dstack([0.25 + 0.1 * xs / width, 0.15 + 0 * xs, 0.1 + 0.05 * ys / height]).astype(np.float32)
    sky = np.dstack([0.7 + 0 * xs, 0.8 + 0.1 * ys / height, 0.95 + 0 * xs]).astype(np.float32)
    return alpha[..., None] * true + (1 - alpha[..., None]) * sky, alpha, true


def test_hair_carries_no_sky(hair: Composite) -> None:
    picture, alpha, true = hair
    soft = (alpha > 0.05) & (alpha < 0.95)
    before = np.abs(picture - true)[soft].mean()
    after = np.abs(clean_edges(picture, alpha) - true)[soft].mean()
    assert after < 0.25 * before  # measured 0.226: what is left is where alpha is least


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
