"""ICC profiles: what colours a file's numbers mean, and the way from one profile to another (ICC.1, by LittleCMS).

Photos keep their own RGB profile; ``None`` means sRGB throughout the package.
"""

import functools
import io

import imagecodecs
import numpy as np
from imagecodecs import CMS
from PIL import ImageCms

from iph.errors import InputError

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
NAMES = {b"RGB ": "rgb", b"GRAY": "gray", b"CMYK": "cmyk"}
MOST_BYTES, MOST_TAGS = 16 << 20, 100
# ISO/IEC 23091-2 colour primaries that photos use beside sRGB's: white, then red, green and blue, as CIE xy.
D65 = [0.3127, 0.3290, 1]
CODED_PRIMARIES = {
    9: [0.708, 0.292, 1, 0.170, 0.797, 1, 0.131, 0.046, 1],  # BT.2020
    12: [0.680, 0.320, 1, 0.265, 0.690, 1, 0.150, 0.060, 1],  # Display P3
}


def color_space(icc: bytes | None) -> str | None:
    """``rgb``, ``gray`` or ``cmyk``: the kind of numbers a profile describes; None where it is none.

    Nor is one of absurd size: printers' profiles have a few megabytes and two dozen tags.
    """
    if not icc or icc[36:40] != b"acsp" or len(icc) > MOST_BYTES or int.from_bytes(icc[128:132], "big") > MOST_TAGS:
        return None
    return NAMES.get(icc[16:20])


def profile_name(icc: bytes | None) -> str:
    """What a profile calls itself; None is sRGB."""
    if icc is None:
        return "sRGB"
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip() or "an RGB profile"
    except (ImageCms.PyCMSError, OSError):
        return "an RGB profile"


@functools.cache
def profile_of_code(primaries: int) -> bytes | None:
    """An ICC profile for the colour primaries a HEIC file names by number, with sRGB's tone curve; None for sRGB's."""
    if primaries not in CODED_PRIMARIES:
        return None
    encoded = np.linspace(0, 1, 4096)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    curve = np.rint(linear * 65535).astype(np.uint16)
    return imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=CODED_PRIMARIES[primaries], transferfunction=curve)


def convert(pixels: np.ndarray, source: bytes | None, target: bytes | None = None) -> np.ndarray:
    """``pixels`` of profile ``source`` as RGB (H, W, 3) of profile ``target``, in their own depth.

    ``pixels`` (H, W) grey, (H, W, 3) RGB or (H, W, 4) CMYK (0 is no ink), uint8 or uint16. Relative colorimetric with
    black point compensation, as image editors paste. Raises InputError where a profile is broken or of another kind.
    """
    source, target = source or SRGB, target or SRGB
    kind = "gray" if pixels.ndim == 2 else {3: "rgb", 4: "cmyk"}[pixels.shape[2]]
    for role, icc, expected in (("source", source, kind), ("target", target, "rgb")):
        if color_space(icc) != expected:
            raise InputError(f"expected an ICC profile of {expected} colours as {role}, got {color_space(icc)}")
    flags = CMS.FLAGS.BLACKPOINTCOMPENSATION
    if pixels.dtype == np.uint16 or kind == "gray":  # else through a coarse table, 10 of 255 levels off in the shadows
        flags |= CMS.FLAGS.NOOPTIMIZE
    try:
        return imagecodecs.cms_transform(
            np.ascontiguousarray(pixels),
            source,
            target,
            colorspace=kind,
            outcolorspace="rgb",
            intent=CMS.INTENT.RELATIVE_COLORIMETRIC,
            flags=flags,
        )
    except imagecodecs.CmsError as error:
        raise InputError(f"expected a usable ICC profile, but: {error}") from None
