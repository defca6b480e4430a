"""Classical methods: what each matches, what it leaves alone, and regions that hold next to nothing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from skimage import color
from skimage.exposure import match_histograms

from bench.methods import METHODS, resolve
from bench.methods import color_transfer as transfer
from iph.errors import InputError

CLASSICAL = [method.name for method in resolve(["classical"])]
STATISTICAL = [name for name in CLASSICAL if name not in ("composite", "poisson")]
ROUNDING = 0.6 / 255  # results are 8-bit
HEIGHT, WIDTH = 48, 64


def _scene(seed=0):
    """A composite of three differently coloured noisy regions, with the masks of two of them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    foreground = (x - 18) ** 2 + (y - 24) ** 2 < 150
    reference = (np.abs(x - 48) < 9) & (np.abs(y - 24) < 14)
    color = np.where(
        foreground[..., None], [150, 80, 60], np.where(reference[..., None], [90, 130, 170], [110, 120, 90])
    )
    noise = rng.normal(0, 1, (HEIGHT, WIDTH, 3)) @ np.array([[9, 4, 2], [0, 7, 3], [0, 0, 6]])
    return np.clip(color + noise, 0, 255).astype(np.uint8), foreground, reference


def _guide(name, foreground, reference):
    return reference if name.endswith("reference") else ~foreground


@pytest.mark.parametrize("name", CLASSICAL)
def test_the_background_stays_bit_identical_and_the_answer_repeats(name):
    composite, foreground, reference = _scene()
    before = composite.copy()
    run = METHODS[name].make()
    result = run(composite, foreground, reference)
    assert result.dtype == np.uint8 and result.shape == composite.shape
    assert np.array_equal(composite, before)
    assert np.array_equal(result[~foreground], composite[~foreground])
    assert (name == "composite") == np.array_equal(result, composite)
    assert np.array_equal(run(composite, foreground, reference), result)


@pytest.mark.parametrize("name", STATISTICAL)
def test_the_foregrounds_mean_moves_to_the_guides(name):
    composite, foreground, reference = _scene()
    result = METHODS[name].make()(composite, foreground, reference)
    wanted = composite[_guide(name, foreground, reference)].mean(axis=0)
    assert np.abs(composite[foreground].mean(axis=0) - wanted).max() > 20
    assert np.abs(result[foreground].mean(axis=0) - wanted).max() < 3


@pytest.mark.parametrize("name", STATISTICAL)
def test_soft_masks_blend(name):
    composite, foreground, reference = _scene()
    soft = foreground * 0.6 + 0.0
    run = METHODS[name].make()
    whole, blended = run(composite, foreground, reference), run(composite, soft, reference)
    expected = composite[foreground] + 0.6 * (whole[foreground].astype(float) - composite[foreground])
    assert np.abs(blended[foreground] - expected).max() <= 1
    assert np.array_equal(run(composite, (foreground * 255).astype(np.uint8), reference), whole)


def _flat(value):
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.filterwarnings("error")
def test_regions_without_any_spread(name):
    composite, foreground, reference = _scene()
    run = METHODS[name].make()
    one = np.zeros_like(foreground)
    one[24, 18] = True
    one_reference = np.zeros_like(foreground)
    one_reference[24, 48] = True
    flat = np.where(foreground[..., None], np.uint8(200), composite)
    for picture, mask, guide in (
        (_flat(0), foreground, reference),
        (_flat(255), foreground, reference),
        (flat, foreground, reference),
        (composite, one, reference),
        (composite, foreground, one_reference),
        (composite, np.ones_like(foreground) ^ one_reference, reference),
    ):
        assert np.array_equal(run(picture, mask, guide)[~mask], picture[~mask])


@pytest.mark.parametrize("name", ["reinhard-background", "xiao-background", "idt-background", "luminance-background"])
def test_a_flat_foreground_takes_the_guides_mean(name):
    composite, foreground, reference = _scene()
    composite[foreground] = (200, 40, 40)
    result = METHODS[name].make()(composite, foreground, reference)
    assert np.abs(result[foreground].mean(axis=0) - composite[~foreground].mean(axis=0)).max() < 4


