"""From regions to a colour mapping with a network of style codes (paper eq. 7): what a session asks of it.

The network answers the picture and its mirror image. A mirrored photo has the same look, so the mean of both errs less
than one (docs/trials.md).
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from iph.errors import InputError
from iph.mapping import ColorMapping
from iph.network import Network, StyleEncoder
from iph.pixels import FULL_SCALE
from iph.reference import Reference
from iph.views import shrink, shrink_mask, window_on


class StyleLook:
    """One composite as ``network`` sees it: ``image`` (h, w, 3) and ``foreground`` (h, w) float32 are a proxy's."""

    def __init__(self, network: Network, psi: StyleEncoder | None, image: np.ndarray, foreground: np.ndarray) -> None:
        self.network, self.psi = network, psi
        self.image, self.foreground = image, foreground

    @torch.inference_mode()
    def fit(self, references: Sequence[Reference], r1: float = 1.0, r2: float = 1.0) -> ColorMapping:
        """The mapping towards references (``iph.reference.as_references``) at full strength; r1, r2 of eq. 7."""
        patch, mask, own_style = self._composite
        code = sum(self._code(one, r1, r2) * one.weight for one in references)
        as_seen, mirrored = self.network.harmonize(patch, mask, self.network.condition(code, own_style)).clamp(0, 1)
        harmonized = (as_seen + mirrored.flip(-1)) / 2
        return ColorMapping.fit(_pixels(patch[0]), _pixels(harmonized), mask[0, 0].numpy() > 0.5)

    @cached_property
    def _composite(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """The network's views of the composite, their masks, and φ(composite foreground) where the network wants it."""
        patch, mask = self._both_ways(self.image, self.foreground)
        return patch, mask, self.network.style(patch, mask) if self.network.config.both else None

    def _code(self, reference: Reference, r1: float, r2: float) -> Tensor:
        """γ of eq. 7."""
        image = self.image if reference.image is None else reference.image
        patch, mask = self._both_ways(image, reference.mask)
        return mixed_code(self.network, self.psi, patch, mask, r1, r2)

    def _both_ways(self, image: np.ndarray, mask: np.ndarray) -> tuple[Tensor, Tensor]:
        """The network's view of a region and its mirror image: (2, 3, S, S) and (2, 1, S, S)."""
        patch, inside = network_view(image, mask, self.network.config.size)
        return torch.cat([patch, patch.flip(-1)]), torch.cat([inside, inside.flip(-1)])


def network_view(image: np.ndarray, mask: np.ndarray, size: int) -> tuple[Tensor, Tensor]:
    """The network's square view of a region: pixels (1, 3, S, S) in [0, 1] and its mask (1, 1, S, S) in {0, 1}.

    ``size`` is S, as the network's settings say. ``image`` (h, w, 3) and ``mask`` (h, w) float32 are a proxy's. The
    whole picture is squeezed to a square, as in training; of a small region, only its surroundings.
    """
    window = window_on(mask)
    image, mask = image[window], mask[window]
    pixels = shrink(image, size).astype(np.float32) / np.float32(FULL_SCALE[image.dtype])
    small = shrink_mask(mask, size)
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None], torch.from_numpy(small)[None, None]


def mixed_code(network: Network, psi: StyleEncoder | None, patch: Tensor, mask: Tensor, r1: float, r2: float) -> Tensor:
    """γ = r1 · φ + (1 − r2) · ψ of a region, (B, C). InputError where r2 asks for a ψ that is not there."""
    code = r1 * network.style(patch, mask)
    if r2 == 1:
        return code
    if psi is None:
        raise InputError(f"expected r2 to be 1 for weights without a colour-transfer encoder (ψ), got {r2:g}")
    return code + (1 - r2) * psi(patch, mask)


def _pixels(image: Tensor) -> np.ndarray:
    """(3, S, S) to (S, S, 3)."""
    return image.permute(1, 2, 0).numpy()
