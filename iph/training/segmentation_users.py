"""Simulated users for training: boxes, clicks and strokes as a person would place them on an instance.

After the iterative clicks of RITM (Sofiiuk et al., 2021), without its extra forward passes: an earlier mask is made
from the truth by one mistake, and the strokes mend that mistake, or it is asked for again by a click alone.
"""

import cv2
import numpy as np
from numpy.random import Generator

from iph.masks.windows import MARK

KINDS = {"box": 0.28, "click": 0.38, "both": 0.04, "refine": 0.16, "again": 0.14}  # of prompts


def _place(rng: Generator, mask: np.ndarray) -> tuple[int, int]:
    """x, y of a pixel of a mask, more often deep inside it than at its edge."""
    depth = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    ys, xs = np.nonzero(depth > rng.uniform(0.0, 0.8) * depth.max())
    j = rng.integers(len(ys))
    return int(xs[j]), int(ys[j])


def _mark(rng: Generator, canvas: np.ndarray, mask: np.ndarray, stroke: bool) -> None:
    """Draw a click, or a stroke of up to three straight parts, on a mask that is not empty."""
    radius = max(1, round(len(canvas) * MARK))
    x, y = _place(rng, mask)
    cv2.circle(canvas, (x, y), radius, 1.0, -1)
    if not stroke:
        return
    line = np.zeros(mask.shape, np.uint8)
    for _ in range(rng.integers(1, 4)):
        next_x, next_y = _place(rng, mask)
        cv2.line(line, (x, y), (next_x, next_y), 1, 2 * radius)
        x, y = next_x, next_y
    canvas[(line & mask) > 0] = 1.0


def _mistaken(rng: Generator, mask: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The mask with one mistake: a neighbour taken in, a part lost, or a piece of background taken in."""
    size = len(mask)
    kind = rng.random()
    if others.any() and kind < 0.6:
        return mask | others
    ys, xs = np.nonzero(mask)
    j = rng.integers(len(ys))
    blob = np.zeros_like(mask)
    radius = max(3, int((len(ys) / np.pi) ** 0.5 * rng.uniform(0.4, 1.0)))
    cv2.ellipse(blob, (int(xs[j]), int(ys[j])), (radius, max(3, int(radius * rng.uniform(0.5, 2)))), 0, 0, 360, 1, -1)
    if kind < 0.8 and (mask & ~blob).sum() > size:
        return mask & (1 - blob)
    return mask | blob


def simulate(rng: Generator, mask: np.ndarray, others: np.ndarray, box_only: bool) -> np.ndarray:
    """Prompt maps (4, S, S) that ask for an instance.

    mask: (S, S) uint8 0/1, not empty. others: what touches it and is not it. box_only: for masks that may hold
    several people, where a click would be ambiguous.
    """
    add, remove, box, prior = maps = np.zeros((4, *mask.shape), np.float32)
    kind = "box" if box_only else rng.choice(list(KINDS), p=list(KINDS.values()))
    if kind in ("box", "both"):
        ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        width, height = xs[-1] - xs[0] + 1, ys[-1] - ys[0] + 1
        jitter = rng.normal(0, 0.03, 4) * (width, height, width, height)
        x0, y0, x1, y1 = np.rint(np.array([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1]) + jitter).astype(int)
        box[max(0, y0) : max(y1, y0 + 2, 2), max(0, x0) : max(x1, x0 + 2, 2)] = 1
    if kind in ("click", "both"):
        _mark(rng, add, mask, stroke=rng.random() < 0.2)
        while rng.random() < 0.2:
            _mark(rng, add, mask, stroke=False)
        near = (cv2.dilate(mask, np.ones((3, 3)), iterations=max(3, len(mask) // 20)) > mask).astype(np.uint8)
        where = others if others.any() and rng.random() < 0.7 else near
        if where.any() and rng.random() < 0.3:
            _mark(rng, remove, where, stroke=rng.random() < 0.5)
    if kind in ("refine", "again"):
        wrong = _mistaken(rng, mask, others)
        extra, lost = wrong & (1 - mask), mask & (1 - wrong)
        prior[:] = cv2.GaussianBlur(wrong.astype(np.float32), (0, 0), rng.uniform(0.5, len(mask) / 60))
        if kind == "refine" and extra.any():
            _mark(rng, remove, extra, stroke=rng.random() < 0.7)
        if kind == "refine" and lost.any():
            _mark(rng, add, lost, stroke=rng.random() < 0.7)
        if kind == "again" or rng.random() < 0.3:
            _mark(rng, add, mask, stroke=kind == "refine" and rng.random() < 0.5)
    return maps
