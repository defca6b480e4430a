"""Training ψ, the second style encoder of the colour-transfer control (paper eq. 7).

The harmonizer stays as it is. ψ learns which code makes it give the foreground the reference's own colours, on pairs
of different photos where nothing else is known: r1 · φ(R) + r2 · ψ(R) then goes from harmonizing to transferring.
"""

import copy
from dataclasses import dataclass

import torch

from iph import losses
from iph.data.pack import PackedPhotos
from iph.data.samples import Sampler, SampleRules
from iph.errors import InputError
from iph.network import Network, StyleEncoder
from iph.training.validate import hold_out, stack


@dataclass(frozen=True)
class ColorTransferSettings:
    """``images`` seen in all; the learning rate falls linearly to zero."""

    images: int = 20_000
    size: int = 64
    batch: int = 48
    rate: float = 1e-3
    content: float = 0.05
    seed: int = 0


def train_color_transfer(
    network: Network, photos: PackedPhotos, settings: ColorTransferSettings
) -> tuple[StyleEncoder, dict[str, float]]:
    """ψ for ``network``, started from φ, and the mean look distance on held-out photos under φ and under ψ."""
    if settings.images < settings.batch:
        raise InputError(f"expected at least a batch of {settings.batch} images to train on, got {settings.images}")
    torch.manual_seed(settings.seed)
    network.eval().requires_grad_(False)
    encoder = copy.deepcopy(network.style_encoder).requires_grad_(True)
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=settings.rate)
    training_photos, held_out = hold_out(photos)
    rules = SampleRules(size=settings.size, unpaired=1.0)
    sampler, checks = Sampler(training_photos, rules), Sampler(held_out, rules)
    batch = stack([checks.draw((7, number)) for number in range(256)])
    before = float(_look_distance(network, network.style_encoder, batch))
    steps = settings.images // settings.batch
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * (1 - step / steps)
        first = step * settings.batch
        drawn = stack([sampler.draw((settings.seed, first + k)) for k in range(settings.batch)])
        loss = _look_distance(network, encoder, drawn, settings.content)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    encoder.requires_grad_(False).eval()
    return encoder, {"look under φ": before, "look under ψ": float(_look_distance(network, encoder, batch))}


def _look_distance(
    network: Network, encoder: StyleEncoder, batch: dict[str, torch.Tensor], content: float = 0.0
) -> torch.Tensor:
    composite, foreground = batch["composite"], batch["foreground"]
    style = encoder(batch["reference_image"], batch["reference"])
    code = network.condition(style, network.style(composite, foreground))
    harmonized = network.harmonize(composite, foreground, code)
    distance = losses.look_matching_loss(harmonized, foreground, batch["reference_image"], batch["reference"])
    return distance + content * losses.content_loss(harmonized, composite, foreground)
