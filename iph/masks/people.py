"""Everybody in a photo, unasked: the selfie segmenter's people, split where they stand apart.

Two people stand apart where more than GAP of the picture's longer side lies between them; who touch stay one, until
somebody points at one of them. Measured in docs/segmentation.md.
"""

import cv2
import numpy as np

from iph.masks.forms import HALF
from iph.masks.refine import enlarge
from iph.masks.select import bounds
from iph.masks.selfie import people
from iph.masks.windows import working_copy

GAP = 0.025  # of the longer side: a hand behind a cup still belongs to its person
SMALLEST = 0.005  # of the picture
MARGIN = 0.25  # around what was found, of its longer side, at the second look
NEARER = 0.8  # of the picture: a second look at more shows nothing new


def people_apart(copy: np.ndarray) -> list[np.ndarray]:
    """Probability (H, W) float32 of each person, or of each group that touches, of a small copy (H, W, 3) uint8.

    The largest first; an empty list where nobody is found. Every pixel goes to whom it is nearest.
    """
    probability = _looked_at_twice(copy)
    hard = (probability > HALF).astype(np.uint8)
    reach = 2 * round(GAP / 2 * max(hard.shape)) + 1
    count, parts = cv2.connectedComponents(cv2.dilate(hard, np.ones((reach, reach), np.uint8)))
    areas = np.bincount(parts[hard > 0], minlength=count)
    areas[0] = 0
    large = [int(label) for label in np.argsort(-areas) if areas[label] > SMALLEST * hard.size]
    if count == 2:  # soft hair may reach beyond what was joined
        return [probability for _ in large]
    # Each pixel takes the part of the nearest pixel of one: for what is soft outside of all of them.
    _, nearest = cv2.distanceTransformWithLabels((parts == 0).astype(np.uint8), cv2.DIST_L2, 5)
    owner = np.zeros(nearest.max() + 1, np.int32)
    owner[nearest[parts > 0]] = parts[parts > 0]
    whose = owner[nearest]
    return [probability * (whose == label) for label in large]


def _looked_at_twice(copy: np.ndarray) -> np.ndarray:
    """The whole picture first, then only the part around whom that found, so that who is small gets larger."""
    first = people(copy)
    hard = first > HALF
    if hard.mean() <= SMALLEST:
        return first
    x0, y0, x1, y1 = bounds(hard)
    grow = round(MARGIN * max(x1 - x0, y1 - y0))
    x0, y0, x1, y1 = max(0, x0 - grow), max(0, y0 - grow), min(hard.shape[1], x1 + grow), min(hard.shape[0], y1 + grow)
    if (x1 - x0) * (y1 - y0) > NEARER * hard.size:
        return first
    second = np.zeros_like(first)
    second[y0:y1, x0:x1] = people(np.ascontiguousarray(copy[y0:y1, x0:x1]))
    return second


def everybody(image: np.ndarray) -> np.ndarray | None:
    """One soft mask (H, W) float32 of all people of a picture (H, W, 3) of any depth; None where nobody is found."""
    copy = working_copy(image)
    found = people_apart(copy)
    return enlarge(image, copy, np.maximum.reduce(found)) if found else None
