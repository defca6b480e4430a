"""What a newly opened picture makes of the work: it takes the place of another one of its kind, or somebody is added.
Or the two that are there exchange their places.

Whoever was placed stays, with their cut-out and look, as far as that goes together with the new picture.
"""

from dataclasses import replace

import numpy as np

from demo.sentences import sentence
from demo.studio.suggestions import hidden, suggestions
from demo.studio.uploaded_picture import UploadedPicture
from demo.studio.work.history import Choices, Work
from demo.studio.work.placing import in_place_of, on_other_background
from iph.errors import InputError
from iph.masks import main_subject, marks_from_photo
from iph.masks.edge_adjust import EdgeAdjustment
from iph.masks.forms import check_aspect
from iph.masks.subjects import NOBODY

MOST_PEOPLE = 8
NOTHING = f"{NOBODY}, nor anything that stands out: click the person, or drag a box around them"


def with_background(work: Work, picture: UploadedPicture, kind: str) -> Work:
    """Under everybody there is another picture now; kind: "background", or "composite" in which the person is already.
    References in the one before are gone, those in other photos stay."""
    before = work.pictures.get("background")
    if kind == "composite" or "composite" in work.pictures:
        return Work({kind: picture}, people=(work.person.look_only,))

    def moved(person: Choices) -> Choices:
        if person.placement is not None and person.foreground is not None:
            shapes = before.pixels.shape, picture.pixels.shape
            person = replace(person, placement=on_other_background(person.placement, person.foreground, *shapes))
        return person if person.elsewhere else replace(person, region=None, label="")

    return Work({kind: picture}, people=tuple(map(moved, work.people)), active=work.active)


def with_person(work: Work, picture: UploadedPicture, kind: str) -> Work:
    """Somebody's picture in the place of the active person's, or of somebody who is "added" above everybody: they are
    cut out. Raises InputError where nobody can take the place of somebody."""
    foreground, found, note = picture.alpha, picture.alpha is None, None
    if found:
        subject = main_subject(picture.pixels)
        foreground, note = (None, NOTHING) if subject is None else (subject.mask, subject.note)
    if note:
        picture = replace(picture, notes=tuple(dict.fromkeys((*picture.notes, sentence(note)))))
    if "composite" in work.pictures:
        work = Work(people=(work.person.look_only,))
    before, edge = work.person, EdgeAdjustment(clean=found)  # a cut-out that came is its maker's
    if foreground is None and before.foreground is not None:
        raise InputError(f"nobody was found in {picture.path.name!r}: a photo with a person in it was expected")
    if kind == "added" and before.foreground is not None:
        if len(work.people) >= MOST_PEOPLE:
            raise InputError(f"expected at most {MOST_PEOPLE} people in one photo: one may take another's place")
        somebody = Choices(picture=picture, foreground=foreground, found=found, edge=edge)
        return replace(work, people=(*work.people, somebody), active=len(work.people))
    somebody = replace(before, picture=picture, foreground=foreground, found=found, edge=edge)
    if before.placement is not None:
        shape = work.pictures["background"].pixels.shape
        somebody = replace(somebody, placement=in_place_of(before.placement, before.foreground, foreground, shape))
    return work.having(somebody)


def exchanged(work: Work) -> Work:
    """The active person's photo under everybody, and whoever is found in the photo that was there in their place; where
    they stand is left open. Raises InputError where there is nothing to exchange."""
    background, person = work.pictures.get("background"), work.person
    if background is None or person.picture is None:
        raise InputError("expected a background and a person's photo to swap")
    if person.picture.alpha is not None:
        raise InputError(
            f"{person.picture.path.name!r} is cut out, with nothing around the person: a whole photo of them was "
            "expected, to be the background"
        )
    free = work.having(replace(person, placement=None))
    return with_person(with_background(free, person.picture, "background"), background, "person")


def with_mask(work: Work, picture: UploadedPicture) -> Work:
    """The mask of a finished composite, and of its reference where it has two colours."""
    composite = work.pictures.get("composite")
    if composite is None:
        raise InputError("a mask belongs to a finished composite: the composite was expected first")
    check_aspect(picture.size[::-1], composite.size[::-1])  # in the photo's own pixels, not the proxy's
    foreground, region = marks_from_photo(picture.photo(), composite.pixels.shape)
    person = replace(work.person.look_only, foreground=foreground, region=region, label="Blue region")
    return Work({"composite": composite, "mask": picture}, people=(person,))


def with_other(work: Work, picture: UploadedPicture) -> Work:
    """Another photo, all of which gives the active person their look."""
    offers = tuple(suggestions("other", picture.pixels, hidden(None, picture.alpha)))
    whole = offers[-1]
    taken = {"region": whole.region, "elsewhere": True, "label": whole.label, "look": None}
    return work.having(replace(work.person, other=picture, offers=offers, **taken))


def own_foreground(work: Work, person: Choices) -> np.ndarray | None:
    """The mask that came with somebody's picture, or with the composite: its alpha, or the mask file."""
    if person.picture is not None:
        return person.picture.alpha
    composite, mask = work.pictures.get("composite"), work.pictures.get("mask")
    return None if composite is None or mask is None else marks_from_photo(mask.photo(), composite.pixels.shape)[0]
