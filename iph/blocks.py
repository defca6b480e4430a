"""Building blocks of the network (paper Sec. 4): partial convolution, masked statistics, masked AdaIN, residual block.

Shapes: features (B, C, H, W) float; masks (B, 1, H, W) in [0, 1]; codes (B, D).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPS = 1e-5


class PartialConv2d(nn.Conv2d):
    """Convolution that sees only valid pixels (Liu et al. 2018, eqs. 1 and 2).

    ``forward(features, mask)`` returns the features, renormalised by the share of valid pixels under the kernel, and
    the grown mask: 1 wherever the kernel saw any valid pixel.
    """

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        valid = F.avg_pool2d(
            mask, self.kernel_size, self.stride, self.padding, count_include_pad=True
        )  # (B, 1, H', W')
        out = F.conv2d(features * mask, self.weight, None, self.stride, self.padding)  # (B, C', H', W')
        grown = (valid > 0).to(features.dtype)
        out = out / valid.clamp_min(1e-4)
        if self.bias is not None:
            out = out + self.bias.view(1, -1, 1, 1)
        return out * grown, grown


def masked_statistics(features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel inside the mask, both (B, C, 1, 1). An empty mask gives zeros."""
    area = mask.sum((2, 3), keepdim=True).clamp_min(EPS)
    mean = (features * mask).sum((2, 3), keepdim=True) / area
    variance = ((features - mean).square() * mask).sum((2, 3), keepdim=True) / area
    return mean, (variance + EPS).sqrt()


def normalised(features: Tensor, mask: Tensor, inside: bool, gain: Tensor, bias: Tensor) -> Tensor:
    """Instance normalisation; ``inside`` the mask only, it zeroes what lies outside.

    A region of one pixel has no deviation, and what lies outside, divided by it, would drown everything.
    """
    if not inside:
        mean, deviation = masked_statistics(features, torch.ones_like(mask))
        return (features - mean) / deviation * gain + bias
    mean, deviation = masked_statistics(features, mask)
    return ((features - mean) / deviation * gain + bias) * mask


class MaskedAdaIN(nn.Module):
    """Adaptive instance normalisation (Huang and Belongie 2017) by a style code.

    ``inside=True`` takes the statistics inside the mask and keeps nothing outside of it; ``False`` takes them over the
    whole map, zeros of the masked background included: AdaIN as the paper names it.
    """

    def __init__(self, channels: int, code: int, inside: bool = True) -> None:
        super().__init__()
        self.inside = inside
        self.style = nn.Linear(code, 2 * channels)
        nn.init.normal_(self.style.weight, std=0.02)
        nn.init.zeros_(self.style.bias)

    def forward(self, features: Tensor, mask: Tensor, code: Tensor) -> Tensor:
        scale, shift = self.style(code)[..., None, None].chunk(2, dim=1)  # each (B, C, 1, 1)
        return normalised(features, mask, self.inside, 1 + scale, shift)


class MaskedNorm(nn.Module):
    """Instance normalisation with its own gain and bias; statistics as in ``MaskedAdaIN``."""

    def __init__(self, channels: int, inside: bool = True) -> None:
        super().__init__()
        self.inside = inside
        self.gain = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        return normalised(features, mask, self.inside, self.gain, self.bias)


class ResidualBlock(nn.Module):
    """Two convolutions and a skip around them; the shape stays."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.second(F.leaky_relu(self.first(F.leaky_relu(features, 0.2)), 0.2))


def residual_blocks(count: int, channels: int) -> nn.Sequential:
    """The paper's "set of residual blocks" of a block; how many there are it does not say."""
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))


class DownBlock(nn.Module):
    """Strided convolution and ``residuals`` residual blocks: (B, C, H, W) to (B, C', H/2, W/2).

    ``residuals=0`` is the form that ships: one block, between whose convolutions alone the features are rectified.
    """

    def __init__(self, before: int, after: int, norm: bool, inside: bool, residuals: int = 0) -> None:
        super().__init__()
        self.shrink = nn.Conv2d(before, after, 4, 2, 1)
        self.norm = MaskedNorm(after, inside) if norm else None
        self.residuals = residual_blocks(residuals, after) if residuals else None
        if not residuals:
            self.first = nn.Conv2d(after, after, 3, 1, 1)
            self.second = nn.Conv2d(after, after, 3, 1, 1)

    def forward(self, features: Tensor, mask: Tensor, joined: Tensor | None = None) -> Tensor:
        features = self.shrink(features)
        if joined is not None:
            features = features + joined
        if self.norm is not None:
            features = self.norm(features, mask)
        features = F.leaky_relu(features, 0.2)
        if self.residuals is not None:
            return self.residuals(features)
        return features + self.second(F.leaky_relu(self.first(features), 0.2))


class UpBlock(nn.Module):
    """Nearest growth, convolution, AdaIN by the style code, ``residuals`` residual blocks: to (B, C', 2H, 2W).

    ``residuals=0`` is the form that ships: one rectified convolution with a skip.
    """

    def __init__(self, before: int, after: int, code: int | None, inside: bool, residuals: int = 0) -> None:
        super().__init__()
        self.grow = nn.Conv2d(before, after, 3, 1, 1)
        self.norm = MaskedNorm(after, inside) if code is None else MaskedAdaIN(after, code, inside)
        self.residuals = residual_blocks(residuals, after) if residuals else None
        self.refine = None if residuals else nn.Conv2d(after, after, 3, 1, 1)

    def forward(self, features: Tensor, mask: Tensor, code: Tensor | None) -> Tensor:
        features = self.grow(F.interpolate(features, scale_factor=2.0, mode="nearest"))
        features = self.norm(features, mask) if code is None else self.norm(features, mask, code)
        features = F.leaky_relu(features, 0.2)
        if self.residuals is not None:
            return self.residuals(features)
        return features + F.leaky_relu(self.refine(features), 0.2)
