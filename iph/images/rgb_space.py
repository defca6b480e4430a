"""An RGB profile's numbers as extended sRGB and back, quick enough for every pixel of a photo.

Nearly all RGB profiles are a curve for each channel and a matrix (ICC.1, three-component matrix-based): both are
measured on what LittleCMS answers for ramps, and then applied without it. Other profiles go through LittleCMS.
Extended sRGB has the primaries, white and curve of IEC 61966-2-1, the curve odd and without an end, so that a colour
outside its gamut has a place below 0 or above 1.
"""

import functools

import cv2
import imagecodecs
import numpy as np
from imagecodecs import CMS

from iph.images.color_profile import D65, color_space
from iph.pixels import full_scale

LEVELS = 1 << 16  # of a curve's table
# Of an inverse table, whose entries are numbers of the file: half a step is less than a third of a level.
STEPS = {np.dtype(np.uint8): 1 << 14, np.dtype(np.uint16): 1 << 18}
POWER = 2.4  # inverse tables run over the root of the light: evenly spaced light would have no shadows
CLOSE = 1e-4  # of full light, between what a matrix profile says and curves with a matrix
KNEE, SLOPE, OFFSET = 0.0031308, 12.92, 0.055  # IEC 61966-2-1
SRGB_PRIMARIES = [0.64, 0.33, 1, 0.30, 0.60, 1, 0.15, 0.06, 1]
LINEAR_SRGB = imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=SRGB_PRIMARIES, gamma=1.0)


