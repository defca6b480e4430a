"""What training minimises for a batch of samples: eq. 6 where the truth is known, look matching where it is not."""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor, nn

from iph import losses
from iph.losses import LossWeights
from iph.network import Network

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class ObjectiveWeights:
    """The paper's weights, and ours: the squared error where the truth is known, look matching and content where not.

    The L1 of eq. 1 aims at the median of what the truth may be; the squared error that benchmarks report asks for the
    mean, and punishes the few results that are far off.
    """

    paper: LossWeights = field(default_factory=LossWeights)
    squared: float = 4.0
    look: float = 0.5
    content: float = 0.2


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
        own_styles = None if network.style_encoder is None else tuple(style[paired] for style in styles)
        total = total + _paired(network, harmonized[paired], own, own_styles, weights, parts)
    if not paired.all():
        other = {name: value[~paired] for name, value in batch.items()}
        total = total + _unpaired(harmonized[~paired], other, weights, parts)
    return total, {name: float(value.detach()) for name, value in parts.items()}


def _paired(
    network: Network,
    harmonized: Tensor,
    batch: Batch,
    styles: tuple[Tensor, Tensor] | None,
    weights: ObjectiveWeights,
    parts: dict[str, Tensor],
) -> Tensor:
    paper = weights.paper
    foreground, target, composite = batch["foreground"], batch["target"], batch["composite"]
    parts["harmonization"] = losses.harmonization_loss(harmonized, target, foreground)
    parts["luminance"] = losses.luminance_matching_loss(harmonized, foreground, target, foreground, paper.points)
    parts["squared"] = losses.squared_loss(harmonized, target, foreground)
    triplets = (composite.new_zeros(()), composite.new_zeros(()))
    if styles is not None and (paper.alpha or paper.beta):
        reference, before = styles
        after, truth = network.style(harmonized, foreground), network.style(target, foreground)
        triplets = (
            losses.reference_triplet(after, reference, before, paper.margin),
            losses.target_triplet(after, truth, before, paper.margin),
        )
        parts["reference triplet"], parts["target triplet"] = triplets
    total = losses.total_loss(parts["harmonization"], parts["luminance"], triplets, paper)
    return total + weights.squared * parts["squared"]


def _unpaired(harmonized: Tensor, batch: Batch, weights: ObjectiveWeights, parts: dict[str, Tensor]) -> Tensor:
    look = losses.look_matching_loss(harmonized, batch["foreground"], batch["reference_image"], batch["reference"])
    content = losses.content_loss(harmonized, batch["composite"], batch["foreground"])
    parts["look"], parts["content"] = look, content
    return weights.look * look + weights.content * content
