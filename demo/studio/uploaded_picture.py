"""One picture that a visitor gave: the original stays on disk, untouched; a small proxy is worked on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.studio.work.kept import KEPT
from demo.uploads import MAX_BYTES, MAX_PIXELS
from iph.images.appearance import small_appearance
from iph.images.color_profile import profile_name
from iph.images.confined import read_photo_confined
from iph.images.photo import Photo
from iph.masks import own_mask
from iph.pixels import PROXY_SIDE, as_uint8

BEHIND = 128  # grey, where a picture is transparent
LEAST_SIDE = 448  # pixels of a proxy's shorter side, as far as that is possible


@dataclass(frozen=True, eq=False)
class UploadedPicture:
    """``path`` is the original under the visitor's name for it, ``id`` what the page calls it, ``size`` its width and
    height, ``ending`` the file ending a result is written with. ``pixels`` (h, w, 3) uint8 is the proxy, in sRGB, with
    nothing hidden in it; ``alpha`` (h, w) float32 its cut-out, None where the picture is opaque. ``notes`` are
    sentences about reading it. ``bits`` a channel and ``profile`` are the original's.
    """

    path: Path
    id: str
    size: tuple[int, int]
    ending: str
    pixels: np.ndarray
    alpha: np.ndarray | None
    notes: tuple[str, ...]
    bits: int = 8
    profile: str = "sRGB"

    def photo(self) -> Photo:
        """The original at its full size, read again where it is not kept. Not to be changed."""
        return KEPT.get("photo", lambda: read_photo_confined(self.path, MAX_BYTES, MAX_PIXELS), _size_of, self)


def open_picture(path: Path, id: str) -> UploadedPicture:
    """Read a picture and make its proxy. id: what the page calls it. Raises InputError, in one sentence, on anything
    that is no picture."""
    photo = read_photo_confined(path, MAX_BYTES, MAX_PIXELS)
    height, width = photo.pixels.shape[:2]
    pixels, alpha = small_appearance(photo.pixels, photo.alpha, photo.icc, proxy_side(width, height))
    alpha, pixels = own_mask(alpha), as_uint8(pixels)
    picture = UploadedPicture(path, id, (width, height), photo.ending, pixels, alpha, photo.notes, *_depth(photo))
    KEPT.put("photo", photo, _size_of(photo), picture)
    return picture


def proxy_side(width: int, height: int) -> int:
    """The longest side of a proxy: of a panorama more than usual, so that people in it are more than a few pixels."""
    return round(max(PROXY_SIDE, min(4 * PROXY_SIDE, LEAST_SIDE * max(width, height) / min(width, height))))


def _depth(photo: Photo) -> tuple[int, str]:
    return 8 * photo.pixels.itemsize, profile_name(photo.icc) if photo.icc else "sRGB"


def _size_of(photo: Photo) -> int:
    return photo.pixels.nbytes + (0 if photo.alpha is None else photo.alpha.nbytes)
