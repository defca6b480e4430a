"""Put a person on a background: the composite that harmonizing starts from.

Plain alpha compositing (Porter & Duff 1984, "over") with colours weighted by alpha, so that what a cut-out hides behind
its transparent pixels never bleeds into its edge.
"""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from iph.errors import InputError
from iph.images.photo import Photo
from iph.pixels import FULL_SCALE

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BORDER = 3  # pixels around a window that is turned
SIZES = 0.02, 20.0  # least and greatest height of a person, in heights of the background


@dataclass(frozen=True)
class Placement:
    """Where the person's picture stands, in shares of the background and so good for any size of either picture.

    x, y: its middle, in widths and heights of the background. height: its height, in heights of the background.
    mirrored: left and right swapped. angle: degrees that it is turned by after that, clockwise, about its middle.
    """

    x: float = 0.5
    y: float = 0.5
    height: float = 1.0
    mirrored: bool = False
    angle: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.mirrored, bool):
            raise InputError(f"expected mirrored to be true or false, got {str(self.mirrored)[:20]!r}")
        numbers = (self.x, self.y, self.height)
        if not all(isinstance(n, int | float) and np.isfinite(n) for n in numbers) or not all(
            -20 <= n <= 20 for n in numbers[:2]
        ):
            raise InputError(f"expected a place x, y and a height as shares of the background, got {numbers}")
        if not SIZES[0] <= self.height <= SIZES[1]:
            raise InputError(f"expected a height of {SIZES[0]} to {SIZES[1]:g} backgrounds, got {self.height:g}")
        if not isinstance(self.angle, int | float) or isinstance(self.angle, bool) or not -180 <= self.angle <= 180:
            raise InputError(f"expected an angle of -180 to 180 degrees, got {str(self.angle)[:20]}")

    def to_dict(self) -> dict:
        """Plain numbers, for JSON."""
        return asdict(self)

    def box(self, background: tuple[int, ...], person: tuple[int, ...]) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 in pixels of the background, of pictures with these shapes (H, W, ...), before it is turned;
        may lie outside."""
        height = max(1, round(self.height * background[0]))
        width = max(1, round(height * person[1] / person[0]))
        x0, y0 = round(self.x * background[1] - width / 2), round(self.y * background[0] - height / 2)
        return x0, y0, x0 + width, y0 + height

    def bounds(self, background: tuple[int, ...], person: tuple[int, ...]) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 around all of the picture as it is turned; as in ``box``."""
        x0, y0, x1, y1 = self.box(background, person)
        if not self.angle:
            return x0, y0, x1, y1
        middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        reach = np.abs(self.turn) @ (x1 - x0, y1 - y0) / 2 + 1
        return *np.floor(middle - reach).astype(int).tolist(), *np.ceil(middle + reach).astype(int).tolist()

    def matrix(self, background: tuple[int, ...], person: tuple[int, ...]) -> np.ndarray:
        """The transform (2, 3) from places x, y in the person's picture to those in the background, in pixels, whose
        edges are whole numbers; shapes as in ``box``."""
        x0, y0, x1, y1 = self.box(background, person)
        across, down = (x1 - x0) / person[1], (y1 - y0) / person[0]
        turn = self.turn
        linear = turn @ np.diag([-across if self.mirrored else across, down])
        middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        return np.column_stack([linear, middle - linear @ (person[1] / 2, person[0] / 2)])

    @property
    def turn(self) -> np.ndarray:
        """The rotation (2, 2) by ``angle``; y goes down, so that a positive one is clockwise."""
        cos, sin = np.cos(np.deg2rad(self.angle)), np.sin(np.deg2rad(self.angle))
        return np.array([[cos, -sin], [sin, cos]])

    def points(self, background: tuple[int, ...], person: tuple[int, ...], places: np.ndarray) -> np.ndarray:
        """Where places (K, 2), x and y in the person's picture, lie on the background, (K, 2); as in ``matrix``."""
        matrix = self.matrix(background, person)
        return places @ matrix[:, :2].T + matrix[:, 2]

    def shows(self, background: tuple[int, ...], alpha: np.ndarray) -> bool:
        """Whether at least half of whom ``alpha`` (h, w) float32 shows, by the box around them, lies on a background of
        that shape."""
        left, top, width, height = cv2.boundingRect((alpha >= 0.5).astype(np.uint8))
        box = np.array([(left, top), (left + width, top), (left + width, top + height), (left, top + height)], float)
        placed = self.points(background, alpha.shape, box).astype(np.float32)
        rows, columns = background[:2]
        whole = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
        return bool(cv2.intersectConvexConvex(whole, placed)[0] >= 0.5 * cv2.contourArea(placed) > 0)


