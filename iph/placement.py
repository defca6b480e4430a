"""Put a person on a background: the composite that harmonizing starts from.

Plain alpha compositing (Porter & Duff 1984, "over") with colours weighted by alpha, so that what a cut-out hides behind
its transparent pixels never bleeds into its edge.
"""

from dataclasses import asdict, dataclass

import cv2
import numpy as np

from iph.errors import InputError
from iph.pixels import FULL_SCALE

SIZES = 0.02, 20.0  # least and greatest height of a person, in heights of the background


@dataclass(frozen=True)
class Placement:
    """Where the person's picture stands, in shares of the background and so good for any size of either picture.

    x, y: its middle, in widths and heights of the background. height: its height, in heights of the background.
    mirrored: left and right swapped.
    """

    x: float = 0.5
    y: float = 0.5
    height: float = 1.0
    mirrored: bool = False

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.height)
        if not all(isinstance(n, int | float) and np.isfinite(n) for n in numbers) or not all(
            -20 <= n <= 20 for n in numbers[:2]
        ):
            raise InputError(f"expected a place x, y and a height as shares of the background, got {numbers}")
        if not SIZES[0] <= self.height <= SIZES[1]:
            raise InputError(f"expected a height of {SIZES[0]} to {SIZES[1]:g} backgrounds, got {self.height:g}")

    def to_dict(self) -> dict:
        """Plain numbers, for JSON."""
        return asdict(self)

    def box(self, background: tuple[int, ...], person: tuple[int, ...]) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 in pixels of the background, of pictures with these shapes (H, W, ...); may lie outside."""
        height = max(1, round(self.height * background[0]))
        width = max(1, round(height * person[1] / person[0]))
        x0, y0 = round(self.x * background[1] - width / 2), round(self.y * background[0] - height / 2)
        return x0, y0, x0 + width, y0 + height


def compose(
    background: np.ndarray, person: np.ndarray, alpha: np.ndarray, placement: Placement
) -> tuple[np.ndarray, np.ndarray]:
    """The person on the background: a composite of the background's shape and dtype, and its mask.

    background (H, W, 3) and person (h, w, 3), each uint8, uint16 or float32 in [0, 1]; alpha (h, w) float32 in [0, 1].
    Returns the composite, untouched where the mask is 0, and the mask (H, W) float32 in [0, 1].
    Raises InputError if no part of the person would be seen.
    """
    height, width = background.shape[:2]
    x0, y0, x1, y1 = placement.box(background.shape, person.shape)
    left, top, right, bottom = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
    if right <= left or bottom <= top:
        raise InputError("the person was placed outside the background: some of it was expected to be seen")
    seen = (left - x0, top - y0, right - left, bottom - top)
    layer = _scaled(person, alpha, (x1 - x0, y1 - y0), seen, placement.mirrored)
    cover = layer[..., 3]
    if not (cover >= 0.5).any():
        raise InputError("the person was placed outside the background: some of it was expected to be seen")
    mask = np.zeros((height, width), np.float32)
    mask[top:bottom, left:right] = cover
    scale = FULL_SCALE[background.dtype]
    part = background[top:bottom, left:right]
    mixed = part * (1 - cover[..., None]) + layer[..., :3] * np.float32(scale)
    if background.dtype.kind == "u":
        mixed = np.rint(mixed)
    composite = background.copy()
    np.copyto(
        composite[top:bottom, left:right], np.clip(mixed, 0, scale).astype(background.dtype), where=cover[..., None] > 0
    )
    return composite, mask


def _scaled(
    person: np.ndarray, alpha: np.ndarray, size: tuple[int, int], seen: tuple[int, int, int, int], mirrored: bool
) -> np.ndarray:
    """The window ``seen`` (x, y, width, height) of the person at ``size`` (width, height), as (h, w, 4) float32:
    colours in [0, 1] times alpha, and alpha."""
    if alpha.shape != person.shape[:2]:
        raise InputError(f"expected one alpha a pixel of the person, got {alpha.shape} for {person.shape[:2]}")
    if mirrored:
        person, alpha = person[:, ::-1], alpha[:, ::-1]
    x, y, w, h = seen
    ratio = size[0] / person.shape[1], size[1] / person.shape[0]
    # The part of the source that the window shows, with a border for the interpolation.
    border = [int(np.ceil(2 + 1 / r)) for r in ratio]
    x0, y0 = max(0, int(x / ratio[0]) - border[0]), max(0, int(y / ratio[1]) - border[1])
    x1, y1 = int(np.ceil((x + w) / ratio[0])) + border[0], int(np.ceil((y + h) / ratio[1])) + border[1]
    colors, cover = person[y0:y1, x0:x1], alpha[y0:y1, x0:x1].astype(np.float32)
    layer = np.dstack([colors * (cover / np.float32(FULL_SCALE[person.dtype]))[..., None], cover])
    # Shrinking averages pixels first, so that no detail aliases; the rest is a fraction of a pixel.
    if max(ratio) < 1:
        shrunk = max(1, round(layer.shape[1] * ratio[0])), max(1, round(layer.shape[0] * ratio[1]))
        kept = shrunk[0] / layer.shape[1], shrunk[1] / layer.shape[0]
        layer = cv2.resize(layer, shrunk, interpolation=cv2.INTER_AREA)
    else:
        kept = (1.0, 1.0)
    # A pixel centre u of the window lies at (u + x + 0.5) / ratio - 0.5 of the source, and so of the layer:
    step = [kept[i] / ratio[i] for i in (0, 1)]
    start = [((o + 0.5) / ratio[i] - (x0, y0)[i]) * kept[i] - 0.5 for i, o in enumerate((x, y))]
    matrix = np.array([[step[0], 0, start[0]], [0, step[1], start[1]]])
    way = cv2.INTER_LINEAR if max(ratio) < 1 else cv2.INTER_CUBIC
    layer = cv2.warpAffine(layer, matrix, (w, h), flags=way | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    np.clip(layer, 0, 1, out=layer)
    np.minimum(layer[..., :3], layer[..., 3:], out=layer[..., :3])  # cubic overshoot may not outshine its alpha
    return layer
