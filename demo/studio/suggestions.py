"""What the studio suggests unasked: where to take the look from."""

from dataclasses import dataclass

import numpy as np

from iph.masks import suggest_references

WHOLE = {"photo": "Background", "other": "Whole photo"}


@dataclass(frozen=True, eq=False)
class Suggestion:
    """A region (h, w) float32 that may serve as reference, what to call it, and whether a person is in it."""

    label: str
    region: np.ndarray
    person: bool = False


def suggestions(where: str, pixels: np.ndarray, hidden: np.ndarray | None = None) -> list[Suggestion]:
    """Up to six regions of a picture, the best first. where: "photo" or "other"; hidden: a mask none may come from."""
    if hidden is None:
        hidden = np.zeros(pixels.shape[:2], np.float32)
    found = suggest_references(pixels, hidden)
    return [
        Suggestion(WHOLE[where] if name == "background" else name.capitalize(), mask, name.startswith("person"))
        for name, mask in found
    ]


def hidden(mask: np.ndarray | None, visible: np.ndarray | None) -> np.ndarray | None:
    """What no reference may come from: a person's mask, and what is transparent; each (h, w) float32 or None."""
    if visible is None:
        return mask
    return 1 - visible if mask is None else np.maximum(mask, 1 - visible)
