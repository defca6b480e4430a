"""Preparing a pair: sizes, filters, masks and compositing; and the sentences for pairs that cannot be scored."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as st_numpy
from PIL import Image

from bench.metrics import METRICS, PROTOCOLS, delta_e00, fmse, prepare, psnr, score_all, ssim
from iph.errors import InputError

RNG = np.random.default_rng(5)
TARGET = RNG.integers(0, 256, (90, 120, 3), dtype=np.uint8)
OUTPUT = RNG.integers(0, 256, (90, 120, 3), dtype=np.uint8)
MASK = np.zeros((90, 120), bool)
MASK[20:60, 30:80] = True


def test_dovenet_resizes_bicubically_and_the_mask_to_the_nearest_pixel():
    prepared = prepare(OUTPUT, TARGET, MASK, "dovenet")
    assert np.array_equal(prepared.target, np.asarray(Image.fromarray(TARGET).resize((256, 256), Image.BICUBIC)))
    # evaluation.py asks for a bicubic mask, but Pillow resizes mode "1" to the nearest pixel
    asked = Image.fromarray((MASK * 255).astype(np.uint8)).convert("1").resize((256, 256), Image.BICUBIC)
    assert np.array_equal(prepared.mask, np.asarray(asked, np.float64))


def test_rainnet_takes_the_targets_background():
    prepared = prepare(OUTPUT, TARGET, MASK, "rainnet")
    outside = prepared.mask == 0
    assert np.array_equal(prepared.output[outside], prepared.target[outside])
    assert not np.array_equal(prepared.output[~outside], prepared.target[~outside])


def test_a_dithered_soft_mask_keeps_its_share():
    soft = np.full((90, 120), 0.25)
    prepared = prepare(OUTPUT, TARGET, soft, "dovenet")
    assert set(np.unique(prepared.mask)) == {0.0, 1.0}
    assert prepared.mask.mean() == pytest.approx(0.25, abs=0.02)


def test_an_output_at_the_protocols_size_is_scored_as_it_is():
    small = RNG.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert np.array_equal(prepare(small, TARGET, MASK, "dovenet").output, small)
    with pytest.raises(InputError, match="expected the output at the target's size 120x90, but got 256x256"):
        prepare(small, TARGET, MASK, "strict")


def test_mask_forms_agree():
    expected = fmse(OUTPUT, TARGET, MASK)
    assert fmse(OUTPUT, TARGET, MASK.astype(np.uint8) * 255) == expected
    assert fmse(OUTPUT, TARGET, MASK.astype(np.float32)) == expected


def test_pctnet_ignores_the_background():
    spoiled = np.where(MASK[..., None], OUTPUT, 0).astype(np.uint8)
    assert score_all(OUTPUT, TARGET, MASK, "pctnet") == score_all(spoiled, TARGET, MASK, "pctnet")


@pytest.mark.parametrize("protocol", sorted(set(PROTOCOLS) - {"cdtnet-2048"}))  # the same at a costly size
def test_a_perfect_output(protocol):
    perfect = TARGET if PROTOCOLS[protocol].target == "exact" else prepare(TARGET, TARGET, MASK, protocol).target
    scores = score_all(perfect, TARGET, MASK, protocol)
    for name, value in scores.items():
        if name in ("psnr", "fpsnr"):
            assert value == math.inf or value > 100
        else:
            assert value == pytest.approx(1.0 if "ssim" in name else 0.0, abs=1e-12), name


@given(st_numpy.arrays(np.uint8, (8, 9, 3)), st_numpy.arrays(np.uint8, (8, 9, 3)))
@settings(max_examples=40)
def test_metrics_keep_their_bounds(output, target):
    mask = np.ones((8, 9), bool)
    scores = score_all(output, target, mask)
    assert -1 <= scores["ssim"] <= 1 + 1e-12
    assert all(value >= 0 for name, value in scores.items() if METRICS[name].direction == "lower")
    assert scores["fdelta_e00"] == pytest.approx(scores["delta_e00"])
    assert score_all(target, output, mask)["delta_e00"] == pytest.approx(scores["delta_e00"], abs=1e-9)


def test_a_flat_output_under_a_protocol_that_takes_its_range():
    flat = np.full_like(TARGET, 90)
    assert psnr(flat, TARGET, MASK, "dovenet") == -math.inf
    assert math.isnan(ssim(flat, TARGET, MASK, "cdtnet"))


@pytest.mark.parametrize(
    ("output", "mask", "protocol", "sentence"),
    [
        (OUTPUT.astype(np.uint16), MASK, "strict", "expected the output as 8-bit RGB .* got uint16"),
        (OUTPUT[..., 0], MASK, "strict", r"8-bit RGB of shape \(H, W, 3\), but got uint8 of shape \(90, 120\)"),
        (np.dstack([OUTPUT, OUTPUT[..., :1]]), MASK, "strict", r"of shape \(90, 120, 4\)"),
        (OUTPUT[:-1], MASK, "strict", "expected the output at the target's size 120x90, but got 120x89"),
        (OUTPUT, MASK[:, :-1], "strict", "expected the mask at the target's size 120x90, but got 119x90"),
        (OUTPUT, np.dstack([MASK] * 3), "strict", "one value a pixel, but got bool of shape"),
        (OUTPUT, MASK * 2.0, "strict", "the mask was expected between 0 and 1, but goes from 0 to 2"),
        (OUTPUT, np.where(MASK, np.nan, 0), "strict", "the mask was expected between 0 and 1, but has .* not finite"),
        (OUTPUT, ~MASK & MASK, "strict", "expected a foreground, but the mask is empty"),
        (OUTPUT, MASK, "dovnet", "expected a protocol among .* but got 'dovnet'; did you mean 'dovenet'"),
    ],
)
def test_bad_input_is_a_sentence(output, mask, protocol, sentence):
    with pytest.raises(InputError, match=sentence):
        score_all(output, TARGET, mask, protocol)


def test_every_kind_of_number_is_the_same_mask():
    scores = score_all(OUTPUT, TARGET, MASK, "strict")
    for mask in (MASK.astype(np.uint8), MASK.astype(np.uint16) * 65535, MASK.astype(np.float32)):
        assert score_all(OUTPUT, TARGET, mask, "strict") == scores


def test_a_foreground_metric_needs_a_mask_and_a_frame_metric_does_not():
    assert delta_e00(OUTPUT, TARGET) > 0
    with pytest.raises(InputError, match="expected a foreground mask"):
        fmse(OUTPUT, TARGET)
    with pytest.raises(InputError, match="expected a foreground mask"):
        psnr(OUTPUT, TARGET, protocol="rainnet")


def test_an_image_below_the_window():
    small = TARGET[:6, :20]
    assert psnr(small, small) == math.inf
    with pytest.raises(InputError, match="at least 7x7 pixels for SSIM, but got 20x6"):
        ssim(small, small)
