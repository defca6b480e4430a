"""LPIPS (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric"), AlexNet, v0.1,
and DISTS (Ding et al. 2020, "Image Quality Assessment: Unifying Structure and Texture Similarity"), VGG-16.

Both compare two images by the features of a classifier. What their authors fitted to people's answers is small and lies
in ``heads/``; the classifier's file is torchvision's and is never downloaded: without it (``bench weights`` tells which
and where) the metric is absent.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bench import weights
from iph.errors import InputError

HEADS = Path(__file__).with_name("heads")
State = dict[str, Tensor]
# torchvision's index of each convolution, its stride and padding, and whether a 3x3 max pool comes before it
_ALEXNET = ((0, 4, 2, False), (3, 1, 2, True), (6, 1, 1, True), (8, 1, 1, False), (10, 1, 1, False))
_VGG16 = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))  # 3x3 convolutions of each stage
SMALLEST = 31  # pixels a side that leave one place in AlexNet's deepest layer


def lpips(output: NDArray, target: NDArray) -> float:
    """LPIPS of two (H, W, 3) images with values 0 to 255; 0 for equal images."""
    if min(output.shape[:2]) < SMALLEST:
        height, width = output.shape[:2]
        raise InputError(
            f"expected images of at least {SMALLEST}x{SMALLEST} pixels for LPIPS, but got {width}x{height}"
        )
    with torch.inference_mode():
        return float(lpips_of(_tensor(output), _tensor(target), *_networks("lpips")))


def dists(output: NDArray, target: NDArray) -> float:
    """DISTS of two (H, W, 3) images with values 0 to 255, at the size they have; 0 for equal images."""
    with torch.inference_mode():
        return float(dists_of(_tensor(output), _tensor(target), *_networks("dists")))


def lpips_of(a: Tensor, b: Tensor, alexnet: State, linear: State) -> Tensor:
    """Two images (1, 3, H, W) in [0, 1] → scalar: weighted squared differences of unit-normalised features."""
    total = torch.zeros(())
    x, y = (_normal(2 * z - 1, (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)) for z in (a, b))
    for number, (index, stride, padding, pooled) in enumerate(_ALEXNET):
        kernel, bias = _layer(alexnet, index)
        x, y = (F.relu(F.conv2d(F.max_pool2d(z, 3, 2) if pooled else z, kernel, bias, stride, padding)) for z in (x, y))
        difference = (_unit(x) - _unit(y)) ** 2  # (1, C, H', W')
        total = total + F.conv2d(difference, linear[f"lin{number}.model.1.weight"]).mean()
    return total


def dists_of(a: Tensor, b: Tensor, vgg16: State, weighing: State) -> Tensor:
    """Two images (1, 3, H, W) in [0, 1] → scalar: what their features' means and covariances lack of being alike.

    The images themselves are the first of six layers; alpha weighs the means, beta the covariances.
    """
    x, y = (_normal(z, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)) for z in (a, b))
    unlike = [_unlike(a, b)]  # of each layer (2, C)
    for number, stage in enumerate(_VGG16):
        if number:
            x, y = _l2_pool(x), _l2_pool(y)
        for index in stage:
            x, y = (F.relu(F.conv2d(z, *_layer(vgg16, index), padding=1)) for z in (x, y))
        unlike.append(_unlike(x, y))
    weight = torch.stack([weighing["alpha"].flatten(), weighing["beta"].flatten()])  # (2, 1475)
    return (torch.cat(unlike, dim=1) * weight).sum() / weight.sum()


def _unlike(x: Tensor, y: Tensor, small: float = 1e-6) -> Tensor:
    """Two layers (1, C, H, W) → (2, C): 1 - similarity of the means, 1 - similarity of what lies around them."""
    mean_x, mean_y = x.mean((2, 3), keepdim=True), y.mean((2, 3), keepdim=True)
    around_x, around_y = x - mean_x, y - mean_y
    covariance, variances = (around_x * around_y).mean((2, 3)), (around_x**2 + around_y**2).mean((2, 3))
    means = (2 * mean_x * mean_y + small) / (mean_x**2 + mean_y**2 + small)
    return 1 - torch.cat([means[..., 0, 0], (2 * covariance + small) / (variances + small)])


def _l2_pool(x: Tensor) -> Tensor:
    """(1, C, H, W) → (1, C, ⌈H/2⌉, ⌈W/2⌉): the root of a Hann-weighted mean of squares, which does not alias."""
    hann = torch.tensor([0.25, 0.5, 0.25])
    kernel = torch.outer(hann, hann).expand(x.shape[1], 1, 3, 3)
    return (F.conv2d(x**2, kernel, stride=2, padding=1, groups=x.shape[1]) + 1e-12).sqrt()


def _unit(x: Tensor) -> Tensor:
    return x / (x.pow(2).sum(dim=1, keepdim=True).sqrt() + 1e-10)


def _normal(x: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    return (x - torch.tensor(mean)[:, None, None]) / torch.tensor(deviation)[:, None, None]


def _tensor(image: NDArray) -> Tensor:
    return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]  # (H, W, 3) → (1, 3, H, W)


def _layer(state: State, index: int) -> tuple[Tensor, Tensor]:
    return state[f"features.{index}.weight"], state[f"features.{index}.bias"]


@lru_cache(maxsize=2)
def _networks(name: str) -> tuple[State, State]:
    """The classifier's convolutions and the authors' weights; the rest of the file, most of it, is let go."""
    from safetensors.torch import load_file

    (state,) = weights.load(name).values()
    indices = [layer[0] for layer in _ALEXNET] if name == "lpips" else [index for stage in _VGG16 for index in stage]
    wanted = [f"features.{index}.{part}" for index in indices for part in ("weight", "bias")]
    if absent := [key for key in wanted if key not in state]:
        raise InputError(f"expected torchvision's network for {name}, but {', '.join(absent[:3])} are absent")
    return {key: state[key] for key in wanted}, load_file(HEADS / f"{name}.safetensors")
