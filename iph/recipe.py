"""A recipe: what was done to a photo, as a JSON file that does it again.

It holds the colour mapping that the network answered with (33 numbers: the polynomial of the paper's Sec. 5), how much
of it was taken, the masks as PNG pictures, and where a person was placed. Replaying needs the photos, but no network.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from iph.errors import InputError
from iph.files import read_small, replacing
from iph.images.containers import png_file, png_of_yes_and_no
from iph.images.imagefile import MAX_PIXELS, read_photo
from iph.images.photo import Photo
from iph.mapping import MOST_AMOUNT, ColorMapping
from iph.masks import as_mask, clean_edges, from_alpha
from iph.masks.edge_adjust import EdgeAdjustment
from iph.masks.forms import as_levels, as_unit, check_aspect
from iph.masks.refine import at_full_size
from iph.pixels import is_grey
from iph.placement import Placement, paste

KIND = "iph-recipe"
VERSION, SEVERAL = 1, 2  # of one person, as ever, and of several
SPACE = "sRGB"  # of the mapping; recipes that say none were made where all numbers counted as sRGB's
MAX_BYTES = 64 << 20
MOST_VALUES = 10_000
INPUTS = ("image", "person", "reference_image")
People = Photo | Sequence[Photo] | None


@dataclass(frozen=True, eq=False)
class Recipe:
    """One harmonized photo. Masks are (h, w) float32 in [0, 1], of any size with their picture's aspect.

    mapping: the colour change at full strength, in sRGB whatever the photo's profile, with what was adjusted by hand;
    strength, luminance, chroma: how much of it is taken, 0 to 2. r1, r2: of eq. 7, what it was asked with, for the
    record. foreground: mask in the photo, or in the person's picture where there is a ``placement``; None: that
    picture's own alpha. edge: what is done to that mask's edge at the picture's own size, and whether a placed person's
    edge is rid of the colours behind it. reference: the region the look was read from, for the record.
    names: file names of "image", "person" and "reference_image". model: the weights that answered. above: recipes of
    further people, the lowest first, each pasted over what those before made.
    """

    mapping: ColorMapping
    foreground: np.ndarray | None
    strength: float = 1.0
    luminance: float = 1.0
    chroma: float = 1.0
    placement: Placement | None = None
    reference: np.ndarray | None = None
    names: dict[str, str] = field(default_factory=dict)
    model: str = "portrait"
    edge: EdgeAdjustment = field(default_factory=EdgeAdjustment)
    r1: float = 1.0
    r2: float = 1.0
    above: tuple["Recipe", ...] = ()

    @property
    def change(self) -> ColorMapping:
        """The colour mapping as it is applied, strength and all."""
        return self.mapping.blended(self.strength, self.luminance, self.chroma)

    def composite(self, photo: Photo, person: Photo | None = None) -> tuple[Photo, np.ndarray]:
        """The photo before the change, and the foreground (H, W) float32 in [0, 1], without who is ``above``.

        photo: the composite, or the background of a placed ``person``. Raises InputError where one does not fit.
        """
        if self.placement is None:
            if person is not None:
                raise InputError("this recipe is of a finished composite: no person was expected beside it")
            return photo, self._mask_of(photo)
        return paste(photo, *self.cut_out(person), self.placement)

    def cut_out(self, person: Photo | None) -> tuple[Photo, np.ndarray]:
        """A person who is pasted, their edge as adjusted, and their mask (h, w) float32 in [0, 1]. Raises InputError
        where there is none."""
        if person is None:
            raise InputError(f"this recipe pastes a person: {self.names.get('person', 'the cut-out')!r} was expected")
        mask = self._mask_of(person)
        if self.edge.clean:
            person = replace(person, pixels=clean_edges(person.pixels, mask))
        return person, mask

    def _mask_of(self, photo: Photo) -> np.ndarray:
        """The foreground at the photo's size, its edge adjusted."""
        mask = _mask_of(photo, self.foreground)
        adjusted = self.edge.apply(mask)
        if adjusted is not mask and photo.alpha is not None:  # behind transparent pixels there is nothing to show
            adjusted = np.minimum(adjusted, as_unit(photo.alpha, "alpha channel"))
        return adjusted

    def replay(self, photo: Photo, people: People = None) -> Photo:
        """The harmonized photo, with everything else that ``photo`` says.

        photo: the composite, or the background. people: who is pasted, one picture each, the lowest first; one alone
        or nobody need no list. Raises InputError where they do not fit.
        """
        for recipe, person in self.each(people):
            before, foreground = recipe.composite(photo, person)
            change = recipe.change
            if is_grey(before.small_appearance()[0]):  # as in a session
                change = change.in_grey()
            photo = before.with_pixels(change.apply(before.pixels, before.visible_part(foreground), before.icc))
        return photo

    def pasted(self, photo: Photo, people: People = None) -> Photo:
        """The same before any change."""
        for recipe, person in self.each(people):
            photo = recipe.composite(photo, person)[0]
        return photo

    def look_on(self, foreground: np.ndarray) -> "Recipe":
        """The look alone, of the lowest person where there are several, for whom a mask shows in a finished composite;
        their edge is theirs."""
        return replace(self, foreground=foreground, placement=None, edge=EdgeAdjustment(), above=())

    def each(self, people: People = None) -> list[tuple["Recipe", Photo | None]]:
        """This recipe and those ``above``, each with the picture of whom it pastes, None for a finished composite."""
        given = [people] if isinstance(people, Photo) else list(people or ())
        recipes = [replace(self, above=()), *self.above]
        expected = [one.names.get("person", "the cut-out") for one in recipes if one.placement is not None]
        if not expected and given:
            raise InputError("this recipe is of a finished composite: no person was expected beside it")
        if len(given) != len(expected):
            named, got = ", ".join(map(repr, expected)), f", got {len(given)}" if given else ""
            if len(expected) == 1:
                raise InputError(f"this recipe pastes a person: {named} was expected{got}")
            raise InputError(f"this recipe pastes {len(expected)} people: {named} were expected, from below{got}")
        left = iter(given)
        return [(one, None if one.placement is None else next(left)) for one in recipes]

    def save(self, path: str | Path) -> None:
        """Write the recipe as JSON."""
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "Recipe":
        """Read what ``save`` wrote. Raises InputError, in one sentence, on anything else."""
        content = read_small(path, MAX_BYTES, "recipe")
        # A recipe has some eighty values, each an object of its own; a picture in base64 has none of these marks.
        if sum(content.count(mark) for mark in b"[{,:") > MOST_VALUES:
            raise InputError(f"expected a recipe of at most {MOST_VALUES} values, got more in {Path(path).name!r}")
        try:
            data = json.loads(content.decode())
        except (ValueError, RecursionError):  # not UTF-8, not JSON, numbers of thousands of digits, lists in lists
            raise InputError(f"expected a recipe in JSON, got {Path(path).name!r}, which is not JSON") from None
        return cls.from_dict(data)

    def to_dict(self) -> dict:
        """The recipe as plain values, for JSON."""
        return {
            "kind": KIND,
            "version": SEVERAL if self.above else VERSION,
            "model": self.model,
            "names": {name: self.names[name] for name in INPUTS if name in self.names},
            "placement": None if self.placement is None else self.placement.to_dict(),
            "foreground": _mask_to_text(self.foreground),
            "edge": self.edge.to_dict(),
            "reference": _mask_to_text(self.reference),
            "strength": self.strength,
            "luminance": self.luminance,
            "chroma": self.chroma,
            "r1": self.r1,
            "r2": self.r2,
            "space": SPACE,
            "mapping": self.mapping.to_dict(),
        } | ({"above": [one.to_dict() for one in self.above]} if self.above else {})

    @classmethod
    def from_dict(cls, data: dict) -> "Recipe":
        """The recipe that ``to_dict`` wrote. Raises InputError on anything else."""
        if not isinstance(data, dict) or data.get("kind") != KIND:
            raise InputError(f"expected a recipe of kind {KIND!r}, got something else")
        version, above = data.get("version"), data.get("above", [])
        if version not in (VERSION, SEVERAL) or isinstance(version, bool):
            raise InputError(f"expected a recipe of version {VERSION} or {SEVERAL}, got {_in_short(version)}")
        if not isinstance(above, list) or any(not isinstance(one, dict) or one.get("above") for one in above):
            raise InputError("expected the people above in the recipe as a list of recipes of one person each")
        if data.get("space", SPACE) != SPACE:
            raise InputError(f"expected a recipe of a look in {SPACE}, got another space")
        amounts = {name: data.get(name) for name in ("strength", "luminance", "chroma")}
        amounts |= {name: data.get(name, 1.0) for name in ("r1", "r2")}  # older recipes do not say
        for name, amount in amounts.items():
            if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount <= MOST_AMOUNT:
                raise InputError(f"expected {name} from 0 to 2 in the recipe, got {_in_short(amount)}")
        names, placement, model = data.get("names"), data.get("placement"), data.get("model")
        if not isinstance(names, dict) or not all(isinstance(name, str) for name in (*names.values(), model)):
            raise InputError("expected file names and a model name as texts in the recipe")
        try:
            placement = None if placement is None else Placement(**placement)
        except TypeError:
            raise InputError("expected x, y, height, mirrored and angle as placement, got something else") from None
        above = tuple(cls.from_dict(one) for one in above)
        if any(one.placement is None for one in above):
            raise InputError("expected a place for everybody above in the recipe")
        return cls(
            _mapping_from(data.get("mapping")),
            _mask_from_text(data.get("foreground"), "foreground"),
            **amounts,
            placement=placement,
            reference=_mask_from_text(data.get("reference"), "reference"),
            names={name: names[name] for name in INPUTS if name in names},
            model=model,
            edge=EdgeAdjustment.from_dict(data.get("edge", {})),
            above=above,
        )


