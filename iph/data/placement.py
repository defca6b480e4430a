"""Placing a cut-out person in another photo, with the soft rim that real composites have."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Pasted:
    """A guest at its place in the host's frame: ``image`` (N, N, 3) float32 and ``alpha`` (N, N) in [0, 1]."""

    image: np.ndarray
    alpha: np.ndarray


def feathered(rng: np.random.Generator, image: np.ndarray, mask: np.ndarray) -> Pasted:
    """A guest (N, N, 3) under its mask, more often than not with a blurred rim."""
    alpha = mask.astype(np.float32)
    if rng.random() < 0.6:
        alpha = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.4, 1.2))
    return Pasted(image, np.minimum(alpha, 1))


def stand_beside(rng: np.random.Generator, image: np.ndarray, person: np.ndarray, beside: np.ndarray) -> Pasted | None:
    """A half-length ``person`` of ``image`` (N, N, 3) on the lower edge, left or right of ``beside`` (N, N) bool.

    None where there is too little of either, or no room.
    """
    size = beside.shape[0]
    ys, xs = np.nonzero(person)
    by, bx = np.nonzero(beside)
    if len(ys) < 0.01 * person.size or not len(by):
        return None
    height = (size - by.min()) / (np.ptp(ys) + 1) * rng.uniform(0.75, 1.15)
    height = float(np.clip(height, 0.25, 1.2))
    width = height * rng.uniform(0.6, 1.0)  # packed photos are squeezed to squares, each by its own amount
    offset = 0.5 * (np.ptp(bx) + width * np.ptp(xs)) * rng.uniform(0.6, 1.05)
    place = bx.mean() + offset * rng.choice((-1, 1))
    if not 0.08 * size < place < 0.92 * size:
        place = 2 * bx.mean() - place
    if not 0 < place < size:
        return None
    matrix = np.float32([[width, 0, place - width * xs.mean()], [0, height, size - height * (ys.max() + 1)]])
    moved = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    alpha = cv2.warpAffine(person.astype(np.float32), matrix, (size, size), flags=cv2.INTER_LINEAR)
    return Pasted(moved, np.minimum(cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.3, 1.0)), 1))
