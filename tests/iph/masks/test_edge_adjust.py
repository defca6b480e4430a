"""The edge of a mask, moved, softened, smoothed: against discs whose true result is known."""

import numpy as np
import pytest

from iph.errors import InputError
from iph.masks.edge_adjust import EdgeAdjustment, expand, feather, smooth


def disc(radius: float, size: int = 161) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] - size // 2
    return np.clip(radius - np.hypot(rows, columns) + 0.5, 0, 1).astype(np.float32)


def radius_of(mask: np.ndarray) -> float:
    return float(np.sqrt(mask.sum() / np.pi))


@pytest.mark.parametrize("pixels", [-30, -12, -3.5, -1, 0, 0.5, 2, 7, 8.5, 25])
def test_an_edge_moves_by_so_many_pixels(pixels):
    moved = expand(disc(40), pixels)
    assert radius_of(moved) == pytest.approx(40 + pixels, abs=0.6)
    assert moved.dtype == np.float32 and 0 <= moved.min() and moved.max() <= 1
    assert (moved >= disc(40)).all() if pixels >= 0 else (moved <= disc(40)).all()


@pytest.mark.parametrize("pixels", [0.5, 3, 10])
def test_a_feather_is_a_gaussian_of_that_deviation(pixels):
    step = np.zeros((5, 400), np.float32)
    step[:, 200:] = 1
    slope = np.diff(feather(step, pixels)[2])
    place = np.arange(len(slope))
    assert slope.sum() == pytest.approx(1, abs=1e-4)
    deviation = np.sqrt(np.average((place - np.average(place, weights=slope)) ** 2, weights=slope))
    assert deviation == pytest.approx(pixels, rel=0.1, abs=0.1)


def test_smoothing_takes_hairs_and_notches_and_leaves_the_outline_sharp():
    mask = disc(50)
    mask[79:82, 125:150] = 1  # a hair
    mask[20:45, 80:82] = 0  # a notch
    even = smooth(mask, 4)
    assert even[80, 140] == 0 and even[40, 81] == 1
    assert radius_of(even) == pytest.approx(50, abs=0.6)
    assert 0.5 < ((even > 0.05) & (even < 0.95)).sum() / ((disc(50) > 0.05) & (disc(50) < 0.95)).sum() < 2.5


def test_an_adjustment_does_all_of_it_in_pixels_of_the_picture():
    mask = disc(40)
    assert EdgeAdjustment(clean=True).apply(mask) is mask
    edge = EdgeAdjustment(expand=6, feather=2, smooth=3)
    np.testing.assert_array_equal(edge.apply(mask, 0.5), feather(expand(smooth(mask, 1.5), 3), 1))
    assert EdgeAdjustment.from_dict(edge.to_dict()) == edge and EdgeAdjustment.from_dict({}) == EdgeAdjustment()


@pytest.mark.parametrize(
    "data", [{"expand": 101}, {"feather": -1}, {"smooth": float("nan")}, {"expand": "2"}, {"clean": 1}, {"x": 1}, [], 3]
)
def test_what_is_no_adjustment_is_a_sentence(data):
    with pytest.raises(InputError, match="of an edge"):
        EdgeAdjustment.from_dict(data)
