"""Metrics against scikit-image, published tables and a definition written out again in PyTorch."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from skimage import color
from skimage.metrics import structural_similarity

from bench.metrics import METRICS, PROTOCOLS, color_difference, score_all
from bench.speed_metrics import pair, scikit_image_each

DATA = Path(__file__).parents[1] / "data"
EQUAL = 1e-6
PRINTED = 5e-5  # published to four decimals
SINGLE = 2e-5  # against float32 code

bytes_image = st_numpy.arrays(np.uint8, (11, 13, 3))


@given(bytes_image, bytes_image, st_numpy.arrays(bool, (11, 13)))
@settings(max_examples=60)
def test_strict_metrics_equal_scikit_image(output, target, mask):
    mask[3, 4] = True
    with np.errstate(divide="ignore"):
        expected = scikit_image_each(output, target, mask)
    found = score_all(output, target, mask)
    assert set(found) == set(expected) == set(METRICS) - {"lpips", "dists"}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=EQUAL), name


@pytest.mark.parametrize("everywhere", [True, False])
def test_a_256_pair_equals_scikit_image(everywhere):
    output, target, mask = pair(everywhere)
    found = score_all(output, target, mask)
    for name, value in scikit_image_each(output, target, mask).items():
        assert found[name] == pytest.approx(value, abs=EQUAL), name


def test_each_metric_alone_equals_score_all():
    output, target, mask = pair(everywhere=True)
    together = score_all(output, target, mask)
    assert {name: METRICS[name](output, target, mask) for name in together} == together


def test_lab_of_every_grey_and_random_colors():
    rng = np.random.default_rng(0)
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    pixels = np.concatenate([greys, rng.integers(0, 256, (5000, 3), dtype=np.uint8)])
    assert np.abs(color_difference.lab(pixels).T - color.rgb2lab(pixels[None])[0]).max() < 1e-9


def test_delta_e00_of_the_published_pairs():
    table = np.loadtxt(DATA / "ciede2000_sharma2005.csv", delimiter=",", skiprows=2)
    first, second, expected = table[:, :3].T, table[:, 3:6].T, table[:, 6]
    assert np.abs(color_difference.delta_e00(first, second) - expected).max() < PRINTED
    assert np.abs(color_difference.delta_e00(second, first) - expected).max() < PRINTED


@given(st_numpy.arrays(np.float64, (3, 40), elements=st.floats(-100, 100)))
@settings(max_examples=50)
def test_delta_e00_equals_scikit_image_for_opposite_and_grey_hues(lab):
    lab[0] = np.abs(lab[0])
    others = np.concatenate([lab, lab * [[1], [-1], [-1]], lab * [[1], [0], [0]]], axis=1)
    lab = np.concatenate([lab, lab, lab], axis=1)
    expected = color.deltaE_ciede2000(lab.T, others.T)
    # where two hues are opposite to the last bit the mean hue may fall on either side
    off = np.abs(color_difference.delta_e00(others, lab) - expected)
    exactly_opposite = np.concatenate([np.zeros(40, bool), np.ones(40, bool), np.zeros(40, bool)])
    assert off[~exactly_opposite].max() < EQUAL


def test_delta_e00_of_exactly_opposite_hues():
    first = np.array([[50.0, 50.0, 60.0], [10.0, 0.0, -7.0], [0.0, 12.0, 3.0]])
    second = first * [[1], [-1], [-1]]
    expected = color.deltaE_ciede2000(first.T, second.T)
    assert np.abs(color_difference.delta_e00(first, second) - expected).max() < EQUAL


def _goldens():
    return {
        name: values
        for name, values in json.loads((DATA / "protocol_goldens.json").read_text()).items()
        if name != "note"
    }


@pytest.mark.parametrize("protocol", _goldens())
def test_protocols_give_the_values_worked_by_hand(protocol):
    target = np.full((256, 256, 3), 200, np.uint8)
    target[:, :128] = 50
    mask = np.zeros((256, 256), bool)
    mask[:64, :64] = True
    output = target + np.where(mask, 10, 4)[..., None].astype(np.uint8)
    for name, value in _goldens()[protocol].items():
        assert METRICS[name](output, target, mask, protocol) == pytest.approx(value, abs=1e-5), name


def test_pctnet_ssim_is_scikit_images_gaussian_form_on_the_pasted_output():
    output, target, mask = pair(everywhere=True)
    pasted = np.where(mask[..., None], output, target)
    expected = structural_similarity(
        target, pasted, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    assert METRICS["ssim"](output, target, mask, "pctnet") == pytest.approx(expected, abs=EQUAL)


def _iharm(output, target, mask, peak, masked_mse):
    """The formulas of iDIH, PCT-Net and CDTNet in float32, as their metrics.py state them."""
    out, real, weights = (torch.from_numpy(x.astype(np.float32)) for x in (output, target, mask))
    squared = (out - real) ** 2
    mse = ((weights[..., None] if masked_mse else 1) * squared).mean().item()
    fmse = ((weights[..., None] * squared).sum() / (3 * weights.sum() + 1e-6)).item()
    return {
        "mse": mse,
        "fmse": fmse,
        "psnr": 10 * np.log10(peak**2 / (mse + 1e-6)),
        "fpsnr": 10 * np.log10(peak**2 / (fmse + 1e-6)),
    }


@pytest.mark.parametrize("protocol", ["idih", "cdtnet", "pctnet"])
def test_soft_masks_weigh_pixels_as_the_papers_do(protocol):
    output, target, hard = pair(everywhere=True, seed=3)
    soft = np.clip(hard * 0.8 + np.random.default_rng(1).random(hard.shape) * 0.2, 0, 1)
    expected = _iharm(
        output, target, soft, 255.0 if protocol == "pctnet" else float(target.max()), protocol == "pctnet"
    )
    for name, value in expected.items():
        assert METRICS[name](output, target, soft, protocol) == pytest.approx(value, rel=SINGLE), name


def test_cdtnet_ssim_pads_with_zeros_and_takes_the_outputs_range():
    output, target, mask = pair(everywhere=True)
    window = torch.exp(-((torch.arange(7.0) - 3) ** 2) / (2 * 1.5**2))
    window = window / window.sum()
    kernel = torch.outer(window, window).expand(3, 1, 7, 7)
    x, y = (torch.from_numpy(z.astype(np.float32)).permute(2, 0, 1)[None] for z in (output, target))
    mean = [F.conv2d(z, kernel, padding=3, groups=3) for z in (x, y)]
    variance = [F.conv2d(z * z, kernel, padding=3, groups=3) - m**2 for z, m in zip((x, y), mean, strict=True)]
    covariance = F.conv2d(x * y, kernel, padding=3, groups=3) - mean[0] * mean[1]
    span = float(output.max()) - float(output.min())
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    ssim_map = (2 * mean[0] * mean[1] + c1) * (2 * covariance + c2)
    ssim_map /= (mean[0] ** 2 + mean[1] ** 2 + c1) * (variance[0] + variance[1] + c2)
    weights = torch.from_numpy(mask.astype(np.float32))
    assert METRICS["ssim"](output, target, mask, "cdtnet") == pytest.approx(ssim_map.mean().item(), abs=SINGLE)
    expected = ((ssim_map * weights).sum((2, 3)) / weights.sum()).mean().item()
    assert METRICS["fssim"](output, target, mask, "cdtnet") == pytest.approx(expected, abs=SINGLE)


def test_every_protocol_defines_known_metrics():
    for protocol in PROTOCOLS.values():
        assert protocol.defines <= set(METRICS)
