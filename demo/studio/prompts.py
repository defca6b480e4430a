"""From what a hand does on the picture (a click, a box, a stroke) to a mask."""

from dataclasses import dataclass
from math import isfinite

import cv2
import numpy as np

from iph.errors import InputError
from iph.masks import from_box, from_box_region, from_click, from_strokes

KINDS = ("click", "box", "brush", "erase")
MOST_POINTS = 5000
BRUSHES = 0.002, 0.5


@dataclass(frozen=True)
class Prompt:
    """``kind`` is one of ``KINDS``; ``points`` are x, y in shares of the picture: one for a click, two corners for a
    box, the way of a stroke otherwise; ``size`` is the brush's diameter as a share of the picture's longer side."""

    kind: str
    points: tuple[tuple[float, float], ...]
    size: float = 0.05

    @classmethod
    def from_dict(cls, data: dict) -> "Prompt":
        """Read what a browser sent. Raises InputError on anything else."""
        kind, points, size = data.get("kind"), data.get("points"), data.get("size", 0.05)
        if kind not in KINDS:
            raise InputError(f"expected a prompt of kind {', '.join(KINDS)}, got {str(kind)[:20]!r}")
        needed = {"click": 1, "box": 2}.get(kind)
        if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS or needed not in (None, len(points)):
            raise InputError(f"expected {needed or 'some'} points for a {kind}, got {str(points)[:40]}")
        if not all(isinstance(p, list) and len(p) == 2 and all(map(_is_share, p)) for p in points):
            raise InputError("expected points as x and y in shares of the picture")
        if not _is_share(size) or not BRUSHES[0] <= size <= BRUSHES[1]:
            raise InputError(f"expected a brush of {BRUSHES[0]:g} to {BRUSHES[1]:g} of the picture, got {size!r}")
        return cls(kind, tuple((min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)) for x, y in points), float(size))


def region(pixels: np.ndarray, prompt: Prompt, start: np.ndarray | None) -> np.ndarray:
    """A region to take the look from: what was clicked on, the inside of a box, or what was painted.

    pixels (H, W, 3) uint8; start: the region so far, (H, W) float32, for strokes to add to or to take from.
    """
    if prompt.kind == "click":
        return _something(from_click(pixels, _at(prompt, pixels)[0]))
    if prompt.kind == "box":
        return from_box_region(pixels.shape, _corners(prompt, pixels))
    painted = _painted(prompt, pixels).astype(np.float32)
    if prompt.kind == "brush":
        return painted if start is None else np.maximum(start, painted)
    return _something(np.zeros_like(painted) if start is None else np.minimum(start, 1 - painted))


def subject(pixels: np.ndarray, prompt: Prompt, start: np.ndarray | None) -> np.ndarray:
    """The mask of a person: who was clicked on or stands in a box; strokes mend the mask ``start``, along edges: the
    brush only adds to it, the eraser only takes away."""
    if prompt.kind == "click":
        return _something(from_click(pixels, _at(prompt, pixels)[0]))
    if prompt.kind == "box":
        return _something(from_box(pixels, _corners(prompt, pixels)))
    painted = _painted(prompt, pixels)
    add, remove = (painted, None) if prompt.kind == "brush" else (None, painted)
    mended = from_strokes(pixels, add, remove, start)
    if start is not None:
        mended = np.maximum(start, mended) if prompt.kind == "brush" else np.minimum(start, mended)
    return _something(mended)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and -1 <= value <= 2


def _at(prompt: Prompt, pixels: np.ndarray) -> list[tuple[float, float]]:
    """The prompt's points as pixel centres."""
    height, width = pixels.shape[:2]
    return [(min(x * width, width - 1), min(y * height, height - 1)) for x, y in prompt.points]


def _corners(prompt: Prompt, pixels: np.ndarray) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = prompt.points
    height, width = pixels.shape[:2]
    return x0 * width, y0 * height, x1 * width, y1 * height


def _painted(prompt: Prompt, pixels: np.ndarray) -> np.ndarray:
    """(H, W) bool: where the stroke went."""
    canvas = np.zeros(pixels.shape[:2], np.uint8)
    points = np.rint(_at(prompt, pixels)).astype(np.int32)
    width = max(1, round(prompt.size * max(pixels.shape[:2])))
    cv2.polylines(canvas, [points], False, 1, width, cv2.LINE_8)
    for x, y in points[[0, -1]]:
        cv2.circle(canvas, (int(x), int(y)), width // 2, 1, -1)
    return canvas > 0


def _something(mask: np.ndarray) -> np.ndarray:
    if not (mask >= 0.5).any():
        raise InputError("nothing was found there: a box or the brush may say more")
    return mask
