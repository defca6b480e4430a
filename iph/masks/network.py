"""The subject-segmentation network: a small residual U-Net of our own that takes prompts.

The costly part, `encode`, runs once a picture; the cheap part, `decode`, once a prompt (the split is that of
Segment Anything, Kirillov et al. 2023, at a thousandth of the size). A prompt is four maps: strokes or clicks to
add, strokes or clicks to remove, the inside of a box, and an earlier mask. With all four empty the network answers
with the subjects of the picture.

Axes: B pictures, P prompts a picture, C channels, H, W pixels (multiples of 32).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 32
PROMPTS = ("add", "remove", "box", "prior")
OUTPUTS = ("mask", "person", "centre")


def _conv(inputs: int, outputs: int, stride: int = 1, size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


class Context(nn.Module):
    """Adds what the whole picture holds to every place of it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(x.mean((2, 3)))[:, :, None, None]


def _up(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


class SubjectNet(nn.Module):
    """1.9 M parameters. Pictures (B, 3, H, W) in [0, 1]; prompts (B, P, 4, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv(3, 16, stride=2)
        self.quarter = nn.Sequential(_conv(16, 32, stride=2), Residual(32))
        self.eighth = nn.Sequential(_conv(32, 64, stride=2), Residual(64), Residual(64))
        self.sixteenth = nn.Sequential(_conv(64, 96, stride=2), Residual(96), Residual(96), Residual(96))
        self.deepest = nn.Sequential(_conv(96, 128, stride=2), Residual(128), Context(128), Residual(128))
        self.neck_deepest = _conv(128, 64, size=1)
        self.neck_sixteenth = _conv(96 + 64, 64, size=1)
        self.neck_eighth = _conv(64 + 64, 32, size=1)
        self.neck_quarter = _conv(32 + 32, 16, size=1)
        self.neck_half = _conv(16, 8, size=1)
        maps = len(PROMPTS)
        self.at_sixteenth = nn.Sequential(_conv(64 * 3 + maps, 72), Residual(72), Residual(72))
        self.at_eighth = _conv(72 + 32 * 2 + maps, 48)
        self.at_quarter = _conv(48 + 16 + maps, 24)
        self.at_half = nn.Sequential(_conv(24 + 8, 12), nn.Conv2d(12, len(OUTPUTS), 1))

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features at strides 16, 8, 4 and 2, with 64, 32, 16 and 8 channels."""
        half = self.stem((image - 0.5) * 4)
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        deepest = self.neck_deepest(self.deepest(sixteenth))
        sixteenth = self.neck_sixteenth(torch.cat([sixteenth, _up(deepest, sixteenth)], 1))
        eighth = self.neck_eighth(torch.cat([eighth, _up(sixteenth, eighth)], 1))
        quarter = self.neck_quarter(torch.cat([quarter, _up(eighth, quarter)], 1))
        return sixteenth, eighth, quarter, self.neck_half(half)

    def decode(self, features: tuple[Tensor, ...], prompts: Tensor) -> Tensor:
        """Logits (B, P, 3, H/2, W/2): the mask asked for, people, and the middles of instances."""
        batch, count = prompts.shape[:2]
        sixteenth, eighth, quarter, half = (f.repeat_interleave(count, 0) for f in features)  # (B*P, C, H/s, W/s)
        maps = prompts.flatten(0, 1)  # (B, P, 4, H, W) -> (B*P, 4, H, W)
        maps4 = F.avg_pool2d(maps, 4)
        maps8 = F.max_pool2d(maps4, 2)
        maps16 = F.max_pool2d(maps8, 2)
        wanted = maps16[:, 0:1] + 0.02 * maps16[:, 2:3] + 0.02 * maps16[:, 3:4]
        like_wanted = sixteenth * _pooled(sixteenth, wanted)
        like_unwanted = sixteenth * _pooled(sixteenth, maps16[:, 1:2])
        x = self.at_sixteenth(torch.cat([sixteenth, like_wanted, like_unwanted, maps16], 1))
        like_wanted = eighth * _pooled(eighth, maps8[:, 0:1] + 0.02 * maps8[:, 2:3] + 0.02 * maps8[:, 3:4])
        x = self.at_eighth(torch.cat([_up(x, eighth), eighth, like_wanted, maps8], 1))
        x = self.at_quarter(torch.cat([_up(x, quarter), quarter, maps4], 1))
        x = self.at_half(torch.cat([_up(x, half), half], 1))
        return x.unflatten(0, (batch, count))  # (B*P, 3, H/2, W/2) -> (B, P, 3, H/2, W/2)

    def forward(self, image: Tensor, prompts: Tensor) -> Tensor:
        return self.decode(self.encode(image), prompts)


def _pooled(features: Tensor, weight: Tensor) -> Tensor:
    """The mean feature under a map, (B, C, 1, 1); zero where the map is empty."""
    return (features * weight).sum((2, 3), keepdim=True) / (weight.sum((2, 3), keepdim=True) + 1e-3)
