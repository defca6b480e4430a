"""The U-Net with attention that DoveNet and BargainNet share.

Source: Cong et al. 2020, "DoveNet" (CVPR), released as ``s2ad``: 8 strided 4x4 convolutions down to 1/256 of the side,
8 transposed ones up, and a 1x1-convolution gate on the concatenated skip of the three outer levels below the first.
Module positions repeat the published state-dict keys (``model.model.1.attention.0.weight`` and so on).
``width`` and ``levels`` make narrower and shallower ones to be trained here; the defaults are the published network.
Axes: B batch, C channels, H, W.
"""

import torch
from torch import Tensor, nn

WIDTH, LEVELS = 64, 8  # channels after the first down, and how many downs there are
GATED_LEVELS = (1, 2, 3)  # levels whose output is gated; level 0 is the outermost
DROPOUT_FROM = 4  # from this level to the last but one


def widths_of(width: int, levels: int) -> tuple[int, ...]:
    """Channels after each down: 64, 128, 256, 512, 512, 512, 512, 512 as published."""
    return tuple(width * min(2**level, 8) for level in range(levels))


def down(channels_in: int, channels_out: int) -> nn.Conv2d:
    """Halve the side."""
    return nn.Conv2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=False)


def up(channels_in: int, channels_out: int, bias: bool = False) -> nn.ConvTranspose2d:
    """Double the side."""
    return nn.ConvTranspose2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=bias)


def gate(channels: int) -> nn.Sequential:
    """Attention of every channel and place, in (0, 1), to multiply the features with."""
    return nn.Sequential(nn.Conv2d(channels, channels, kernel_size=1), nn.Sigmoid())


class UNetLevel(nn.Module):
    """One level of the U-Net with all levels below it inside; the skip joins its input to its output.

    The first activation works in place, as in the original: the skip carries the activated input.
    """

    def __init__(self, level: int, channels_in: int, widths: tuple[int, ...]):
        super().__init__()
        self.outermost = level == 0
        width = widths[level]
        if self.outermost:
            layers = [
                down(channels_in, width),
                UNetLevel(1, width, widths),
                nn.ReLU(True),
                up(2 * width, 3, bias=True),
                nn.Tanh(),
            ]
        elif level == len(widths) - 1:
            layers = [nn.LeakyReLU(0.2, True), down(channels_in, width)]
            layers += [nn.ReLU(True), up(width, channels_in), nn.BatchNorm2d(channels_in)]
        else:
            layers = [nn.LeakyReLU(0.2, True), down(channels_in, width), nn.BatchNorm2d(width)]
            layers += [UNetLevel(level + 1, width, widths)]
            layers += [nn.ReLU(True), up(2 * width, channels_in), nn.BatchNorm2d(channels_in)]
            layers += [nn.Dropout(0.5)] if level >= DROPOUT_FROM else []
        self.model = nn.Sequential(*layers)
        self.attention = gate(2 * channels_in) if level in GATED_LEVELS else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, 3, H, W) for the outermost level, else (B, 2C, H, W)."""
        if self.outermost:
            return self.model(x)
        below = self.model(x)
        joined = torch.cat([x, below], dim=1)  # (B, 2C, H, W); x is activated by now
        return joined if self.attention is None else self.attention(joined) * joined


class AttentionUNet(nn.Module):
    """``channels_in`` channels → RGB in [-1, 1] of the whole frame; sides are multiples of 2 ** levels."""

    def __init__(self, channels_in: int, width: int = WIDTH, levels: int = LEVELS):
        super().__init__()
        self.model = UNetLevel(0, channels_in, widths_of(width, levels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) → (B, 3, H, W) in [-1, 1]."""
        return self.model(x)
