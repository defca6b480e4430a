"""What was matched with what, to look at: the reference painted by place, the foreground by the places it attends to.

Where the match is not believed, because the reference shows nothing alike, the foreground's paint fades.
"""

import cv2
import numpy as np

from iph.masks.forms import HALF
from iph.match.look import CELLS, Answer, View

CORNERS = np.float32([[[255, 196, 0], [255, 45, 125]], [[0, 190, 90], [20, 130, 255]]])  # of the reference's box
COVER = 0.65  # of the picture below, at most
LEAST = 0.15  # of that, where nothing is believed


def overlays(found: Answer, own: View, other: View) -> tuple[np.ndarray, np.ndarray]:
    """Two overlays, (h, w, 4) uint8 sRGB with straight alpha, as large as the pictures of both views.

    Of ``found`` the first pictures' match is shown; its attention (B, N, N) says which colours are mixed.
    """
    places = _places(other)  # (N, 3)
    attended = found.attention[0] @ places
    belief = LEAST + (1 - LEAST) * found.alike[0]
    return _painted(own, attended, belief), _painted(other, places, np.ones(len(places), np.float32))


def _places(view: View) -> np.ndarray:
    """A colour for each cell (N, 3), by its place in the box of the region."""
    inside = view.mask[0, 0] > 0
    side = inside.shape[0]
    place = []
    for axis in (1, 0):  # rows, then columns
        found = np.flatnonzero(inside.any(axis))
        middle = (np.arange(CELLS, dtype=np.float32) + 0.5) * (side / CELLS)
        place.append(np.clip((middle - found[0]) / max(1, found[-1] - found[0]), 0, 1))
    down, across = place[0][:, None, None], place[1][None, :, None]
    upper, lower = (row[0] + across * (row[1] - row[0]) for row in CORNERS)
    return (upper + down * (lower - upper)).reshape(-1, 3)


def _painted(view: View, colours: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Cells' ``colours`` (N, 3) inside the view's region, covering ``share`` (N,) of ``COVER``."""
    height, width = view.region.shape
    rows, columns = (range(*part.indices(size)) for part, size in zip(view.window, (height, width), strict=True))
    cells = np.concatenate([colours, share[:, None] * (255 * COVER)], 1).reshape(CELLS, CELLS, 4)
    whole = np.zeros((height, width, 4), np.uint8)
    size = (len(columns), len(rows))
    whole[view.window] = np.rint(cv2.resize(cells.astype(np.float32), size, interpolation=cv2.INTER_LINEAR))
    whole[view.region < HALF] = 0
    return whole
