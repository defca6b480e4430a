"""Where a person stands: a free place when they come, and the old place when they or the background are replaced.

Everything goes by the box around whom a mask shows, not by the picture that they are part of.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from iph.placement import SIZES as ALLOWED
from iph.placement import Placement

SIDE = 96  # pixels of a background on which places are tried
TALL, LEAST_TALL = 0.8, 0.12  # of the background's height: a person beside nobody, and the least beside somebody small
SIZES = 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4  # tried, of the height that is right
GROUND = 0.96  # of the background's height, where nobody's feet say it
HEAD = 0.5, 0.6  # a head is at most so much of a person's height, and of their width
COVERED = 0.02  # of a head: no more than its rim
FACE, BODY, SMALLER, OFF = 10.0, 4.0, 1.0, 0.15  # costs: a head covered, a share of oneself on others or outside, ...


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x, y, width, height around whom a mask (h, w) shows."""
    return cv2.boundingRect((mask >= 0.5).astype(np.uint8))


def is_cut(mask: np.ndarray) -> bool:
    """Whether somebody goes on below the lower edge of their picture."""
    _, y, _, height = box_of(mask)
    return y + height >= mask.shape[0] * 0.99 - 1


def free_place(background: tuple[int, ...], mask: np.ndarray, people: Sequence[np.ndarray]) -> Placement:
    """Where somebody stands plausibly on a background of shape (H, W, ...) and covers no face, and nobody if possible.

    mask: (h, w) of the person in their picture; people: masks (H', W') of those who are there, of the background's
    aspect. As tall as those who are seen as they are, down to the feet or cut by the lower edge; on the same ground;
    smaller or further aside where that keeps others free, smaller too where somebody is wider than the background.
    """
    scale = SIDE / max(background[:2])
    height, width = (max(1, round(side * scale)) for side in background[:2])
    there = [_small(one, (width, height)) for one in people]
    there = [one for one in there if one.any()]
    taken = np.any(there, axis=0) if there else np.zeros((height, width), bool)
    heads = [_head(one) for one in there]
    x, y, across, down = box_of(mask)
    shape = mask[y : y + down, x : x + across]
    tall, ground = _size_and_ground(mask, there, height)
    middle = np.average(np.arange(width) + 0.5, weights=taken.sum(0) + 1e-6) / width
    wanted = 0.28 if middle >= 0.5 else 0.72
    best = np.inf, 0.5, tall
    for size in SIZES:
        rows = max(1, round(tall * size * height))
        columns = max(1, round(rows * across / down))
        body = cv2.resize(shape, (columns, rows), interpolation=cv2.INTER_AREA) >= 0.5
        top = round(ground * height) - rows
        body, top = body[max(0, -top) :], max(0, top)
        for left in range(0, max(1, width - columns + 1), max(1, width // 48)):
            window = np.s_[top : top + body.shape[0], left : left + columns]
            seen = body[: taken[window].shape[0], : taken[window].shape[1]]
            hidden = max(((seen & head[window]).sum() / head.sum() for head in heads), default=0)
            on_others = (seen & taken[window]).sum() / max(1, seen.sum())
            centre = (left + columns / 2) / width
            cost = FACE * (hidden > COVERED) * (1 + hidden) + BODY * on_others
            cost += SMALLER * (1 - size) + OFF * abs(centre - wanted) + BODY * max(0, 1 - width / columns)
            if cost < best[0]:
                best = cost, centre, tall * size
    _, centre, tall = best
    whole = tall * mask.shape[0] / down  # height of their whole picture, in backgrounds
    ahead = whole * mask.shape[1] / mask.shape[0] * background[0] / background[1]
    return Placement(
        float(centre - ((x + across / 2) / mask.shape[1] - 0.5) * ahead),
        float(ground - ((y + down) / mask.shape[0] - 0.5) * whole),
        float(whole),
    )


def in_place_of(placement: Placement, old: np.ndarray, new: np.ndarray, background: tuple[int, ...]) -> Placement:
    """Somebody new (mask ``new``) where somebody stood (mask ``old``): as tall, and their lowest part where it was."""
    tall = [box_of(mask)[3] / mask.shape[0] for mask in (old, new)]
    moved = replace(placement, height=_allowed(placement.height * tall[0] / tall[1]))
    moved = _shifted(moved, _foot(placement, old, background) - _foot(moved, new, background), background)
    return kept_inside(moved, new, background, _cut_off(placement, old, background))


def on_other_background(
    placement: Placement, mask: np.ndarray, before: tuple[int, ...], after: tuple[int, ...]
) -> Placement:
    """The place on another background: the same shares of it, as far as no more of the person is cut off."""
    return kept_inside(placement, mask, after, _cut_off(placement, mask, before))


def kept_inside(
    placement: Placement, mask: np.ndarray, background: tuple[int, ...], cut: np.ndarray | None = None
) -> Placement:
    """The nearest place, and the largest size up to its own, of which no more than ``cut`` (left, top, right, bottom,
    in shares of the person, none unless it is said) lies beside the background."""
    before, after = np.reshape(np.zeros(4) if cut is None else np.minimum(cut, 0.8), (2, 2))
    whole = np.array(background[1::-1], float)
    low, high = _bounds(placement, mask, background)
    least = min(whole / ((high - low) * np.maximum(0.2, 1 - before - after)))
    if least < 1:
        smaller = replace(placement, height=_allowed(placement.height * least))
        placement = _shifted(smaller, _foot(placement, mask, background) - _foot(smaller, mask, background), background)
        low, high = _bounds(placement, mask, background)
    size = high - low
    shift = np.maximum(0, -before * size - low) - np.maximum(0, high - whole - after * size)
    return placement if np.abs(shift).max() < 0.5 else _shifted(placement, shift, background)


def _bounds(placement: Placement, mask: np.ndarray, background: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The upper left and the lower right corner of the box around the person on the background, x and y in pixels."""
    x, y, width, height = box_of(mask)
    corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], np.float64)
    placed = placement.points(background, mask.shape, corners)
    return placed.min(0), placed.max(0)


def _cut_off(placement: Placement, mask: np.ndarray, background: tuple[int, ...]) -> np.ndarray:
    """How much of the person lies beside the background: left, top, right, bottom, in shares of them."""
    low, high = _bounds(placement, mask, background)
    outside = np.concatenate([-low, high - np.array(background[1::-1])])
    return np.maximum(0, outside) / np.tile(high - low, 2)


def _foot(placement: Placement, mask: np.ndarray, background: tuple[int, ...]) -> np.ndarray:
    """Where the middle of the person's lower edge lies on the background, x and y in pixels."""
    x, y, width, height = box_of(mask)
    return placement.points(background, mask.shape, np.array([[x + width / 2, y + height]]))[0]


def _shifted(placement: Placement, by: np.ndarray, background: tuple[int, ...]) -> Placement:
    x, y = placement.x + by[0] / background[1], placement.y + by[1] / background[0]
    return replace(placement, x=float(x), y=float(y))


def _allowed(height: float) -> float:
    return float(np.clip(height, *ALLOWED))


def _small(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5


def _head(person: np.ndarray) -> np.ndarray:
    """The heads of one person, or of several who touch: what lies uppermost, column by column."""
    _, y, width, height = cv2.boundingRect(person.astype(np.uint8))
    long = max(1.0, min(HEAD[0] * height, HEAD[1] * width))
    top = np.where(person.any(0), person.argmax(0), person.shape[0])
    rows = np.arange(person.shape[0])[:, None]
    return person & (rows < top + long) & (top < y + height / 2)


def _size_and_ground(mask: np.ndarray, people: list[np.ndarray], height: int) -> tuple[float, float]:
    """How tall somebody should be, and where their lowest part, in heights of the background."""
    cut, alike = is_cut(mask), []
    for one in people:
        _, y, _, down = cv2.boundingRect(one.astype(np.uint8))
        if (y + down >= height - 1) == cut:
            alike.append((down / height, (y + down) / height))
    if not alike:
        return TALL, 1.0 if cut else GROUND
    tall, ground = np.median([one[0] for one in alike]), max(one[1] for one in alike)
    return float(np.clip(tall, LEAST_TALL, 0.9)), 1.0 if cut else float(ground)
