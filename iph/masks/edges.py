"""The colours of a cut-out without its old background: multi-level foreground estimation.

Germer, Uelwer, Conrad, Harmeling, "Fast Multi-Level Foreground Estimation" (ICPR 2020): foreground F and background B
of least |a F + (1 - a) B - I|² + sum over neighbours of (e + |difference of a|) (|difference of F|² + that of B),
pixel by pixel, from a picture of one pixel up to the whole one. Here every pixel of a level moves at once (Jacobi, not
Gauss–Seidel); beyond the smallest levels only what lies around half-transparent pixels is computed; and beyond
FINEST neighbours are not asked any more: each pixel moves from the colours found there to where I = a F + (1 - a) B.
"""

import cv2
import numpy as np

from iph.errors import InputError
from iph.pixels import full_scale, proxy
from iph.runtime.memory import give_back_copies

FINEST = 1024  # longest side of the finest level; a hair of a larger photo is several pixels wide
WHOLE = 32  # levels with a longest side of at most this are computed everywhere
ROUNDS_WHOLE, ROUNDS = 20, 4  # the paper's 10 and 2 are of rounds that see each other's results at once
EVEN = 1e-5  # e: how far F and B are held even where alpha does not change
POINTS = 1 << 14  # pixels that are moved together: what OpenCV maps in one row, and what the cache holds
CLEAR = 0.5 / 255  # an alpha closer than this to 0 or to 1 is as good as that


def clean_edges(image: np.ndarray, alpha: np.ndarray, finest: int = FINEST) -> np.ndarray:
    """The colours of the foreground alone, of a picture (H, W, 3) uint8, uint16 or float32 in [0, 1].

    alpha: (H, W) float32 in [0, 1]. Where alpha is 1 nothing changes, and neither where it is 0: nobody sees it.
    finest: the longest side of the finest level; half of it takes half the time and is 2 levels off at its edge.
    Returns (H, W, 3) of the picture's dtype. Raises InputError where the sizes differ.
    """
    if alpha.shape != image.shape[:2]:
        raise InputError(f"the alpha was expected with shape {image.shape[:2]}, not {alpha.shape}")
    full = full_scale(image)
    alpha = alpha.astype(np.float32, copy=False)
    partly = _partly(alpha)
    x, y, width, height = cv2.boundingRect(partly.view(np.uint8))
    if width == 0:
        return image.copy()
    rows, columns = grown(y, height, alpha.shape[0]), grown(x, width, alpha.shape[1])
    inside = partly[rows, columns].copy()
    del partly
    colors = _landed(
        image[rows, columns][inside].astype(np.float32) / np.float32(full),
        alpha[rows, columns],
        inside,
        *_colors(proxy(image[rows, columns], finest), proxy(alpha[rows, columns], finest), full),
    )
    colors *= np.float32(full)
    give_back_copies(alpha)
    cleaned = image.copy()  # not before what is between needs its memory no more
    cleaned[rows, columns][inside] = (colors if full == 1 else np.rint(colors)).astype(image.dtype)
    return cleaned


Solution = tuple[
    np.ndarray, np.ndarray, np.ndarray
]  # where each pixel of a level lies in the lists (h, w); F, B (n, 3)


def _partly(alpha: np.ndarray) -> np.ndarray:
    """What is half transparent, (H, W) bool."""
    return cv2.inRange(alpha, CLEAR, 1 - CLEAR) > 0


