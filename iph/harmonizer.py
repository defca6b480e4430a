"""Harmonize a photo: load a network, open a composite once, try references often (paper Sec. 4).

The network sees a small picture. What it did there is fitted with a colour mapping, and the mapping is applied to the
photo at its own size, inside the foreground only.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from iph.checkpoint import load_network
from iph.errors import InputError
from iph.mapping import FULL_SCALE, ColorMapping
from iph.masks.forms import as_mask
from iph.network import Network, StyleEncoder
from iph.reference import Reference, References, as_picture, as_references

WORKING_SIZE = 128  # the network's square input; a colour change needs no more
SMALL_SHARE = 0.02  # a region below this share of its picture is looked at from nearer
MARGIN = 1.6  # side of the nearer view, in sides of the region's box


@dataclass(frozen=True, eq=False)
class Result:
    """A harmonized photo: ``image`` has the input's shape and dtype, and its very pixels outside the foreground.

    ``mapping`` is the colour change that was applied: ``.apply(image)``, ``.save_cube("look.cube")``.
    """

    image: np.ndarray
    mapping: ColorMapping


class Harmonizer:
    """A loaded network. ``colour_transfer`` is ψ, the second style encoder of eq. 7, or None."""

    def __init__(self, network: Network, colour_transfer: StyleEncoder | None = None) -> None:
        self.network = network
        self.colour_transfer = colour_transfer

    def open(self, image: np.ndarray, foreground: np.ndarray) -> "Session":
        """A session on one composite: ``image`` (H, W, 3) uint8, uint16 or float32 in [0, 1], sRGB-encoded;
        ``foreground`` (H, W) bool, 0/255 or [0, 1]. Raises InputError for what cannot be used."""
        image = as_picture(image)
        return Session(self, image, as_mask(foreground, image.shape, "foreground"))


class Session:
    """One open composite. ``look`` runs the network, ``render`` applies its answer; ``harmonize`` does both."""

    def __init__(self, harmonizer: Harmonizer, image: np.ndarray, foreground: np.ndarray) -> None:
        self.harmonizer = harmonizer
        self.image = image
        self.foreground = foreground

    def harmonize(
        self,
        reference: References | None = None,
        *,
        reference_image: np.ndarray | None = None,
        strength: float = 1.0,
        luminance: float = 1.0,
        chroma: float = 1.0,
        harmony: float = 1.0,
        colour_transfer: float = 0.0,
    ) -> Result:
        """The composite in the look of ``reference``: a mask (H, W), a ``Reference`` or a list of them with weights.

        reference_image: (h, w, 3), read the look from this picture; its mask is ``reference``, None for all of it.
        strength, luminance, chroma: how much of the change, and of its two parts, from 0 to 2.
        harmony, colour_transfer: r1 and r2 of eq. 7, r1 · φ(reference) + r2 · ψ(reference).
        """
        mapping = self.look(
            reference, reference_image=reference_image, harmony=harmony, colour_transfer=colour_transfer
        )
        return self.render(mapping, strength=strength, luminance=luminance, chroma=chroma)

    def look(
        self,
        reference: References | None = None,
        *,
        reference_image: np.ndarray | None = None,
        harmony: float = 1.0,
        colour_transfer: float = 0.0,
    ) -> ColorMapping:
        """The colour mapping towards a reference at full strength; arguments as in ``harmonize``."""
        references = as_references(reference, reference_image, self.image, self.foreground)
        with torch.inference_mode():
            codes = [self._code(one, harmony, colour_transfer) * one.weight for one in references]
            patch, mask, own_style = self._composite
            code = torch.stack(codes).sum(0)
            if own_style is not None:
                code = torch.cat([code, own_style], dim=1)
            harmonized = self.harmonizer.network.harmonize(patch, mask, code).clamp(0, 1)
        return ColorMapping.fit(_pixels(patch), _pixels(harmonized), mask[0, 0].numpy() > 0.5)

    def render(
        self, mapping: ColorMapping, *, strength: float = 1.0, luminance: float = 1.0, chroma: float = 1.0
    ) -> Result:
        """Apply a mapping to the foreground of the open photo, at its own size."""
        mapping = mapping.blended(strength, luminance, chroma)
        return Result(mapping.apply(self.image, self.foreground), mapping)

    @cached_property
    def _composite(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """The network's view of the composite, its mask, and φ(composite foreground) where the network wants it."""
        patch, mask = _view(self.image, self.foreground)
        network = self.harmonizer.network
        with torch.inference_mode():
            return patch, mask, network.style(patch, mask) if network.config.both else None

    def _code(self, reference: Reference, harmony: float, colour_transfer: float) -> Tensor:
        patch, mask = _view(reference.image, reference.mask)
        code = harmony * self.harmonizer.network.style(patch, mask)
        if not colour_transfer:
            return code
        if self.harmonizer.colour_transfer is None:
            raise InputError("expected weights with a colour-transfer encoder for colour_transfer, these have none")
        return code + colour_transfer * self.harmonizer.colour_transfer(patch, mask)


@cache
def load(model: str | Path = "portrait") -> Harmonizer:
    """The harmonizer of a shipped name (``portrait``: IPH++, the default; ``general``: IPH) or a .safetensors path.

    Raises InputError for an unknown name, a missing or an altered file.
    """
    network = load_network(model)
    if not isinstance(network, Network):
        raise InputError(f"expected the weights of a harmonizer, but {model} holds a {type(network).__name__}")
    if network.style_encoder is None:
        raise InputError(f"expected a network that reads a reference, but {model} has no style encoder")
    return Harmonizer(network, load_network("psi") if model == "portrait" else None)


def harmonize(
    image: np.ndarray,
    foreground: np.ndarray,
    reference: References | None = None,
    *,
    model: str | Path = "portrait",
    **options,
) -> Result:
    """Harmonize one photo. ``image`` and ``foreground`` as in ``Harmonizer.open``; the rest as in ``Session.harmonize``.

    The result's image has the input's shape and dtype, and outside the foreground it is bit-identical to the input.
    """
    return load(model).open(image, foreground).harmonize(reference, **options)


def _view(image: np.ndarray, mask: np.ndarray) -> tuple[Tensor, Tensor]:
    """The network's square view of a region: pixels (1, 3, S, S) in [0, 1] and its mask (1, 1, S, S) in {0, 1}.

    The whole picture, squeezed to a square as in training; for a small region, its surroundings only.
    """
    inside = mask >= 0.5
    if inside.mean() < SMALL_SHARE:
        window = _surroundings(inside)
        image, mask = image[window], mask[window]
    size = (WORKING_SIZE, WORKING_SIZE)
    pixels = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / FULL_SCALE[image.dtype]
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    small = (small >= min(0.5, small.max())).astype(np.float32)  # a hair-thin region keeps its densest pixels
    return torch.from_numpy(pixels.transpose(2, 0, 1))[None], torch.from_numpy(small)[None, None]


def _surroundings(inside: np.ndarray) -> tuple[slice, slice]:
    """A window around a region, wider than its box where the picture allows."""
    window = []
    for axis in (1, 0):
        places = np.flatnonzero(inside.any(axis))
        middle, half = (places[0] + places[-1] + 1) / 2, (places[-1] + 1 - places[0]) * MARGIN / 2 + 1
        limit = inside.shape[1 - axis]
        window.append(slice(max(0, int(middle - half)), min(limit, int(np.ceil(middle + half)))))
    return window[0], window[1]


def _pixels(image: Tensor) -> np.ndarray:
    """(1, 3, S, S) to (S, S, 3)."""
    return image[0].permute(1, 2, 0).numpy()
