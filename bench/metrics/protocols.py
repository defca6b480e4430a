"""How each published evaluation script resizes, composites and scales before it computes a metric.

Sources, all read in the released code: iHarmony4's ``evaluation.py`` and DoveNet's ``test.py``, which printed the
numbers of its README; RainNet's ``evaluate.py`` and its data set; and the ``iharm/inference/metrics.py`` of iDIH,
PCT-Net and CDTNet. They differ enough to make tables of different papers incomparable, so every table of ours names its
protocol. ``tests/bench/metrics/test_sources.py`` writes each of them out again.

What differs from the sources: a harmonizer's output is 8-bit here, so that their conversions to bytes (DoveNet and
RainNet truncate) belong to the harmonizer and the float32 predictions of iDIH, PCT-Net and CDTNet are rounded. A mask
that vanishes when it is dithered at 256 x 256, where ``evaluation.py`` divides by zero, is every pixel that it touches.
HAdobe5k comes as published: iDIH and PCT-Net first store it again at 1024 pixels.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from iph.errors import InputError, unknown
from iph.masks.forms import as_weights

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Protocol:
    """One way to score. Metrics that ``defines`` does not name follow ``strict``'s rule on this protocol's images."""

    name: str
    source: str
    size: int | None  # side of the square everything is resized to; None keeps the size
    any_size: bool  # whether another size may be asked for; else ``size`` is part of the protocol
    target: Literal["exact", "truncated"]  # truncated: it comes back from [-1, 1] in float32, 63 levels one lower
    resize: Literal["none", "pil-bicubic", "pil-bilinear", "cv2-linear"]
    mask: Literal["soft", "bilevel"]  # bilevel: PIL's mode "1", resized to the nearest pixel
    background: Literal["output", "target"]  # what counts outside the foreground; "target" leaves no error there
    peak: Literal["255", "output range", "target maximum"]  # of PSNR and fPSNR
    epsilon: float  # added to the MSE inside the logarithm, and to the area of fMSE
    ssim: Literal["uniform 7", "gaussian 7", "gaussian 11"]
    fssim: Literal["uniform 7", "gaussian 7"]
    defines: frozenset[str]


def _protocol(name: str, source: str, defines: str, **spec: object) -> Protocol:
    strict = dict(size=None, any_size=False, resize="none", mask="soft", background="output", peak="255", epsilon=0.0)
    strict |= dict(target="exact")
    ssim = dict(ssim="uniform 7", fssim="uniform 7")
    return Protocol(name=name, source=source, defines=frozenset(defines.split()), **(strict | ssim | spec))  # type: ignore[arg-type]


_OWN = "psnr ssim mse fmse fpsnr fssim delta_e76 delta_e94 delta_e00 fdelta_e76 fdelta_e94 fdelta_e00 cie_delta_sq76"
_PCTNET = dict(background="target", epsilon=1e-6, ssim="gaussian 11")
_CDTNET = dict(resize="cv2-linear", peak="target maximum", epsilon=1e-6, ssim="gaussian 7", fssim="gaussian 7")

PROTOCOLS: dict[str, Protocol] = {
    p.name: p
    for p in [
        _protocol(
            "strict",
            "ours: float64, data range 255, whole frame, any size, masks cut at one half, SSIM as scikit-image's",
            _OWN,
            any_size=True,
        ),
        _protocol(
            "dovenet",
            "iHarmony4 evaluation.py on finished pictures",
            "mse psnr fmse",
            size=256,
            resize="pil-bicubic",
            mask="bilevel",
            peak="output range",
        ),
        _protocol(
            "dovenet-test",
            "DoveNet test.py, which printed the numbers of its README: bilinear, the target truncated to bytes",
            "mse psnr",
            size=256,
            resize="pil-bilinear",
            mask="bilevel",
            peak="output range",
            target="truncated",
        ),
        _protocol(
            "rainnet",
            "RainNet evaluate.py: the composite's background is replaced by the target's, which is truncated to bytes",
            "mse psnr",
            size=256,
            resize="pil-bilinear",
            mask="bilevel",
            background="target",
            target="truncated",
        ),
        _protocol(
            "idih",
            "iDIH (SamsungLabs) metrics.py",
            "mse psnr fmse",
            size=256,
            resize="cv2-linear",
            peak="target maximum",
            epsilon=1e-6,
        ),
        _protocol(
            "pctnet",
            "PCT-Net metrics.py, full resolution: errors outside the mask do not count",
            "mse psnr fmse ssim",
            **_PCTNET,
        ),
        _protocol(
            "pctnet-256",
            "PCT-Net metrics.py, low resolution: the same at 256 x 256",
            "mse psnr fmse ssim",
            size=256,
            resize="cv2-linear",
            **_PCTNET,
        ),
        _protocol("cdtnet", "CDTNet metrics.py at 256 x 256", "mse psnr fmse fpsnr ssim fssim", size=256, **_CDTNET),
        _protocol("cdtnet-1024", "the same at 1024", "mse psnr fmse fpsnr ssim fssim", size=1024, **_CDTNET),
        _protocol("cdtnet-2048", "the same at 2048", "mse psnr fmse fpsnr ssim fssim", size=2048, **_CDTNET),
    ]
}


@dataclass(frozen=True)
class Pair:
    """What a protocol's metrics see: two (H, W, 3) uint8 images and the foreground's weights (H, W) in [0, 1]."""

    output: Bytes
    target: Bytes
    mask: Floats | None
    protocol: Protocol


def prepare(output: ArrayLike, target: ArrayLike, mask: ArrayLike | None = None, protocol: str = "strict") -> Pair:
    """Check the two images and the mask, and bring them to the protocol's size.

    ``output`` and ``target`` (H, W, 3) uint8 sRGB; ``mask`` (H, W) bool, uint8 0-255 or float in [0, 1]. All share one
    size; under a protocol with a fixed size each may also come at that size already. Raises ``InputError``.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    spec = PROTOCOLS[protocol]
    target = _image(target, "target")
    output = _image(output, "output")
    weights = None if mask is None else as_weights(mask, "mask")
    for name, array in (("output", output), ("mask", weights)):
        if array is not None and not _fits(array.shape[:2], target.shape[:2], spec.size):
            raise InputError(
                f"expected the {name} at the target's size {_size(target)}, but got {_size(array)}"
                f" (protocol {spec.name!r})"
            )
    if weights is not None:
        weights = scored_mask(weights, spec)
    output, target = _resize(output, spec), _resize(target, spec)
    if spec.target == "truncated":
        target = _TRUNCATED[target]
    if spec.background == "target" and spec.mask == "bilevel" and weights is not None:
        output = np.where(weights[..., None] > 0, output, target)
    return Pair(output, target, weights, spec)


