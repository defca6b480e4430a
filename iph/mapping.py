"""The colour mapping: what the harmonizer did at low resolution, as a formula for any size.

The paper has "a polynomial fitting like in Afifi et al. (2019)" here; the terms are theirs, the rest is ours. A mapping
is kept as its *change* from identity:
``output = clip(input + change(clip(input, low, high)), 0, 1)``, with the eleven terms of ``iph.polynomial``, in sRGB;
the colours of a photo of another profile go there and back, beyond sRGB's gamut where the photo's is wider. The change
is held constant outside the range it was fitted on, so a highlight that the small picture never showed is shifted like
its nearest known neighbour instead of running away. Being linear in its coefficients, a change can be weakened, or its
luminance and chroma weighed apart, and is again an exact mapping.

A second stage are a person's own adjustments (``iph.adjustments``), exact and after the change, whatever its strength.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path

import cv2
import numpy as np

from iph import cube
from iph.adjustments import NEUTRAL, REC709, Adjustments
from iph.errors import InputError
from iph.images.color_profile import profile_name
from iph.images.rgb_space import space_of
from iph.pixels import full_scale
from iph.polynomial import DEGREES, MOST_PIXELS, RIDGE, TERMS, fill_products, fit_change, fitting_pixels

TILE = (64, 256)  # rows, columns: the working set of one tile (0.7 MB of float32) stays in the L2 cache
KIND = "polynomial-11"
MOST_AMOUNT = 2  # of a change, or of its parts: 1 is all of it
CUBE_SIZES = (17, 33, 65)
DEPTH = {
    np.dtype(np.uint8): cv2.CV_8U,
    np.dtype(np.uint16): cv2.CV_16U,
    np.dtype(np.float32): cv2.CV_32F,
    np.dtype(np.float64): cv2.CV_64F,
}


@dataclass(frozen=True, eq=False)
class ColorMapping:
    """A colour change: ``change`` (11, 3) float64, a column a channel, and its fitted range ``low``, ``high`` (3,);
    then ``adjustments`` by hand."""

    change: np.ndarray
    low: np.ndarray
    high: np.ndarray
    adjustments: Adjustments = NEUTRAL

    def __post_init__(self) -> None:
        for name, shape in (("change", (len(TERMS), 3)), ("low", (3,)), ("high", (3,))):
            try:
                value = np.array(getattr(self, name), dtype=np.float64)
            except (TypeError, ValueError, OverflowError) as error:
                raise InputError(f"expected numbers of shape {shape} as {name} of a colour mapping: {error}") from None
            if value.shape != shape or not np.isfinite(value).all():
                raise InputError(f"expected {shape} finite numbers as {name} of a colour mapping, got {value.shape}")
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if not ((self.low >= 0) & (self.low <= self.high) & (self.high <= 1)).all():
            raise InputError(f"expected 0 <= low <= high <= 1, got low {self.low.tolist()}, high {self.high.tolist()}")

    @classmethod
    def identity(cls) -> "ColorMapping":
        """The mapping that changes nothing."""
        return cls(np.zeros((len(TERMS), 3)), np.zeros(3), np.ones(3))

    @classmethod
    def fit(
        cls, source: np.ndarray, target: np.ndarray, mask: np.ndarray | None = None, ridge: float = RIDGE
    ) -> "ColorMapping":
        """The mapping that takes ``source`` to ``target``, both (H, W, 3) or (K, 3), float in [0, 1] or integer.

        ``mask`` of the same leading shape (bool, 0/255, or [0, 1]) says which pixels count; a 2-D one is eroded first.
        ``ridge`` pulls towards identity. Raises InputError on NaN, unequal shapes or an empty mask.
        """
        if source.shape != target.shape or source.ndim not in (2, 3) or source.shape[-1] != 3:
            raise InputError(f"expected two pictures of one shape (…, 3), got {source.shape} and {target.shape}")
        pixels = np.arange(source.size // 3)
        if mask is not None:
            if mask.shape != source.shape[:-1]:
                raise InputError(f"expected a mask of shape {source.shape[:-1]}, got {mask.shape}")
            inside = mask if mask.dtype == bool else mask > full_scale(mask, "mask") / 2
            pixels = np.flatnonzero(fitting_pixels(inside) if mask.ndim == 2 else inside)
        if not len(pixels):
            raise InputError("expected at least one pixel to fit the colours on, got none")
        pixels = pixels[:: -(-len(pixels) // MOST_PIXELS)]
        source, target = (a.reshape(-1, 3)[pixels] / full_scale(a, "picture") for a in (source, target))  # (K, 3)
        source, target = source.astype(np.float64), target.astype(np.float64)
        if not (np.isfinite(source).all() and np.isfinite(target).all()):
            raise InputError("expected finite colour values to fit on, got NaN or infinity")
        low, high = np.clip(source.min(axis=0), 0, 1), np.clip(source.max(axis=0), 0, 1)
        return cls(fit_change(source, target, ridge), low, high)

    def blended(self, strength: float = 1.0, luminance: float = 1.0, chroma: float = 1.0) -> "ColorMapping":
        """This mapping with so much (0 none, 1 all, at most 2) of its change, and of the change's luma and chroma. What
        was adjusted by hand stays."""
        for name, value in (("strength", strength), ("luminance", luminance), ("chroma", chroma)):
            check_amount(name, value)
        luma = np.outer(REC709, np.ones(3))  # change @ luma: the change's luma, the same in every channel
        weights = strength * (chroma * (np.eye(3) - luma) + luminance * luma)
        return replace(self, change=self.change @ weights)

    def adjusted(self, adjustments: Adjustments) -> "ColorMapping":
        """This mapping with these adjustments by hand after its change, in the place of any other."""
        return replace(self, adjustments=adjustments)

    def in_grey(self) -> "ColorMapping":
        """Of this mapping and its adjustments what keeps grey grey: one change of brightness for all channels."""
        change = (self.change @ REC709)[:, None].repeat(3, axis=1)
        low, high = np.full(3, self.low.mean()), np.full(3, self.high.mean())
        return ColorMapping(change, low, high, self.adjustments.in_grey())

    def apply(self, image: np.ndarray, alpha: np.ndarray | None = None, icc: bytes | None = None) -> np.ndarray:
        """A copy of ``image`` (H, W, 3), mapped; any size; uint8, uint16 or float in [0, 1], and returned as it came.

        ``alpha`` (H, W), bool, 0/255 or [0, 1], says how much of the change a pixel takes; where it is 0 the pixel is
        left bit for bit. Integers are rounded. ``icc`` is the RGB profile whose numbers they are, None for sRGB: the
        change is that of the colours, in any profile. Raises InputError on NaN in a pixel that changes, or on wrong
        shapes.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype == bool:
            raise InputError(f"expected an image of shape (H, W, 3), got {image.shape} of {image.dtype}")
        if alpha is not None and alpha.shape != image.shape[:2]:
            raise InputError(f"expected an alpha of shape {image.shape[:2]}, got {alpha.shape}")
        space = space_of(icc)
        scale = full_scale(image, "image") if space is None else 1.0
        work = np.float64 if image.dtype == np.float64 else np.float32
        # In the image's own levels: change(x / scale) * scale, so that no pixel needs scaling.
        change = (self.change * scale ** (1.0 - DEGREES)[:, None]).astype(work)
        low, high = (self.low * scale).astype(work), (self.high * scale).astype(work)
        features = np.empty((len(TERMS), TILE[0] * TILE[1]), work)
        result = image.copy()
        if (
            space is not None and not self.change.any() and self.adjustments.is_neutral
        ):  # nothing may come of going there and back
            return result
        for tile, weight in _tiles(image.shape[:2], alpha):
            pixels = image[tile] if space is None else space.decoded(image[tile])
            h, w = pixels.shape[:2]
            part = features[:, : h * w]
            for channel, plane in enumerate(cv2.split(pixels)):
                np.clip(plane.reshape(-1), low[channel], high[channel], out=part[channel])
            fill_products(part)
            delta = (part.T @ change).reshape(h, w, 3)  # (K, T) @ (T, 3) -> (h, w, 3)
            if not self.adjustments.is_neutral:
                numbers = pixels.astype(work)
                delta = self.adjustments.apply((numbers + delta) / work(scale)) * work(scale) - numbers
            if space is None:
                _add(pixels, delta, weight, scale, result[tile])
            else:
                delta = delta if weight is None else delta * weight[..., None]
                covered = np.True_ if weight is None else weight[..., None] > 0
                moved = space.moved(image[tile], pixels, pixels + delta)
                _check_finite(moved, covered)
                np.copyto(result[tile], moved, where=covered)
        return result

    def save_cube(
        self, path: str | Path, size: int = 33, title: str = "Harmonized look", icc: bytes | None = None
    ) -> None:
        """Write the mapping as a 3D LUT (17, 33 or 65) for Photoshop, Affinity, Resolve or darktable.

        These apply it to a picture's numbers: it is made for pictures in the RGB profile ``icc``, None for sRGB, and
        says so.
        """
        if size not in CUBE_SIZES:
            raise InputError(f"expected a cube size of 17, 33 or 65, got {size!r}")
        size = int(size)  # 33.0 is a size too
        lattice = cube.lattice(size)  # (N, N, N, 3)
        table = self.apply(lattice.reshape(size * size, size, 3), icc=icc).reshape(lattice.shape)
        space = profile_name(icc) if space_of(icc) else "sRGB"
        cube.write_cube(path, table, f"{title} ({space})", space)

    def to_dict(self) -> dict:
        """The mapping as plain numbers, for JSON."""
        numbers = {name: getattr(self, name).tolist() for name in ("change", "low", "high")}
        return {"kind": KIND, "terms": list(TERMS), **numbers, "adjustments": self.adjustments.to_dict()}

    @classmethod
    def from_dict(cls, data: dict) -> "ColorMapping":
        """The mapping that ``to_dict`` wrote. Raises InputError on anything else."""
        if not isinstance(data, dict) or data.get("kind") != KIND or data.get("terms") != list(TERMS):
            raise InputError(f"expected a colour mapping of kind {KIND!r} with its terms, got {str(data)[:60]!r}")
        missing = {"change", "low", "high"} - data.keys()
        if missing:
            raise InputError(f"expected change, low and high in a colour mapping; {', '.join(sorted(missing))} missing")
        adjustments = Adjustments.from_dict(data.get("adjustments", {}))
        return cls(data["change"], data["low"], data["high"], adjustments)


