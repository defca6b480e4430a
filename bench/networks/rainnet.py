"""RainNet (Ling et al., "Region-aware Adaptive Instance Normalization for Image Harmonization", CVPR 2021).

The widths of DoveNet's U-Net, instance normalization on the way down, and RAIN on the way up: the foreground is
normalized to the background's statistics. Attribute names repeat the published state-dict keys. Another region's mask
in place of the background's is the experiment of IPH's appendix.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.networks.blocks import LEVELS, WIDTH, down, gate, up

EPS = 1e-5


class RAIN(nn.Module):
    """Foreground features take the background's mean and deviation; both get a learnt gain (from 1) and shift."""

    def __init__(self, channels: int):
        super().__init__()
        self.foreground_gamma = nn.Parameter(torch.zeros(channels))
        self.foreground_beta = nn.Parameter(torch.zeros(channels))
        self.background_gamma = nn.Parameter(torch.zeros(channels))
        self.background_beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, mask: Tensor, guide: Tensor | None = None) -> Tensor:
        """(B, C, H, W) features and (B, 1, any, any) masks → (B, C, H, W); ``guide`` stands in for the background."""
        mask = F.interpolate(mask, size=x.shape[2:], mode="nearest")
        mean_f, std_f = _statistics(x, mask)
        region = 1 - mask if guide is None else F.interpolate(guide, size=x.shape[2:], mode="nearest")
        mean_b, std_b = _statistics(x, region)
        background = (x - mean_b) / std_b
        foreground = (x - mean_f) / std_f * std_b + mean_b
        background = background * (1 + self.background_gamma[:, None, None]) + self.background_beta[:, None, None]
        foreground = foreground * (1 + self.foreground_gamma[:, None, None]) + self.foreground_beta[:, None, None]
        return foreground * mask + background * (1 - mask)


def _statistics(x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation (B, C, 1, 1) of ``x`` under ``mask``."""
    count = mask.sum(dim=(2, 3), keepdim=True) + EPS
    mean = (x * mask).sum(dim=(2, 3), keepdim=True) / count
    variance = ((x - mean) ** 2 * mask).sum(dim=(2, 3), keepdim=True) / count
    return mean, (variance + EPS).sqrt()


class InnerLevel(nn.Module):
    """One of the four inner levels, 512 channels wide (``width``), with the levels below it inside."""

    def __init__(self, depth: int, width: int):
        super().__init__()
        if depth == 0:
            self.up = nn.Sequential(nn.LeakyReLU(0.2, True), down(width, width), nn.ReLU(True), up(width, width))
        else:
            self.down = nn.Sequential(nn.LeakyReLU(0.2, True), down(width, width), nn.InstanceNorm2d(width))
            self.submodule = InnerLevel(depth - 1, width)
            self.up = nn.Sequential(nn.ReLU(True), up(2 * width, width))
        self.upnorm = RAIN(width)
        self.dropout = nn.Dropout(0.5 if depth else 0.0)
        self.innermost = depth == 0

    def forward(self, x: Tensor, mask: Tensor, guide: Tensor | None) -> Tensor:
        """(B, C, H, W) → (B, 2C, H, W)."""
        inner = x if self.innermost else self.submodule(self.down(x), mask, guide)
        return torch.cat([x, self.dropout(self.upnorm(self.up(inner), mask, guide))], dim=1)


class RainNet(nn.Module):
    """Composite in [-1, 1] and its foreground mask in {0, 1} → raw frame in [-1, 1] (54,759,043 parameters).

    ``composite * (1 - mask) + raw * mask`` is what the authors evaluate.
    """

    INPUTS = (3, 1)  # channels of what ``forward`` takes

    def __init__(self, width: int = WIDTH, levels: int = LEVELS) -> None:
        super().__init__()
        w = width
        self.model_layer0 = down(3, w)
        self.model_layer1 = _encoder(w, 2 * w)
        self.model_layer2 = _encoder(2 * w, 4 * w)
        self.model_layer3 = _encoder(4 * w, 8 * w)
        self.unet_block = InnerLevel(levels - 5, 8 * w)
        self.model_layer11, self.model_layer11norm, self.model_layer11att = _decoder(16 * w, 4 * w)
        self.model_layer12, self.model_layer12norm, self.model_layer12att = _decoder(8 * w, 2 * w)
        self.model_layer13, self.model_layer13norm, self.model_layer13att = _decoder(4 * w, w)
        self.model_out = nn.Sequential(nn.ReLU(True), up(2 * w, 3, bias=True), nn.Tanh())

    def forward(self, composite: Tensor, mask: Tensor, guide: Tensor | None = None) -> Tensor:
        """(B, 3, H, W) and (B, 1, H, W), sides multiples of 2 ** levels → raw (B, 3, H, W).

        ``guide`` (B, 1, H, W) is the region whose statistics are taken, the background where there is none.
        """
        x0 = self.model_layer0(composite)
        x1 = self.model_layer1(x0)  # activates x0 in place: the skips carry activated features
        x2 = self.model_layer2(x1)
        x3 = self.model_layer3(x2)
        x = self.unet_block(x3, mask, guide)
        x = torch.cat([x2, self.model_layer11norm(self.model_layer11(x), mask, guide)], dim=1)
        x = self.model_layer11att(x) * x
        x = torch.cat([x1, self.model_layer12norm(self.model_layer12(x), mask, guide)], dim=1)
        x = self.model_layer12att(x) * x
        x = torch.cat([x0, self.model_layer13norm(self.model_layer13(x), mask, guide)], dim=1)
        x = self.model_layer13att(x) * x
        return self.model_out(x)


def _encoder(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(nn.LeakyReLU(0.2, True), down(channels_in, channels_out), nn.InstanceNorm2d(channels_out))


def _decoder(channels_in: int, channels_out: int) -> tuple[nn.Sequential, RAIN, nn.Sequential]:
    return nn.Sequential(nn.ReLU(True), up(channels_in, channels_out)), RAIN(channels_out), gate(2 * channels_out)
