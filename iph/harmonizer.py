"""Harmonize a photo: load a network, open a composite once, try references often (paper Sec. 4).

The network sees a small picture. What it did there is fitted with a colour mapping, and the mapping is applied to the
photo at its own size, inside the foreground only.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from iph.checkpoint import load_network
from iph.errors import InputError
from iph.mapping import ColorMapping
from iph.network import Network, StyleEncoder
from iph.pixels import proxy
from iph.reference import Reference, References, as_picture, as_references
from iph.views import network_view, read_mask

PSI = {"portrait": "psi", "general": "psi-general"}  # ψ is read by the network it was trained with alone


@dataclass(frozen=True, eq=False)
class Result:
    """A harmonized photo: ``image`` has the input's shape and dtype, and its very pixels outside the foreground.

    ``mapping`` is the colour change that was applied: ``.apply(image)``, ``.save_cube("look.cube")``.
    """

    image: np.ndarray
    mapping: ColorMapping


class Harmonizer:
    """A loaded network. ``psi`` is ψ, the second style encoder of eq. 7, or None."""

    def __init__(self, network: Network, psi: StyleEncoder | None = None) -> None:
        self.network = network
        self.psi = psi

    def open(self, image: np.ndarray, foreground: np.ndarray) -> "Session":
        """A session on one composite: ``image`` (H, W, 3) uint8, uint16 or float32 in [0, 1], sRGB-encoded;
        ``foreground`` (H, W) bool, 0/255 or [0, 1]. Raises InputError for what cannot be used."""
        image = as_picture(image)
        small = proxy(image)
        return Session(self, image, small, *read_mask(foreground, image.shape, small.shape, "foreground"))


class Session:
    """One open composite. ``fit_mapping`` runs the network, ``render`` applies its answer; ``harmonize`` does both."""

    def __init__(
        self,
        harmonizer: Harmonizer,
        image: np.ndarray,
        small_image: np.ndarray,
        foreground: np.ndarray,
        small_foreground: np.ndarray,
    ) -> None:
        self.harmonizer = harmonizer
        self.image, self.small_image = image, small_image
        self.foreground, self.small_foreground = foreground, small_foreground

    def harmonize(
        self,
        reference: References | None = None,
        *,
        reference_image: np.ndarray | None = None,
        strength: float = 1.0,
        luminance: float = 1.0,
        chroma: float = 1.0,
        r1: float = 1.0,
        r2: float = 1.0,
    ) -> Result:
        """The composite in the look of ``reference``: a mask (H, W), a ``Reference`` or a list of them with weights.

        reference_image: (h, w, 3), read the look from this picture; its mask is ``reference``, None for all of it.
        strength, luminance, chroma: how much of the change, and of its two parts, from 0 to 2.
        r1, r2: of eq. 7, γ = r1 · φ(reference) + (1 − r2) · ψ(reference). Both 1: plain harmonization; the smaller r2,
        the more of the reference's own colours.
        """
        mapping = self.fit_mapping(reference, reference_image=reference_image, r1=r1, r2=r2)
        return self.render(mapping, strength=strength, luminance=luminance, chroma=chroma)

    def fit_mapping(
        self,
        reference: References | None = None,
        *,
        reference_image: np.ndarray | None = None,
        r1: float = 1.0,
        r2: float = 1.0,
    ) -> ColorMapping:
        """The colour mapping towards a reference at full strength; arguments as in ``harmonize``."""
        references = as_references(reference, reference_image, self)
        patch, mask, own_style = self._composite
        with torch.inference_mode():
            code = sum(self._code(one, r1, r2) * one.weight for one in references)
            code = self.harmonizer.network.condition(code, own_style)
            as_seen, mirrored = self.harmonizer.network.harmonize(patch, mask, code).clamp(0, 1)
            harmonized = (as_seen + mirrored.flip(-1)) / 2
        return ColorMapping.fit(_pixels(patch[0]), _pixels(harmonized), mask[0, 0].numpy() > 0.5)

    def render(
        self, mapping: ColorMapping, *, strength: float = 1.0, luminance: float = 1.0, chroma: float = 1.0
    ) -> Result:
        """Apply a mapping to the foreground of the open photo, at its own size."""
        mapping = mapping.blended(strength, luminance, chroma)
        return Result(mapping.apply(self.image, self.foreground), mapping)

    @cached_property
    def _composite(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """The network's views of the composite, their masks, and φ(composite foreground) where the network wants it."""
        patch, mask = _both_ways(self.small_image, self.small_foreground, self.harmonizer.network.config.size)
        network = self.harmonizer.network
        with torch.inference_mode():
            return patch, mask, network.style(patch, mask) if network.config.both else None

    def _code(self, reference: Reference, r1: float, r2: float) -> Tensor:
        """γ of eq. 7."""
        patch, mask = _both_ways(reference.image, reference.mask, self.harmonizer.network.config.size)
        code = r1 * self.harmonizer.network.style(patch, mask)
        if r2 == 1:
            return code
        if self.harmonizer.psi is None:
            raise InputError(f"expected r2 to be 1 for weights without a colour-transfer encoder (ψ), got {r2:g}")
        return code + (1 - r2) * self.harmonizer.psi(patch, mask)


@cache
def load(model: str | Path = "portrait") -> Harmonizer:
    """The harmonizer of a shipped name (``portrait``, the default, or ``general``) or a .safetensors path.

    Raises InputError for an unknown name, a missing or an altered file.
    """
    network = load_network(model)
    if not isinstance(network, Network):
        raise InputError(f"expected the weights of a harmonizer, but {model} holds a {type(network).__name__}")
    return Harmonizer(network, load_network(PSI[model]) if model in PSI else None)


def harmonize(
    image: np.ndarray,
    foreground: np.ndarray,
    reference: References | None = None,
    *,
    model: str | Path = "portrait",
    **options,
) -> Result:
    """Harmonize one photo: ``image`` and ``foreground`` as in ``Harmonizer.open``, others as in ``Session.harmonize``.

    The result's image has the input's shape and dtype, and outside the foreground it is bit-identical to the input.
    """
    return load(model).open(image, foreground).harmonize(reference, **options)


def _both_ways(image: np.ndarray, mask: np.ndarray, size: int) -> tuple[Tensor, Tensor]:
    """The network's view of a region and its mirror image: (2, 3, S, S) and (2, 1, S, S).

    A mirrored photo has the same look, so the mean of both answers errs less than one (docs/trials.md).
    """
    patch, inside = network_view(image, mask, size)
    return torch.cat([patch, patch.flip(-1)]), torch.cat([inside, inside.flip(-1)])


def _pixels(image: Tensor) -> np.ndarray:
    """(3, S, S) to (S, S, 3)."""
    return image.permute(1, 2, 0).numpy()
