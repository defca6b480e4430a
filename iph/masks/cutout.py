"""A photo's person with a soft alpha and clean colours: found unasked, or by a click, a box or strokes."""

from dataclasses import dataclass

import numpy as np

from iph.errors import InputError
from iph.images.appearance import appearance, without_hidden
from iph.masks.edge_adjust import EdgeAdjustment
from iph.masks.edges import clean_edges
from iph.masks.forms import HALF, as_unit
from iph.masks.select import from_box, from_click, from_strokes
from iph.masks.subjects import NOBODY, main_subject
from iph.masks.subjects import everybody as all_people
from iph.pixels import as_picture, check_visible, full_scale
from iph.runtime.memory import give_back_copies

PLAIN = EdgeAdjustment()


@dataclass(frozen=True, eq=False)
class CutOut:
    """pixels (H, W, 3) and alpha (H, W) of the picture's dtype; note: a sentence where not what was asked for."""

    pixels: np.ndarray
    alpha: np.ndarray
    note: str | None = None


def cutout(
    image: np.ndarray,
    click: tuple[float, float] | None = None,
    box: tuple[float, float, float, float] | None = None,
    everybody: bool = False,
    keep: np.ndarray | None = None,
    remove: np.ndarray | None = None,
    alpha: np.ndarray | None = None,
    icc: bytes | None = None,
    edge: EdgeAdjustment = PLAIN,
) -> CutOut:
    """Cut a person or a thing out of a picture (H, W, 3) uint8, uint16 or float32 in [0, 1].

    With nothing but the picture, whoever stands out most; else who or what is under a click x, y, in a box x0, y0, x1,
    y1 (pixels) or both, or everybody. keep, remove: strokes (H, W) that mend what was found so, or say alone what to
    cut out. alpha: (H, W), what the picture shows at all: nothing outside comes back. icc: the RGB profile of its
    numbers, None for sRGB. edge: what is then done to the mask's edge, whose colours are clean anyway.

    Returns the colours without the old background, and the alpha, both of the picture's dtype; ``note`` is a sentence
    where nobody was there and something else was taken. Raises InputError for everybody with a click or a box, for a
    click or a box outside the picture, for what is no picture, and where nothing is found.
    """
    if everybody and (click is not None or box is not None):
        raise InputError("expected everybody, or a click or a box, got both")
    if not isinstance(edge, EdgeAdjustment):
        raise InputError(f"expected an EdgeAdjustment for the edge, got {type(edge).__name__}")
    check_visible(as_picture(image), alpha, icc)
    seen, note = appearance(image, alpha, icc), None
    mask = None
    if box is not None:
        mask = from_box(seen, box, click)
    elif click is not None:
        mask = from_click(seen, click)
    elif everybody:
        mask = all_people(seen)
    if mask is None and (everybody or keep is None):
        subject = main_subject(seen)
        if subject is None:
            raise InputError(f"expected a person to cut out, but {NOBODY}, nor anything that stands out")
        mask, note = subject.mask, subject.note
    if keep is not None or remove is not None:
        mask = from_strokes(seen, keep, remove, mask)
    mask = edge.apply(mask)
    if alpha is not None:
        mask = np.minimum(mask, as_unit(alpha, "alpha channel"))
    if not (mask >= HALF).any():
        raise InputError("expected somebody or something to cut out there, found nothing")
    full = full_scale(image)
    give_back_copies(mask)
    colors = clean_edges(without_hidden(image, alpha), mask)
    mask *= np.float32(full)
    return CutOut(colors, (mask if full == 1 else np.rint(mask, out=mask)).astype(image.dtype), note)
