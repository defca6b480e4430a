"""Profiles as extended sRGB and back, against LittleCMS."""

import numpy as np
import pytest
from rgb_profiles import PROFILES, SRGB, as_seen, stored, table_profile

from iph.images.color_profile import convert
from iph.images.rgb_space import space_of

SCALE = {np.uint8: 255, np.uint16: 65535}


def numbers(dtype: type, shape: tuple[int, int] = (64, 80)) -> np.ndarray:
    return np.random.default_rng(3).integers(0, SCALE[dtype] + 1, (*shape, 3)).astype(dtype)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("dtype, tolerance", [(np.uint8, 1 / 255), (np.uint16, 2e-4)])
def test_in_srgb_as_littlecms_says(name, dtype, tolerance):
    pixels = numbers(dtype)
    expected = convert(pixels, PROFILES[name]) / SCALE[dtype]
    assert np.abs(np.clip(space_of(PROFILES[name]).decoded(pixels), 0, 1) - expected).max() < tolerance


@pytest.mark.parametrize("icc", [*PROFILES.values(), table_profile()], ids=[*PROFILES, "tables"])
@pytest.mark.parametrize("dtype, tolerance", [(np.uint8, 0), (np.uint16, 24)])  # float32 near black, at a pure power
def test_what_does_not_move_comes_back(icc, dtype, tolerance):
    pixels, space = numbers(dtype), space_of(icc)
    seen = space.decoded(pixels)
    moved = space.moved(pixels, seen, seen)
    assert moved.dtype == dtype
    apart = np.abs(moved.astype(int) - pixels)
    assert apart.max() <= tolerance and apart.mean() < 0.2


@pytest.mark.parametrize("icc", [*PROFILES.values(), table_profile()], ids=[*PROFILES, "tables"])
def test_a_colour_moves_as_far_in_every_profile(icc):
    """A shift inside the gamut of sRGB, as sRGB itself shows it."""
    srgb = np.random.default_rng(4).integers(40, 200, (40, 50, 3)).astype(np.uint8)
    shift = np.array([0.1, -0.05, 0.03], np.float32)
    space, pixels = space_of(icc), stored(srgb, icc)
    seen = space.decoded(pixels)
    tables = icc[16:24] == b"RGB Lab "  # coarse ones, on the way into the profile too
    assert np.abs(seen - srgb / 255).max() < (0.1 if tables else 0.002)
    moved = space.moved(pixels, seen, seen + shift)
    expected = as_seen(srgb / 255 + shift, SRGB) - as_seen(srgb / 255, SRGB)
    apart = np.linalg.norm(as_seen(moved, icc) - as_seen(pixels, icc) - expected, axis=-1)
    assert apart.mean() < (0.6 if tables else 0.02)


def test_a_colour_beyond_srgb_stays_there():
    green = np.array([[[0, 65535, 0]]], np.uint16)
    space = space_of(PROFILES["Display P3"])
    seen = space.decoded(green)
    assert seen[0, 0, 0] < -0.4 and seen[0, 0, 1] > 1
    moved = space.moved(green, seen, seen - np.float32(0.01))
    assert (np.abs(moved[0, 0].astype(int) - green[0, 0]) < 1500).all()


@pytest.mark.parametrize("icc", [None, b"", b"no profile", SRGB[:200], PROFILES["Display P3"][:300]])
def test_what_is_no_usable_profile_counts_as_srgb(icc):
    assert space_of(icc) is None
