"""Numbers of real pictures are never called a contradiction; numbers that cannot be true at once are."""

import math

import numpy as np
import pytest
from bench_pictures import picture, region

from bench.metrics import METRICS, PROTOCOLS, prepare, score_all
from bench.report.plausibility import contradiction

SIZE = 64


def numbers(protocol: str, output: np.ndarray, target: np.ndarray, mask: np.ndarray) -> tuple[dict, float]:
    pair = prepare(output, target, mask, protocol)
    return score_all(output, target, mask, protocol), float(pair.mask.mean())


def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    """Outputs with targets: the same, changed in the foreground alone, everywhere, by noise, beyond all measure."""
    target = picture(1, SIZE, SIZE)
    mask = region(20, SIZE, SIZE)[..., None] > 0
    noise = np.random.default_rng(2).integers(-3, 4, target.shape)
    black, red = np.zeros_like(target), np.zeros_like(target) + np.array([255, 0, 0], np.uint8)
    return [
        (target, target),
        (np.where(mask, picture(2, SIZE, SIZE), target), target),
        (np.where(mask, target, picture(3, SIZE, SIZE)), target),
        (np.clip(target + noise, 0, 255).astype(np.uint8), target),
        (black, np.full_like(target, 255)),
        (red, np.roll(red, 1, axis=2)),
        (black + np.array([0, 0, 1], np.uint8), black),
    ]


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name not in ("cdtnet-1024", "cdtnet-2048")])
@pytest.mark.parametrize("number", range(7))
def test_true_numbers_pass(protocol: str, number: int) -> None:
    output, target = pairs()[number]
    mask = region(20, SIZE, SIZE).astype(float) / 255
    mask[8:30, 20:24] *= 0.4  # a soft edge
    values, share = numbers(protocol, output, target, mask)
    if not any(map(math.isnan, values.values())):
        assert contradiction(values, PROTOCOLS[protocol], share) is None


CHANGES = [
    ({"ssim": 7.5}, "ssim from -1 to 1"),
    ({"fmse": -10.0}, "fmse from 0"),
    ({"mse": 0.0, "psnr": 80.0}, "psnr and mse to agree"),
    ({"mse": 0.0, "psnr": math.inf}, "0 where mse is"),
    ({"fpsnr": 70.0}, "fpsnr and fmse to agree"),
    ({"delta_e94": 200.0}, "delta_e76 of at least 200"),
    ({"delta_e00": 250.0}, "delta_e76 of at least"),
    ({"cie_delta_sq76": 0.01}, "cie_delta_sq76 of at least"),
    ({"cie_delta_sq76": 6e4}, "mse of at least"),
    ({"fdelta_e76": 0.0, "fdelta_e94": 0.0, "fdelta_e00": 0.0, "delta_e76": 200.0}, "at least"),
    ({"delta_e76": 1e-3, "delta_e94": 1e-3, "delta_e00": 1e-3}, "follows from fdelta"),
    ({"fmse": 6e4, "fpsnr": 10 * math.log10(255**2 / 6e4)}, "mse of at least"),
    ({"lpips": -0.1}, "lpips from 0"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES)
def test_false_numbers_do_not(change: dict, said: str) -> None:
    output, target = pairs()[1]
    values, share = numbers("strict", output, target, region(20, SIZE, SIZE))
    assert set(values) <= set(METRICS)
    assert said in contradiction(values | change, PROTOCOLS["strict"], share)


def test_only_the_foreground_s_errors_count_where_the_background_is_the_target_s() -> None:
    output, target = pairs()[1]
    values, share = numbers("pctnet", output, target, region(20, SIZE, SIZE))
    assert contradiction(values, PROTOCOLS["pctnet"], share) is None
    more = {"delta_e76": 1.2 * values["delta_e76"], "cie_delta_sq76": 2 * values["cie_delta_sq76"]}
    assert contradiction(values | more, PROTOCOLS["strict"], share) is None
    assert "fdelta_e76 of at least" in contradiction(values | more, PROTOCOLS["pctnet"], share)
