"""From photos to a colour mapping with the network that starts from the match: what a session asks of it.

A photo is opened once as the foreground sees it, and once a reference: shrunk, read by the encoder, mirrored. The
network answers the picture and its mirror image; the mean of both is fitted by the mapping, as in ``iph.harmonizer``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from iph.mapping import ColorMapping
from iph.masks.forms import HALF
from iph.match.closed_form import SIDE, Seen, see
from iph.match.network import MatchNetwork
from iph.pixels import FULL_SCALE
from iph.views import SMALL_SHARE, _surroundings, shrink, shrink_mask

WORKING_SIZE = 128  # side of the square that the network of the match sees


@dataclass(frozen=True)
class View:
    """A region of a photo as the network sees it, both ways: ``seen`` of 2 pictures, ``mask`` and ``scene``
    (2, 1, S, S); ``scene`` is what of the picture may tell its light."""

    seen: Seen
    mask: Tensor
    scene: Tensor


@torch.inference_mode()
def view(image: np.ndarray, mask: np.ndarray, foreground: np.ndarray | None = None) -> View:
    """``image`` (h, w, 3) and ``mask`` (h, w) float32 are a proxy's, as in ``iph.views.network_view``.

    ``foreground`` (h, w): what of the same picture is no part of its scene; None in another photo.
    """
    inside = mask >= HALF
    if inside.mean() < SMALL_SHARE:
        window = _surroundings(inside)
        image, mask = image[window], mask[window]
        foreground = None if foreground is None else foreground[window]
    small = _planes(shrink(image, WORKING_SIZE))
    seen = see(small, _planes(shrink(image, SIDE)))
    region = torch.from_numpy(shrink_mask(mask, WORKING_SIZE))[None, None]
    scene = torch.ones_like(region)
    if foreground is not None:
        scene -= torch.from_numpy(shrink_mask(foreground, WORKING_SIZE))[None, None]
    if not scene.any():  # a foreground that fills the window of a small reference
        scene = region
    mirrored = seen.mirrored()
    both = Seen(*(torch.cat([getattr(way, name) for way in (seen, mirrored)]) for name in seen.__dataclass_fields__))
    return View(both, *(torch.cat([part, part.flip(-1)]) for part in (region, scene)))


@torch.inference_mode()
def look(
    network: MatchNetwork, foreground: View, references: Sequence[tuple[View, float]], pasted: bool
) -> ColorMapping:
    """The mapping towards references with weights that sum to 1; ``pasted``: the foreground is another photo's."""
    told = torch.full((2,), float(pasted))
    answer = torch.zeros_like(foreground.seen.image)
    for reference, weight in references:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            frame = network(foreground.seen, foreground.mask, reference.seen, reference.mask, reference.scene, told)
        answer += weight * frame.clamp(0, 1)
    harmonized = (answer[0] + answer[1].flip(-1)) / 2
    source, target = (picture.permute(1, 2, 0).numpy() for picture in (foreground.seen.image[0], harmonized))
    return ColorMapping.fit(source, target, foreground.mask[0, 0].numpy() > 0.5)


def _planes(image: np.ndarray) -> Tensor:
    """(S, S, 3) of any dtype as (1, 3, S, S) float32 in [0, 1]."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / np.float32(FULL_SCALE[image.dtype])
    return torch.from_numpy(planes)[None]