def compose(
    background: np.ndarray,
    person: np.ndarray,
    alpha: np.ndarray,
    placement: Placement,
    visible: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The person on the background: a composite of the background's shape and dtype, and its mask.

    background (H, W, 3) and person (h, w, 3), each uint8, uint16 or float32 in [0, 1]; alpha (h, w) float32 in [0, 1].
    visible: (H, W) of any of these dtypes, the background's own alpha, None where it is opaque.
    Returns the composite, untouched where the mask is 0, and the mask (H, W) float32 in [0, 1].
    Raises InputError if no part of the person would be seen.
    """
    composite, mask = compose_part(background, (0, 0), background.shape, person, alpha, placement, visible)
    if not (mask >= 0.5).any():
        raise InputError("the person was placed outside the background: some of it was expected to be seen")
    return composite, mask


def compose_part(
    part: np.ndarray,
    origin: tuple[int, int],
    background: tuple[int, ...],
    person: np.ndarray,
    alpha: np.ndarray,
    placement: Placement,
    visible: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """What ``compose`` gives of one part (h, w, 3) of a background of shape (H, W, ...), without making the rest.

    origin: x, y of the part in the background; visible: (h, w), the part's own alpha. Returns composite and mask of
    the part, where nobody may be.
    """
    return lay_over(placed_part(part.shape, origin, background, person, alpha, placement), part, visible)


def placed_part(
    part: tuple[int, ...],
    origin: tuple[int, int],
    background: tuple[int, ...],
    person: np.ndarray,
    alpha: np.ndarray,
    placement: Placement,
) -> tuple[int, int, np.ndarray] | None:
    """The person alone as they lie on a part of shape (h, w, ...), for ``lay_over``; arguments as in ``compose_part``.

    x, y in the part, and what lies from there on: (h, w, 4) float32, colours in [0, 1] times alpha, and alpha. None
    where nothing of them does.
    """
    x0, y0, x1, y1 = placement.box(background, person.shape)
    size, middle = (x1 - x0, y1 - y0), ((x0 + x1) / 2 - origin[0], (y0 + y1) / 2 - origin[1])
    x0, y0, x1, y1 = placement.bounds(background, person.shape)
    x0, y0, x1, y1 = x0 - origin[0], y0 - origin[1], x1 - origin[0], y1 - origin[1]
    left, top, right, bottom = max(0, x0), max(0, y0), min(part[1], x1), min(part[0], y1)
    if right <= left or bottom <= top:
        return None
    if placement.angle:
        layer = _turned(person, alpha, size, middle, (left, top, right - left, bottom - top), placement)
    else:
        layer = _scaled(person, alpha, size, (left - x0, top - y0, right - left, bottom - top), placement.mirrored)
    return left, top, layer


def lay_over(
    placed: tuple[int, int, np.ndarray] | None, part: np.ndarray, visible: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A part (h, w, 3) with what ``placed_part`` gave on it, and that one's mask; arguments as in ``compose_part``."""
    composite, mask = part.copy(), np.zeros(part.shape[:2], np.float32)
    if placed is None:
        return composite, mask
    left, top, layer = placed
    window = np.s_[top : top + layer.shape[0], left : left + layer.shape[1]]
    cover = layer[..., 3]
    mask[window] = cover
    scale = FULL_SCALE[part.dtype]
    under, behind = part[window], 1 - cover[..., None]
    if visible is not None:  # "over" with both alphas, and the colour that is left without them
        behind = behind * (visible[window][..., None] / np.float32(FULL_SCALE[visible.dtype]))
    mixed = under * behind + layer[..., :3] * np.float32(scale)
    if visible is not None:
        mixed /= np.maximum(behind + cover[..., None], 1e-6)
    if part.dtype.kind == "u":
        mixed = np.rint(mixed)
    np.copyto(composite[window], np.clip(mixed, 0, scale).astype(part.dtype), where=cover[..., None] > 0)
    return composite, mask


def paste(photo: Photo, person: Photo, alpha: np.ndarray, placement: Placement) -> tuple[Photo, np.ndarray]:
    """A photo with a person on it, and the person's mask; arguments as in ``compose``. The person is visible where the
    photo was not."""
    person = person.converted_to(photo.icc)
    pixels, mask = compose(photo.pixels, person.pixels, alpha, placement, photo.alpha)
    if photo.alpha is None:
        return photo.with_pixels(pixels), mask
    full = np.iinfo(photo.alpha.dtype).max
    both = photo.alpha + mask * (full - photo.alpha)
    return replace(photo, pixels=pixels, alpha=np.rint(both).astype(photo.alpha.dtype)), mask


def _scaled(
    person: np.ndarray, alpha: np.ndarray, size: tuple[int, int], seen: tuple[int, int, int, int], mirrored: bool
) -> np.ndarray:
    """The window ``seen`` (x, y, width, height) of the person at ``size`` (width, height), as (h, w, 4) float32:
    colours in [0, 1] times alpha, and alpha."""
    x, y, w, h = seen
    layer, (x0, y0), ratio = _source(person, alpha, size, seen, mirrored)
    shrinks = max(ratio) < 1
    if shrinks and layer.shape[:2] == person.shape[:2] and (x, y, w, h) == (0, 0, *size):
        layer = cv2.resize(layer, size, interpolation=cv2.INTER_AREA)
    elif shrinks:
        layer = _averaged(layer, (x0, y0), ratio, seen)
    else:
        # A pixel centre u of the window lies at (u + x + 0.5) / ratio - 0.5 of the source:
        start = [(o + 0.5) / ratio[i] - (x0, y0)[i] - 0.5 for i, o in enumerate((x, y))]
        matrix = np.array([[1 / ratio[0], 0, start[0]], [0, 1 / ratio[1], start[1]]])
        way = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        layer = cv2.warpAffine(layer, matrix, (w, h), flags=way, borderMode=cv2.BORDER_REPLICATE)
    return _in_range(layer)


def _turned(
    person: np.ndarray,
    alpha: np.ndarray,
    size: tuple[int, int],
    middle: tuple[float, float],
    seen: tuple[int, int, int, int],
    placement: Placement,
) -> np.ndarray:
    """The window ``seen`` (x, y, width, height) of what lies around ``middle``, the person at ``size`` (width, height)
    and turned, as ``_scaled`` gives it. Enlarged and turned at once; made smaller first, by means over areas."""
    x, y, w, h = seen
    back = placement.turn.T
    corners = np.array([(x, y), (x + w, y), (x, y + h), (x + w, y + h)], float) - middle
    placed = corners @ back.T + np.array(size) / 2  # in the picture at that size, before it was turned
    low = np.clip(np.floor(placed.min(0)).astype(int) - BORDER, 0, np.array(size) - 1)
    high = np.clip(np.ceil(placed.max(0)).astype(int) + BORDER, low + 1, size)
    needed = (*low, *(high - low))
    if max(size[0] / person.shape[1], size[1] / person.shape[0]) < 1:
        layer, start, ratio = _scaled(person, alpha, size, needed, placement.mirrored), low, (1.0, 1.0)
    else:
        layer, start, ratio = _source(person, alpha, size, needed, placement.mirrored)
    # A pixel centre u of the window lies at (back (u + seen + 0.5 - middle) + size / 2) / ratio - 0.5 of the source:
    shrink = np.diag(1 / np.array(ratio))
    offset = shrink @ (back @ (np.array([x, y]) + 0.5 - middle) + np.array(size) / 2) - start - 0.5
    matrix = np.column_stack([shrink @ back, offset])
    way = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return _in_range(cv2.warpAffine(layer, matrix, (w, h), flags=way, borderMode=cv2.BORDER_CONSTANT))


def _source(
    person: np.ndarray, alpha: np.ndarray, size: tuple[int, int], seen: tuple[int, int, int, int], mirrored: bool
) -> tuple[np.ndarray, tuple[int, int], tuple[float, float]]:
    """The part of the person's picture that a window of it at ``size`` needs, with a border for the interpolation, as
    (h, w, 4) float32: colours times alpha, and alpha; where it begins; and shown pixels by pixel."""
    if alpha.shape != person.shape[:2]:
        raise InputError(f"expected one alpha a pixel of the person, got {alpha.shape} for {person.shape[:2]}")
    if mirrored:
        person, alpha = person[:, ::-1], alpha[:, ::-1]
    x, y, w, h = seen
    ratio = size[0] / person.shape[1], size[1] / person.shape[0]
    border = [1 if max(ratio) < 1 else int(np.ceil(2 + 1 / r)) for r in ratio]
    x0, y0 = max(0, int(x / ratio[0]) - border[0]), max(0, int(y / ratio[1]) - border[1])
    x1, y1 = int(np.ceil((x + w) / ratio[0])) + border[0], int(np.ceil((y + h) / ratio[1])) + border[1]
    colors, cover = person[y0:y1, x0:x1], alpha[y0:y1, x0:x1].astype(np.float32)
    layer = np.empty((*cover.shape, 4), np.float32)
    np.multiply(colors, (cover / np.float32(FULL_SCALE[person.dtype]))[..., None], out=layer[..., :3])
    layer[..., 3] = cover
    return layer, (x0, y0), ratio


def _in_range(layer: np.ndarray) -> np.ndarray:
    """A layer as made by a cubic, whose overshoot may not outshine its alpha."""
    np.clip(layer, 0, 1, out=layer)
    np.minimum(layer[..., :3], layer[..., 3:], out=layer[..., :3])
    return layer


def _averaged(
    layer: np.ndarray, origin: tuple[int, int], ratio: tuple[float, float], seen: tuple[int, int, int, int]
) -> np.ndarray:
    """A window of the mean over areas that OpenCV's INTER_AREA makes of a whole picture, the same wherever it begins.

    layer: the part (h, w, 4) of the picture that begins at ``origin`` x, y; ratio: shown pixels by pixel.
    """
    x, y, w, h = seen
    rows = _shares(layer.shape[0], origin[1], ratio[1], y, h) @ layer.reshape(layer.shape[0], -1)
    across = rows.reshape(h, layer.shape[1], 4).transpose(1, 0, 2).reshape(layer.shape[1], -1)
    columns = _shares(layer.shape[1], origin[0], ratio[0], x, w) @ across
    return np.ascontiguousarray(columns.reshape(w, h, 4).transpose(1, 0, 2))


def _shares(pixels: int, first: int, ratio: float, start: int, count: int) -> "csr_array":
    """How much of each of ``count`` pixels shown, from ``start`` on, is of each of ``pixels`` from ``first`` on."""
    from scipy.sparse import csr_array  # a fifth of a second, which nobody waits for who pastes nothing

    ends = np.arange(start, start + count + 1) / ratio - first
    width = int(np.ceil(1 / ratio)) + 1
    index = np.floor(ends[:-1, None] + 1e-9).astype(int) + np.arange(width)
    share = np.minimum(ends[1:, None], index + 1) - np.maximum(ends[:-1, None], index)
    share[(share < 1e-6) | (index < 0) | (index >= pixels)] = 0
    share /= share.sum(1, keepdims=True)
    rows = np.repeat(np.arange(count), width)
    wanted = share.ravel() > 0
    return csr_array(
        (share.ravel()[wanted].astype(np.float32), (rows[wanted], index.ravel()[wanted])), shape=(count, pixels)
    )
