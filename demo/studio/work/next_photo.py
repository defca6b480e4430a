"""A look on another photo: that photo's own person, found or given, and nothing else of it changed."""

from pathlib import Path

import numpy as np

from demo.studio.scene import MODEL
from demo.uploads import MAX_BYTES, MAX_PIXELS
from demo.work_queue import go_on
from iph.errors import InputError
from iph.images.confined import read_photo_confined
from iph.images.imagefile import write_photo
from iph.images.photo import Photo
from iph.mapping import ColorMapping
from iph.masks import main_subject, marks_from_photo, own_mask
from iph.recipe import Recipe


def give_look(look: ColorMapping, photo: Path, mask: Path | None, folder: Path) -> Path:
    """Write a photo whose person has that look into a folder, in the photo's own format.

    mask: a file that says who. Without one it is what the photo's transparency leaves, or whoever stands out most.
    Raises InputError where a file is no picture, the mask is another photo's, or nobody is found.
    """
    opened = read_photo_confined(photo, MAX_BYTES, MAX_PIXELS)
    go_on()
    who = _who(opened, mask)
    go_on()
    path = folder / f"{photo.stem}-harmonized{opened.ending}"
    write_photo(Recipe(look, who, model=MODEL).replay(opened), path)
    return path


def _who(photo: Photo, mask: Path | None) -> np.ndarray:
    if mask is not None:
        return marks_from_photo(read_photo_confined(mask, MAX_BYTES, MAX_PIXELS), photo.pixels.shape)[0]
    own = own_mask(photo.alpha)
    if own is not None:
        return own
    subject = main_subject(photo.appearance)
    if subject is None or not subject.person:
        raise InputError("nobody was found in the photo: a mask beside it, of its name with -mask, says who")
    return subject.mask
