"""Poisson image editing (Pérez, Gangnet & Blake, SIGGRAPH 2003): keep the foreground's gradients, meet the background.

OpenCV's ``seamlessClone`` wants two whole photos. A composite holds one of each in part, so each is continued by the
colours of its nearest pixels: otherwise the step at the foreground's edge counts as a gradient to keep, and nothing
changes. Where the foreground touches the frame, the continued background takes the place of what lies outside.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt

from bench.methods.regions import blended, core_of, guide_of
from iph.masks.forms import as_weights

ERODED = 3  # seamlessClone keeps gradients only this far inside the mask it is given
BORDER = 8


def poisson(
    composite: NDArray[np.uint8], foreground: ArrayLike, reference: ArrayLike | None = None
) -> NDArray[np.uint8]:
    """Clone the foreground into its own background; forms as ``Harmonize``. The reference is not looked at."""
    weights = as_weights(foreground, "foreground mask", composite.shape[:2])
    core_of(weights, "foreground")
    inside = ~guide_of("background", weights, None)
    window = _surroundings(inside)
    cloned = _clone(composite[window], inside[window])
    result = composite.copy()
    result[window] = blended(composite[window], inside[window], cloned[inside[window]] / 255.0, weights[window])
    return result


def _surroundings(inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The foreground's box and a margin: the solution depends on nothing further away."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return (
        slice(max(rows[0] - BORDER, 0), rows[-1] + 1 + BORDER),
        slice(max(columns[0] - BORDER, 0), columns[-1] + 1 + BORDER),
    )


def _clone(image: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(H, W, 3) with the foreground cloned; only its pixels are of use."""
    wide = np.pad(image, ((BORDER, BORDER), (BORDER, BORDER), (0, 0)))
    source = _continued(wide, np.pad(inside, BORDER))
    background = _continued(wide, np.pad(~inside, BORDER))
    mask = cv2.dilate(np.pad(inside, BORDER).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=ERODED)
    x, y, width, height = cv2.boundingRect(mask)
    centre = (x + width // 2, y + height // 2)
    cloned = cv2.seamlessClone(source, background, mask * 255, centre, cv2.NORMAL_CLONE)
    return cloned[BORDER:-BORDER, BORDER:-BORDER]


def _continued(image: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """``image`` with every unknown pixel given the colour of the nearest known one."""
    nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return image[tuple(nearest)]
