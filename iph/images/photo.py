"""A photo as the package holds it: upright pixels in the file's own RGB profile, and what the file said about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from iph.errors import InputError
from iph.images import color_profile
from iph.images.appearance import appearance, is_opaque, small_appearance
from iph.images.containers import PNG_COLOR

# What is written for each format read, and under which ending.
ENDINGS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "TIFF": ".tif",
    "HEIF": ".heic",
    "AVIF": ".avif",
    "GIF": ".png",
    "BMP": ".png",
}


@dataclass(frozen=True, eq=False)
class Photo:
    """``pixels`` (H, W, 3) uint8 or uint16, upright; ``alpha`` (H, W) of that dtype or None. A grey file's pixels are
    one plane seen three times (``iph.pixels.grey_plane``), and cannot be written to.

    ``icc`` is the RGB profile, None for sRGB; ``exif`` and ``xmp`` the raw blocks, ``dpi`` dots per inch; ``format``
    is the format read. ``notes`` are sentences on what was changed while reading. ``native`` is what only the same
    format can write back, such as a JPEG's quantization tables.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    format: str = "PNG"
    notes: tuple[str, ...] = ()
    native: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        pixels, alpha = self.pixels, self.alpha
        if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size or pixels.dtype not in (np.uint8, np.uint16):
            raise InputError(f"expected pixels (H, W, 3) uint8 or uint16, got {pixels.shape} {pixels.dtype}")
        if alpha is not None and (alpha.shape != pixels.shape[:2] or alpha.dtype != pixels.dtype):
            expected = f"{pixels.shape[:2]} {pixels.dtype}"
            raise InputError(f"expected an alpha channel {expected} like the pixels, got {alpha.shape} {alpha.dtype}")

    @property
    def ending(self) -> str:
        """The file ending of its own format, or of PNG where that format cannot hold a photo."""
        return ENDINGS[self.format]

    @cached_property
    def is_opaque(self) -> bool:
        """Whether all of it is visible."""
        return self.alpha is None or is_opaque(self.alpha)

    @cached_property
    def appearance(self) -> np.ndarray:
        """What it looks like, (H, W, 3) of its dtype in sRGB, with nothing in it of what is hidden."""
        return appearance(self.pixels, self.alpha, self.icc)

    def small_appearance(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The same as a proxy, and its alpha, as ``iph.images.appearance.small_appearance``."""
        return small_appearance(self.pixels, self.alpha, self.icc)

    def visible_part(self, mask: np.ndarray) -> np.ndarray:
        """What of a mask (H, W) float32 lies where the photo is not clear."""
        return mask if self.is_opaque else mask * (self.alpha > 0)

    def with_pixels(self, pixels: np.ndarray) -> "Photo":
        """The same photo with other pixels of the same shape and dtype."""
        if pixels.shape != self.pixels.shape or pixels.dtype != self.pixels.dtype:
            expected = f"{self.pixels.shape} {self.pixels.dtype}"
            raise InputError(f"expected pixels {expected} like the photo's own, got {pixels.shape} {pixels.dtype}")
        return replace(self, pixels=pixels)

    def converted_to(self, icc: bytes | None) -> "Photo":
        """The same colours as numbers of another RGB profile, None for sRGB: for pasting into a photo that has it."""
        if icc == self.icc:
            return self
        pixels = color_profile.convert(self.pixels, self.icc, icc)
        native = dict(self.native)
        if "chunks" in native:  # they would contradict the profile
            native["chunks"] = tuple(chunk for chunk in native["chunks"] if chunk[0] not in PNG_COLOR)
        return replace(self, pixels=pixels, icc=icc, native=native)
