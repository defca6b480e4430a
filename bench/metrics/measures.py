"""Every metric of one pair of images, sharing the work: errors once, L*a*b* once, only where the two images differ.

Axes: H, W of the prepared pair; K pixels that differ.
"""

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench.metrics import color_difference, similarity
from bench.metrics.protocols import Pair
from iph.errors import InputError

Floats = NDArray[np.float64]
_BLOCK = 4096  # pixels at a time through the colour formulas, so that temporaries stay in the cache


class Measures:
    """The metrics of ``pair``, each a method without arguments that returns a float."""

    def __init__(self, pair: Pair):
        self.pair = pair
        self.spec = pair.protocol

    # errors of pixels, reduced over the frame or the foreground

    @cached_property
    def _squared(self) -> NDArray[np.int32]:
        """(H, W): Σ over channels of the squared 8-bit difference."""
        difference = self.pair.output.astype(np.int32) - self.pair.target
        return np.einsum("hwc,hwc->hw", difference, difference)

    @cached_property
    def _changed(self) -> NDArray[np.intp]:
        """(K,) places of the flattened image where the two images differ; all errors are 0 elsewhere."""
        return np.flatnonzero(self._squared)

    @cached_property
    def _mask(self) -> Floats:
        if self.pair.mask is None:
            raise InputError(f"expected a foreground mask for protocol {self.spec.name!r}, but got none")
        return self.pair.mask

    @cached_property
    def _area(self) -> float:
        area = float(self._mask.sum())
        if area == 0:
            height, width = self._mask.shape
            raise InputError(f"expected a foreground, but the mask is empty at {width}x{height}")
        return area

    def _frame(self, errors: Floats) -> float:
        """Mean over the frame of errors (K,) of the changed pixels."""
        if self.spec.background == "target":
            return self._weighted_sum(errors) / self._squared.size
        return float(errors.sum()) / self._squared.size

    def _foreground(self, errors: Floats) -> float:
        """Mean over the foreground, weighted by the mask, of errors (K,) of the changed pixels."""
        return self._weighted_sum(errors) / self._area

    def _weighted_sum(self, errors: Floats) -> float:
        return float(
            (errors * self._weights_of_changed).sum()
        )  # not @: BLAS threads wait for each other on a busy machine

    @cached_property
    def _weights_of_changed(self) -> Floats:
        return self._mask.ravel()[self._changed]

    # squared error

    @cached_property
    def _squared_of_changed(self) -> Floats:
        return self._squared.ravel()[self._changed] / 3

    def mse(self) -> float:
        return self._frame(self._squared_of_changed)

    def fmse(self) -> float:
        return self._weighted_sum(self._squared_of_changed) / (self._area + self.spec.epsilon / 3)

    def psnr(self) -> float:
        return self._decibel(self.mse())

    def fpsnr(self) -> float:
        return self._decibel(self.fmse())

    def _decibel(self, error: float) -> float:
        """Infinite for a perfect output; minus infinite where a peak taken from a flat image is 0."""
        error += self.spec.epsilon
        peak = {
            "255": 255.0,
            "output range": float(np.ptp(self.pair.output)),
            "target maximum": float(self.pair.target.max()),
        }[self.spec.peak]
        if error == 0:
            return math.inf
        return 20 * math.log10(peak) - 10 * math.log10(error) if peak else -math.inf

    # structural similarity

    @cached_property
    def _pasted(self) -> NDArray:
        """The output inside the foreground, the target outside, where the protocol says so."""
        if self.spec.background == "output":
            return self.pair.output
        if not ((self._mask == 0) | (self._mask == 1)).all():
            mask = self._mask[..., None]
            return self.pair.output * mask + self.pair.target * (1 - mask)
        return np.where(self._mask[..., None] > 0, self.pair.output, self.pair.target)

    @cached_property
    def _uniform_map(self) -> Floats:
        pasted = self._pasted if self._pasted.dtype == np.uint8 else np.rint(self._pasted).astype(np.uint8)
        return similarity.uniform_map(pasted, self.pair.target)

    @cached_property
    def _gaussian_7_map(self) -> Floats:
        data_range = float(np.ptp(self.pair.output))
        if data_range == 0:  # the paper's constants vanish with it
            return np.full(self.pair.output.shape, np.nan)
        return similarity.gaussian_map(self.pair.output, self.pair.target, 7, data_range, padded=True)

    def ssim(self) -> float:
        if self.spec.ssim == "gaussian 11":
            return float(similarity.gaussian_map(self._pasted, self.pair.target, 11, 255, padded=False).mean())
        if self.spec.ssim == "gaussian 7":
            return float(self._gaussian_7_map.mean())
        return float(similarity.inside(self._uniform_map).mean())

    def fssim(self) -> float:
        ssim_map = self._gaussian_7_map if self.spec.fssim == "gaussian 7" else self._uniform_map
        return float((ssim_map.mean(axis=2) * self._mask).sum() / self._area)

    # colour difference

    @cached_property
    def _color(self) -> dict[str, Floats]:
        """ΔE76², ΔE94 and ΔE00 of the changed pixels, each (K,)."""
        output = self.pair.output.reshape(-1, 3)[self._changed]  # (H, W, 3) → (K, 3)
        target = self.pair.target.reshape(-1, 3)[self._changed]
        found = {name: np.empty(len(output)) for name in ("76 squared", "94", "00")}
        for start in range(0, len(output), _BLOCK):
            block = slice(start, start + _BLOCK)
            lab_o, lab_t = color_difference.lab(output[block]), color_difference.lab(target[block])
            found["76 squared"][block] = color_difference.delta_e76_squared(lab_o, lab_t)
            found["94"][block] = color_difference.delta_e94(lab_o, lab_t)
            found["00"][block] = color_difference.delta_e00(lab_o, lab_t)
        found["76"] = np.sqrt(found["76 squared"])
        return found

    def delta_e76(self) -> float:
        return self._frame(self._color["76"])

    def delta_e94(self) -> float:
        return self._frame(self._color["94"])

    def delta_e00(self) -> float:
        return self._frame(self._color["00"])

    def fdelta_e76(self) -> float:
        return self._foreground(self._color["76"])

    def fdelta_e94(self) -> float:
        return self._foreground(self._color["94"])

    def fdelta_e00(self) -> float:
        return self._foreground(self._color["00"])

    def cie_delta_sq76(self) -> float:
        return self._frame(self._color["76 squared"])

    # learned distances, imported here, because no other metric needs torch

    def lpips(self) -> float:
        from bench.metrics import learned_distance

        return learned_distance.lpips(self._pasted, self.pair.target)

    def dists(self) -> float:
        from bench.metrics import learned_distance

        return learned_distance.dists(self._pasted, self.pair.target)
