"""What the studio does unasked: cut a person out, find a place for them, and suggest where to take the look from."""

from dataclasses import dataclass

import cv2
import numpy as np

from iph.masks import segment_subjects, suggest_references
from iph.placement import Placement

TALL = 0.8  # of the background's height: how tall a person stands at first
WHOLE = {"photo": "Background", "other": "Whole photo"}


@dataclass(frozen=True, eq=False)
class Suggestion:
    """A region (h, w) float32 that may serve as reference, and what to call it."""

    label: str
    region: np.ndarray


def cut_out(pixels: np.ndarray) -> np.ndarray | None:
    """The mask (h, w) float32 of the most salient person of a picture, or else of its main subject; None if none."""
    subjects = segment_subjects(pixels)
    people = [subject for subject in subjects if subject.person]
    return (people or subjects)[0].mask if subjects else None


def suggestions(where: str, pixels: np.ndarray, hidden: np.ndarray | None = None) -> list[Suggestion]:
    """Up to six regions of a picture, the best first. where: "photo" or "other"; hidden: a mask none may come from."""
    if hidden is None:
        hidden = np.zeros(pixels.shape[:2], np.float32)
    found = suggest_references(pixels, hidden)
    return [Suggestion(WHOLE[where] if name == "background" else name.capitalize(), mask) for name, mask in found]


def free_place(shape: tuple[int, ...], mask: np.ndarray, taken: np.ndarray) -> Placement:
    """Where a person fits on a background of ``shape`` (H, W, ...), beside what is ``taken`` (H, W).

    mask: (h, w) of the person in their picture. Whoever is cut by its lower edge stands on the background's lower edge.
    """
    rows, columns = mask.shape
    x, y, width, height = cv2.boundingRect((mask >= 0.5).astype(np.uint8))
    scale = TALL * rows / height  # height of the person's whole picture, in backgrounds
    across = scale * columns / rows * shape[0] / shape[1]
    middle = np.average(np.arange(taken.shape[1]), weights=taken.sum(0) + 1e-6) / taken.shape[1]
    centre = (0.28 if middle >= 0.5 else 0.72) - ((x + width / 2) / columns - 0.5) * across
    ground = 1.0 if y + height >= rows - 2 else 0.96
    return Placement(float(centre), float(ground - ((y + height) / rows - 0.5) * scale), float(scale))
