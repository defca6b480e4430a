"""The semantic match: a first guess of the look in closed form, and how far to believe it. No training.

Each cell of the foreground attends to the cells of the reference that show the same thing (skin to skin). Lightness:
the foreground's 10th, 50th and 90th percentiles go to those of the attended pixels (after eqs. 1 to 3 of the paper,
which are losses and have the mean for the median). Chroma: an affine map of L*a*b*, fitted by ridge to what the cells
should become.

Belief. What a cell should become follows how alike it and the attended cells are. Of alike things, hue and saturation
go towards each other's where light can have made the difference: a navy shirt beside a red one is another dye and stays
navy. Skin has no dye. Unlike things exchange nothing: they take the common cast, what greyish things tell of the
light (skin, so far as it stays skin), and lightness half way to the reference's. Saturation is a*, b* over L* + 16,
which an exposure leaves alone.

Axes: B batch, S side of the pictures, N = cells x cells, 3 L*a*b*. Everything is on L*a*b* of ``iph.match.lab``.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from iph.blocks import EPS
from iph.checkpoint import load_tensors
from iph.match.lab import lab_to_rgb, rgb_to_lab
from iph.match.look import CELLS, SIDE
from iph.match.tone import cell_hats, lightness_hats, percentiles, rising
from iph.semantics import CHANNELS, Encoder, encoder, grid

TEMPERATURE = 0.05  # of the attention's cosines
RIDGE = 0.02
SKIN_FIRST = 1.0  # how much more a cell of skin that found skin counts in the fit
SHARES = (0.7, 0.8, 0.8, 0.65)  # of the way, three points and chroma
LAB_SCALE = 50.0  # brings L*a*b* to about one in the fit
GREY_SATURATION = 0.2  # cells up to about this saturation tell the colour of the light
GREY_PRIOR = 0.02  # share of the cells that is taken as grey in any case: without grey things, no cast is seen
CAST_SHARE = 0.8  # measured: what the grey cells' difference says of a change of white point
LEAST_SATURATION = 0.015  # below it, a hue is noise
MOST_RATIO, MOST_TURN = 1.2, 1.2  # of saturation, natural logarithm, and of hue, radians, where it is believed
SKIN_RATIO, SKIN_TURN = 0.4, 0.25  # the same, of what the cast alone may do to skin: beside jeans it is no blue
DYE_RATIO, DYE_TURN = 2.0, 1.0  # a difference far above these is another dye and not another light; skin has no dye
SURE = 0.35  # two cells agree in kind with certainty from this probability on: the kinds are read with some doubt
LIKE_COSINE, LIKE_WIDTH = 0.3, 0.05  # from which cosine on two things that are no people count as alike
MOST_LIFT, MOST_DROP = (12.0, 22.0, 22.0), 36.0  # of the three points of lightness
WIDER = 12.0  # a twelfth of the foreground that finds nothing alike, and all of the scene counts
UNLIKE_LIGHTNESS = 0.5  # of the way to the reference's lightness, where it shows nothing alike


@dataclass(frozen=True)
class Region:
    """A masked picture on cells: ``colour`` and ``deviation`` (B, N, 3), ``share`` of each cell inside (B, N),
    ``features`` (B, N, 152) and ``kinds`` (B, N, 3), the probabilities of ``iph.training.kinds.KINDS``."""

    colour: Tensor
    deviation: Tensor
    share: Tensor
    features: Tensor
    kinds: Tensor

    @property
    def used(self) -> Tensor:
        """Cells that lie half inside, or nearly as much as the best one, (B, N) bool."""
        return self.share > (self.share.amax(1, keepdim=True) * 0.9).clamp_max(0.5)


@dataclass(frozen=True)
class Match:
    """What was matched, (B, …): per cell ``source``, ``attended`` (the reference's colours as they are) and ``wanted``
    (what is believed), each (N, 3), ``weight`` and ``alike`` (N,), ``cosine`` (N,), ``attention`` (N, N); ``cast``
    (2,) of saturation; the percentiles ``before`` and ``after`` (3,); and what ``moved`` needs of the picture."""

    lab: Tensor
    source: Tensor
    attended: Tensor
    attended_deviation: Tensor
    wanted: Tensor
    weight: Tensor
    alike: Tensor
    cosine: Tensor
    attention: Tensor
    cast: Tensor
    before: Tensor
    after: Tensor
    hats: Tensor
    solver: Tensor


@dataclass(frozen=True)
class Seen:
    """A batch of pictures as the match reads them: ``image`` and ``lab`` (B, 3, S, S), the encoder's ``features``
    (B, N, 152) and ``kinds`` (B, N, 3)."""

    image: Tensor
    lab: Tensor
    features: Tensor
    kinds: Tensor

    def region(self, mask: Tensor) -> Region:
        """What lies under a mask (B, 1, S, S)."""
        return Region(*cell_colors(self.lab, mask), self.features, self.kinds)


@torch.no_grad()
def see(image: Tensor, photo: Tensor | None = None) -> Seen:
    """Pictures (B, 3, S, S), sRGB-encoded in [0, 1], S a multiple of 16.

    ``photo`` (B, 3, 192, 192) shows the same, for the encoder; without it, ``image`` is enlarged.
    """
    if photo is None:
        photo = F.interpolate(image, (SIDE, SIDE), mode="bilinear", align_corners=False)
    return Seen(image, rgb_to_lab(image), *read(encoder(), photo))


def read(network: Encoder, photo: Tensor) -> tuple[Tensor, Tensor]:
    """An encoder's features (B, N, 152) of photos (B, 3, 192, 192), and the kinds (B, N, 3) that they tell."""
    features = tokens(grid(network(photo), CELLS))
    weight, bias = kind_weights()
    return features, (features @ weight.T + bias).softmax(-1)


@cache
def kind_weights() -> tuple[Tensor, Tensor]:
    """Weights (3, 152) and bias (3,) of the shipped reading of kinds (``iph.training.kinds``)."""
    tensors, _ = load_tensors("kinds")
    return tensors["weight"], tensors["bias"]


def cell_colors(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and deviation (B, N, 3) of an image inside the mask, cell by cell, and the share (B, N) that is inside."""
    side = image.shape[-1] // CELLS
    share = F.avg_pool2d(mask, side)
    area = share.clamp_min(1e-4)
    mean = F.avg_pool2d(image * mask, side) / area
    square = F.avg_pool2d(image.square() * mask, side) / area
    deviation = (square - mean.square()).clamp_min(0).add(1e-6).sqrt() * (share > 0)
    return tokens(mean), tokens(deviation), tokens(share)[..., 0]


def tokens(maps: Tensor) -> Tensor:
    """(B, C, h, w) as (B, h w, C)."""
    return maps.flatten(2).transpose(1, 2)


@torch.no_grad()
def match(
    picture: Seen, foreground: Tensor, other_picture: Seen, reference: Tensor, scene: Tensor, transfer: float = 0.0
) -> Match:
    """Match a foreground with a reference of the same or another picture; masks are (B, 1, S, S) in [0, 1].

    ``scene``: what of the other picture may tell its light; in the same picture, all but the foreground. ``transfer``,
    0 to 1: how much of what is wanted is what was attended, whether light can have made the difference or not.
    """
    own, other = picture.region(foreground), other_picture.region(reference)
    around, _, around_share = cell_colors(other_picture.lab, scene)
    lab, other_lab = picture.lab, other_picture.lab
    attention, alike, cosine = attend(own, other)
    attended = attention @ other.colour
    weight = own.share * own.used
    matched = (attention * (weight * alike)[..., None]).sum(1)  # (B, N): how much each reference cell is believed
    before = percentiles(lab[:, 0], foreground[:, 0])
    pixels = F.interpolate(matched.unflatten(1, (1, CELLS, CELLS)), lab.shape[-2:], mode="bilinear").clamp_min(0)
    near = percentiles(other_lab[:, 0], ((pixels + 1e-6 * other.share.mean()) * reference)[:, 0])
    far = before + UNLIKE_LIGHTNESS * (percentiles(other_lab[:, 0], reference[:, 0]) - before)
    trust = _mean(alike, weight)
    after = torch.lerp(nearer_points(before, trust * near + (1 - trust) * far), near, transfer)

    light = own.colour[..., :1] + cell_hats(own.colour[..., 0], before) @ (after - before)[..., None]  # (B, N, 1)
    source, target = saturation(own.colour), saturation(attended)
    cast = common_cast(source, own.share, saturation(around), around_share)
    lit = under(source, cast, own.kinds[..., 0])
    wanted = believed(lit, target, alike, own.kinds[..., 0] * alike) * (light + 16)
    wanted = torch.cat([light, torch.lerp(wanted, attended[..., 1:], transfer)], -1)
    return Match(
        lab=lab,
        source=own.colour,
        attended=attended,
        attended_deviation=attention @ other.deviation,
        wanted=wanted,
        weight=weight,
        alike=alike,
        cosine=cosine,
        attention=attention,
        cast=cast,
        before=before,
        after=after,
        hats=lightness_hats(lab[:, 0], before),
        solver=affine_solver(own.colour, weight * (1 + SKIN_FIRST * own.kinds[..., 0] * alike), own.used),
    )


def attend(own: Region, other: Region) -> tuple[Tensor, Tensor, Tensor]:
    """The attention (B, N, N) of own cells (rows) to the reference's, how alike what they attend to is (B, N), and
    the attended cosine (B, N).

    Alike: the probability that both are skin, both the rest of a person, or both anything else of a near meaning.
    """
    inside, outside = own.used, other.used
    mine, theirs = _scaled(own.features, other.features)
    count = (inside.sum(1) + outside.sum(1)).clamp_min(1)[:, None, None]
    middle = (mine * inside[..., None]).sum(1, keepdim=True) + (theirs * outside[..., None]).sum(1, keepdim=True)
    within = _cosine(mine, theirs, middle / count)
    photo = _cosine(mine, theirs, theirs.mean(1, keepdim=True))
    things = torch.sigmoid((photo - LIKE_COSINE) / LIKE_WIDTH)  # (B, N, N)
    people = own.kinds[..., :2] @ other.kinds[..., :2].transpose(1, 2)
    agreement = people + own.kinds[..., 2:] @ other.kinds[..., 2:].transpose(1, 2) * things
    logits = within / TEMPERATURE + agreement.clamp_min(0.02).log() + other.share.clamp_min(1e-6).log()[:, None]
    attention = logits.masked_fill(~outside[:, None], -1e4).softmax(-1)
    return attention, ((attention * agreement).sum(-1) / SURE).clamp(0, 1), (attention * photo).sum(-1)


def widened(own: Region, alike: Tensor, reference: Tensor, scene: Tensor, most: Tensor) -> Tensor:
    """The reference (B, 1, S, S) with the scene, as far as it shows nothing ``alike`` (B, N), times ``most`` (B,).

    Beside a sofa alone, the rest of the photo says more of a face. Masks as in ``match``.
    """
    doubt = 1 - _mean(alike, own.share * own.used)[:, 0]
    return torch.maximum(reference, (most * (WIDER * doubt).clamp_max(1))[:, None, None, None] * scene)


def under(source: Tensor, cast: Tensor, skin: Tensor) -> Tensor:
    """Saturations (B, N, 2) under another light, whose ``cast`` (B, 2) skin, ``skin`` (B, N) in [0, 1], follows as far
    as skin is seen to."""
    lit = source + cast[:, None]
    ratio, angle = between(source, lit)
    bounded = turned(source, SKIN_RATIO * torch.tanh(ratio / SKIN_RATIO), SKIN_TURN * torch.tanh(angle / SKIN_TURN))
    return torch.lerp(lit, bounded, skin[..., None])


def believed(lit: Tensor, attended: Tensor, alike: Tensor, skin: Tensor) -> Tensor:
    """Saturations (B, N, 2) that cells should get, from their own ``under`` the other light and the attended ones.

    ``alike`` and ``skin`` (B, N) in [0, 1]: how far to believe the attended one, and how surely both are skin.
    """
    ratio, angle = between(lit, attended)
    dyed = (ratio / DYE_RATIO).square() + (angle / DYE_TURN).square()  # how unlike light a difference is
    alike = alike * torch.lerp(torch.exp(-dyed), torch.ones_like(dyed), skin)
    change = alike * MOST_RATIO * torch.tanh(ratio / MOST_RATIO)
    return turned(lit, change, alike * MOST_TURN * torch.tanh(angle / MOST_TURN))


def between(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """From saturations (…, 2) to others: natural logarithm of their ratio, and radians of hue, each (…)."""
    strength, wanted = (values.norm(dim=-1).clamp_min(LEAST_SATURATION) for values in (one, other))
    cross = one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
    return (wanted / strength).log(), torch.atan2(cross, (one * other).sum(-1))


def turned(values: Tensor, ratio: Tensor, angle: Tensor) -> Tensor:
    """Saturations (…, 2) after a change as ``between`` tells it."""
    cos, sin = ratio.exp() * angle.cos(), ratio.exp() * angle.sin()
    return torch.stack([cos * values[..., 0] - sin * values[..., 1], sin * values[..., 0] + cos * values[..., 1]], -1)


def saturation(lab: Tensor) -> Tensor:
    """a* and b* over L* + 16, of (B, N, 3): what a change of exposure leaves as it is, (B, N, 2)."""
    return lab[..., 1:] / (lab[..., :1] + 16)


def common_cast(source: Tensor, share: Tensor, scene: Tensor, scene_share: Tensor) -> Tensor:
    """How the light's colour differs between two sets of cells' saturations (B, N, 2), shares (B, N): (B, 2).

    Read from greyish cells; without any, nothing is seen.
    """
    return CAST_SHARE * (_light(scene, scene_share) - _light(source, share))


def nearer_points(before: Tensor, near: Tensor) -> Tensor:
    """Percentiles (B, 3) on the way from ``before`` to ``near``, no further than light usually does it: what is black
    stays dark beside a reference without anything black."""
    change = near - before
    most = torch.where(change > 0, torch.tensor(MOST_LIFT, device=before.device), MOST_DROP)
    return rising(before + most * torch.tanh(change / most))


def affine_solver(source: Tensor, weight: Tensor, used: Tensor) -> Tensor:
    """(B, 4, N): times what cells should change by (B, N, C), the ridge's affine map (B, 4, C) of L*a*b* / 50 and 1."""
    terms = torch.cat([source / LAB_SCALE, torch.ones_like(source[..., :1])], -1)  # (B, N, 4)
    weighted = terms * weight[..., None]
    slope = RIDGE * used.sum(1).clamp_min(1)[:, None].expand(-1, 3)
    penalty = torch.diag_embed(torch.cat([slope, torch.full_like(slope[:, :1], 1e-3)], 1).to(terms.dtype))
    return solved(weighted.transpose(1, 2) @ terms + penalty, weighted.transpose(1, 2))


def solved(matrix: Tensor, right: Tensor) -> Tensor:
    """The solution (B, n, N) of ``matrix`` (B, n, n), symmetric and positive, for ``right`` (B, n, N), row by row: what
    ONNX has no operator for."""
    rows = list(torch.cat([matrix, right], -1).unbind(1))
    size = len(rows)
    for step in range(size):
        rows[step] = rows[step] / rows[step][:, step, None]
        rows = [row if n == step else row - row[:, step, None] * rows[step] for n, row in enumerate(rows)]
    return torch.stack(rows, 1)[..., size:]


def moved(found: Match, lightness: Tensor, chroma: Tensor) -> Tensor:
    """The whole picture, changed by the match: sRGB (B, 3, S, S), not clipped. Differentiable in both shares.

    ``lightness`` (B, 3): the share of the way of each percentile. ``chroma`` (B, N) or (B, 1): of each cell, or of all.
    """
    points = (found.before + lightness * (found.after - found.before)).clamp(0, 100)
    points = rising(points)
    light = found.lab[:, :1] + (found.hats * (points - found.before)[..., None, None]).sum(1, keepdim=True)
    change = found.solver @ ((found.wanted - found.source)[..., 1:] * chroma[..., None])  # (B, 4, 2)
    linear = torch.einsum("bchw,bck->bkhw", found.lab / LAB_SCALE, change[:, :3])
    ab = found.lab[:, 1:] + linear + change[:, 3, :, None, None]
    return lab_to_rgb(torch.cat([light, ab], 1))


def matched_frame(found: Match) -> Tensor:
    """``moved`` by ``SHARES``: the match by itself, without a network."""
    shares = torch.tensor(SHARES).expand(len(found.lab), 4)
    return moved(found, shares[:, :3], shares[:, 3:])


def _scaled(mine: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    """Both levels of features divided by the reference's mean norm, so that they count alike."""
    parts = [(a, b) for a, b in zip(mine.split(CHANNELS, -1), theirs.split(CHANNELS, -1), strict=True)]
    sizes = [b.norm(dim=-1).mean(1)[:, None, None].clamp_min(EPS) for _, b in parts]
    return tuple(torch.cat([part[k] / size for part, size in zip(parts, sizes, strict=True)], -1) for k in (0, 1))


def _cosine(mine: Tensor, theirs: Tensor, middle: Tensor) -> Tensor:
    """Cosines (B, N, N) around a middle (B, 1, C)."""
    return F.normalize(mine - middle, dim=-1) @ F.normalize(theirs - middle, dim=-1).transpose(1, 2)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over cells (B, N): (B, 1)."""
    return (values * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp_min(EPS)


def _light(values: Tensor, share: Tensor) -> Tensor:
    grey = share * torch.exp(-values.square().sum(-1) / GREY_SATURATION**2)
    return (values * grey[..., None]).sum(1) / (grey.sum(1) + GREY_PRIOR * share.sum(1)).clamp_min(EPS)[:, None]
