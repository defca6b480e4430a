"""Fit a rough mask to the picture's edges: GrabCut (Rother et al., 2004), then a guided filter up to a larger copy.

The guided filter is He & Sun's fast one (2015): its linear coefficients are found on the small copy and enlarged. A
mask that was finished on a small copy is only enlarged, with the detail that the picture has beyond the copy.
"""

from functools import partial

import cv2
import numpy as np

from iph.pixels import full_scale, resized

GRABCUT_SIDE = 256
SURE, UNSURE = 0.8, 0.2  # beyond these GrabCut does not ask the colours
GUIDE_EPS = 1e-3
DETAIL_EPS = 3e-3  # of the variance of lightness (0 to 1) around a pixel: below it, detail of the picture is noise
BACK = cv2.WARP_INVERSE_MAP
ROWS = 64  # of a large picture that are looked at together


def grabcut(
    copy: np.ndarray,
    probability: np.ndarray,
    add: np.ndarray | None = None,
    remove: np.ndarray | None = None,
) -> np.ndarray:
    """Cut a small copy (H, W, 3) uint8 by a probability (H, W); add, remove: (H, W) bool that are certain.

    Works on what lies around the mask, at most 256 pixels wide. Returns (H, W) float32 0/1, or the thresholded
    probability where there is not enough of both sides to tell their colours.
    """
    hard = (probability > 0.5).astype(np.float32)
    x, y, w, h = cv2.boundingRect((probability > UNSURE).astype(np.uint8))
    grow = max(8, round(0.15 * max(w, h)))
    x0, y0 = max(0, x - grow), max(0, y - grow)
    x1, y1 = min(copy.shape[1], x + w + grow), min(copy.shape[0], y + h + grow)
    if w == 0:
        return hard
    scale = min(1.0, GRABCUT_SIDE / max(x1 - x0, y1 - y0))
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    part = cv2.resize(np.ascontiguousarray(copy[y0:y1, x0:x1, ::-1]), size, interpolation=cv2.INTER_AREA)
    p = cv2.resize(probability[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    marks = np.where(p > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[p > SURE] = cv2.GC_FGD
    marks[p < UNSURE] = cv2.GC_BGD
    for strokes, label in ((add, cv2.GC_FGD), (remove, cv2.GC_BGD)):
        if strokes is not None:
            marks[cv2.resize(strokes[y0:y1, x0:x1].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0] = label
    inside = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if min(inside.sum(), (~inside).sum()) < 20:
        return hard
    cv2.setRNGSeed(0)
    cv2.grabCut(part, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), 1, cv2.GC_INIT_WITH_MASK)
    cut = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    whole = np.zeros_like(hard)
    whole[y0:y1, x0:x1] = cv2.resize(cut, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    return whole


def enlarge(image: np.ndarray, copy: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A mask of a small copy at a picture's own size, its edge drawn to the picture's edges.

    image: (H, W, 3) uint8. copy: the same, smaller or as large. mask: (h, w) float32 in [0, 1].
    Away from the edge of the mask nothing changes. Returns (H, W) float32 in [0, 1].
    """
    radius = max(2, round(max(copy.shape[:2]) / 128))
    guide = cv2.cvtColor(copy, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    box = (2 * radius + 1, 2 * radius + 1)
    mean_guide, mean_mask = cv2.blur(guide, box), cv2.blur(mask, box)
    spread = cv2.blur(guide * guide, box) - mean_guide * mean_guide
    together = cv2.blur(guide * mask, box) - mean_guide * mean_mask
    slope = together / (spread + GUIDE_EPS)
    offset = cv2.blur(mean_mask - slope * mean_guide, box)
    slope = cv2.blur(slope, box)
    around = np.ones((2 * radius - 1, 2 * radius - 1), np.uint8)
    size = image.shape[1::-1]
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    result = _at(slope, size) * grey + _at(offset, size)
    return np.clip(result, _at(cv2.erode(mask, around), size), _at(cv2.dilate(mask, around), size))


def at_full_size(picture: np.ndarray, mask: np.ndarray, copy: np.ndarray | None = None) -> np.ndarray:
    """A mask (h, w) float32 in [0, 1], made on a small copy of a picture, at the picture's size; itself at that size.

    picture: (H, W, 3) uint8, uint16 or float32. copy: (h, w, 3) uint8, where it is there already. The mask is enlarged
    by bicubic interpolation; where it follows the lightness of the copy, it also takes what the picture's lightness has
    beyond the copy's (the slope of a guided filter times that detail, as in pan-sharpening). Its mean stays. Returns
    (H, W) float32 in [0, 1].
    """
    if mask.shape == picture.shape[:2]:
        return mask
    (height, width), (h, w) = picture.shape[:2], mask.shape
    if h > height or w > width:
        return np.clip(resized(mask, (height, width)), 0, 1)
    full = np.float32(full_scale(picture))
    copy = resized(picture, (h, w)) if copy is None else copy
    guide = cv2.cvtColor(copy, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(full_scale(copy))
    mean, mean_mask = cv2.blur(guide, (3, 3)), cv2.blur(mask, (3, 3))
    together = cv2.blur(guide * mask, (3, 3)) - mean * mean_mask
    slope = cv2.blur(together / (cv2.blur(guide * guide, (3, 3)) - mean * mean + DETAIL_EPS), (3, 3))
    slope[np.abs(slope) < 1e-3] = 0  # far from the edge there is nothing but rounding
    result = cv2.resize(mask, (width, height), interpolation=cv2.INTER_CUBIC)
    for top in range(0, h, ROWS):
        strip = slope[top : top + ROWS]
        columns = np.flatnonzero(strip.any(0))
        if not len(columns):
            continue
        # The part of the picture over these cells, whole pixels of it, and where on the copy each of them lies.
        x0, x1 = (columns[0] * width) // w, -(-(columns[-1] + 1) * width // w)
        y0, y1 = (top * height) // h, (min(top + ROWS, h) * height) // h
        part = np.s_[y0:y1, x0:x1]
        where = np.array([[w / width, 0, (x0 + 0.5) * w / width - 0.5], [0, h / height, (y0 + 0.5) * h / height - 0.5]])
        up = partial(cv2.warpAffine, M=where, dsize=(x1 - x0, y1 - y0), borderMode=cv2.BORDER_REPLICATE)
        grey = cv2.cvtColor(np.ascontiguousarray(picture[part]), cv2.COLOR_RGB2GRAY).astype(np.float32) / full
        result[part] += up(slope, flags=cv2.INTER_LINEAR | BACK) * (grey - up(guide, flags=cv2.INTER_CUBIC | BACK))
    return np.clip(result, 0, 1, out=result)


def _at(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A plane at (width, height), itself if it is."""
    return plane if plane.shape[::-1] == size else cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
