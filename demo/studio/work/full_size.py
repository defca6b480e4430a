"""True pixels: a window of what would be saved, cut from the originals, never a proxy enlarged.

The window is composed and harmonized by itself, so it costs what is seen and not what the photo measures. Shown smaller
than it is, it is made from originals that were halved until they are at most twice as large as needed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from demo.studio.project import Project
from demo.studio.served_pictures import QUICKLY
from demo.studio.uploaded_picture import BEHIND, UploadedPicture
from demo.studio.work.history import Choices
from demo.studio.work.kept import KEPT, bytes_of
from demo.studio.work.stack import Paste, cover, laid
from iph.errors import InputError
from iph.images.appearance import appearance, without_hidden
from iph.images.color_profile import convert
from iph.masks import clean_edges, from_alpha, marks_from_photo
from iph.masks.forms import as_unit
from iph.masks.refine import at_full_size
from iph.pixels import as_uint8, resized
from iph.placement import lay_over, placed_part

MOST_SIDE = 2560  # pixels of an answer: a window on a large screen
VIEWS = ("photo", "person", "other")


@dataclass(frozen=True)
class Window:
    """x, y, width, height in pixels of the original, and the width it is wanted at, at most its own."""

    x: int
    y: int
    width: int
    height: int
    wanted: int

    def checked(self, size: tuple[int, int]) -> "Window":
        """Itself, where it lies in a picture of that width and height and is not too large. Raises InputError."""
        inside = self.x >= 0 <= self.y and self.x + self.width <= size[0] and self.y + self.height <= size[1]
        if not inside or self.width < 1 or self.height < 1:
            raise InputError(f"expected a window inside the picture of {size[0]} x {size[1]}, got one beside it")
        if not 1 <= self.wanted <= min(self.width, MOST_SIDE) or self.height * self.scale > MOST_SIDE:
            raise InputError(f"expected a window shown at no more than its own size and {MOST_SIDE} pixels a side")
        return self

    @property
    def scale(self) -> float:
        """Shown pixels by pixel."""
        return self.wanted / self.width


def crop(project: Project, view: str, window: Window) -> list[np.ndarray]:
    """A window as pictures (h, w, 3) uint8 in sRGB. view: "photo" gives it as it was, how far the active person covers
    it, and then as ``SeenWork.renderings`` lists it; "person" and "other" the picture of that name. Raises
    InputError."""
    picture = {"photo": project.base, "person": project.holder}.get(view, project.pictures.get(view))
    if picture is None:
        raise InputError("expected a picture to look at closely, got none")
    window.checked(picture.size)
    icc = picture.photo().icc
    part, visible = _part(picture, window, _pixels), None
    if picture.alpha is not None:
        visible = _part(picture, window, _alpha)
    pictures, mask = [part], None
    if view == "photo" and project.mapping is not None:
        pictures, visible, mask = _stacked(project, part, visible, window, icc)
    shown = [as_uint8(appearance(one, None, icc)) for one in pictures]
    if mask is not None:
        shown.insert(1, np.repeat(as_uint8(mask)[..., None], 3, 2))
    if visible is not None:
        shown = [np.where(visible[..., None] > 0, one, np.uint8(BEHIND)) for one in shown]
    return shown


def _stacked(
    project: Project, part: np.ndarray, visible: np.ndarray | None, window: Window, icc: bytes | None
) -> tuple[list[np.ndarray], np.ndarray | None, np.ndarray | None]:
    """The window with everybody on it as ``crop`` lists it, how far it is visible, and how far the active person is
    seen; None where they are hidden."""
    people = project.shown
    pastes, known = [_paste(project, person, window, part.shape) for person in people], {}
    listed, active = project.renderings(people), project.choices
    made = [laid(part, visible, pastes, changes, icc, known) for changes in listed]
    _, visible, masks = made[0] if made else (None, visible, [])
    seen = cover(masks, people.index(active)) if active.shown else None
    return [one[0] for one in made] or [part], visible, seen


def _paste(project: Project, person: Choices, window: Window, shape: tuple[int, ...]) -> Paste:
    """One person on the window, of that shape, before any change, as ``Recipe.composite`` has them."""
    base, holder, placement = project.base, project.holder_of(person), person.placement
    if placement is None:
        mask = _mask(project, person, 0)[window.y : window.y + window.height, window.x : window.x + window.width]
        mask = np.ascontiguousarray(resized(mask, shape[:2]))
        return lambda part, visible: (part, mask)
    whole = round(base.size[1] * window.scale), round(base.size[0] * window.scale)
    origin = round(window.x * window.scale), round(window.y * window.scale)
    # At its own size a window has the very means that would be saved; smaller, those of a halved person will do.
    halvings = _halvings(placement.height * whole[0] / holder.size[1]) if window.scale < 1 else 0
    pixels, mask = _pixels(holder, halvings), _mask(project, person, halvings)
    if person.edge.clean:
        dirty = pixels
        pixels = KEPT.get(f"clean {halvings}", lambda: clean_edges(dirty, mask), bytes_of, holder, mask)
    own, icc = holder.photo().icc, base.photo().icc
    if own != icc:
        other = pixels
        pixels = KEPT.get("converted", lambda: convert(other, own, icc), bytes_of, base, other)
    return partial(lay_over, placed_part(shape, origin, whole, pixels, mask, placement))


def _part(picture: UploadedPicture, window: Window, plane: Callable[[UploadedPicture, int], np.ndarray]) -> np.ndarray:
    """The window of a plane of a picture at the size it is wanted, in its own depth."""
    halvings = _halvings(window.scale)
    pixels, (width, height) = plane(picture, halvings), picture.size
    ratio = pixels.shape[0] / height, pixels.shape[1] / width  # 1 where nothing was halved
    top, left = round(window.y * ratio[0]), round(window.x * ratio[1])
    bottom = max(top + 1, round((window.y + window.height) * ratio[0]))
    right = max(left + 1, round((window.x + window.width) * ratio[1]))
    wanted = max(1, round(window.height * window.scale)), window.wanted
    return np.ascontiguousarray(resized(pixels[top:bottom, left:right], wanted))


def _halvings(scale: float) -> int:
    """How often a picture may be halved before it is shown at that scale."""
    return max(0, int(np.floor(-np.log2(max(scale, 1e-6))))) if scale < 1 else 0


def _pixels(picture: UploadedPicture, times: int) -> np.ndarray:
    """The original's pixels in its own numbers, halved so often; what is hidden has no part in a mean."""
    photo = picture.photo()
    if not times:
        return photo.pixels
    first = partial(without_hidden, photo.pixels, photo.alpha) if times == 1 else partial(_pixels, picture, times - 1)
    return KEPT.get(f"pixels {times}", lambda: _half(first()), bytes_of, picture)