def _fits(size: tuple[int, ...], wanted: tuple[int, ...], fixed: int | None) -> bool:
    return size == wanted or (fixed is not None and size == (fixed, fixed))


def _size(array: NDArray) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"


def _image(image: ArrayLike, name: str) -> Bytes:
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise InputError(
            f"expected the {name} as 8-bit RGB of shape (H, W, 3), but got {image.dtype} of shape {image.shape}"
        )
    return image


def _resize(image: Bytes, spec: Protocol) -> Bytes:
    if spec.size is None or image.shape[:2] == (spec.size, spec.size):
        return image
    return resized(image, spec.size, spec)


def _truncated() -> Bytes:
    """(256,) what becomes of each level on its way through ``ToTensor``, ``Normalize`` and ``tensor2im``."""
    one, half = np.float32(1), np.float32(0.5)
    normal = (np.arange(256, dtype=np.float32) / np.float32(255) - half) / half
    return ((normal + one) / np.float32(2) * np.float32(255)).astype(np.uint8)


_TRUNCATED = _truncated()


def scored_mask(weights: Floats, spec: Protocol) -> Floats:
    """The foreground's weights (H, W) in [0, 1] as the protocol counts them, at its size."""
    if spec.mask == "bilevel":
        return np.asarray(bilevel(weights, spec.size), dtype=np.float64)
    if spec.size is None or weights.shape == (spec.size, spec.size):
        return weights
    return soft(weights, spec.size)


def resized(image: Bytes, size: int, spec: Protocol) -> Bytes:
    """``image`` (H, W, 3) at ``size`` x ``size`` as the protocol resizes; Pillow's bicubic where it does not."""
    side = (size, size)
    if spec.resize == "cv2-linear":
        return cv2.resize(image, side, interpolation=cv2.INTER_LINEAR)
    kernel = Image.Resampling.BILINEAR if spec.resize == "pil-bilinear" else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(image).resize(side, kernel))


def soft(weights: Floats, size: int) -> Floats:
    """A mask (H, W) in [0, 1] at ``size`` x ``size`` as the data sets of iDIH and CDTNet have it: linear."""
    return cv2.resize(weights, (size, size), interpolation=cv2.INTER_LINEAR)


def bilevel(weights: Floats, size: int | None) -> NDArray[np.bool_]:
    """A mask as the data sets of DoveNet and RainNet read it: Pillow's mode "1" (it dithers soft values), nearest.

    Where nothing would be left at ``size``, every pixel that the mask touches.
    """
    mask = Image.fromarray(np.rint(weights * 255).astype(np.uint8)).convert("1")
    if size is None:
        return np.asarray(mask)
    small = np.asarray(mask.resize((size, size), Image.Resampling.NEAREST))
    return small if small.any() else cv2.resize(weights, (size, size), interpolation=cv2.INTER_AREA) > 0
