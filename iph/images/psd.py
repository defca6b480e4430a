"""A layered PSD file, as Photoshop, Affinity and GIMP open it: written by psd-tools, in the depth of the pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from iph.errors import InputError
from iph.files import check_writable, replacing
from iph.pixels import as_uint8

MOST_SIDE = 30_000  # of the format
PROFILE = 1039  # the resource that holds the ICC profile
BAND = 256  # rows that are composed at once


@dataclass(frozen=True, eq=False)
class Layer:
    """``pixels`` (h, w, 3) uint8 or uint16 at ``left``, ``top`` of the picture; ``mask`` (h, w) float32 in [0, 1] stays
    a mask that can be painted on, None for all of it."""

    name: str
    pixels: np.ndarray
    mask: np.ndarray | None = None
    left: int = 0
    top: int = 0
    visible: bool = True


def write_psd(path: str | Path, size: tuple[int, int], layers: Sequence[Layer], icc: bytes | None = None) -> None:
    """Write layers, the lowest first, into a picture of that width and height, all of one depth.

    icc: the RGB profile of their numbers, None for sRGB. Raises InputError for what a PSD cannot hold.
    """
    from psd_tools import PSDImage  # some tenths of a second, and only here
    from psd_tools.constants import ColorMode, Resource
    from psd_tools.psd import PSD
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_resources import ImageResource

    if max(size) > MOST_SIDE:
        raise InputError(f"expected at most {MOST_SIDE} pixels a side for a PSD file, got {size[0]} x {size[1]}")
    check_writable(path)
    kind = layers[0].pixels.dtype
    header = FileHeader(
        channels=3, width=size[0], height=size[1], depth=8 * kind.itemsize, color_mode=ColorMode.RGB, version=1
    )
    record = PSD(header)
    document = PSDImage(record)
    merged = np.zeros((3, size[1], size[0]), kind)
    for layer in layers:
        mask = None if layer.mask is None else as_uint8(layer.mask)
        place = {"top": layer.top, "left": layer.left}
        if kind == np.uint8:  # from an array they go by way of floats, four times as large
            made = document.create_pixel_layer(Image.fromarray(layer.pixels), name=layer.name, **place)
        else:
            made = document.create_pixel_layer_from_array(layer.pixels, name=layer.name, **place)
        if mask is not None:
            made.create_mask(Image.fromarray(mask), **place)
        made.visible = layer.visible
        if layer.visible:
            _lay_over(merged, layer, mask)
    if icc is not None:
        record.image_resources[Resource.ICC_PROFILE] = ImageResource(key=PROFILE, data=icc)
    # The picture for readers without layers. ``document.save`` would compose it of planes of floats: 3 GB at 24 MP.
    record.image_data.set_data([plane.astype(kind.newbyteorder(">")).tobytes() for plane in merged], header)
    del merged
    with replacing(path) as temporary, open(temporary, "wb") as file:
        record.write(file)


def _lay_over(merged: np.ndarray, layer: Layer, mask: np.ndarray | None) -> None:
    """Compose a layer onto planes (3, H, W), some rows at a time; mask: as it is stored, (h, w) uint8."""
    height, width = layer.pixels.shape[:2]
    for y in range(0, height, BAND):
        rows = slice(y, min(y + BAND, height))
        part = np.moveaxis(layer.pixels[rows], 2, 0)  # (h, w, 3) -> (3, h, w)
        below = merged[:, layer.top + rows.start : layer.top + rows.stop, layer.left : layer.left + width]
        if mask is None:
            below[...] = part
        else:
            share = mask[rows].astype(np.float32) / 255
            below[...] = np.rint(below + share * (part.astype(np.float32) - below))
