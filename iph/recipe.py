"""A recipe: what was done to a photo, as a JSON file that does it again.

It holds the colour mapping that the network answered with (33 numbers: the polynomial of the paper's Sec. 5), how much
of it was taken, the masks as PNG pictures, and where a person was placed. Replaying needs the photos, but no network.
"""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from iph.errors import InputError
from iph.files import read_bounded, replacing
from iph.images.imagefile import MAX_PIXELS, read_photo
from iph.images.photo import Photo
from iph.mapping import ColorMapping
from iph.masks import as_mask, from_alpha
from iph.masks.forms import as_unit
from iph.placement import Placement, compose

KIND = "iph-recipe"
VERSION = 1
MAX_BYTES = 64 << 20
MOST_VALUES = 10_000
INPUTS = ("image", "person", "reference_image")


@dataclass(frozen=True, eq=False)
class Recipe:
    """One harmonized photo. Masks are (h, w) float32 in [0, 1], of any size with their picture's aspect.

    mapping: the colour change at full strength, in the photo's own RGB numbers; strength, luminance, chroma: how much
    of it is taken, 0 to 2. foreground: mask in the photo, or in the person's picture where there is a ``placement``;
    None: that picture's own alpha. reference: the region the look was read from, for the record.
    names: file names of "image", "person" and "reference_image". model: the weights that answered.
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

    @property
    def change(self) -> ColorMapping:
        """The colour mapping as it is applied, strength and all."""
        return self.mapping.blended(self.strength, self.luminance, self.chroma)

    def composite(self, photo: Photo, person: Photo | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The pixels before the change, like ``photo.pixels``, and the foreground (H, W) float32 in [0, 1].

        photo: the composite, or the background of a placed ``person``. Raises InputError where one does not fit.
        """
        if self.placement is None:
            if person is not None:
                raise InputError("this recipe is of a finished composite: no person was expected beside it")
            return photo.pixels, _mask_of(photo, self.foreground)
        if person is None:
            raise InputError(f"this recipe pastes a person: {self.names.get('person', 'the cut-out')!r} was expected")
        person = person.converted_to(photo.icc)
        return compose(photo.pixels, person.pixels, _mask_of(person, self.foreground), self.placement)

    def replay(self, photo: Photo, person: Photo | None = None) -> Photo:
        """The harmonized photo, with everything else that ``photo`` says; arguments as in ``composite``."""
        pixels, foreground = self.composite(photo, person)
        return photo.with_pixels(self.change.apply(pixels, foreground))

    def save(self, path: str | Path) -> None:
        """Write the recipe as JSON."""
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "Recipe":
        """Read what ``save`` wrote. Raises InputError, in one sentence, on anything else."""
        try:
            content = read_bounded(path, MAX_BYTES)
        except OSError as error:
            raise InputError(f"expected a recipe file, got {str(path)!r}: {error.strerror}") from None
        if len(content) > MAX_BYTES:
            raise InputError(f"expected a recipe of at most {MAX_BYTES >> 20} MB, got more in {Path(path).name!r}")
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
            "version": VERSION,
            "model": self.model,
            "names": {name: self.names[name] for name in INPUTS if name in self.names},
            "placement": None if self.placement is None else self.placement.to_dict(),
            "foreground": _mask_to_text(self.foreground),
            "reference": _mask_to_text(self.reference),
            "strength": self.strength,
            "luminance": self.luminance,
            "chroma": self.chroma,
            "mapping": self.mapping.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: dict) -> "Recipe":
        """The recipe that ``to_dict`` wrote. Raises InputError on anything else."""
        if not isinstance(data, dict) or data.get("kind") != KIND:
            raise InputError(f"expected a recipe of kind {KIND!r}, got something else")
        if data.get("version") != VERSION:
            raise InputError(f"expected a recipe of version {VERSION}, got {_in_short(data.get('version'))}")
        amounts = {name: data.get(name) for name in ("strength", "luminance", "chroma")}
        for name, amount in amounts.items():
            if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount <= 2:
                raise InputError(f"expected {name} from 0 to 2 in the recipe, got {_in_short(amount)}")
        names, placement, model = data.get("names"), data.get("placement"), data.get("model")
        if not isinstance(names, dict) or not all(isinstance(name, str) for name in (*names.values(), model)):
            raise InputError("expected file names and a model name as texts in the recipe")
        try:
            placement = None if placement is None else Placement(**placement)
        except TypeError:
            raise InputError("expected x, y, height and mirrored as placement, got something else") from None
        return cls(
            _mapping_from(data.get("mapping")),
            _mask_from_text(data.get("foreground"), "foreground"),
            **amounts,
            placement=placement,
            reference=_mask_from_text(data.get("reference"), "reference"),
            names={name: names[name] for name in INPUTS if name in names},
            model=model,
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
    """The mask at the photo's size, or the photo's own alpha."""
    if mask is not None:
        return np.clip(as_mask(mask, photo.pixels.shape, "foreground", allow_full=True), 0, 1)
    if photo.alpha is None:
        raise InputError("this recipe takes the foreground from an alpha channel, but the picture has none")
    return from_alpha(photo.alpha)


def _mask_to_text(mask: np.ndarray | None) -> str | None:
    if mask is None:
        return None
    png = cv2.imencode(".png", np.rint(mask * 255).astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 6])[1]
    return base64.b64encode(png.tobytes()).decode()


def _mask_from_text(text: str | None, name: str) -> np.ndarray | None:
    if text is None:
        return None
    try:
        png = base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        raise InputError(f"expected the {name} of the recipe as a PNG in base64") from None
    pixels = read_photo(png, MAX_BYTES, MAX_PIXELS).pixels  # limits are checked before decoding
    return as_unit(pixels[..., 0], name)