def check_amount(name: str, value: object) -> None:
    """Raise InputError for what is no number from 0 to 2, as every amount of a change is."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= MOST_AMOUNT:
        raise InputError(f"expected {name} from 0 to {MOST_AMOUNT}, as a number, got {str(value)[:20]!r}")


def _tiles(shape: tuple[int, int], alpha: np.ndarray | None) -> Iterator[tuple[tuple[slice, slice], np.ndarray | None]]:
    """The tiles with a covered pixel, each with its weights (h, w) in [0, 1], or None where all of them are 1."""
    full = 1.0 if alpha is None else full_scale(alpha, "alpha")
    for y in range(0, shape[0], TILE[0]):
        for x in range(0, shape[1], TILE[1]):
            tile = slice(y, y + TILE[0]), slice(x, x + TILE[1])
            if alpha is None:
                yield tile, None
                continue
            part = alpha[tile]
            least, most = part.min(), part.max()
            if not (0 <= least and most <= full):
                raise InputError(f"expected alpha values from 0 to {full:g}, got {least} to {most}")
            if most > 0:
                yield tile, None if least == full else (part / full).astype(np.float32)


def _add(pixels: np.ndarray, delta: np.ndarray, weight: np.ndarray | None, scale: float, out: np.ndarray) -> None:
    """Write ``pixels + weight * change`` into ``out``, all (h, w, 3), clipped; where the weight is 0, write nothing."""
    depth = DEPTH[delta.dtype]
    if weight is not None:
        mapped = np.clip(cv2.add(pixels, delta, dtype=depth), 0, scale)
        weight = cv2.merge([weight.astype(delta.dtype)] * 3)
        delta = cv2.multiply(cv2.subtract(mapped, pixels, dtype=depth), weight)
    # cv2.add computes in float, and for integers rounds to nearest and saturates, in one pass.
    mapped = cv2.add(pixels, delta, dtype=DEPTH[pixels.dtype])
    if pixels.dtype.kind != "f":
        np.copyto(out, mapped)
        return
    covered = np.True_ if weight is None else weight > 0
    _check_finite(mapped, covered)
    np.copyto(out, np.clip(mapped, 0, scale) if weight is None else mapped, where=covered)


def _check_finite(colors: np.ndarray, covered: np.ndarray) -> None:
    if colors.dtype.kind == "f" and not np.isfinite(colors).all(where=covered):
        raise InputError("expected finite colour values in the image, got NaN or infinity")
