"""What training minimises for the network that starts from the semantic match.

Where the truth is known: the L1 of the paper's eq. 6, and of ours the squared error, the luminance points against the
truth (not, as in eq. 4, against the reference) and the chroma of cells, because a wrong hue of skin is seen long before
it is a large error. A pasted foreground has no truth; it is taught by a teacher: the believed match at full shares and
``small``, mixed (docs/match.md).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from iph import losses
from iph.match.closed_form import Match, cell_colors, moved, see
from iph.match.lab import rgb_to_lab
from iph.match.network import MatchNetwork
from iph.network import Network
from iph.runtime.precision import quick_autocast

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class MatchWeights:
    """Of the losses; ``teacher``: the match's part in the teacher."""

    squared: float = 8.0
    luminance: float = 0.1
    chroma: float = 0.3
    teacher: float = 0.9


def match_objective(
    network: MatchNetwork, teacher: Network, batch: Batch, weights: MatchWeights, bfloat16: bool = True
) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch of ``iph.data.match_samples`` and its parts by name."""
    foreground, reference, pasted = batch["foreground"], batch["reference"], batch["pasted"]
    picture, other = (
        see(batch[image].contiguous(memory_format=torch.channels_last), batch[photo])
        for image, photo in (("composite", "photo"), ("reference_image", "reference_photo"))
    )
    with quick_autocast(foreground.device.type, bfloat16):
        result, parts = network.parts(picture, foreground, other, reference, batch["scene"], pasted)
    target = batch["target"].clone()
    guests = pasted > 0.5
    if guests.any():
        target[guests] = _taught(teacher, batch, guests, parts.found, weights.teacher)
    found: dict[str, Tensor] = {}
    total = result.new_zeros(())
    for name, chosen in (("recoloured", ~guests), ("pasted", guests)):
        if not chosen.any():
            continue
        frame, truth, inside = result[chosen], target[chosen], foreground[chosen]
        found[f"{name} l1"] = losses.harmonization_loss(frame, truth, inside)
        found[f"{name} squared"] = losses.squared_loss(frame, truth, inside)
        loss = found[f"{name} l1"] + weights.squared * found[f"{name} squared"]
        if name == "recoloured":
            found["luminance"] = _luminance(frame, truth, inside)
            found["chroma"] = chroma_loss(frame, truth, inside, picture.kinds[chosen, :, 0])
            loss = loss + weights.luminance * found["luminance"] + weights.chroma * found["chroma"]
        total = total + loss * chosen.float().mean()
    return total, {name: float(value.detach()) for name, value in found.items()}


def chroma_loss(frame: Tensor, truth: Tensor, foreground: Tensor, skin: Tensor) -> Tensor:
    """Mean distance of a* and b*, a hundredth, between the foreground's cells of two pictures.

    A cell that is skin for sure, ``skin`` (B, N) in [0, 1], counts as three: eyes do the same.
    """
    first, _, share = cell_colors(rgb_to_lab(frame), foreground)
    second = cell_colors(rgb_to_lab(truth), foreground)[0]
    share = share * (1 + 2 * skin)
    distance = ((first - second)[..., 1:].square().sum(-1) + 1e-4).sqrt() / 100
    return ((distance * share).sum(1) / share.sum(1).clamp_min(1e-4)).mean()


def _luminance(frame: Tensor, truth: Tensor, foreground: Tensor) -> Tensor:
    """The three luminance points, on every second pixel: percentiles need no more."""
    small, goal, inside = (image[..., ::2, ::2] for image in (frame, truth, foreground))
    return losses.luminance_matching_loss(small, inside, goal, inside)


@torch.no_grad()
def _taught(teacher: Network, batch: Batch, chosen: Tensor, found: Match, share: float) -> Tensor:
    """What the teacher makes of the pasted samples: frames (b, 3, S, S) in [0, 1]."""
    composite, foreground = batch["composite"][chosen], batch["foreground"][chosen]
    full = torch.ones(len(found.alike), 1)
    guess = moved(found, full.expand(-1, 3), full)[chosen].clamp(0, 1)
    own = teacher(composite, foreground, batch["reference_image"][chosen], batch["reference"][chosen]).clamp(0, 1)
    return composite + foreground * (torch.lerp(own, guess, share) - composite)
