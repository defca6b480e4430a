"""Colour differences between 8-bit sRGB pixels: CIE 1976, 1994 (graphic arts) and 2000.

Sources: IEC 61966-2-1 for sRGB, CIE 15 for L*a*b* (D65, 2 degrees), CIE 116 for 1994, and Sharma, Wu & Dalal 2005,
"The CIEDE2000 color-difference formula", for 2000. The constants are scikit-image's, to compare values.
Axes: K pixels.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE_D65 = np.array([0.95047, 1.0, 1.08883])


def _tables() -> Floats:
    """(3, 256, 3): what each level of R, G and B adds to X, Y and Z, relative to white."""
    level = np.arange(256) / 255
    linear = np.where(level > 0.04045, ((level + 0.055) / 1.055) ** 2.4, level / 12.92)
    return linear[None, :, None] * (_XYZ_FROM_RGB / _WHITE_D65[:, None]).T[:, None, :]


_LEVEL_TO_XYZ = _tables()


def lab(pixels: NDArray[np.uint8]) -> Floats:
    """sRGB (K, 3) uint8 → L*a*b* (3, K): L in [0, 100], a and b about [-128, 128]."""
    xyz = sum(np.take(_LEVEL_TO_XYZ[c], pixels[:, c], axis=0) for c in range(3))  # (K, 3)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def delta_e76_squared(output: Floats, target: Floats) -> Floats:
    """Squared Euclidean distance in L*a*b*; two (3, K) arrays → (K,)."""
    return ((output - target) ** 2).sum(axis=0)


def delta_e94(output: Floats, target: Floats) -> Floats:
    """CIE 1994, graphic arts; the target's chroma sets the scale. Two (3, K) arrays → (K,)."""
    chroma_o, chroma_t = np.hypot(output[1], output[2]), np.hypot(target[1], target[2])
    d_chroma = chroma_t - chroma_o
    d_light, d_a, d_b = target - output
    d_hue_squared = np.maximum(d_a**2 + d_b**2 - d_chroma**2, 0)
    s_chroma, s_hue = 1 + 0.045 * chroma_t, 1 + 0.015 * chroma_t
    return np.sqrt(d_light**2 + (d_chroma / s_chroma) ** 2 + d_hue_squared / s_hue**2)


def delta_e00(output: Floats, target: Floats) -> Floats:
    """CIEDE2000 with all weights 1. Two (3, K) arrays → (K,)."""
    light_o, a_o, b_o = output
    light_t, a_t, b_t = target
    stretch = 1 + 0.5 * (1 - _seventh_power_share((np.hypot(a_o, b_o) + np.hypot(a_t, b_t)) / 2))
    a_o, a_t = a_o * stretch, a_t * stretch
    chroma_o, chroma_t = np.hypot(a_o, b_o), np.hypot(a_t, b_t)
    chroma = (chroma_o + chroma_t) / 2
    light_offset = ((light_o + light_t) / 2 - 50) ** 2

    light_term = (light_o - light_t) / (1 + 0.015 * light_offset / np.sqrt(20 + light_offset))
    chroma_term = (chroma_o - chroma_t) / (1 + 0.045 * chroma)
    cos_hue, sin_hue, d_hue = _hues(a_o, b_o, chroma_o, a_t, b_t, chroma_t)
    hue_term = d_hue / (1 + 0.015 * chroma * _hue_weight(cos_hue, sin_hue))

    hue = np.degrees(np.arctan2(sin_hue, cos_hue))
    turn = np.radians(60) * np.exp(-(((np.where(hue < 0, hue + 360, hue) - 275) / 25) ** 2))
    rotation = -np.sin(turn) * 2 * _seventh_power_share(chroma)
    squared = light_term**2 + chroma_term**2 + hue_term**2 + rotation * chroma_term * hue_term
    return np.sqrt(np.maximum(squared, 0))


def _seventh_power_share(chroma: Floats) -> Floats:
    cube = chroma * chroma * chroma  # products: numpy's general power is 50 times slower
    seventh = cube * cube * chroma
    return np.sqrt(seventh / (seventh + 25.0**7))


def _hues(a1: Floats, b1: Floats, chroma1: Floats, a2: Floats, b2: Floats, chroma2: Floats) -> tuple[Floats, ...]:
    """Cosine and sine of the mean hue, and the hue difference 2 √(C1 C2) sin(Δh / 2), each (K,).

    Vectors instead of angles: the mean hue is the direction of the sum of the two unit vectors.
    """
    product = chroma1 * chroma2
    dot, cross = a1 * a2 + b1 * b2, a2 * b1 - a1 * b2
    near = dot > -0.9 * product
    half = np.sqrt(np.where(near, (product + dot) / 2, 1))
    obtuse = np.copysign(np.sqrt(2 * np.maximum(product - dot, 0)), cross)
    d_hue = np.where(near & (product > 0), cross / np.where(half > 0, half, 1), obtuse)

    x, y = a1 * chroma2 + a2 * chroma1, b1 * chroma2 + b2 * chroma1
    opposite = (x == 0) & (y == 0)  # the mean of opposite hues lies 90 degrees after the smaller one
    if opposite.any():
        first_is_smaller = (b1 > 0) | ((b1 == 0) & (a1 >= 0))
        x = np.where(opposite, np.where(first_is_smaller, -b1, b1), x)
        y = np.where(opposite, np.where(first_is_smaller, a1, -a1), y)
    length = np.hypot(x, y)
    length = np.where(length > 0, length, 1)
    return x / length, y / length, d_hue


def _hue_weight(cos1: Floats, sin1: Floats) -> Floats:
    """The weight T of a hue given by its cosine and sine; multiples of the angle by the addition theorem."""
    cos2, sin2 = cos1**2 - sin1**2, 2 * sin1 * cos1
    cos3, sin3 = cos2 * cos1 - sin2 * sin1, sin2 * cos1 + cos2 * sin1
    cos4, sin4 = cos2**2 - sin2**2, 2 * sin2 * cos2
    c30, s30, c6, s6, c63, s63 = (f(np.radians(d)) for d in (30, 6, 63) for f in (np.cos, np.sin))
    return (
        1
        - 0.17 * (cos1 * c30 + sin1 * s30)
        + 0.24 * cos2
        + 0.32 * (cos3 * c6 - sin3 * s6)
        - 0.20 * (cos4 * c63 + sin4 * s63)
    )