class RGBSpace:
    """One RGB profile. Raises CmsError where LittleCMS cannot go both ways through it."""

    def __init__(self, icc: bytes) -> None:
        self.icc = icc
        self._curves = self._inverse = None
        ramps = np.zeros((3, LEVELS, 3), np.float32)
        for channel in range(3):
            ramps[channel, :, channel] = np.linspace(0, 1, LEVELS, dtype=np.float32)
        light = self._to_light(ramps)
        self._to_numbers(light[:, -1:])  # some profiles only say what their numbers mean, not how to make them
        matrix = light[:, -1].astype(np.float64)  # (3, 3): a row for each channel of the profile
        curves = np.einsum("ckx,cx->ck", light, matrix / (matrix**2).sum(1, keepdims=True))  # (3, LEVELS)
        self._matrix, self._back = matrix.astype(np.float32), np.linalg.pinv(matrix).astype(np.float32)
        probe = np.random.default_rng(0).integers(0, LEVELS, (1, 512, 3))
        expected = np.stack([curve[probe[..., i]] for i, curve in enumerate(curves)], -1) @ matrix
        apart = np.abs(expected - self._to_light((probe / (LEVELS - 1)).astype(np.float32))).max()
        if apart < CLOSE and (np.diff(curves) >= -CLOSE / LEVELS).all():
            curves = np.stack([_without_steps(curve) for curve in curves])
            self._curves = curves.astype(np.float32)
            self._inverse = {dtype: _inverse(curves, dtype) for dtype in STEPS}

    def decoded(self, pixels: np.ndarray) -> np.ndarray:
        """Numbers (H, W, 3) of this profile, uint8, uint16 or float in [0, 1], as extended sRGB, float32."""
        if self._curves is None or pixels.dtype.kind == "f":
            return encoded_srgb(self._to_light(_as_unit(pixels)))
        curves = self._curves[:, :: LEVELS // 256 + 1] if pixels.dtype == np.uint8 else self._curves
        light = cv2.merge([curve.take(plane) for curve, plane in zip(curves, cv2.split(pixels), strict=True)])
        return encoded_srgb(cv2.transform(light, self._matrix.T))

    def moved(self, pixels: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """``pixels`` as numbers of this profile, after their colour went from ``before`` to ``after``.

        ``before`` is ``decoded(pixels)``, ``after`` the same shape. Clipped to what the profile can hold.
        """
        full = full_scale(pixels)
        if self._inverse is not None and pixels.dtype in self._inverse:
            curves = self._inverse[pixels.dtype]
            light = cv2.transform(decoded_srgb(after), self._back.T)
            roots = cv2.pow(np.clip(light, 0, 1, out=light), 1 / POWER)
            places = (roots * np.float32(curves.shape[1] - 1) + np.float32(0.5)).astype(np.int32)
            return cv2.merge([curve.take(plane) for curve, plane in zip(curves, cv2.split(places), strict=True)])
        # Only the difference: the way through a table and back does not end where it began.
        moved = self._to_numbers(decoded_srgb(after)) - self._to_numbers(decoded_srgb(before))
        full = full_scale(pixels)
        moved = np.clip(_as_unit(pixels) + moved, 0, 1) * np.float32(full)
        return (moved if full == 1 else np.rint(moved)).astype(pixels.dtype)

    def _to_light(self, numbers: np.ndarray) -> np.ndarray:
        return _through(numbers, self.icc, LINEAR_SRGB)

    def _to_numbers(self, light: np.ndarray) -> np.ndarray:
        return _through(light, LINEAR_SRGB, self.icc)


@functools.lru_cache(maxsize=8)
def space_of(icc: bytes | None) -> RGBSpace | None:
    """The space of a photo's profile; None for sRGB, and for a profile that cannot be used: its numbers then count as
    sRGB's."""
    if color_space(icc) != "rgb":
        return None
    try:
        return RGBSpace(icc)
    except (imagecodecs.CmsError, np.linalg.LinAlgError):
        return None


def _without_steps(curve: np.ndarray) -> np.ndarray:
    """A curve (LEVELS,) as it was meant where LittleCMS answers in 16 bits: from the middle of a step to the next."""
    curve = np.maximum.accumulate(curve)  # without what float arithmetic added
    values, first, count = np.unique(curve, return_index=True, return_counts=True)
    middle = first + (count - 1) / 2
    middle[0], middle[-1] = 0, LEVELS - 1
    return np.interp(np.arange(LEVELS), middle, values)


def _inverse(curves: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The levels of ``dtype`` (3, STEPS) that are nearest to evenly spaced roots of the light of each channel."""
    roots = np.linspace(0, 1, STEPS[dtype]) ** POWER
    levels = np.linspace(0, np.iinfo(dtype).max, LEVELS)
    found = [np.interp(roots, curve, levels) for curve in curves]
    return np.rint(found).astype(dtype)


def _through(colors: np.ndarray, source: bytes, target: bytes) -> np.ndarray:
    """Float colours (H, W, 3) from a profile to another; outside [0, 1] where the target can say that."""
    return imagecodecs.cms_transform(
        np.ascontiguousarray(colors, np.float32),
        source,
        target,
        colorspace="rgb",
        outcolorspace="rgb",
        intent=CMS.INTENT.RELATIVE_COLORIMETRIC,
        flags=CMS.FLAGS.BLACKPOINTCOMPENSATION | CMS.FLAGS.NOOPTIMIZE,
    )


def _as_unit(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / np.float32(full_scale(pixels))


def encoded_srgb(light: np.ndarray) -> np.ndarray:
    """Linear light, float of any shape, as extended sRGB."""
    # The curve above the knee and the line below it, each held where the other one goes: quicker than choosing.
    size = np.abs(light)
    curve = cv2.pow(np.maximum(size, KNEE), 1 / 2.4) * np.float32(1 + OFFSET)
    curve += np.minimum(size, KNEE, out=size) * np.float32(SLOPE)
    curve -= np.float32(OFFSET + KNEE * SLOPE)
    return np.copysign(curve, light, out=curve)


def decoded_srgb(colors: np.ndarray) -> np.ndarray:
    """Extended sRGB, float of any shape, as linear light."""
    size = np.abs(colors)
    raised = np.maximum(size, KNEE * SLOPE)
    raised += np.float32(OFFSET)
    curve = cv2.pow(raised * np.float32(1 / (1 + OFFSET)), 2.4)
    curve += np.minimum(size, KNEE * SLOPE, out=size) * np.float32(1 / SLOPE)
    curve -= np.float32(KNEE)
    return np.copysign(curve, colors, out=curve)
