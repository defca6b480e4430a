"""A photo's person with a soft alpha and clean colours: found unasked, by a click or by a box."""

from dataclasses import dataclass

import numpy as np

from iph.errors import InputError
from iph.masks.edges import clean_edges
from iph.masks.forms import HALF, as_unit
from iph.masks.people import everybody as all_people
from iph.masks.select import from_box, from_click
from iph.masks.subjects import segment_subjects
from iph.pixels import full_scale

NOBODY = "nobody was found in it"


@dataclass(frozen=True, eq=False)
class CutOut:
    """pixels (H, W, 3) and alpha (H, W) of the picture's dtype; note: a sentence where not what was asked for."""

    pixels: np.ndarray
    alpha: np.ndarray
    note: str | None = None


def find(
    image: np.ndarray,
    click: tuple[float, float] | None = None,
    box: tuple[float, float, float, float] | None = None,
    everybody: bool = False,
    alpha: np.ndarray | None = None,
) -> CutOut:
    """Cut out of a picture (H, W, 3) uint8, uint16 or float32 who is under a click x, y or in a box x0, y0, x1, y1.

    With neither whoever stands out most, or everybody. alpha: (H, W), what the picture shows at all: nothing outside
    comes back. Raises InputError where nothing is found.
    """
    note = None
    if click is not None:
        mask = from_click(image, click)
    elif box is not None:
        mask = from_box(image, box)
    elif everybody and (mask := all_people(image)) is not None:
        pass
    else:
        mask, note = _main(image)
    if alpha is not None:
        mask = np.minimum(mask, as_unit(alpha, "alpha channel"))
    if not (mask >= HALF).any():
        raise InputError("expected somebody or something to cut out there, found nothing")
    full = full_scale(image)
    scaled = mask * np.float32(full)
    return CutOut(clean_edges(image, mask), (scaled if full == 1 else np.rint(scaled)).astype(image.dtype), note)


def _main(image: np.ndarray) -> tuple[np.ndarray, str | None]:
    """The mask of whoever stands out most; where there is nobody of whatever does, and a note that says so."""
    subjects = segment_subjects(image)
    if not subjects:
        raise InputError(f"expected a person to cut out of the photo, but {NOBODY}, nor anything that stands out")
    people = [subject for subject in subjects if subject.person]
    return (people or subjects)[0].mask, None if people else f"{NOBODY}: what stands out most was taken"
