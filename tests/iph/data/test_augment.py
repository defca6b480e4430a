"""The appendix's augmentations: blends against numbers worked out by hand, looks against what defines each of them."""

import cv2
import numpy as np
import pytest

from iph.cube import Cube, lattice
from iph.data import luts
from iph.data.augment import BLENDS, LOOKS, LUMA, Look, random_global_look, random_look, smooth_layer
from iph.errors import InputError


def photo(seed: int = 0, shape: tuple[int, int] = (24, 32)) -> np.ndarray:
    """Colours away from black and white, so that small changes are not clipped."""
    return np.random.default_rng(seed).uniform(0.3, 0.6, (*shape, 3)).astype(np.float32)


def drawn(name: str, strength: float = 0.3) -> Look:
    """The first look called ``name`` of a fixed sequence of seeds."""
    looks = (random_look(np.random.default_rng(seed), strength=strength) for seed in range(500))
    return next(look for look in looks if look.name == name)


@pytest.mark.parametrize(
    ("name", "image", "layer", "expected"),
    [
        ("soft light", 0.25, 0.8, 0.3625),  # 0.25 · (0.25 + 2 · 0.8 · 0.75)
        ("soft light", 0.4, 0.5, 0.4),  # a grey of one half changes nothing
        ("soft light", 0.6, 0.0, 0.36),  # black multiplies the image by itself
        ("dodge", 0.3, 0.5, 0.6),  # 0.3 / (1 - 0.5)
        ("dodge", 0.3, 0.0, 0.3),
        ("dodge", 0.2, 1.0, 0.8),  # the divisor stops at 0.25
        ("grain merge", 0.3, 0.6, 0.4),  # 0.3 + 0.6 - 0.5
        ("grain merge", 0.3, 0.1, -0.1),  # clipped later
        ("grain extract", 0.3, 0.6, 0.2),  # 0.3 - 0.6 + 0.5
        ("grain extract", 0.3, 0.5, 0.3),
    ],
)
def test_blends_by_hand(name, image, layer, expected):
    assert BLENDS[name](np.float32(image), np.float32(layer)) == pytest.approx(expected, abs=1e-6)


def test_brightness_multiplies():
    image = photo()
    ratio = drawn("brightness").apply(image) / image
    assert np.ptp(ratio) < 1e-5 and abs(ratio.mean() - 1) > 0.02


def test_contrast_keeps_the_mean_luminance():
    image = photo()
    changed = drawn("contrast").apply(image)
    mean = (image @ LUMA).mean()
    assert (changed @ LUMA).mean() == pytest.approx(mean, abs=1e-5)
    slope = (changed - mean) / (image - mean)
    assert np.median(np.abs(slope - np.median(slope))) < 1e-4 and abs(np.median(slope) - 1) > 0.03


def test_gamma_is_a_power():
    image = photo()
    exponent = np.log(drawn("gamma").apply(image)) / np.log(image)
    assert np.ptp(exponent) < 1e-4 and abs(exponent.mean() - 1) > 0.03


def test_hue_turns_and_keeps_the_value():
    image = photo()
    changed = drawn("hue").apply(image)
    assert np.allclose(changed.max(-1), image.max(-1), atol=1e-5)  # V of HSV
    hues = [cv2.cvtColor(one, cv2.COLOR_RGB2HSV)[..., 0] for one in (image, changed)]
    turned = (hues[1] - hues[0]) % 360
    assert np.median(np.minimum(turned, 360 - turned)) > 2


@pytest.mark.parametrize("name", LOOKS)
def test_strength_zero_is_no_change(name):
    image = photo()
    assert np.abs(drawn(name, strength=0.0).apply(image) - image).max() < 2e-5


@pytest.mark.parametrize("name", LOOKS)
def test_only_the_foreground_changes(name):
    rng = np.random.default_rng(1)
    image = rng.random((24, 32, 3)).astype(np.float32)
    foreground = np.clip(rng.normal(0.5, 0.6, (24, 32)), 0, 1).astype(np.float32)
    changed = drawn(name, strength=1.0).apply(image, foreground)
    outside = foreground == 0
    assert changed.dtype == np.float32 and changed.min() >= 0 and changed.max() <= 1
    assert (changed[outside] == image[outside]).all()
    assert np.abs(changed[foreground == 1] - image[foreground == 1]).mean() > 0.01


def test_a_seed_gives_one_look_every_time():
    image = photo()
    for seed in range(40):
        first, second = (random_look(np.random.default_rng(seed)) for _ in range(2))
        assert first.name == second.name
        assert (first.apply(image) == second.apply(image)).all()
        assert (first.apply(image) == first.apply(image)).all()


def test_every_look_is_drawn_about_equally_often():
    names = [random_look(np.random.default_rng(seed)).name for seed in range(900)]
    counts = [names.count(name) for name in LOOKS]
    assert len(LOOKS) == 9 and min(counts) > 65 and max(counts) < 140  # 100 expected; four deviations are 38


def test_looks_of_whole_photos_are_never_local():
    names = {random_global_look(np.random.default_rng(seed)).name for seed in range(200)}
    assert names == set(LOOKS) - set(BLENDS)


def test_local_light_is_the_same_at_every_resolution():
    small, large = (smooth_layer(np.random.default_rng(4), (side, side)) for side in (64, 256))
    shrunk = cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(small - shrunk).max() < 0.02 and np.ptp(small) > 0.3


def test_film_looks_are_drawn_for_about_half_of_the_luts():
    inverted = Cube((1 - lattice(5)).astype(np.float32), np.zeros(3), np.ones(3), "inverted")
    image = photo()
    luts_drawn = film = 0
    for seed in range(600):
        look = random_look(np.random.default_rng(seed), film_luts=[inverted])
        luts_drawn += look.name == "lut"
        film += look.name == "lut" and np.allclose(look.apply(image), 1 - image, atol=1e-5)
    assert luts_drawn > 40 and 0.3 < film / luts_drawn < 0.7


def test_procedural_luts_are_smooth_seeded_and_scaled():
    tables = [luts.procedural(np.random.default_rng(seed)).table for seed in (0, 0, 1)]
    assert (tables[0] == tables[1]).all() and np.abs(tables[0] - tables[2]).max() > 0.02
    unchanged = lattice(luts.SIZE)
    half = luts.procedural(np.random.default_rng(1), strength=0.25).table
    assert np.abs(half - unchanged).mean() < 0.6 * np.abs(tables[2] - unchanged).mean()
    assert max(np.abs(np.diff(tables[2], axis=axis)).max() for axis in range(3)) < 0.5


def test_a_folder_without_luts_is_an_error(tmp_path):
    with pytest.raises(InputError, match="expected .cube files below .*, found none"):
        luts.load_folder(tmp_path)
