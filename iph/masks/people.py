"""Everybody in a photo, unasked: the selfie segmenter's people, split where they stand apart.

Two people stand apart where more than GAP of the picture's longer side lies between them; who touch stay one, until
somebody points at one of them. Measured in docs/segmentation.md.
"""

from functools import lru_cache

import cv2
import numpy as np

from iph.masks.forms import HALF, bounds
from iph.masks.windows import KEPT
from iph.runtime.graphs import Graph

SIDES = 192, 256, 320  # at which a picture is looked at: who is large and who is small
GAP = 0.025  # of the longer side: a hand behind a cup still belongs to its person
SMALLEST = 0.005  # of the picture
MARGIN = 0.25  # around all that were found, of their longer side, at the second look
OWN = 0.4  # around one who stands apart, at the third
NEARER = 0.8  # of the picture: a second look at more shows nothing new
DOUBT = 0.1  # where no pixel is more probably a person than this, nobody is
SPECK = 0.01  # of all that was found of somebody: a smaller piece that lies by itself is none of them

_network = Graph("people")


def people(picture: np.ndarray) -> np.ndarray:
    """Probability (H, W) float32 in [0, 1] that a pixel of a picture (H, W, 3) uint8 is of a person, any person.

    From the mean of the logits of the picture and its mirror image at each of ``SIDES``.
    """
    height, width = picture.shape[:2]
    total = np.zeros((height, width), np.float32)
    for side in SIDES:
        way = cv2.INTER_AREA if max(height, width) > side else cv2.INTER_LINEAR
        seen = cv2.resize(picture, (side, side), interpolation=way).transpose(2, 0, 1)
        both = np.stack([seen, seen[..., ::-1]]).astype(np.float32) / np.float32(255)  # (2, 3, side, side)
        (logits,) = _network(image=both)
        mean = (logits[0, 0] + logits[1, 0, :, ::-1]) / 2
        total += cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR)
    return 1 / (1 + cv2.exp(total / -len(SIDES)))


def people_apart(copy: np.ndarray) -> list[np.ndarray]:
    """Probability (H, W) float32 of each person, or of each group that touches, of a small copy (H, W, 3) uint8.

    The largest first; an empty list where nobody is found. Every pixel goes to whom it is nearest. Not to be changed:
    those of the last copies are remembered, for the next click.
    """
    return list(_apart(np.ascontiguousarray(copy).tobytes(), copy.shape))


def is_somebody(copy: np.ndarray, mask: np.ndarray) -> bool:
    """Whether a closer look at a small copy (H, W, 3) uint8 sees anybody where a mask (H, W) is."""
    hard = mask > HALF
    return bool(hard.any()) and bool(_seen_in(copy, _around(hard, OWN))[hard].max() > DOUBT)


@lru_cache(KEPT)
def _apart(data: bytes, shape: tuple[int, ...]) -> list[np.ndarray]:
    probability = _looked_closely(np.frombuffer(data, np.uint8).reshape(shape))
    parts, large = _parts(probability)
    if parts.max() == 1:  # soft hair may reach beyond what was joined
        return [_without_specks(probability) for _ in large]
    whose = _nearest(parts)  # for what is soft outside of all of them
    return [_without_specks(probability * (whose == label)) for label in large]


def _without_specks(probability: np.ndarray) -> np.ndarray:
    """A probability (H, W) without small pieces that lie by themselves, as a lit spot on a tree."""
    hard = probability > HALF
    _, pieces = cv2.connectedComponents(hard.astype(np.uint8))
    areas = np.bincount(pieces[hard], minlength=pieces.max() + 1)
    kept = areas >= SPECK * areas.sum()
    return probability if kept[1:].all() else probability * kept[_nearest(pieces)]


def _nearest(parts: np.ndarray) -> np.ndarray:
    """The part (H, W) of the nearest pixel that belongs to one; 0 belongs to none."""
    _, nearest = cv2.distanceTransformWithLabels((parts == 0).astype(np.uint8), cv2.DIST_L2, 5)
    owner = np.zeros(nearest.max() + 1, np.int32)
    owner[nearest[parts > 0]] = parts[parts > 0]
    return owner[nearest]


def _parts(probability: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Which part of what stands apart each pixel belongs to, (H, W) int32, and the large parts, the largest first."""
    hard = (probability > HALF).astype(np.uint8)
    reach = 2 * round(GAP / 2 * max(hard.shape)) + 1
    count, parts = cv2.connectedComponents(cv2.dilate(hard, np.ones((reach, reach), np.uint8)))
    areas = np.bincount(parts[hard > 0], minlength=count)
    areas[0] = 0
    return parts, [int(label) for label in np.argsort(-areas) if areas[label] > SMALLEST * hard.size]


def _looked_closely(copy: np.ndarray) -> np.ndarray:
    """The whole picture first, then around all whom that found, then around each who stands apart: small ones grow."""
    probability = people(copy)
    hard = probability > HALF
    if hard.mean() <= SMALLEST:
        return probability
    box = _around(hard, MARGIN)
    if (box[2] - box[0]) * (box[3] - box[1]) <= NEARER * hard.size:
        probability = _seen_in(copy, box)
    parts, large = _parts(probability)
    if parts.max() < 2 or not large:
        return probability
    return np.maximum.reduce([_seen_in(copy, _around((parts == label) & (probability > HALF), OWN)) for label in large])


def _around(hard: np.ndarray, margin: float) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 around what is set, with a margin: a share of the longer side."""
    x0, y0, x1, y1 = bounds(hard)
    grow = round(margin * max(x1 - x0, y1 - y0))
    return max(0, x0 - grow), max(0, y0 - grow), min(hard.shape[1], x1 + grow), min(hard.shape[0], y1 + grow)


def _seen_in(copy: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The people of a box of a picture, (H, W); nobody outside."""
    x0, y0, x1, y1 = box
    seen = np.zeros(copy.shape[:2], np.float32)
    seen[y0:y1, x0:x1] = people(np.ascontiguousarray(copy[y0:y1, x0:x1]))
    return seen
