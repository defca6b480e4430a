"""What a recipe made, in parts to go on with: the person alone, their mask, layers, and a before/after picture.

The person comes as they are and not as they were mixed with the background: over it, with their mask, they are the
photo again, but for soft edges: there the photo mixes before the change, layers after it. In a finished composite the
background's colours are taken out of their edge (``iph.masks.clean_edges``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from iph.images.appearance import appearance
from iph.images.photo import Photo
from iph.images.psd import Layer, write_psd
from iph.masks.edges import clean_edges, grown
from iph.pixels import FULL_SCALE, as_uint8, is_grey, resized
from iph.placement import compose_part, paste
from iph.recipe import People, Recipe

CLIENT_SIDE = 1600  # pixels of the longer side of either half
GAP = 12
WIDE = 1.2  # from this aspect on, before lies above after


@dataclass(frozen=True, eq=False)
class Parts:
    """``background`` is the photo below, where somebody was placed; else the composite as it came. ``pasted`` and
    ``harmonized`` (h, w, 3) of its depth are the person before and after, ``mask`` (h, w) float32 their alpha: all of
    the window that begins at ``left``, ``top`` of the photo, outside of which nothing of them is."""

    background: Photo
    pasted: np.ndarray
    harmonized: np.ndarray
    mask: np.ndarray
    left: int
    top: int

    @property
    def person(self) -> Photo:
        """The harmonized person alone, in their place, with alpha; black where nothing of them is."""
        kind = self.harmonized.dtype
        alpha = np.rint(self.mask * FULL_SCALE[kind]).astype(kind)
        pixels = np.where(alpha[..., None] > 0, self.harmonized, 0).astype(kind)
        return Photo(self._whole(pixels), self._whole(alpha), self.background.icc, dpi=self.background.dpi)

    @property
    def whole_mask(self) -> np.ndarray:
        """The mask as large as the photo, (H, W) uint8."""
        return self._whole(as_uint8(self.mask))

    def _whole(self, window: np.ndarray) -> np.ndarray:
        whole = np.zeros((*self.background.pixels.shape[:2], *window.shape[2:]), window.dtype)
        whole[self.top : self.top + window.shape[0], self.left : self.left + window.shape[1]] = window
        return whole


def parts_of(recipe: Recipe, photo: Photo, person: Photo | None = None) -> Parts:
    """The parts of what a recipe of one person makes of the same photos. Raises InputError where one does not fit."""
    if recipe.placement is None:
        before, foreground = recipe.composite(photo, person)
    else:
        cutout, alpha = recipe.cut_out(person)
        cutout = cutout.converted_to(photo.icc)
        before, foreground = paste(photo, cutout, alpha, recipe.placement)
    is_without_colours = is_grey(before.small_appearance()[0])
    mask = before.visible_part(foreground)
    del before  # as large as the photo, and so are its planes
    left, top, width, height = cv2.boundingRect((mask > 0).view(np.uint8))
    window = np.s_[top : top + height, left : left + width]
    if recipe.placement is None:
        around = np.s_[grown(top, height, len(mask)), grown(left, width, mask.shape[1])]
        inside = np.s_[top - around[0].start :, left - around[1].start :]
        pasted = clean_edges(photo.pixels[around], mask[around])[inside][:height, :width]
    else:  # over nothing: what is left is the person
        x0, y0, x1, y1 = recipe.placement.bounds(photo.pixels.shape, alpha.shape)
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(mask.shape[1], x1), min(mask.shape[0], y1)
        nothing, clear = (np.zeros((y1 - y0, x1 - x0, *more), photo.pixels.dtype) for more in ((3,), ()))
        placed, _ = compose_part(nothing, (x0, y0), photo.pixels.shape, cutout.pixels, alpha, recipe.placement, clear)
        pasted = placed[top - y0 : top - y0 + height, left - x0 : left - x0 + width]
    pasted, mask = np.ascontiguousarray(pasted), np.ascontiguousarray(mask[window])
    change = recipe.change.in_grey() if is_without_colours else recipe.change
    return Parts(photo, pasted, change.apply(pasted, mask > 0, photo.icc), mask, left, top)


def parts_of_all(recipe: Recipe, photo: Photo, people: People = None) -> list[Parts]:
    """The parts of everybody in a recipe, the lowest first; arguments as in ``Recipe.replay``."""
    return [parts_of(one, photo, person) for one, person in recipe.each(people)]


def save_layers(everybody: Sequence[Parts], path: str | Path) -> None:
    """Write a PSD of background, person as pasted (hidden) and person harmonized, the persons with their masks; of
    several people one above the other, the lowest first."""
    below = everybody[0].background
    visible = None if below.alpha is None else below.alpha / np.float32(FULL_SCALE[below.alpha.dtype])
    layers = [Layer("Background", below.pixels, visible)]
    for number, parts in enumerate(everybody, 1):
        name, place = f"Person {number}" if len(everybody) > 1 else "Person", (parts.left, parts.top)
        layers.append(Layer(f"{name} as pasted", parts.pasted, parts.mask, *place, visible=False))
        layers.append(Layer(f"{name} harmonized", parts.harmonized, parts.mask, *place))
    write_psd(path, below.pixels.shape[1::-1], layers, below.icc)


def before_and_after(before: Photo, after: Photo) -> Photo:
    """Both in one picture for a screen, 8 bits and sRGB, named: beside each other, or wide ones above each other."""
    halves = [_named(one, word) for one, word in ((before, "Before"), (after, "After"))]
    height, width = halves[0].shape[:2]
    down = width > WIDE * height
    shape = (GAP, width, 3) if down else (height, GAP, 3)
    return Photo(
        np.concatenate([halves[0], np.full(shape, 255, np.uint8), halves[1]], axis=0 if down else 1), format="JPEG"
    )


def _named(photo: Photo, word: str) -> np.ndarray:
    height, width = photo.pixels.shape[:2]
    scale = min(1.0, CLIENT_SIDE / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    seen = as_uint8(resized(appearance(photo.pixels, photo.alpha, photo.icc), size))
    picture = Image.fromarray(np.ascontiguousarray(seen))
    letters = max(10, round(max(size) / 50))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(letters)
    draw.text(
        (letters, letters), word, fill="white", font=font, stroke_width=max(1, letters // 12), stroke_fill="black"
    )
    return np.asarray(picture)


def in_16_bits(photo: Photo) -> Photo:
    """The same photo as numbers of 16 bits, so that what is done to it next is rounded no more coarsely."""
    if photo.pixels.dtype == np.uint16:
        return photo
    alpha = None if photo.alpha is None else photo.alpha * np.uint16(257)
    return replace(photo, pixels=photo.pixels * np.uint16(257), alpha=alpha)
