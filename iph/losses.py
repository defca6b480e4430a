"""The training losses (paper Sec. 4, eqs. 1 to 6), each a pure function of tensors.

Images (B, 3, H, W) in [0, 1]; masks (B, 1, H, W); codes (B, D). Every loss returns a scalar, the mean over the batch.
The paper gives no values for the weights α, β, λ and the margin m: ``LossWeights`` holds ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iph.blocks import masked_statistics

HIGHLIGHT, SHADOW = 0.9, 0.1  # the luminance percentiles of eqs. 2 and 4
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class LossWeights:
    """α and β weigh the two triplets, λ the luminance matching, m is the margin of both triplets.

    points: the terms of eq. 5 that are in use; the ablation takes them one by one.
    """

    alpha: float = 0.01
    beta: float = 0.01
    lam: float = 0.1
    margin: float = 0.1
    points: tuple[str, ...] = ("highlight", "mid-tone", "shadow")


def harmonization_loss(harmonized: Tensor, target: Tensor, foreground: Tensor) -> Tensor:
    """Eq. 1: L1 distance to the target. Averaged over the foreground, so that small subjects count like large ones."""
    return _foreground_mean((harmonized - target).abs(), foreground)


def squared_loss(harmonized: Tensor, target: Tensor, foreground: Tensor) -> Tensor:
    """Ours: foreground MSE, averaged like eq. 1."""
    return _foreground_mean((harmonized - target).square(), foreground)


def _foreground_mean(distance: Tensor, foreground: Tensor) -> Tensor:
    area = foreground.sum((1, 2, 3)).clamp_min(1.0)
    return ((distance.mean(1, keepdim=True) * foreground).sum((1, 2, 3)) / area).mean()


def luminance(image: Tensor) -> Tensor:
    """Rec. 601 luma of encoded sRGB, (B, 1, H, W)."""
    weights = torch.tensor(_LUMA, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)


def masked_quantile(values: Tensor, mask: Tensor, q: float) -> Tensor:
    """The ``q`` quantile (linear interpolation) of (B, C, H, W) values where the (B, 1, H, W) mask is above one half.

    Returns (B, C). A sample without such a pixel gives zero.
    """
    inside = (mask > 0.5).expand_as(values).flatten(2)  # (B, C, K)
    ordered = values.flatten(2).masked_fill(~inside, torch.inf).sort(-1).values
    count = inside.sum(-1, keepdim=True)  # (B, C, 1)
    place = q * (count - 1).clamp_min(0).to(values.dtype)
    low = place.floor().long()
    high = torch.minimum(low + 1, (count - 1).clamp_min(0))
    below, above = ordered.gather(-1, low), ordered.gather(-1, high)
    empty = count == 0
    below, above = below.masked_fill(empty, 0.0), above.masked_fill(empty, 0.0)
    return (below + (place - low) * (above - below)).squeeze(-1)


def highlight_loss(image: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor) -> Tensor:
    """Eq. 2: distance between the two regions' 90th luminance percentiles."""
    return _percentile_distance(image, mask, other, other_mask, HIGHLIGHT)


def midtone_loss(image: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor) -> Tensor:
    """Eq. 3: distance between the two regions' mean luminances."""
    mean = masked_statistics(luminance(image), mask)[0]
    other_mean = masked_statistics(luminance(other), other_mask)[0]
    return (mean - other_mean).abs().mean()


def shadow_loss(image: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor) -> Tensor:
    """Eq. 4: distance between the two regions' 10th luminance percentiles."""
    return _percentile_distance(image, mask, other, other_mask, SHADOW)


def luminance_matching_loss(
    image: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor, points: Sequence[str] = LossWeights.points
) -> Tensor:
    """Eq. 5: highlight + mid-tone + shadow, or those among ``points``."""
    terms = {"highlight": highlight_loss, "mid-tone": midtone_loss, "shadow": shadow_loss}
    return sum((terms[point](image, mask, other, other_mask) for point in points), start=image.new_zeros(()))


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """max(‖a - p‖ - ‖a - n‖ + m, 0) with the L2 norm over the whole code, as the paper writes it.

    BargainNet's code has a per-channel hinge instead: its tensors keep two axes of size one.
    """
    closer = torch.linalg.vector_norm(anchor - positive, dim=1)
    further = torch.linalg.vector_norm(anchor - negative, dim=1)
    return (closer - further + margin).clamp_min(0).mean()


def reference_triplet(harmonized: Tensor, reference: Tensor, composite: Tensor, margin: float) -> Tensor:
    """First triplet: the harmonized foreground's code nearer to the reference's than to the composite foreground's."""
    return triplet_loss(harmonized, reference, composite, margin)


def target_triplet(harmonized: Tensor, target: Tensor, composite: Tensor, margin: float) -> Tensor:
    """Second triplet: the harmonized foreground's code nearer to the true foreground's than to the composite's."""
    return triplet_loss(harmonized, target, composite, margin)


def total_loss(
    harmonization: Tensor, luminance_matching: Tensor, triplets: tuple[Tensor, Tensor], weights: LossWeights
) -> Tensor:
    """Eq. 6: L = L_harmonization + α · first triplet + β · second triplet + λ · luminance matching."""
    first, second = triplets
    return harmonization + weights.alpha * first + weights.beta * second + weights.lam * luminance_matching


def _percentile_distance(image: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor, q: float) -> Tensor:
    own = masked_quantile(luminance(image), mask, q)
    return (own - masked_quantile(luminance(other), other_mask, q)).abs().mean()


def look_matching_loss(image: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor) -> Tensor:
    """Ours, for pairs without a truth: mean distance of each channel's 10th percentile, mean and 90th percentile."""
    mean = masked_statistics(image, mask)[0].flatten(1)
    other_mean = masked_statistics(other, other_mask)[0].flatten(1)
    points = [(mean - other_mean).abs()]  # each (B, 3)
    for q in (SHADOW, HIGHLIGHT):
        points.append((masked_quantile(image, mask, q) - masked_quantile(other, other_mask, q)).abs())
    return torch.stack(points).mean()


def content_loss(harmonized: Tensor, composite: Tensor, foreground: Tensor) -> Tensor:
    """Ours, for pairs without a truth: one minus each channel's correlation before and after, in the foreground."""
    before_mean, before_deviation = masked_statistics(composite, foreground)
    after_mean, after_deviation = masked_statistics(harmonized, foreground)
    product = (composite - before_mean) / before_deviation * (harmonized - after_mean) / after_deviation
    correlation = masked_statistics(product, foreground)[0]  # (B, 3, 1, 1)
    return (1 - correlation).mean()
