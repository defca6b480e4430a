"""Whether the metrics of one image can be true at once: their ranges, and each pair of which one bounds the other.

All follow from the definitions (``bench.metrics.measures``): a mean of squares is no less than the square of the mean
(Jensen), the frame holds the foreground's errors, and PSNR is its MSE in decibels. How far ΔE and squared 8-bit
differences can part was measured over pairs of sRGB colours (far and near, twelve million): ΔE76² is 0.0012 to 5.01
times the mean squared difference of the channels, ΔE00 at most 1.49 times ΔE76. The bounds here are wider than that.
"""

import math
from collections.abc import Iterator, Mapping

from bench.metrics import METRICS
from bench.metrics.protocols import Protocol

LARGEST_MSE = 255.0**2
RANGES = {  # of every metric; of those that are not named, 0 and more
    **dict.fromkeys(("mse", "fmse"), (0.0, LARGEST_MSE)),
    **dict.fromkeys(("psnr", "fpsnr"), (-math.inf, math.inf)),
    **dict.fromkeys(("ssim", "fssim"), (-1.0, 1.0)),
    **dict.fromkeys(("delta_e76", "delta_e94", "delta_e00", "fdelta_e76", "fdelta_e94", "fdelta_e00"), (0.0, 260.0)),
    "cie_delta_sq76": (0.0, 260.0**2),
}
LEAST, MOST = 0.001, 6.0  # ΔE76² in mean squared differences of 8-bit channels
MOST_00 = 1.6  # ΔE00 in ΔE76
DECIBEL = 0.01  # what rounding may part a PSNR and its MSE by
RELATIVE, ABSOLUTE = 2e-3, 2e-3  # of all other bounds


def contradiction(values: Mapping[str, float], protocol: Protocol, share: float) -> str | None:
    """What cannot be true about one image's metrics under ``protocol``, as "expected …, got …", or None.

    ``values`` has every metric without weights; ``share`` in (0, 1] is how much of the frame the foreground takes.
    """
    return next(_faults(values, protocol, share), None)


def _faults(values: Mapping[str, float], protocol: Protocol, share: float) -> Iterator[str]:
    for name in METRICS.keys() & values.keys():
        low, high = RANGES.get(name, (0.0, math.inf))
        if not low - ABSOLUTE <= values[name] <= high + ABSOLUTE:
            yield f"expected {name} from {low:g} to {high:g}, got {values[name]:g}"
    for decibels, error in (("psnr", "mse"), ("fpsnr", "fmse")):
        yield from _decibels(values, decibels, error, protocol)
    mse, fmse = values["mse"], values["fmse"]
    if mse + protocol.epsilon > 0 and fmse + protocol.epsilon > 0:  # the peak, whatever it is, is the same of both
        apart = 10 * math.log10((fmse + protocol.epsilon) / (mse + protocol.epsilon))
        if abs(values["psnr"] - values["fpsnr"] - apart) > 2 * DECIBEL:
            got = f"{values['psnr']:g} and {values['fpsnr']:g}"
            yield f"expected psnr and fpsnr {apart:.2f} dB apart, as mse and fmse are, got {got}"
    if mse == 0:
        yield from (f"expected {name} 0 where mse is, got {values[name]:g}" for name in _errors() if values[name] > 0)
        unlike = [name for name in ("ssim", "fssim") if abs(values[name] - 1) > ABSOLUTE]
        yield from (f"expected {name} 1 where mse is 0, got {values[name]:g}" for name in unlike)
    for low, factor, high in _bounds(protocol, share):
        floor = factor * _value(values, low)
        if _value(values, high) < floor * (1 - RELATIVE) - ABSOLUTE:
            yield f"expected {high} of at least {floor:.4g}, which follows from {low}, got {_value(values, high):g}"


def _decibels(values: Mapping[str, float], decibels: str, error: str, protocol: Protocol) -> Iterator[str]:
    """The peak is 255, or a lower one that only the pictures tell."""
    total = values[error] + protocol.epsilon
    most = math.inf if total == 0 else 10 * math.log10(LARGEST_MSE / total)
    found = values[decibels]
    exact = protocol.peak == "255" or most == math.inf
    if (found != most and not abs(found - most) <= DECIBEL) if exact else found > most + DECIBEL:
        is_ = f"{error} {values[error]:g} is {'' if exact else 'at most '}{most:.2f} dB"
        yield f"expected {decibels} and {error} to agree: {is_}, got {found:g}"


def _bounds(protocol: Protocol, share: float) -> Iterator[tuple[str, float, str]]:
    """(a, factor, b): b is never less than factor times a. ``^2`` after a name is its square."""
    for part in ("", "f"):
        yield f"{part}delta_e94", 1, f"{part}delta_e76"
        yield f"{part}delta_e00", 1 / MOST_00, f"{part}delta_e76"
        yield f"{part}delta_e76^2", 1 / MOST, f"{part}mse"
    yield "delta_e76^2", 1, "cie_delta_sq76"
    yield "cie_delta_sq76", 1 / MOST, "mse"
    yield "mse", LEAST, "cie_delta_sq76"
    for name in _errors():
        if name.startswith("f"):
            yield name, share, name[1:]
            if protocol.background == "target":  # and then there is no error but the foreground's
                yield name[1:], 1 / share, name


def _errors() -> list[str]:
    return ["mse", "fmse", *(f"{part}delta_e{year}" for part in ("", "f") for year in ("76", "94", "00"))]


def _value(values: Mapping[str, float], name: str) -> float:
    return values[name.removesuffix("^2")] ** (2 if name.endswith("^2") else 1)
