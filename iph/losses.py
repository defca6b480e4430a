"""The training losses (paper Sec. 4, eqs. 1 to 6, the two triplets and their sum), each a pure function of tensors.

Images (B, 3, H, W) in [0, 1]; masks (B, 1, H, W); codes (B, D). Every loss returns a scalar, the mean over the batch.
The paper gives no values for α, λ, β and the margin m: ``LossWeights`` holds ours. ``h`` is the harmonized foreground,
``b`` the reference region, ``c`` the composite's foreground, ``r`` the true one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iph.blocks import masked_statistics

HIGHLIGHT, SHADOW = 0.9, 0.1  # the luminance percentiles of eqs. 1 and 3
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class LossWeights:
    """L_IPH's α of the luminance matching, λ (``lam``) of the consistency, β of both triplets, and their margin m.

    points: the terms of eq. 4 that are in use; the ablation takes them one by one.
    """

    alpha: float = 0.1
    lam: float = 0.01
    beta: float = 0.01
    margin: float = 0.1
    points: tuple[str, ...] = ("highlight", "mid-tone", "shadow")


def luminance(image: Tensor) -> Tensor:
    """Rec. 601 luma of encoded sRGB, (B, 1, H, W): our reading of the paper's "luminance points"."""
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


def highlight_loss(harmonized: Tensor, foreground: Tensor, reference_image: Tensor, reference: Tensor) -> Tensor:
    """Eq. 1: ‖H_max − R_max‖₁, the 90th luminance percentiles of the harmonized foreground and the reference region."""
    return _percentile_distance(harmonized, foreground, reference_image, reference, HIGHLIGHT)


def midtone_loss(harmonized: Tensor, foreground: Tensor, reference_image: Tensor, reference: Tensor) -> Tensor:
    """Eq. 2: ‖H_mean − R_mean‖₁, the mean luminances of the harmonized foreground and the reference region."""
    mean = masked_statistics(luminance(harmonized), foreground)[0]
    return (mean - masked_statistics(luminance(reference_image), reference)[0]).abs().mean()


def shadow_loss(harmonized: Tensor, foreground: Tensor, reference_image: Tensor, reference: Tensor) -> Tensor:
    """Eq. 3: ‖H_min − R_min‖₁, the 10th luminance percentiles of the harmonized foreground and the reference region."""
    return _percentile_distance(harmonized, foreground, reference_image, reference, SHADOW)


def luminance_matching_loss(
    harmonized: Tensor,
    foreground: Tensor,
    reference_image: Tensor,
    reference: Tensor,
    points: Sequence[str] = LossWeights.points,
) -> Tensor:
    """Eq. 4: highlight + mid-tone + shadow, or those among ``points``."""
    terms = {"highlight": highlight_loss, "mid-tone": midtone_loss, "shadow": shadow_loss}
    regions = harmonized, foreground, reference_image, reference
    return sum((terms[point](*regions) for point in points), start=harmonized.new_zeros(()))


def consistency_loss(harmonized: Tensor, reference: Tensor) -> Tensor:
    """Eq. 5: ‖φ(h) − φ(b)‖₁ of two codes, as the mean over their elements, like the L1 of eq. 6."""
    return (harmonized - reference).abs().mean()


def harmonization_loss(harmonized: Tensor, target: Tensor, foreground: Tensor) -> Tensor:
    """Eq. 6: ‖H − Î‖₁, the L1 distance to the truth.

    The two differ in the foreground alone, so it is averaged over that: small subjects count like large ones.
    """
    return _foreground_mean((harmonized - target).abs(), foreground)


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """max(‖a, p‖₂ − ‖a, n‖₂ + m, 0) with the norm over the whole code, as the paper writes it.

    BargainNet's code has a per-channel hinge instead: its tensors keep two axes of size one.
    """
    closer = torch.linalg.vector_norm(anchor - positive, dim=1)
    further = torch.linalg.vector_norm(anchor - negative, dim=1)
    return (closer - further + margin).clamp_min(0).mean()


def triplet1(harmonized: Tensor, reference: Tensor, composite: Tensor, margin: float) -> Tensor:
    """L_triplet1: φ(h) nearer to φ(b) than to φ(c)."""
    return triplet_loss(harmonized, reference, composite, margin)


def triplet2(harmonized: Tensor, target: Tensor, composite: Tensor, margin: float) -> Tensor:
    """L_triplet2: φ(h) nearer to φ(r) than to φ(c)."""
    return triplet_loss(harmonized, target, composite, margin)


def total_loss(
    harmonization: Tensor,
    luminance_matching: Tensor,
    consistency: Tensor,
    triplets: tuple[Tensor, Tensor],
    weights: LossWeights,
) -> Tensor:
    """L_IPH = L_harmonization + α L_LM + λ L_consis + β (L_triplet1 + L_triplet2)."""
    return (
        harmonization
        + weights.alpha * luminance_matching
        + weights.lam * consistency
        + weights.beta * (triplets[0] + triplets[1])
    )


def apart_loss(harmonized: Tensor, reference: Tensor, margin: float) -> Tensor:
    """Eq. 5 as the appendix turns it for ψ: the two codes "far apart from each other", no further than ``margin``.

    The paper gives no form. Without a bound the distance would grow for ever; as in eq. 5 it is a mean over elements.
    """
    return (margin - (harmonized - reference).abs().mean(1)).clamp_min(0).mean()


def squared_loss(harmonized: Tensor, target: Tensor, foreground: Tensor) -> Tensor:
    """Ours: foreground MSE, averaged like eq. 6."""
    return _foreground_mean((harmonized - target).square(), foreground)


def look_matching_loss(image: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor) -> Tensor:
    """Ours, for pairs without a truth: eqs. 1 to 3 a channel, the mean distance of 10th percentile, mean and 90th."""
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


def _foreground_mean(distance: Tensor, foreground: Tensor) -> Tensor:
    area = foreground.sum((1, 2, 3)).clamp_min(1.0)
    return ((distance.mean(1, keepdim=True) * foreground).sum((1, 2, 3)) / area).mean()


def _percentile_distance(image: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor, q: float) -> Tensor:
    own = masked_quantile(luminance(image), mask, q)
    return (own - masked_quantile(luminance(other), other_mask, q)).abs().mean()
