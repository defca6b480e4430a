"""Pictures of data sets on disk: photos as arrays, and the four pictures of a composite as files.

Annotations know nothing of EXIF's orientation: their photos are read as they are stored. One encoding for composite and
target keeps their backgrounds equal; JPEG has full colour resolution.
"""

from pathlib import Path

import cv2
import numpy as np

from iph.data.composites import Composed
from iph.data.manifest import ROLES
from iph.errors import InputError
from iph.files import replacing

QUALITY = 95  # of JPEG
FULL = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
PNG = (cv2.IMWRITE_PNG_COMPRESSION, 3)


def read_image(path: Path, kind: str = "photo", oriented: bool = False) -> np.ndarray:
    """(H, W, 3) uint8, as stored, or as EXIF's orientation says. Raises InputError, in which it is called ``kind``."""
    flags = cv2.IMREAD_COLOR if oriented else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imread(str(path), flags)
    if pixels is None:
        raise InputError(f"expected a readable {kind} at {path}, {_why(path)}")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def read_mask(path: Path) -> np.ndarray:
    """(H, W) bool from a grey mask of 0 and 255. Raises InputError."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise InputError(f"expected a readable mask at {path}, {_why(path)}")
    return pixels > 127


def _why(path: Path) -> str:
    return "but it is broken or no picture" if path.is_file() else "found none"


def make_folders(out: Path) -> None:
    """Make ``out`` and a folder of it for each role. Raises InputError where the file system refuses."""
    try:
        for role in ROLES:
            (out / f"{role}s").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder to build in at {out}, but: {error.strerror or error}") from None


def write_composite(
    out: Path, name: str, composed: Composed, suffix: str, quality: int = QUALITY, shared_target: str | None = None
) -> dict[str, str]:
    """Write the four pictures below ``out`` as ``name``; their relative paths by role.

    ``suffix`` is that of the images, .jpg or .png; masks are PNG. ``shared_target`` names a target that several
    composites have in common: it is written once.
    """
    paths = {}
    for role in ROLES:
        pixels = getattr(composed, role)
        shared = role == "target" and shared_target is not None
        ending = suffix if pixels.ndim == 3 else ".png"
        paths[role] = f"{role}s/{shared_target if shared else name}{ending}"
        if not (shared and (out / paths[role]).exists()):
            write_picture(out / paths[role], pixels, quality)
    return paths


def write_picture(path: Path, pixels: np.ndarray, quality: int = QUALITY) -> None:
    """An image (H, W, 3) uint8 or a mask (H, W) bool, packed as the file's ending says. Raises InputError."""
    ending = path.suffix.lower()
    if pixels.ndim == 2:
        pixels, packing = pixels.astype(np.uint8) * 255, (*PNG, cv2.IMWRITE_PNG_BILEVEL, 1)
    else:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        packing = (cv2.IMWRITE_JPEG_QUALITY, quality, *FULL) if ending in (".jpg", ".jpeg") else ()
        packing = PNG if ending == ".png" else packing
    with replacing(path) as temporary:
        if not cv2.imwrite(str(temporary), pixels, packing):
            raise InputError(f"expected to write {path}, but the picture could not be encoded")
