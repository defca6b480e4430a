"""Prompt maps as the networks read them, (B, 4, H, W): to add, to remove, the inside of a box, an earlier mask."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iph.masks.windows import PROMPTS

SEEN = len(PROMPTS) + 2  # those to add and to remove come spread out as well
FAINT = 0.02  # beside a click, a box and an earlier mask say little of what is wanted


def seen(maps: Tensor) -> Tensor:
    """(B, 6, H, W): the maps, and those to add and to remove spread out, so that far places know where they are."""
    return torch.cat([maps, spread(maps[:, :2])], 1)


def smaller(maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The maps at a quarter, an eighth and a sixteenth of the size; a click stays visible."""
    quarter = F.avg_pool2d(maps, 4)
    eighth = F.max_pool2d(quarter, 2)
    return quarter, eighth, F.max_pool2d(eighth, 2)


def like_wanted(features: Tensor, maps: Tensor) -> Tensor:
    """Features (B, C, H, W) times their mean under what is wanted."""
    return features * pooled(features, maps[:, 0:1] + FAINT * maps[:, 2:3] + FAINT * maps[:, 3:4])


def like_unwanted(features: Tensor, maps: Tensor) -> Tensor:
    """Features (B, C, H, W) times their mean under what is to be removed."""
    return features * pooled(features, maps[:, 1:2])


def pooled(features: Tensor, weight: Tensor) -> Tensor:
    """The mean feature under a map, (B, C, 1, 1); zero where the map is empty."""
    return (features * weight).sum((2, 3), keepdim=True) / (weight.sum((2, 3), keepdim=True) + 1e-3)


def spread(marks: Tensor) -> Tensor:
    """Marks (B, C, H, W) blurred over an eighth or so of the picture, at most 1; nothing where there are none."""
    small = F.max_pool2d(F.avg_pool2d(marks, 4), 4)
    for _ in range(3):
        small = F.avg_pool2d(small, 5, 1, 2)
    small = small / (small.amax((2, 3), keepdim=True) + 1e-4)
    return F.interpolate(small, marks.shape[-2:], mode="bilinear", align_corners=False)


def zero(layer: nn.Conv2d) -> nn.Conv2d:
    """A layer that adds nothing until it is trained."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
