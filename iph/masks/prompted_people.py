"""Asking the network that knows people for one of them: MediaPipe's selfie segmenter that sees the prompt, too.

What it adds to the segmenter begins at zero, so that it starts from everybody in the picture. It knows no things;
``iph.masks.network.PromptNet``, which does, is asked beside it. Axes as there.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iph.masks import prompts as prompt_maps
from iph.masks.prompts import SEEN, like_unwanted, like_wanted, zero
from iph.masks.selfie import SelfieNet


class Mixer(nn.Module):
    """A wide depthwise look around, then channels with channels and with the picture's mean; added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.wide, self.whole = nn.Conv2d(channels, 2 * channels, 1), nn.Linear(channels, 2 * channels)
        self.narrow = zero(nn.Conv2d(2 * channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x))
        return x + self.narrow(F.hardswish(self.wide(y) + self.whole(y.mean((2, 3)))[..., None, None]))


class Adapter(nn.Module):
    """What a prompt adds to features (B, C, H, W): these, and times their mean under what is wanted and unwanted."""

    def __init__(self, channels: int, width: int, size: int, depth: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels * 3 + SEEN, width, size, padding=size // 2, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.mixers = nn.Sequential(*(Mixer(width) for _ in range(depth)))
        self.leave = zero(nn.Conv2d(width, channels, 1))

    def forward(self, x: Tensor, maps: Tensor) -> Tensor:
        asked = torch.cat([x, like_wanted(x, maps), like_unwanted(x, maps), maps], 1)
        return x + self.leave(F.hardswish(self.mixers(self.norm(self.enter(asked)))))


class PromptedPeople(SelfieNet):
    """0.67 M parameters. Pictures (B, 3, H, W) and prompts (B, P, 4, H, W) in [0, 1], sides multiples of 16, to the
    logits (B, P, 1, H/2, W/2) that a pixel is of the person asked for."""

    BEFORE = ("stem.", "quarter.", "eighth.", "sixteenth.", "context.", "up_", "last.")  # what the segmenter has

    def __init__(self) -> None:
        super().__init__()
        self.maps = zero(nn.Conv2d(SEEN, 16, 3, 2, bias=False))
        self.ask_sixteenth = Adapter(32, 96, 1, 8)
        self.ask_eighth = Adapter(24, 48, 3, 2)
        self.ask_quarter = Adapter(16, 24, 3, 1)

    def forward(self, image: Tensor, prompts: Tensor) -> Tensor:
        batch, count = prompts.shape[:2]
        maps = prompt_maps.seen(prompts.flatten(0, 1))  # (B, P, 4, H, W) -> (B*P, 6, H, W)
        stem = self.stem(image).repeat_interleave(count, 0)
        half = F.hardswish(stem + self.maps(F.pad(maps, (0, 1, 0, 1))))
        maps4, maps8, maps16 = prompt_maps.smaller(maps)
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        sixteenth = self.ask_sixteenth(self.sixteenth(eighth), maps16)
        eighth, quarter = self.ask_eighth(eighth, maps8), self.ask_quarter(quarter, maps4)
        x = self.up_quarter(self.up_eighth(self.context(sixteenth), eighth), quarter)
        return F.avg_pool2d(self.last(self.up_half(x, half)), 2).unflatten(0, (batch, count))


class Asking(nn.Module):
    """``PromptedPeople`` as a module that gives probabilities."""

    def __init__(self, network: PromptedPeople) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, prompts: Tensor) -> tuple[Tensor]:
        return (self.network(image, prompts).sigmoid(),)
