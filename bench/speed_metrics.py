"""How much faster ``score_all`` is than calling scikit-image for each metric: ``python -m bench.speed_metrics``.

One 256x256 pair, all metrics but LPIPS and DISTS, both in one process and in turns; the table prints ratios and the
largest difference of two answers. "changed everywhere" is a network's raw frame, "foreground only" a composited output.
The last column lets scikit-image share its conversions to L*a*b* and its SSIM map between metrics.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from skimage import color, metrics

from bench.metrics import score_all
from bench.report.render import markdown

SIZE = 256
ROUNDS = 15


def scikit_image_each(output: NDArray, target: NDArray, mask: NDArray[np.bool_]) -> dict[str, float]:
    """Every metric through scikit-image, each from the two images and the mask."""
    return {
        "psnr": metrics.peak_signal_noise_ratio(target, output),
        "ssim": metrics.structural_similarity(target, output, channel_axis=2),
        "mse": metrics.mean_squared_error(target, output),
        "fmse": metrics.mean_squared_error(target[mask], output[mask]),
        "fpsnr": metrics.peak_signal_noise_ratio(target[mask], output[mask]),
        "fssim": metrics.structural_similarity(target, output, channel_axis=2, full=True)[1][mask].mean(),
        "delta_e76": color.deltaE_cie76(color.rgb2lab(target), color.rgb2lab(output)).mean(),
        "delta_e94": color.deltaE_ciede94(color.rgb2lab(target), color.rgb2lab(output)).mean(),
        "delta_e00": color.deltaE_ciede2000(color.rgb2lab(target), color.rgb2lab(output)).mean(),
        "fdelta_e76": color.deltaE_cie76(color.rgb2lab(target), color.rgb2lab(output))[mask].mean(),
        "fdelta_e94": color.deltaE_ciede94(color.rgb2lab(target), color.rgb2lab(output))[mask].mean(),
        "fdelta_e00": color.deltaE_ciede2000(color.rgb2lab(target), color.rgb2lab(output))[mask].mean(),
        "cie_delta_sq76": (color.deltaE_cie76(color.rgb2lab(target), color.rgb2lab(output)) ** 2).mean(),
    }


def scikit_image_shared(output: NDArray, target: NDArray, mask: NDArray[np.bool_]) -> dict[str, float]:
    """The same with every conversion, map and difference computed once."""
    lab_t, lab_o = color.rgb2lab(target), color.rgb2lab(output)
    e76, e94 = color.deltaE_cie76(lab_t, lab_o), color.deltaE_ciede94(lab_t, lab_o)
    e00 = color.deltaE_ciede2000(lab_t, lab_o)
    ssim, ssim_map = metrics.structural_similarity(target, output, channel_axis=2, full=True)
    return {
        "psnr": metrics.peak_signal_noise_ratio(target, output),
        "ssim": ssim,
        "mse": metrics.mean_squared_error(target, output),
        "fmse": metrics.mean_squared_error(target[mask], output[mask]),
        "fpsnr": metrics.peak_signal_noise_ratio(target[mask], output[mask]),
        "fssim": ssim_map[mask].mean(),
        "delta_e76": e76.mean(),
        "delta_e94": e94.mean(),
        "delta_e00": e00.mean(),
        "fdelta_e76": e76[mask].mean(),
        "fdelta_e94": e94[mask].mean(),
        "fdelta_e00": e00[mask].mean(),
        "cie_delta_sq76": (e76**2).mean(),
    }


def pair(everywhere: bool, seed: int = 0) -> tuple[NDArray, NDArray, NDArray[np.bool_]]:
    """A smooth noisy target, an output with other colours in the foreground (a disc) or everywhere, and the mask."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    waves = np.stack([np.sin(5 * x + 2 * y), np.cos(4 * y), np.sin(7 * x * y)], axis=2)
    target = np.clip(128 + 90 * waves + rng.normal(0, 6, waves.shape), 0, 255).astype(np.uint8)
    mask = (x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.08
    shifted = np.clip(target * 0.9 + [20, 5, -10], 0, 255).astype(np.uint8)
    return np.where(everywhere | mask[..., None], shifted, target), target, mask


def compare(output: NDArray, target: NDArray, mask: NDArray) -> tuple[float, float, float]:
    """Time ratios to both forms of scikit-image (medians of rounds in turn), and the largest difference of a value."""
    ways: list[Callable[..., dict[str, float]]] = [score_all, scikit_image_each, scikit_image_shared]
    seconds: dict[Callable, list[float]] = {way: [] for way in ways}
    answers = {}
    for _ in range(ROUNDS):
        for way in ways:
            start = time.perf_counter()
            answers[way] = way(output, target, mask)
            seconds[way].append(time.perf_counter() - start)
    ours, each, shared = (float(np.median(seconds[way])) for way in ways)
    wanted = answers[scikit_image_each]
    return each / ours, shared / ours, max(abs(answers[score_all][name] - value) for name, value in wanted.items())


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    columns = [f"{SIZE}x{SIZE} pair", "× scikit-image for each", "× scikit-image, work shared", "largest difference"]
    rows = []
    for title, everywhere in (("changed everywhere", True), ("foreground only", False)):
        each, shared, difference = compare(*pair(everywhere))
        rows.append([title, f"{each:.1f}", f"{shared:.1f}", f"{difference:.0e}"])
    print(markdown(columns, rows))


if __name__ == "__main__":
    main()
