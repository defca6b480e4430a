"""A composite on its proxy: the open ``iph`` session, its answers, and the pictures a screen shows of it."""

from functools import cached_property

import cv2
import numpy as np

import iph
from demo.studio.suggestions import Suggestion
from demo.studio.uploaded_picture import UploadedPicture
from demo.studio.work.history import Transfer
from demo.studio.work.kept import KEPT, bytes_of
from iph.mapping import ColorMapping
from iph.masks import clean_edges
from iph.placement import Placement, compose, compose_part
from iph.reference import Reference

MODEL = "portrait"
NOT_PASTED = "general"  # for a person who belongs to the photo
SPRITE_SIDE = 512
CLEANED_SIDE = 512  # of a preview; the full size has its own
THUMB_SIDE = 220
PLAIN = Transfer()


class Scene:
    """``pixels`` (h, w, 3) uint8 before any change, in sRGB like all proxies; ``mask`` (h, w) float32. ``clean``: a
    placed person's edge is rid of the colours behind it."""

    def __init__(
        self,
        base: UploadedPicture,
        holder: UploadedPicture,
        foreground: np.ndarray,
        placement: Placement | None,
        clean: bool = False,
    ) -> None:
        self.base, self.holder, self.foreground, self.placement, self.clean = base, holder, foreground, placement, clean
        if placement is None:
            self.pixels, self.mask = base.pixels, foreground
        else:
            self.pixels, self.mask = compose(base.pixels, self._person, foreground, placement, base.alpha)
        self._matched: tuple[np.ndarray, tuple[np.ndarray, np.ndarray]] | None = None
        self._answers: dict[tuple[int, Transfer], tuple[np.ndarray, ColorMapping]] = {}

    def is_of(
        self,
        base: UploadedPicture,
        holder: UploadedPicture,
        foreground: np.ndarray,
        placement: Placement | None,
        clean: bool,
    ) -> bool:
        """Whether it was made of these very things."""
        same = self.base is base and self.holder is holder and self.foreground is foreground
        return same and self.placement is placement and self.clean == clean

    @cached_property
    def _person(self) -> np.ndarray:
        pixels, mask = self.holder.pixels, self.foreground
        if not self.clean:
            return pixels
        return KEPT.get("clean", lambda: clean_edges(pixels, mask, CLEANED_SIDE), bytes_of, pixels, mask)

    def paste(
        self, origin: tuple[int, int], part: np.ndarray, visible: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The person on a part (h, w, 3) of the photo that begins at ``origin`` x, y, with whom else is on it already,
        and their mask there."""
        if self.placement is None:
            x, y = origin
            return part, np.ascontiguousarray(self.mask[y : y + part.shape[0], x : x + part.shape[1]])
        return compose_part(part, origin, self.pixels.shape, self._person, self.foreground, self.placement, visible)

    @cached_property
    def session(self) -> iph.Session:
        visible = self.base.alpha
        if visible is not None and self.placement is not None:
            visible = np.maximum(visible, self.mask)
        return iph.load(MODEL).open(self.pixels, self.mask, alpha=visible)

    def look(
        self, region: np.ndarray, other: UploadedPicture | None = None, transfer: Transfer = PLAIN
    ) -> ColorMapping:
        """The mapping towards a region, of another picture if given; the network is asked once for each."""
        key = id(region), transfer
        if key not in self._answers:
            self._answers[key] = region, self.session.fit_mapping(_reference(region, other), **vars(transfer))
        return self._answers[key][1]

    def matched(self, region: np.ndarray, other: UploadedPicture | None = None) -> tuple[np.ndarray, np.ndarray]:
        """What was matched with what, two overlays (h, w, 4) uint8 as ``Session.matched`` has them; asked for once."""
        if self._matched is None or self._matched[0] is not region:
            self._matched = region, self.session.matched(_reference(region, other))
        return self._matched[1]

    @cached_property
    def crop(self) -> tuple[int, int, int, int]:
        """x, y, width, height of what a change can reach."""
        return cv2.boundingRect((self.mask > 0).astype(np.uint8))

    def patch(self, mapping: ColorMapping | None) -> np.ndarray:
        """The pixels of ``crop``, changed or as they were."""
        x, y, width, height = self.crop
        window = slice(y, y + height), slice(x, x + width)
        pixels = np.ascontiguousarray(self.pixels[window])
        if mapping is not None:
            pixels = mapping.apply(pixels, np.ascontiguousarray(self.mask[window]))
        return pixels

    def gap(self, change: ColorMapping, region: np.ndarray, other: UploadedPicture | None = None) -> float:
        """How much lighter a reference is than the changed person, in L* (0 to 100), the mean of either."""
        x, y, width, height = self.crop
        person = _lightness(self.patch(change), self.mask[y : y + height, x : x + width])
        if other is not None:
            return _lightness(other.pixels, region) - person
        return _lightness(self.pixels, np.minimum(region, 1 - self.mask)) - person

    def sprite(self, mapping: ColorMapping) -> np.ndarray:
        """The changed person alone, RGBA (h, w, 4) uint8, small: what is seen while it is dragged."""
        scale = min(1.0, SPRITE_SIDE / max(self.foreground.shape))
        size = tuple(max(1, round(side * scale)) for side in self.foreground.shape[::-1])
        pixels = cv2.resize(self._person, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(self.foreground, size, interpolation=cv2.INTER_AREA)
        return np.dstack([mapping.apply(pixels), np.rint(alpha * 255).astype(np.uint8)])

    def thumbnail(self, suggestion: Suggestion, other: UploadedPicture | None) -> np.ndarray:
        """The person with a little around, in the look of a suggestion, (h, w, 3) uint8."""
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
        return mapping.apply(pixels, np.clip(mask, 0, 1))  # a mean of ones may exceed one


def _reference(region: np.ndarray, other: UploadedPicture | None) -> Reference:
    return Reference(region) if other is None else Reference(region, image=other.pixels, alpha=other.alpha)


def _lightness(pixels: np.ndarray, share: np.ndarray) -> float:
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return float(np.average(lab[..., 0], weights=share + 1e-6))