def _mapping_from(data: object) -> ColorMapping:
    try:
        return ColorMapping.from_dict(data)
    except (ValueError, TypeError, OverflowError):  # of numpy too, on lists of uneven lengths or texts in them
        raise InputError("expected a colour mapping of our own kind in the recipe, got something else") from None


def _in_short(value: object) -> str:
    """A small number as it is, the kind of anything else: no sentence quotes a file, which may be somebody else's."""
    if isinstance(value, int | float) and abs(value) < 1e6:
        return f"{value:g}"
    return {str: "a text", dict: "an object", list: "a list", type(None): "nothing"}.get(type(value), "another number")


def _mask_of(photo: Photo, mask: np.ndarray | None) -> np.ndarray:
    """The mask at the photo's size, drawn to its edges where it was smaller, or the photo's own alpha."""
    if mask is not None:
        mask = as_mask(mask, mask.shape, "foreground", allow_full=True)
        check_aspect(mask.shape, photo.pixels.shape[:2], "foreground")
        return at_full_size(photo.pixels, mask)
    if photo.alpha is None:
        raise InputError("this recipe takes the foreground from an alpha channel, but the picture has none")
    return from_alpha(photo.alpha)


def _mask_to_text(mask: np.ndarray | None) -> str | None:
    if mask is None:
        return None
    if mask.dtype == bool:
        return base64.b64encode(png_of_yes_and_no(mask)).decode()
    return base64.b64encode(png_file(as_levels(mask)[..., None], ())).decode()


def _mask_from_text(text: str | None, name: str) -> np.ndarray | None:
    if text is None:
        return None
    try:
        png = base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        raise InputError(f"expected the {name} of the recipe as a PNG in base64") from None
    pixels = read_photo(png, MAX_BYTES, MAX_PIXELS).pixels  # limits are checked before decoding
    return as_unit(pixels[..., 0], name)
