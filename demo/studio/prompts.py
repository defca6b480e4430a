"""From what a hand does on the picture (a click, a box, a stroke) to a mask."""

from dataclasses import dataclass
from math import isfinite

import cv2
import numpy as np

from iph.errors import InputError
from iph.masks import from_box, from_box_region, from_click, from_strokes

KINDS = ("click", "box", "brush", "erase", "hint", "hint_away")
MOST_POINTS = 5000
BRUSHES = 0.002, 0.5


@dataclass(frozen=True)
class Prompt:
    """``kind`` is one of ``KINDS``; ``points`` are x, y in shares of the picture: one for a click, two corners for a
    box, the way of a stroke otherwise. "brush" and "erase" change what lies under them and nothing else; "hint" and
    "hint_away" tell what to find. ``size`` is the brush's diameter as a share of the picture's longer side,
    ``hardness`` the share of its radius from which it fades towards its rim."""

    kind: str
    points: tuple[tuple[float, float], ...]
    size: float = 0.05
    hardness: float = 1.0

    @classmethod
    def from_dict(cls, data: dict) -> "Prompt":
        """Read what a browser sent. Raises InputError on anything else."""
        kind, points = data.get("kind"), data.get("points")
        size, hardness = data.get("size", 0.05), data.get("hardness", 1.0)
        if kind not in KINDS:
            raise InputError(f"expected a prompt of kind {', '.join(KINDS)}, got {str(kind)[:20]!r}")
        needed = {"click": 1, "box": 2}.get(kind)
        if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS or needed not in (None, len(points)):
            raise InputError(f"expected {needed or 'some'} points for a {kind}, got {str(points)[:40]}")
        if not all(isinstance(p, list) and len(p) == 2 and all(map(_is_share, p)) for p in points):
            raise InputError("expected points as x and y in shares of the picture")
        if kind == "click" and not all(0 <= share <= 1 for share in points[0]):
            raise InputError("expected a click on the picture, got one beside it")
        if not _is_share(size) or not BRUSHES[0] <= size <= BRUSHES[1]:
            raise InputError(f"expected a brush of {BRUSHES[0]:g} to {BRUSHES[1]:g} of the picture, got {size!r}")
        if not _is_share(hardness) or not 0 <= hardness <= 1:
            raise InputError(f"expected the hardness of a brush from 0 to 1, got {hardness!r}")
        inside = tuple((min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)) for x, y in points)
        return cls(kind, inside, float(size), float(hardness))


def region(pixels: np.ndarray, prompt: Prompt, start: np.ndarray | None) -> np.ndarray:
    """A region to take the look from: what was clicked on, the inside of a box, or what was painted.

    pixels (H, W, 3) uint8; start: the region so far, (H, W) float32, for strokes to add to or to take from.
    """
    if prompt.kind == "click":
        return _something(from_click(pixels, _at(prompt, pixels)[0]))
    if prompt.kind == "box":
        return from_box_region(pixels.shape, _corners(prompt, pixels))
    return _stroked(prompt, pixels, start)


def subject(pixels: np.ndarray, prompt: Prompt, start: np.ndarray | None) -> np.ndarray:
    """The mask of a person: who was clicked on or stands in a box; strokes as in ``region``."""
    if prompt.kind == "click":
        return _something(from_click(pixels, _at(prompt, pixels)[0]))
    if prompt.kind == "box":
        return _something(from_box(pixels, _corners(prompt, pixels)))
    return _stroked(prompt, pixels, start)


def _stroked(prompt: Prompt, pixels: np.ndarray, start: np.ndarray | None) -> np.ndarray:
    """The mask ``start`` with a stroke added or taken away: the paint itself, or what is found by a hint."""
    adds = prompt.kind in ("brush", "hint")
    found = _painted(prompt, pixels)
    if prompt.kind == "hint":
        found = from_strokes(pixels, found > 0, None, start)
    elif prompt.kind == "hint_away" and start is not None:
        found = 1 - from_strokes(pixels, None, found > 0, start)
    if start is None:
        return _something(found if adds else np.zeros_like(found))
    return _something(np.maximum(start, found) if adds else np.minimum(start, 1 - found))


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and -1 <= value <= 2


def at_pixel(click: Prompt, pixels: np.ndarray) -> tuple[int, int]:
    """The row and column that a click is on."""
    x, y = _at(click, pixels)[0]
    return int(y), int(x)


def _at(prompt: Prompt, pixels: np.ndarray) -> list[tuple[float, float]]:
    """The prompt's points as pixel centres."""
    height, width = pixels.shape[:2]
    return [(min(x * width, width - 1), min(y * height, height - 1)) for x, y in prompt.points]


def _corners(prompt: Prompt, pixels: np.ndarray) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = prompt.points
    height, width = pixels.shape[:2]
    if round(x0 * width) == round(x1 * width) or round(y0 * height) == round(y1 * height):
        raise InputError(
            "the box holds no pixel of the picture: a larger one was expected"
        )  # nor is the proxy's size said
    return x0 * width, y0 * height, x1 * width, y1 * height


def _painted(prompt: Prompt, pixels: np.ndarray) -> np.ndarray:
    """(H, W) float32 in [0, 1]: how much paint the stroke left, a pixel's rim and the brush's softness included."""
    way = np.full(pixels.shape[:2], 255, np.uint8)
    points = np.rint(_at(prompt, pixels)).astype(np.int32)
    cv2.polylines(way, [np.vstack([points, points[-1:]])], False, 0)  # one point alone is no line
    distance = cv2.distanceTransform(way, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    radius = max(0.5, prompt.size * max(pixels.shape[:2]) / 2)
    return np.clip((radius + 0.5 - distance) / max(1.0, radius * (1 - prompt.hardness)), 0, 1).astype(np.float32)


def _something(mask: np.ndarray) -> np.ndarray:
    if not (mask >= 0.5).any():
        raise InputError("nothing was found there: a box or the brush may say more")
    return mask
