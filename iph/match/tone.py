"""Points of the lightness curve: weighted percentiles, and the bumps that move them (after the paper's eqs. 1 to 3).

Lightness (B, S, S) is L* from 0 to 100.
"""

import torch
from torch import Tensor

POINTS = (0.1, 0.5, 0.9)  # shadow, middle and highlight
BINS = 400  # percentiles are read between them
LEAST = (0.5, 0.8, 1.1)  # keeps the points of a black region apart


def percentiles(lightness: Tensor, weight: Tensor) -> Tensor:
    """The weighted ``POINTS`` of lightness, both (B, S, S), as (B, 3), in increasing order and a little apart."""
    values, weight = lightness.flatten(1), weight.flatten(1)
    place = (values * (BINS / 100)).long().clamp(0, BINS - 1)
    heights = torch.zeros(len(values), BINS, device=values.device).scatter_add_(1, place, weight)
    heights = heights / heights.sum(1, keepdim=True).clamp_min(1e-12)
    summed = heights.cumsum(1)
    found = []
    for point in POINTS:
        at = (summed < point).sum(1, keepdim=True).clamp_max(BINS - 1)  # the bin in which the point lies
        height = heights.gather(1, at)
        within = (point - (summed.gather(1, at) - height)) / height.clamp_min(1e-12)
        found.append((at + within.clamp(0, 1)) * (100 / BINS))
    spread = torch.tensor(LEAST, device=values.device)
    return rising(torch.maximum(torch.cat(found, 1), spread))


def rising(points: Tensor) -> Tensor:
    """Points (B, K), none below one before it. (ONNX has no operator for a running maximum.)"""
    places = list(points.unbind(1))
    for place in range(1, len(places)):
        places[place] = torch.maximum(places[place - 1], places[place])
    return torch.stack(places, 1)


def lightness_hats(lightness: Tensor, points: Tensor) -> Tensor:
    """``cell_hats`` of whole pictures (B, S, S): (B, 3, S, S)."""
    return cell_hats(lightness.flatten(1), points).transpose(1, 2).unflatten(2, lightness.shape[1:])


def cell_hats(lightness: Tensor, points: Tensor) -> Tensor:
    """Piecewise linear bumps (B, N, 3) of values (B, N): one at each of the ``points`` (B, 3), zero at the others, at
    0 and at 100."""
    zero, hundred = torch.zeros_like(points[:, :1]), torch.full_like(points[:, :1], 100.0)
    knots = torch.cat([zero, points, hundred], 1)[:, None]  # (B, 1, 5)
    low, high = knots[..., :-1], knots[..., 1:]
    ramps = ((lightness[..., None] - low) / (high - low).clamp_min(0.2)).clamp(0, 1)  # (B, N, 4)
    return ramps[..., :-1] - ramps[..., 1:]
