"""What training minimises for a batch of samples: L_IPH where the truth is known, look matching where it is not."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from iph import losses
from iph.losses import LossWeights
from iph.network import Network
from iph.training.expressible import expressible

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class ObjectiveWeights:
    """L_IPH's weights, and ours: the squared error where the truth is known, look matching and content where not.

    The L1 of eq. 6 aims at the median of what the truth may be; the squared error that benchmarks report asks for the
    mean, and punishes the few results that are far off. ``PAPER`` is without it. α is a tenth of the paper form's,
    because most references that our rules draw are regions whose luminance says little (docs/trials.md).
    """

    iph: LossWeights = field(default_factory=lambda: LossWeights(alpha=0.01))
    squared: float = 4.0
    look: float = 0.5
    content: float = 0.2


PAPER = ObjectiveWeights(LossWeights(), squared=0.0, look=0.0, content=0.0)
"""The paper's losses alone (their weights are ours: it gives none)."""

Objective = Callable[[nn.Module, Batch, ObjectiveWeights], tuple[Tensor, dict[str, float]]]
"""What a trainer minimises: the loss of a batch under a network, and its parts by name."""


def objective(network: Network, batch: Batch, weights: ObjectiveWeights) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch and its parts by name. ``batch`` is stacked samples of ``iph.data.samples``."""
    composite, foreground = batch["composite"], batch["foreground"]
    styles = network.style(batch["reference_image"], batch["reference"]), network.style(composite, foreground)
    harmonized = network.harmonize(composite, foreground, network.condition(*styles))
    parts: dict[str, Tensor] = {}
    paired = batch["paired"] > 0.5
    total = composite.new_zeros(())
    if paired.any():
        own = {name: value[paired] for name, value in batch.items()}
        total = total + _paired(network, harmonized[paired], own, [style[paired] for style in styles], weights, parts)
    if not paired.all():
        other = {name: value[~paired] for name, value in batch.items()}
        total = total + _unpaired(harmonized[~paired], other, weights, parts)
    return total, {name: float(value.detach()) for name, value in parts.items()}


def _paired(
    network: Network,
    harmonized: Tensor,
    batch: Batch,
    styles: list[Tensor],
    weights: ObjectiveWeights,
    parts: dict[str, Tensor],
) -> Tensor:
    """L_IPH and the squared error. ``styles`` are φ(b) and φ(c); φ(h) is of what the colour mapping can express."""
    iph = weights.iph
    foreground, target, composite = batch["foreground"], batch["target"], batch["composite"]
    region = batch["reference_image"], batch["reference"]
    parts["harmonization"] = losses.harmonization_loss(harmonized, target, foreground)
    parts["luminance matching"] = losses.luminance_matching_loss(harmonized, foreground, *region, iph.points)
    reference, before = styles
    after = network.style(expressible(harmonized, composite, foreground), foreground)
    parts["consistency"] = losses.consistency_loss(after, reference)
    parts["triplet 1"] = losses.triplet1(after, reference, before, iph.margin)
    parts["triplet 2"] = losses.triplet2(after, network.style(target, foreground), before, iph.margin)
    triplets = parts["triplet 1"], parts["triplet 2"]
    with torch.no_grad():  # reported, not minimised: how far off the pixels are that the fit throws away
        raw = network.style(harmonized, foreground)
        parts["consistency before the fit"] = losses.consistency_loss(raw, reference)
    parts["squared"] = losses.squared_loss(harmonized, target, foreground)
    total = losses.total_loss(parts["harmonization"], parts["luminance matching"], parts["consistency"], triplets, iph)
    return total + weights.squared * parts["squared"]


def _unpaired(harmonized: Tensor, batch: Batch, weights: ObjectiveWeights, parts: dict[str, Tensor]) -> Tensor:
    look = losses.look_matching_loss(harmonized, batch["foreground"], batch["reference_image"], batch["reference"])
    content = losses.content_loss(harmonized, batch["composite"], batch["foreground"])
    parts["look"], parts["content"] = look, content
    return weights.look * look + weights.content * content