def _cores(seed=1):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(0, 0.05, (3, 3)) + np.eye(3) * 0.04
    pixels = np.clip(rng.normal(0, 1, (4000, 3)) @ mixing + [0.4, 0.5, 0.45], 0.05, 0.95)
    guide = np.clip(rng.normal(0, 1, (5000, 3)) @ mixing.T + [0.6, 0.45, 0.4], 0.05, 0.95)
    return pixels, np.ones(4000, bool), guide


def test_reinhard_matches_mean_and_deviation_in_ruderman_space():
    pixels, core, guide = _cores()
    found = transfer._to_ruderman(transfer.reinhard(pixels, core, guide))
    wanted = transfer._to_ruderman(guide)
    assert np.allclose(found.mean(axis=0), wanted.mean(axis=0), atol=1e-6)
    assert np.allclose(found.std(axis=0), wanted.std(axis=0), atol=1e-6)


def test_ruderman_space_is_the_papers():
    """Reinhard et al. 2001, eqs. 4 to 6: white has equal cones, so α and β vanish."""
    white = transfer._to_ruderman(np.array([[1.0, 1.0, 1.0], [0.2, 0.2, 0.2]]))
    assert np.allclose(white[:, 1:], 0, atol=2e-3)
    assert np.allclose(white[:, 0], np.log10([1.0, 0.2]) * np.sqrt(3), atol=1e-3)


def test_correlated_transfer_matches_mean_and_covariance():
    pixels, core, guide = _cores()
    found = transfer.correlated(pixels, core, guide)
    assert np.allclose(found.mean(axis=0), guide.mean(axis=0), atol=1e-9)
    assert np.allclose(np.cov(found.T, bias=True), np.cov(guide.T, bias=True), atol=1e-9)


def test_correlated_transfer_to_its_own_colors_is_the_identity():
    pixels, core, _ = _cores()
    assert np.allclose(transfer.correlated(pixels, core, pixels), pixels, atol=1e-9)


def test_histogram_matching_is_scikit_images():
    composite, foreground, reference = _scene()
    result = METHODS["histogram-reference"].make()(composite, foreground, reference)
    expected = match_histograms(composite[foreground][:, None], composite[reference][:, None], channel_axis=-1)[:, 0]
    assert np.abs(result[foreground] / 255 - expected / 255).max() < ROUNDING + 1 / 255


def test_idt_matches_distributions_along_unseen_directions():
    composite, foreground, reference = _scene()
    result = METHODS["idt-reference"].make()(composite, foreground, reference)
    rng = np.random.default_rng(9)
    for direction in rng.normal(0, 1, (20, 3)):
        direction /= np.linalg.norm(direction)
        before, after, wanted = (
            p @ direction for p in (composite[foreground], result[foreground], composite[reference])
        )
        assert wasserstein_distance(after, wanted) < max(1.5, 0.1 * wasserstein_distance(before, wanted))


def test_luminance_percentiles_land_on_the_references():
    composite, foreground, reference = _scene()
    result = METHODS["luminance-reference"].make()(composite, foreground, reference)
    after, wanted = color.rgb2lab(result[foreground]), color.rgb2lab(composite[reference])
    for statistic in (lambda x: np.percentile(x, 10), np.mean, lambda x: np.percentile(x, 90)):
        assert statistic(after[:, 0]) == pytest.approx(statistic(wanted[:, 0]), abs=0.6)
    assert np.allclose(after[:, 1:].mean(axis=0), wanted[:, 1:].mean(axis=0), atol=0.6)