def _alpha(picture: UploadedPicture, times: int) -> np.ndarray:
    """The original's alpha, (h, w) float32 in [0, 1], halved so often."""
    if not times:
        return KEPT.get("alpha", lambda: as_unit(picture.photo().alpha, "alpha channel"), bytes_of, picture)
    return KEPT.get(f"alpha {times}", lambda: _half(_alpha(picture, times - 1)), bytes_of, picture)


def _half(plane: np.ndarray) -> np.ndarray:
    return resized(plane, tuple(max(1, side // 2) for side in plane.shape[:2]))


def _mask(project: Project, now: Choices, times: int) -> np.ndarray:
    """A person's mask at the size of its original, halved so often."""
    holder = project.holder_of(now)
    pixels = _pixels(holder, times)
    if now.found:
        source, make = now.foreground, lambda: now.foreground
    elif "mask" in project.work.pictures:
        source = project.work.pictures["mask"]
        make = lambda: marks_from_photo(source.photo(), holder.size[::-1])[0]  # noqa: E731
    else:
        source, make = holder, lambda: from_alpha(holder.photo().alpha)

    def adjusted() -> np.ndarray:
        mask = at_full_size(pixels, make())
        moved = now.edge.apply(mask, 0.5**times)
        if moved is not mask and holder.alpha is not None:
            moved = np.minimum(moved, _alpha(holder, times))
        return moved

    return KEPT.get(f"mask {times}", adjusted, bytes_of, source, now.edge)


def to_png(pictures: list[np.ndarray]) -> bytes:
    """Pictures of one size, one below the other, as a PNG file."""
    stacked = cv2.cvtColor(np.vstack(pictures), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", stacked, QUICKLY)[1].tobytes()
