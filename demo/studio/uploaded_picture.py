"""One picture that a visitor gave: the original stays on disk, untouched; a proxy of at most 1024 px is worked on."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from demo.uploads import MAX_BYTES, MAX_PIXELS
from iph.images.color_profile import convert
from iph.images.confined import read_photo_confined
from iph.images.photo import Photo
from iph.masks import from_alpha
from iph.pixels import small_copy


@dataclass(frozen=True, eq=False)
class UploadedPicture:
    """``path`` is the original under the visitor's name for it, ``size`` its width and height, ``ending`` the file
    ending a result is written with. ``pixels`` (h, w, 3) uint8 is the proxy, in the original's own RGB profile ``icc``;
    ``alpha`` (h, w) float32 its cut-out, None where the picture is opaque. ``notes`` are sentences about reading it.
    """

    path: Path
    size: tuple[int, int]
    ending: str
    pixels: np.ndarray
    icc: bytes | None
    alpha: np.ndarray | None
    notes: tuple[str, ...]

    def photo(self) -> Photo:
        """The original, read again at its full size."""
        return read_photo_confined(self.path, MAX_BYTES, MAX_PIXELS)

    def on_screen(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels in this picture's profile as the sRGB that a browser shows."""
        return pixels if self.icc is None else convert(pixels, self.icc)


def open_picture(path: Path) -> UploadedPicture:
    """Read a picture and make its proxy. Raises InputError, in one sentence, on anything that is no picture."""
    photo = read_photo_confined(path, MAX_BYTES, MAX_PIXELS)
    height, width = photo.pixels.shape[:2]
    pixels = small_copy(photo.pixels)
    alpha = None
    if photo.alpha is not None and photo.alpha.min() < np.iinfo(photo.alpha.dtype).max // 2:
        size = pixels.shape[1::-1]
        alpha = from_alpha(cv2.resize(photo.alpha, size, interpolation=cv2.INTER_AREA))
    return UploadedPicture(path, (width, height), photo.ending, pixels, photo.icc, alpha, photo.notes)
