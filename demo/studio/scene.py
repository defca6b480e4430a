"""A composite on its proxy: the open ``iph`` session, its answers, and the pictures a screen shows of it."""

from functools import cached_property

import cv2
import numpy as np

import iph
from demo.studio.suggestions import Suggestion
from demo.studio.uploaded_picture import UploadedPicture
from iph.images.color_profile import convert
from iph.mapping import ColorMapping
from iph.placement import Placement, compose

MODEL = "portrait"
SPRITE_SIDE = 512
THUMB_SIDE = 220


class Scene:
    """``pixels`` (h, w, 3) uint8 before any change, in the profile of ``base``; ``mask`` (h, w) float32."""

    def __init__(
        self, base: UploadedPicture, holder: UploadedPicture, foreground: np.ndarray, placement: Placement | None
    ) -> None:
        self.base, self.holder, self.foreground, self.placement = base, holder, foreground, placement
        if placement is None:
            self.pixels, self.mask = base.pixels, foreground
        else:
            self.pixels, self.mask = compose(base.pixels, self._person, foreground, placement)
        self._answers: dict[int, tuple[np.ndarray, ColorMapping]] = {}

    @cached_property
    def _person(self) -> np.ndarray:
        return _in_profile(self.holder, self.base)

    @cached_property
    def session(self) -> iph.Session:
        return iph.load(MODEL).open(self.pixels, self.mask)

    def look(self, region: np.ndarray, other: UploadedPicture | None = None) -> ColorMapping:
        """The mapping towards a region, of another picture if given; the network is asked once a region."""
        if id(region) not in self._answers:
            picture = None if other is None else _in_profile(other, self.base)
            self._answers[id(region)] = region, self.session.fit_mapping(region, reference_image=picture)
        return self._answers[id(region)][1]

    @cached_property
    def crop(self) -> tuple[int, int, int, int]:
        """x, y, width, height of what a change can reach."""
        return cv2.boundingRect((self.mask > 0).astype(np.uint8))

    def patch(self, mapping: ColorMapping | None) -> np.ndarray:
        """The pixels of ``crop``, changed or as they were, in sRGB."""
        x, y, width, height = self.crop
        window = slice(y, y + height), slice(x, x + width)
        pixels = np.ascontiguousarray(self.pixels[window])
        if mapping is not None:
            pixels = mapping.apply(pixels, np.ascontiguousarray(self.mask[window]))
        return self.base.on_screen(pixels)

    def sprite(self, mapping: ColorMapping) -> np.ndarray:
        """The changed person alone, RGBA (h, w, 4) uint8 in sRGB, small: what is seen while it is dragged."""
        scale = min(1.0, SPRITE_SIDE / max(self.foreground.shape))
        size = tuple(max(1, round(side * scale)) for side in self.foreground.shape[::-1])
        pixels = cv2.resize(self._person, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(self.foreground, size, interpolation=cv2.INTER_AREA)
        pixels = self.base.on_screen(mapping.apply(pixels))
        return np.dstack([pixels, np.rint(alpha * 255).astype(np.uint8)])

    def thumbnail(self, suggestion: Suggestion, other: UploadedPicture | None) -> np.ndarray:
        """The person with a little around, in the look of a suggestion, (h, w, 3) uint8 in sRGB."""
        mapping = self.look(suggestion.region, other)
        x, y, width, height = cv2.boundingRect((self.mask >= 0.5).astype(np.uint8))
        side = min(max(width, height) * 1.15, *self.mask.shape)
        rows, columns = self.mask.shape
        top = int(np.clip(y - 0.05 * side, 0, rows - side))  # the head matters more than the feet
        left = int(np.clip(x + width / 2 - side / 2, 0, columns - side))
        window = slice(top, top + int(side)), slice(left, left + int(side))
        size = (THUMB_SIDE, THUMB_SIDE)
        way = cv2.INTER_AREA if side > THUMB_SIDE else cv2.INTER_LINEAR
        pixels, mask = (cv2.resize(plane[window], size, interpolation=way) for plane in (self.pixels, self.mask))
        return self.base.on_screen(mapping.apply(pixels, np.clip(mask, 0, 1)))  # a mean of ones may exceed one


def _in_profile(picture: UploadedPicture, base: UploadedPicture) -> np.ndarray:
    """A picture's proxy as numbers of another's RGB profile."""
    return picture.pixels if picture.icc == base.icc else convert(picture.pixels, picture.icc, base.icc)