def grown(start: int, length: int, most: int) -> slice:
    """A span with as much again around it: the colours that are carried inwards come from there."""
    grow = max(16, length // 8)
    return slice(max(0, start - grow), min(most, start + length + grow))


def _colors(image: np.ndarray, alpha: np.ndarray, full: float) -> tuple[np.ndarray, np.ndarray]:
    """F and B, each (h, w, 3) float32 in [0, 1], around what is half transparent; the picture's colours elsewhere."""
    solution = None
    for level in reversed(_pyramid(image, alpha)):
        solution = _estimated(*level, solution, full)
    index, *sides = solution
    planes = []
    for side in sides:
        plane = image.astype(np.float32) / np.float32(full)
        plane[index >= 0] = side
        planes.append(plane)
    return tuple(planes)


def _landed(
    seen: np.ndarray, alpha: np.ndarray, inside: np.ndarray, front: np.ndarray, behind: np.ndarray
) -> np.ndarray:
    """F (n, 3) of the pixels ``inside`` a picture, ``seen`` (n, 3) there, from coarser F and B (h, w, 3)."""
    if front.shape[:2] == alpha.shape:
        return front[inside]
    rows, columns = np.nonzero(inside)
    scale = front.shape[0] / alpha.shape[0], front.shape[1] / alpha.shape[1]
    ys, xs = (((n + 0.5) * s - 0.5).astype(np.float32) for n, s in zip((rows, columns), scale, strict=True))
    here = alpha[inside][:, None]
    colors = np.empty_like(seen)
    for start in range(0, len(rows), POINTS):
        part = slice(start, start + POINTS)
        f, b = (
            cv2.remap(side, xs[None, part], ys[None, part], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
            for side in (front, behind)
        )
        a = here[part]
        left = seen[part] - a * f - (1 - a) * b
        colors[part] = np.clip(f + a * left / (a * a + (1 - a) * (1 - a)), 0, 1)
    return colors


def _pyramid(image: np.ndarray, alpha: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Picture and alpha, halved by the mean until one pixel is left; the largest first."""
    levels = [(np.ascontiguousarray(image), np.ascontiguousarray(alpha))]
    while max(levels[-1][1].shape) > 1:
        image, alpha = levels[-1]
        size = tuple((side + 1) // 2 for side in alpha.shape[::-1])
        levels.append(tuple(cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (image, alpha)))
    return levels


def _estimated(image: np.ndarray, alpha: np.ndarray, coarse: Solution | None, full: float) -> Solution:
    """F and B of one level, around what is half transparent, from those of the next coarser one."""
    height, width = alpha.shape
    whole = max(height, width) <= WHOLE
    around = np.ones(alpha.shape, np.uint8) if whole else cv2.dilate(_partly(alpha).view(np.uint8), np.ones((3, 3)))
    rows, columns = np.nonzero(around)
    at = np.arange(len(rows))
    index = np.full(alpha.shape, -1, np.int32)
    index[rows, columns] = at
    here = alpha[rows, columns][:, None]  # (n, 1)
    seen = image[rows, columns].astype(np.float32) / np.float32(full)  # (n, 3)
    if coarse is None:
        foreground, background = seen, seen
    else:
        parents = coarse[0][rows // 2, columns // 2]
        foreground, background = (np.where(parents[:, None] >= 0, side[parents], seen) for side in coarse[1:])
    # The neighbours above, below, left and right; a pixel itself where it has none, or none that is computed.
    beside, weights = [], []
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        near = index[np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)]
        near = np.where(near >= 0, near, at)
        beside.append(near)
        weights.append(EVEN + np.abs(here - here[near]))
    held = sum(weights)
    other = 1 - here
    front, behind, across = here * here + held, other * other + held, here * other
    determinant = front * behind - across * across
    sides = np.hstack([foreground, background])  # (n, 6)
    given = np.hstack([here * seen, other * seen])
    for _ in range(ROUNDS_WHOLE if whole else ROUNDS):
        pulled = given.copy()
        for near, weight in zip(beside, weights, strict=True):
            pulled += weight * sides[near]
        forward, back = pulled[:, :3], pulled[:, 3:]
        sides = np.hstack([behind * forward - across * back, front * back - across * forward]) / determinant
        np.clip(sides, 0, 1, out=sides)
    return index, sides[:, :3], sides[:, 3:]
