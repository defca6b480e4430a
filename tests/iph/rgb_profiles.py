"""The RGB profiles that photos come in beside sRGB, made for the tests, and colours as a person sees them."""

import imagecodecs
import numpy as np
from imagecodecs import CMS

D65, D50 = [0.3127, 0.3290, 1], [0.3457, 0.3585, 1]
SRGB_PRIMARIES = [0.640, 0.330, 1, 0.300, 0.600, 1, 0.150, 0.060, 1]
REC2020_PRIMARIES = [0.708, 0.292, 1, 0.170, 0.797, 1, 0.131, 0.046, 1]


def _srgb_curve() -> np.ndarray:
    encoded = np.linspace(0, 1, 4096)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.rint(linear * 65535).astype(np.uint16)


def _profile(white: list[float], primaries: list[float], **curve: object) -> bytes:
    return imagecodecs.cms_profile("rgb", whitepoint=white, primaries=primaries, **curve)


PROFILES = {
    "Display P3": _profile(D65, [0.680, 0.320, 1, 0.265, 0.690, 1, 0.150, 0.060, 1], transferfunction=_srgb_curve()),
    "Adobe RGB": _profile(D65, [0.640, 0.330, 1, 0.210, 0.710, 1, 0.150, 0.060, 1], gamma=563 / 256),
    "ProPhoto": _profile(D50, [0.7347, 0.2653, 1, 0.1596, 0.8404, 1, 0.0366, 0.0001, 1], gamma=1.8),
    "linear sRGB": _profile(D65, SRGB_PRIMARIES, gamma=1.0),
    "linear Rec. 2020": _profile(D65, REC2020_PRIMARIES, gamma=1.0),
}
LAB = imagecodecs.cms_profile("lab4")
SRGB = _profile(D65, SRGB_PRIMARIES, transferfunction=_srgb_curve())


def as_seen(numbers: np.ndarray, icc: bytes | None) -> np.ndarray:
    """CIELAB (D50) (H, W, 3) float64 of the numbers of a picture."""
    full = np.iinfo(numbers.dtype).max if numbers.dtype.kind == "u" else 1
    return _through(np.ascontiguousarray(numbers, np.float64) / full, icc or SRGB, LAB, "lab")


def stored(pixels: np.ndarray, icc: bytes) -> np.ndarray:
    """An sRGB picture (H, W, 3) uint8 as 16-bit numbers of a profile: the same colours."""
    unit = np.ascontiguousarray(pixels, np.float64) / 255
    return np.rint(np.clip(_through(unit, SRGB, icc), 0, 1) * 65535).astype(np.uint16)


def _through(unit: np.ndarray, source: bytes, target: bytes, space: str = "rgb") -> np.ndarray:
    flags = CMS.FLAGS.NOOPTIMIZE
    return imagecodecs.cms_transform(unit, source, target, colorspace="rgb", outcolorspace=space, flags=flags)


def table_profile(points: int = 17) -> bytes:
    """sRGB's colours as an RGB profile of tables (ICC.1 lut16), without curves and a matrix, in Lab both ways."""
    steps = np.linspace(0, 1, points)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(points**2, points, 3)
    lab = _through(grid, SRGB, LAB, "lab")
    there = np.stack([lab[..., 0] * 652.8, (lab[..., 1] + 128) * 256, (lab[..., 2] + 128) * 256], -1)  # 16 bits of v2
    asked = np.stack([grid[..., 0] * 100, grid[..., 1] * 255 - 128, grid[..., 2] * 255 - 128], -1)
    back = imagecodecs.cms_transform(
        asked, LAB, SRGB, colorspace="lab", outcolorspace="rgb", flags=CMS.FLAGS.NOOPTIMIZE
    )
    identity = (np.eye(3).ravel() * 65536).astype(">i4").tobytes()
    ramps = np.array([0, 65535] * 3, ">u2").tobytes()

    def table(values: np.ndarray) -> bytes:
        levels = np.clip(np.rint(values), 0, 65535).astype(">u2").tobytes()
        head = b"mft2\0\0\0\0" + bytes([3, 3, points, 0]) + identity + np.array([2, 2], ">u2").tobytes()
        return head + ramps + levels + ramps

    white = np.array(np.rint(np.array([0.9642, 1.0, 0.8249]) * 65536), ">i4").tobytes()
    description = b"desc\0\0\0\0" + (7).to_bytes(4, "big") + b"Tables\0" + bytes(8 + 3 + 67)
    tags = {
        b"A2B0": table(there),
        b"B2A0": table(back * 65535),
        b"wtpt": b"XYZ \0\0\0\0" + white,
        b"cprt": b"text\0\0\0\0CC0\0",
        b"desc": description,
    }
    listed, body = len(tags).to_bytes(4, "big"), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        listed += name + (start + len(body)).to_bytes(4, "big") + len(data).to_bytes(4, "big")
        body += data
    head = (start + len(body)).to_bytes(4, "big") + b"lcms" + bytes.fromhex("02400000") + b"mntrRGB Lab "
    return head + bytes(12) + b"acsp" + bytes(28) + white + bytes(48) + listed + body
