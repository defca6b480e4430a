"""A recipe's parts: only as large as the person, the same as if the whole photo were worked on, and light to write."""

import tracemalloc

import numpy as np
import pytest
from drawn_hair import drawn_hair

from iph.images.photo import Photo
from iph.layers import parts_of, save_layers
from iph.mapping import ColorMapping
from iph.masks import clean_edges
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import Placement, compose
from iph.recipe import Recipe

SIDE = 1200
MOST = 20  # bytes at a time for each pixel of the photo; with a merged picture made of floats it is 123
DARKER = ColorMapping.fit(*(np.float32([[[0, 0, 0], [1, 1, 1], [0.4, 0.6, 0.5]]]) * share for share in (1, 0.7)))


@pytest.fixture(scope="module")
def photo():
    """A picture with a head of hair in the middle of it, and that head's mask."""
    pixels, alpha, _ = drawn_hair(times=3)
    below, right = SIDE - 200 - alpha.shape[0], SIDE - 300 - alpha.shape[1]
    whole = np.pad(pixels, ((200, below), (300, right), (0, 0)), "edge")
    return Photo(np.rint(whole * 255).astype(np.uint8)), np.pad(alpha, ((200, below), (300, right)))


def test_a_window_has_the_pixels_of_the_whole(photo):
    composite, mask = photo
    parts = parts_of(Recipe(DARKER, mask), composite)
    assert parts.mask.shape == parts.pasted.shape[:2] and parts.mask.size < 0.4 * mask.size
    clean = clean_edges(composite.pixels, mask)
    window = np.s_[parts.top : parts.top + len(parts.mask), parts.left : parts.left + parts.mask.shape[1]]
    np.testing.assert_array_equal(parts.mask, mask[window])
    assert not np.delete(mask, np.s_[parts.left : parts.left + parts.mask.shape[1]], 1).any()
    np.testing.assert_array_equal(parts.pasted, clean[window])
    np.testing.assert_array_equal(parts.harmonized, DARKER.apply(clean, mask > 0)[window])


@pytest.mark.parametrize(
    "placement", [Placement(0.9, 0.7, 0.8), Placement(0.1, 0.4, 1.7, True), Placement(0.3, 0.6, 0.8, angle=40)]
)
def test_a_placed_person_has_the_pixels_of_the_whole(photo, placement):
    person, alpha = photo
    person = Photo(person.pixels, np.rint(alpha * 255).astype(np.uint8))
    below = Photo(person.pixels[::-1, :1000].copy())
    parts = parts_of(Recipe(DARKER, None, placement=placement, edge=EdgeAdjustment(clean=True)), below, person)
    colours, alpha = clean_edges(person.pixels, person.alpha / np.float32(255)), person.alpha / np.float32(255)
    nothing, clear = np.zeros_like(below.pixels), np.zeros(below.pixels.shape[:2], np.uint8)
    whole, mask = compose(nothing, colours, alpha, placement, clear)
    np.testing.assert_array_equal(
        parts.person.pixels, np.where(np.rint(mask * 255)[..., None] > 0, DARKER.apply(whole, mask > 0), 0)
    )
    np.testing.assert_array_equal(parts.whole_mask, np.rint(mask * 255))


def test_layers_take_little_more_memory_than_they_hold(photo, tmp_path):
    composite, mask = photo
    parts = parts_of(Recipe(DARKER, mask), composite)
    save_layers([parts], tmp_path / "warm.psd")  # what is imported is none of it
    tracemalloc.start()
    save_layers([parts], tmp_path / "layers.psd")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST * SIDE * SIDE
