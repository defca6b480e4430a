"""The last step of a cut-out: closed-form matting (Levin, Lischinski & Weiss 2008) of a narrow band along its edge.

In every 3 x 3 window the alpha is taken for an affine function of the colours; the band takes what agrees with that
best and with what lies beside it, by conjugate gradients from the mask itself. Compared with pymatting's in
``docs/segmentation.md``.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from iph.masks.forms import HALF, bounds
from iph.masks.refine import at_full_size, enlarge
from iph.masks.windows import working_copy
from iph.pixels import small_copy

SIDE = 768  # longest side of the copy on which it is done
BAND = 0.008  # of the picture's longer side, to either side of the edge
SURE = 0.9  # beyond the band, who is likelier than this is there whole, and who is less likely than the rest is not
EPS = 1e-5  # of the variance of colours in [0, 1]
PRIOR = 1e-3  # weight of the mask that was there before
STEPS = 40
MOST = 150_000  # pixels of a band
AT_ONCE = 8192  # windows
CLEAR = 0.8  # of a soft mask: who is likelier than this is there, and who is less likely than the rest is not
_OFFSETS = np.array([(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)])  # of a window's nine pixels


@dataclass(frozen=True, eq=False)
class Sizes:
    """A picture (H, W, 3) at its own size, at that of the edges, and at that on which everything is found, uint8."""

    image: np.ndarray
    middle: np.ndarray
    copy: np.ndarray


def sizes(image: np.ndarray) -> Sizes:
    """A picture of uint8, uint16 or float32 in [0, 1] and its copies. InputError for what is no picture."""
    middle = small_copy(image, SIDE)
    return Sizes(image, middle, working_copy(middle))


def finished(picture: Sizes, mask: np.ndarray, soft: bool = False) -> np.ndarray:
    """The alpha (H, W) float32 in a picture of what a mask (h, w) float32 shows on its small copy.

    soft: the mask is a probability, half clear nearly everywhere, and stretched first.
    """
    alpha = enlarge(picture.middle, picture.copy, mask)
    if soft:
        cv2.addWeighted(alpha, 1 / (2 * CLEAR - 1), alpha, 0, (CLEAR - 1) / (2 * CLEAR - 1), dst=alpha)
        np.clip(alpha, 0, 1, out=alpha)
    return at_full_size(picture.image, matted(picture.middle, alpha), picture.middle)


def matted(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) float32 in [0, 1] of a picture (H, W, 3) uint8, its edge drawn by the picture's colours.

    Beyond the band, what is nearly 0 or 1 becomes it and all else stays; and all of a mask that is nothing but edges.
    """
    result, band = settled(mask), band_of(mask)
    result[band] = mask[band]
    if min(mask.shape) < 3 or not 0 < np.count_nonzero(band) <= MOST:
        return result
    x0, y0, x1, y1 = bounds(band)
    part = np.s_[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2]
    result[part] = _solved(picture[part].astype(np.float32) / np.float32(255), result[part], band[part])
    return result


def settled(mask: np.ndarray) -> np.ndarray:
    """What a mask is taken for beyond the band."""
    return np.where(mask >= SURE, np.float32(1), np.where(mask <= 1 - SURE, np.float32(0), mask))


def band_of(mask: np.ndarray) -> np.ndarray:
    """The pixels near the edge of a mask, (H, W) bool."""
    side = 2 * max(2, round(BAND * max(mask.shape))) + 1
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    hard = (mask > HALF).astype(np.uint8)
    return cv2.dilate(hard, reach) > cv2.erode(hard, reach)


def _solved(colors: np.ndarray, mask: np.ndarray, band: np.ndarray) -> np.ndarray:
    """The mask (h, w) with its band solved for; colors (h, w, 3) float32 in [0, 1]."""
    width = mask.shape[1]
    unknown = np.flatnonzero(band)
    rows = _rows(colors, band, unknown)
    around = np.array([dy * width + dx for dy in range(-2, 3) for dx in range(-2, 3)])
    neighbours = unknown + around[:, None]  # beyond the part, the weight is zero

    def smoothed(values: np.ndarray) -> np.ndarray:
        return np.einsum("kn,kn->n", rows, values.take(neighbours, mode="clip"))

    whole = mask.ravel().copy()
    residual = -smoothed(whole)  # the mask is where it begins, so that its own term has nothing to add
    diagonal = rows[12] + PRIOR
    solution, step = whole[unknown], residual / diagonal
    stepped, size = np.zeros_like(whole), residual @ step
    for _ in range(STEPS):
        stepped[unknown] = step
        change = smoothed(stepped) + PRIOR * step
        curvature = step @ change
        if size < 1e-12 or curvature <= 0:
            break
        solution += size / curvature * step
        residual -= size / curvature * change
        scaled = residual / diagonal
        before, size = size, residual @ scaled
        step = scaled + size / before * step
    whole[unknown] = np.clip(solution, 0, 1)
    return whole.reshape(mask.shape)


def _rows(colors: np.ndarray, band: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """The matting Laplacian's rows of ``unknown`` pixels (n,): weights of the 5 x 5 around each, (25, n) float32."""
    windows = cv2.dilate(band.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    windows[[0, -1]] = windows[:, [0, -1]] = False
    middles, width = np.flatnonzero(windows), band.shape[1]
    place = np.full(band.size, len(unknown))  # what is known goes to a row that is left out
    place[unknown] = np.arange(len(unknown))
    rows = np.zeros((25, len(unknown) + 1), np.float32)
    for start in range(0, len(middles), AT_ONCE):
        pixels = middles[start : start + AT_ONCE, None] + _OFFSETS @ (width, 1)  # (N, 9), in the flattened part
        weights, places = _laplacian(colors.reshape(-1, 3)[pixels]), place[pixels]
        for i, from_ in enumerate(_OFFSETS):
            for j, to in enumerate(_OFFSETS):
                dy, dx = to - from_ + 2
                rows[5 * dy + dx, places[:, i]] += weights[:, i, j]  # a pixel is the i-th of one window only
    return rows[:, :-1]


def _laplacian(colors: np.ndarray) -> np.ndarray:
    """The matting Laplacian of windows (N, 9, 3), (N, 9, 9) float32: eq. 12 of the paper for each.

    In float64: where a window's colours lie on a line, its inverse has numbers of a million that cancel out.
    """
    away = (colors - colors.mean(1, keepdims=True)).astype(np.float64)
    turned = np.ascontiguousarray(away.transpose(0, 2, 1))
    spread = turned @ away / 9 + EPS / 9 * np.eye(3)
    return (np.eye(9) - (1 + away @ _inverse(spread) @ turned) / 9).astype(np.float32)


def _inverse(matrices: np.ndarray) -> np.ndarray:
    """The inverses of symmetric matrices (N, 3, 3), by their cofactors: LAPACK takes several times as long."""
    (a, b, c), (_, d, e), (_, _, f) = matrices.transpose(1, 2, 0)
    first, second, third = d * f - e * e, c * e - b * f, b * e - c * d
    rows = (first, second, third), (second, a * f - c * c, b * c - a * e), (third, b * c - a * e, a * d - b * b)
    return (np.array(rows) / (a * first + b * second + c * third)).transpose(2, 0, 1)
