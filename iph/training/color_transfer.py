"""Training ψ, the second style encoder of the colour-transfer control (paper Appendix and eq. 7), in two ways.

In both the harmonizer stays as it is, because γ = r1 · φ + (1 − r2) · ψ must be read by the one that reads φ, and ψ
starts from φ.

``paper``: the appendix's two changes, stronger colour augmentation, and L_consis turned so that the codes of harmonized
foreground and reference are far apart; the other losses stay. ``look`` is ours: ψ learns which code makes the
harmonizer give the foreground the reference's own colours, on pairs of different photos where nothing else is known.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from iph import losses
from iph.checkpoint import load_network
from iph.data.manifest_samples import sampler_of
from iph.data.pack import PackedPhotos
from iph.data.samples import Sampler, SampleRules, paper_rules
from iph.errors import InputError, unknown
from iph.losses import LossWeights
from iph.match.network import is_match, load_match_network
from iph.network import Network, StyleEncoder
from iph.training.expressible import expressible
from iph.training.objective import Batch
from iph.training.validate import hold_out, stack

STRONG = (1.4, 2.4)  # of the changes that the harmonizer is trained on: the appendix's "increase color augmentations"
WAYS = ("look", "paper")


@dataclass(frozen=True)
class ColorTransferSettings:
    """``images`` seen in all; the learning rate falls linearly to zero.

    content: of ``look`` alone. weights and apart (the margin of codes that are far apart): of ``paper`` alone.
    """

    images: int = 20_000
    size: int = 64
    batch: int = 48
    rate: float = 1e-3
    way: str = "look"
    content: float = 0.05
    weights: LossWeights = field(default_factory=LossWeights)
    apart: float = 1.0
    seed: int = 0


def network_of(start: str | Path) -> Network:
    """The network that ψ is trained for, of a match its own path. InputError where it takes no style code."""
    network = load_match_network(start).base if is_match(start) else load_network(start)
    if not isinstance(network, Network) or not network.config.style:
        raise InputError(f"expected the weights of a harmonizer that takes a style code as --start, got {start}")
    return network


def train_color_transfer(
    network: Network, photos: PackedPhotos, settings: ColorTransferSettings
) -> tuple[StyleEncoder, dict[str, float]]:
    """ψ for ``network``, started from φ, and on held-out pairs of different photos, under φ and under ψ alone: the mean
    look distance, and one minus the correlation with the composite."""
    if settings.images < settings.batch:
        raise InputError(f"expected at least a batch of {settings.batch} images to train on, got {settings.images}")
    if settings.way not in WAYS:
        raise unknown("way to train ψ", settings.way, WAYS)
    torch.manual_seed(settings.seed)
    network.eval().requires_grad_(False)
    encoder = copy.deepcopy(network.style_encoder).requires_grad_(True)
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=settings.rate)
    training_photos, held_out = hold_out(photos)
    unpaired = SampleRules(size=settings.size, unpaired=1.0)
    rules, loss_of = unpaired, _look_loss
    if settings.way == "paper":
        rules, loss_of = paper_rules(settings.size, 2, strength=STRONG), _paper_loss
    sampler, checks = sampler_of(training_photos, rules), Sampler(held_out, unpaired)
    batch = stack([checks.draw((7, number)) for number in range(256)])
    result = _measured(network, network.style_encoder, batch, "φ")
    steps = settings.images // settings.batch
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * (1 - step / steps)
        first = step * settings.batch
        drawn = stack([sampler.draw((settings.seed, first + k)) for k in range(settings.batch)])
        loss = loss_of(network, encoder, drawn, settings)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    encoder.requires_grad_(False).eval()
    return encoder, result | _measured(network, encoder, batch, "ψ")


Loss = Callable[[Network, StyleEncoder, Batch, ColorTransferSettings], Tensor]


def _look_loss(network: Network, encoder: StyleEncoder, batch: Batch, settings: ColorTransferSettings) -> Tensor:
    harmonized = _harmonized(network, encoder, batch)
    composite, foreground = batch["composite"], batch["foreground"]
    distance = losses.look_matching_loss(harmonized, foreground, batch["reference_image"], batch["reference"])
    return distance + settings.content * losses.content_loss(harmonized, composite, foreground)


def _paper_loss(network: Network, encoder: StyleEncoder, batch: Batch, settings: ColorTransferSettings) -> Tensor:
    """L_IPH with ``apart_loss`` as L_consis; all codes are ψ's."""
    weights = settings.weights
    composite, foreground, target = batch["composite"], batch["foreground"], batch["target"]
    region = batch["reference_image"], batch["reference"]
    harmonized = _harmonized(network, encoder, batch)
    after = encoder(expressible(harmonized, composite, foreground), foreground)
    guide, before, truth = encoder(*region), encoder(composite, foreground), encoder(target, foreground)
    return losses.total_loss(
        losses.harmonization_loss(harmonized, target, foreground),
        losses.luminance_matching_loss(harmonized, foreground, *region, weights.points),
        losses.apart_loss(after, guide, settings.apart),
        (
            losses.triplet1(after, guide, before, weights.margin),
            losses.triplet2(after, truth, before, weights.margin),
        ),
        weights,
    )


def _harmonized(network: Network, encoder: StyleEncoder, batch: Batch) -> Tensor:
    """The frame when ψ's code alone stands for the reference (r1 = r2 = 0)."""
    composite, foreground = batch["composite"], batch["foreground"]
    style = encoder(batch["reference_image"], batch["reference"])
    code = network.condition(style, network.style(composite, foreground))
    return network.harmonize(composite, foreground, code)


@torch.no_grad()
def _measured(network: Network, encoder: StyleEncoder, batch: Batch, name: str) -> dict[str, float]:
    harmonized, foreground = _harmonized(network, encoder, batch), batch["foreground"]
    look = losses.look_matching_loss(harmonized, foreground, batch["reference_image"], batch["reference"])
    content = losses.content_loss(harmonized, batch["composite"], foreground)
    return {f"look under {name}": float(look), f"content under {name}": float(content)}
