"""LPIPS (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric"), AlexNet, v0.1.

The distance is a weighted squared difference of unit-normalised features of five AlexNet layers, averaged over places.
Its weights are never downloaded: without the two local files (``bench weights`` tells which) the metric is absent.
"""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bench import weights
from iph.errors import InputError

_SHIFT = torch.tensor([-0.030, -0.088, -0.188])[:, None, None]
_SCALE = torch.tensor([0.458, 0.448, 0.450])[:, None, None]
# torchvision's index of each convolution, its stride and padding, and whether a 3x3 max pool comes before it
_LAYERS = ((0, 4, 2, False), (3, 1, 2, True), (6, 1, 1, True), (8, 1, 1, False), (10, 1, 1, False))
SMALLEST = 31  # pixels a side that leave one place in the deepest layer


def distance(output: NDArray, target: NDArray) -> float:
    """LPIPS of two (H, W, 3) images with values 0 to 255; 0 for equal images."""
    if min(output.shape[:2]) < SMALLEST:
        height, width = output.shape[:2]
        raise InputError(
            f"expected images of at least {SMALLEST}x{SMALLEST} pixels for LPIPS, but got {width}x{height}"
        )
    alexnet, linear = _networks()
    with torch.inference_mode():
        return float(features_distance(_tensor(output), _tensor(target), alexnet, linear))


def features_distance(a: Tensor, b: Tensor, alexnet: dict[str, Tensor], linear: dict[str, Tensor]) -> Tensor:
    """Two images (1, 3, H, W) in [-1, 1] → scalar, under AlexNet's and the linear layers' state dicts."""
    total = torch.zeros(())
    x, y = (a - _SHIFT) / _SCALE, (b - _SHIFT) / _SCALE
    for number, (index, stride, padding, pooled) in enumerate(_LAYERS):
        kernel, bias = alexnet[f"features.{index}.weight"], alexnet[f"features.{index}.bias"]
        x, y = (F.relu(F.conv2d(F.max_pool2d(z, 3, 2) if pooled else z, kernel, bias, stride, padding)) for z in (x, y))
        difference = (_unit(x) - _unit(y)) ** 2  # (1, C, H', W')
        total = total + F.conv2d(difference, linear[f"lin{number}.model.1.weight"]).mean()
    return total


def _unit(x: Tensor) -> Tensor:
    return x / (x.pow(2).sum(dim=1, keepdim=True).sqrt() + 1e-10)


def _tensor(image: NDArray) -> Tensor:
    scaled = image.astype(np.float32) / 127.5 - 1
    return torch.from_numpy(scaled).permute(2, 0, 1)[None]  # (H, W, 3) → (1, 3, H, W)


@lru_cache(maxsize=1)
def _networks() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    files = weights.load("lpips")
    alexnet, linear = (files[name] for name in weights.WEIGHTS["lpips"].files)
    wanted = [f"features.{index}.{part}" for index, *_ in _LAYERS for part in ("weight", "bias")]
    wanted_linear = [f"lin{number}.model.1.weight" for number in range(len(_LAYERS))]
    absent = [key for key in wanted if key not in alexnet] + [key for key in wanted_linear if key not in linear]
    if absent:
        raise InputError(f"expected the tensors of LPIPS's AlexNet, but {', '.join(absent[:3])} are absent")
    return alexnet, linear
