"""The metrics by name. Each is a callable that carries what its numbers mean: ``psnr(output, target)``, ``psnr.unit``.

All take ``output`` and ``target`` (H, W, 3) uint8 sRGB, ``mask`` (H, W) bool, uint8 0-255 or float in [0, 1], and the
name of a protocol, and return a float. Foreground metrics weigh pixels by the mask and need one; so does every metric
of a protocol that ignores the background. They raise ``InputError`` for unequal sizes, other depths, an empty
foreground, or an image smaller than the SSIM window.
"""

from dataclasses import dataclass, field
from typing import Literal

from numpy.typing import ArrayLike

from bench import weights
from bench.metrics.measures import Measures
from bench.metrics.protocols import prepare
from bench.metrics.quantity import Quantity


@dataclass(frozen=True)
class Metric(Quantity):
    """One metric: call it on a pair of images; its fields say how to read the number.

    ``weights`` names what has to be on this machine (``bench.weights``), None for a metric without any.
    """

    unit: str
    region: Literal["frame", "foreground"]
    reference: str
    description: str
    weights: str | None = field(default=None, kw_only=True)

    def missing(self) -> str | None:
        """None where the metric can be computed here, else a sentence with what to do."""
        ready = self.weights is None or weights.status(self.weights).state == "ready"
        return None if ready else self.availability()

    def availability(self) -> str:
        """What is known of its weights, "ready" for a metric without any."""
        return "ready" if self.weights is None else weights.status(self.weights).sentence

    def __call__(
        self, output: ArrayLike, target: ArrayLike, mask: ArrayLike | None = None, protocol: str = "strict"
    ) -> float:
        """The value for one pair; shapes and errors as the module says."""
        return getattr(Measures(prepare(output, target, mask, protocol)), self.name)()


_WANG = "Wang et al. 2004"
_IHARMONY4 = "Cong et al. 2020 (iHarmony4)"
_CDTNET = "Cong et al. 2022 (CDTNet)"
_CIE76, _CIE94, _CIE00 = "CIE 1976", "CIE 1994, graphic arts", "CIEDE2000, Sharma et al. 2005"
_SQUARE = "8-bit levels squared"

psnr = Metric("psnr", "PSNR", "higher", "dB", "frame", "ITU-T J.340", "peak signal to MSE; infinite for equal images")
ssim = Metric(
    "ssim", "SSIM", "higher", "1 at best", "frame", _WANG, "structural similarity, mean over windows", digits=4
)
mse = Metric("mse", "MSE", "lower", _SQUARE, "frame", _IHARMONY4, "mean squared error over pixels and channels")
fmse = Metric("fmse", "fMSE", "lower", _SQUARE, "foreground", _IHARMONY4, "MSE inside the foreground")
fpsnr = Metric("fpsnr", "fPSNR", "higher", "dB", "foreground", _CDTNET, "peak signal to fMSE")
fssim = Metric(
    "fssim", "fSSIM", "higher", "1 at best", "foreground", _CDTNET, "mean SSIM inside the foreground", digits=4
)
delta_e76 = Metric("delta_e76", "ΔE76", "lower", "ΔE", "frame", _CIE76, "mean distance in L*a*b*")
delta_e94 = Metric("delta_e94", "ΔE94", "lower", "ΔE", "frame", _CIE94, "mean difference, the target as reference")
delta_e00 = Metric("delta_e00", "ΔE00", "lower", "ΔE", "frame", _CIE00, "mean perceived colour difference")
fdelta_e76 = Metric("fdelta_e76", "fΔE76", "lower", "ΔE", "foreground", _CIE76, "ΔE76 inside the foreground")
fdelta_e94 = Metric("fdelta_e94", "fΔE94", "lower", "ΔE", "foreground", _CIE94, "ΔE94 inside the foreground")
fdelta_e00 = Metric("fdelta_e00", "fΔE00", "lower", "ΔE", "foreground", _CIE00, "ΔE00 inside the foreground")
cie_delta_sq76 = Metric(
    "cie_delta_sq76",
    "CIE Delta (inferred)",
    "lower",
    "ΔE squared",
    "frame",
    "inferred from Valanarasu et al. 2022, Table 1",
    "mean squared ΔE76; the paper's 'CIE Delta' grows with the MSE like it on PortraitTest, not on IntHarmony",
)
lpips = Metric(
    "lpips",
    "LPIPS",
    "lower",
    "distance",
    "frame",
    "Zhang et al. 2018, AlexNet, version 0.1",
    "learned perceptual distance, only where its weights are on this machine",
    digits=4,
    weights="lpips",
)
dists = Metric(
    "dists",
    "DISTS",
    "lower",
    "distance",
    "frame",
    "Ding et al. 2020, VGG-16",
    "learned distance of structure and texture at the size that is scored, only where its weights are on this machine",
    digits=4,
    weights="dists",
)

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in [
        *(psnr, ssim, mse, fmse, fpsnr, fssim),
        *(delta_e76, delta_e94, delta_e00, fdelta_e76, fdelta_e94, fdelta_e00, cie_delta_sq76),
        *(lpips, dists),
    ]
}


def score_all(output: ArrayLike, target: ArrayLike, mask: ArrayLike, protocol: str = "strict") -> dict[str, float]:
    """Every metric of ``METRICS`` that can be computed here at once, sharing the work."""
    measures = Measures(prepare(output, target, mask, protocol))
    return {name: getattr(measures, name)() for name, metric in METRICS.items() if metric.missing() is None}
