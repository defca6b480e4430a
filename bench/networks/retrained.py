"""DoveNet, RainNet and BargainNet as our trainer wants them: narrow, and called like ``iph.network.Network``.

Images (B, 3, H, W) in [0, 1] outside, [-1, 1] inside; masks (B, 1, H, W) in [0, 1].
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from bench.networks import NETWORKS, BargainNet, RainNet
from bench.networks.loading import load_strict
from iph.checkpoint import load_tensors
from iph.errors import InputError, unknown

WIDTH = 16  # a quarter of the published one: the first level still holds more numbers than the pixels under it (12)


class Baseline(nn.Module):
    """One compared network, as deep as ``size`` asks for: its innermost map is one pixel, as at 256 in the original."""

    def __init__(self, name: str, size: int, width: int = WIDTH) -> None:
        super().__init__()
        if name not in FAMILIES:
            raise unknown("network to retrain", name, FAMILIES)
        self.name, self.size, self.width = name, size, width
        self.network = FAMILIES[name](width, size.bit_length() - 1)

    def settings(self) -> dict:
        """What builds this network again."""
        return {"name": self.name, "size": self.size, "width": self.width}

    def forward(self, composite: Tensor, foreground: Tensor, reference_image: Tensor, reference: Tensor) -> Tensor:
        """The frame as the authors evaluate it: DoveNet's and BargainNet's own, RainNet's laid over the composite."""
        image = composite * 2 - 1
        if isinstance(self.network, BargainNet):
            frame = self.network.generate(image, foreground, self.guide(image, foreground, reference_image, reference))
        elif isinstance(self.network, RainNet):
            guide = reference if self.name == "rainnet-r" else None
            frame = self.network(image, foreground, guide) * foreground + image * (1 - foreground)
        else:
            frame = self.network(torch.cat([image, foreground], dim=1))
        return (frame + 1) / 2

    def guide(self, image: Tensor, foreground: Tensor, reference_image: Tensor, reference: Tensor) -> Tensor:
        """BargainNet's code of what it looks at: the background as published, or the reference region."""
        if self.name == "bargainnet":
            return self.network.style_encoder(image, 1 - foreground)
        return self.network.style_encoder(reference_image * 2 - 1, reference)


FAMILIES = NETWORKS | {"bargainnet-r": BargainNet, "rainnet-r": RainNet}


def load(path: Path) -> Baseline:
    """A retrained network from its file, in evaluation mode. InputError says what is wrong with it."""
    tensors, settings = load_tensors(path)
    if settings.get("kind") != Baseline.__name__:
        raise InputError(f"expected a network that `bench retrain` wrote in {path}, but its settings say {settings}")
    model = Baseline(**settings["config"])
    load_strict(model, tensors, str(path))
    return model.eval().requires_grad_(False)
