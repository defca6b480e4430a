"""Several people over one photo, the lowest first: each pasted over what is below and changed there, as a recipe does.

What each is changed by was found on the photo with them alone, so that nobody's look hangs on where another stands.
"""

from collections.abc import Callable, Sequence

import numpy as np

from iph.mapping import ColorMapping

# (part (h, w, 3), its alpha (h, w) or None) to the part with somebody on it, and their mask (h, w) float32
Paste = Callable[[np.ndarray, np.ndarray | None], tuple[np.ndarray, np.ndarray]]


def laid(
    part: np.ndarray,
    visible: np.ndarray | None,
    pastes: Sequence[Paste],
    changes: Sequence[ColorMapping | None],
    icc: bytes | None = None,
    known: dict | None = None,
) -> tuple[np.ndarray, np.ndarray | None, list[np.ndarray]]:
    """A part of a photo with people on it, how far it is visible, and everybody's mask.

    changes: None leaves somebody as they were pasted; icc: the photo's profile; known: what was made of the same part
    with the same people, so that what is alike below is not made again.
    """
    known, masks = {} if known is None else known, []
    for at, (paste, change) in enumerate(zip(pastes, changes, strict=True)):
        below, here = (*map(id, changes[:at]), "pasted"), tuple(map(id, changes[: at + 1]))
        if below not in known:
            pasted, mask = paste(part, visible)
            seen = None if visible is None else np.maximum(visible, mask)
            known[below] = pasted, seen, mask if seen is None else mask * (seen > 0)
        pasted, visible, mask = known[below]
        if here not in known:
            known[here] = pasted if change is None else change.apply(pasted, mask, icc)
        part = known[here]
        masks.append(mask)
    return part, visible, masks


def cover(masks: Sequence[np.ndarray], at: int) -> np.ndarray:
    """How far one of the people is seen, (h, w) float32: their mask, less who is above them."""
    seen = masks[at]
    for mask in masks[at + 1 :]:
        seen = seen * (1 - mask)
    return seen