@pytest.mark.parametrize("place", ["inside", "at the lower edge", "in the corner", "one pixel at the edge"])
def test_poisson_keeps_texture_and_meets_the_background(place):
    y, x = np.mgrid[:120, :160]
    background = np.stack([110 + 0.1 * x, 120 + 0.1 * y, 100 + 0 * x], axis=2)
    foreground = {
        "inside": (x - 80) ** 2 + (y - 60) ** 2 < 900,
        "at the lower edge": (np.abs(x - 80) < 20) & (y > 80),
        "in the corner": (x < 40) & (y < 50),
        "one pixel at the edge": (x == 0) & (y == 50),
    }[place]
    texture = np.where(foreground, 15 * np.sin(x / 3), 0)[..., None]
    target = background + texture
    composite = np.rint(target + 50 * foreground[..., None]).astype(np.uint8)
    result = METHODS["poisson"].make()(composite, foreground, None)
    assert np.abs(result[foreground] - target[foreground]).mean() < 12
    assert np.array_equal(result[~foreground], composite[~foreground])


@given(st.integers(0, 2**32 - 1), st.sampled_from(STATISTICAL))
@settings(max_examples=40)
def test_any_masks_give_a_picture(seed, name):
    rng = np.random.default_rng(seed)
    composite = rng.integers(0, 256, (12, 15, 3), dtype=np.uint8)
    foreground = rng.random((12, 15)) * (rng.random((12, 15)) < rng.uniform(0.05, 0.9))
    reference = rng.random((12, 15)) < 0.3
    foreground[0, 0], foreground[11, 14], reference[5, 5] = 0, 1, True
    result = METHODS[name].make()(composite, foreground, reference)
    assert np.array_equal(result[foreground == 0], composite[foreground == 0])


@pytest.mark.parametrize(
    ("name", "foreground", "reference", "sentence"),
    [
        ("xiao-reference", True, None, "expected a reference mask"),
        ("xiao-reference", True, False, "expected a reference, but its mask is empty"),
        ("idt-background", False, True, "expected a foreground, but its mask is empty"),
        ("poisson", False, True, "expected a foreground, but its mask is empty"),
    ],
)
def test_empty_regions_are_a_sentence(name, foreground, reference, sentence):
    composite, some, other = _scene()
    with pytest.raises(InputError, match=sentence):
        METHODS[name].make()(composite, some & foreground, None if reference is None else other & reference)


@pytest.mark.parametrize("name", ["poisson", "reinhard-background"])
def test_a_foreground_over_the_whole_frame_is_a_sentence(name):
    composite, foreground, _ = _scene()
    with pytest.raises(InputError, match="covers the whole frame"):
        METHODS[name].make()(composite, np.ones_like(foreground), None)


def test_masks_of_another_size_or_kind_are_a_sentence():
    composite, foreground, reference = _scene()
    run = METHODS["xiao-reference"].make()
    with pytest.raises(InputError, match=r"foreground mask of shape \(48, 64\)"):
        run(composite, foreground[:-1], reference)
    with pytest.raises(InputError, match="reference mask was expected as numbers, not as <U1"):
        run(composite, foreground, np.full(reference.shape, "a"))


@pytest.mark.parametrize("name", [name for name in CLASSICAL if name.startswith("idt")])
def test_the_transfer_does_not_hang_on_the_processor(name):
    """Flat areas stand where a histogram's bins meet, and OpenBLAS rounds as the core it is told of does."""
    code = f"""
import zlib, numpy as np
from bench.methods import resolve
draw = np.random.default_rng(0)
picture = np.repeat(np.repeat(draw.integers(0, 256, (12, 16, 3), np.uint8), 8, 0), 8, 1)
columns = np.arange(128)[None].repeat(96, 0)
method = resolve([{name!r}])[0].make()
print(zlib.crc32(method(picture, columns < 40, columns > 80).tobytes()))
"""
    answers = set()
    for core in ("Nehalem", "Haswell"):
        environment = os.environ | {"OPENBLAS_CORETYPE": core, "PYTHONPATH": str(Path(__file__).parents[3])}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        answers.add(done.stdout)
    assert len(answers) == 1
