"""The network that starts from the semantic match and is told whether the foreground was pasted.

Two paths. The *own path* is the network of ``iph.network``, given what each cell of the foreground attends to: by
learned attention, and by the match with its belief. The *match* is moved by learned shares, chroma cell by cell. A
foreground that belongs to the photo takes the own path alone; of a pasted one, whose light is another, ``BLEND`` is the
match. A small correction, a polynomial of the colours, is added to both. Everything new starts at zero.

A foreground that belongs to the photo sees more than it was pointed to unless that shows the like of nearly all of it:
the reference is widened to the scene. Who was pasted follows the reference only.

Axes as in ``iph.match.closed_form``. Pictures are (B, 3, S, S), S a multiple of 16.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from iph.blocks import EPS
from iph.checkpoint import load_network, load_tensors
from iph.errors import InputError
from iph.match.closed_form import CELLS, Match, Seen, attend, cell_colors, match, moved, widened
from iph.network import Config, Network, polynomial_terms
from iph.semantics import CHANNELS

BLEND = 0.9  # of the match in a pasted foreground
MOST_SHARE = 1.2
START_SHARE = 0.9
SEMANTICS = sum(CHANNELS)
TERMS = 11
CELL_INPUTS = 6 + 6 + 6 + 6 + 2 + 1 + 1 + 3 + 2  # colours own, attended, their differences; match; belief; kinds; cast
MATCH_SUMMARY = 22


@dataclass(frozen=True)
class MatchConfig:
    """``base``: the own path's. width and heads of the attention; semantic, cell: widths of what cells are turned
    into."""

    base: Config = Config()
    width: int = 48
    heads: int = 2
    semantic: int = 64
    cell: int = 96


@dataclass(frozen=True)
class Parts:
    """What a result was made of: the ``own`` path's frame, the ``found`` match, and its shares of the way,
    ``lightness`` (B, 3) and ``chroma`` (B, N). Of the reference alone, before it was widened: the ``attention`` to its
    cells (B, N, N) and how ``alike`` they are (B, N)."""

    own: Tensor
    found: Match
    lightness: Tensor
    chroma: Tensor
    attention: Tensor
    alike: Tensor


class CellReader(nn.Module):
    """What every foreground cell is told: itself, what it attends to, and what the match made of it, (B, N, C)."""

    def __init__(self, config: MatchConfig) -> None:
        super().__init__()
        self.heads, self.width = config.heads, config.width
        self.norm = nn.LayerNorm(SEMANTICS)
        self.query = nn.Linear(SEMANTICS, config.heads * config.width)
        self.key = nn.Linear(SEMANTICS, config.heads * config.width)
        self.value = nn.Linear(SEMANTICS + 6, config.semantic)
        self.own = nn.Linear(SEMANTICS, config.semantic)
        self.mix = nn.Sequential(
            nn.Linear(2 * config.semantic + CELL_INPUTS, 128), nn.GELU(), nn.Linear(128, config.cell), nn.GELU()
        )

    def forward(
        self, picture: Seen, foreground: Tensor, other: Seen, reference: Tensor, found: Match
    ) -> tuple[Tensor, Tensor]:
        """Cells (B, N, C), and the share of each that is foreground (B, N)."""
        mine, mine_spread, share = cell_colors(picture.image * 2 - 1, foreground)
        theirs, theirs_spread, usable = cell_colors(other.image * 2 - 1, reference)
        own, their = self.norm(picture.features), self.norm(other.features)
        weights = self._attention(own, their, usable)  # (B, N, N)
        colours = weights @ torch.cat([theirs, theirs_spread], -1).to(weights.dtype)  # (B, N, 6)
        seen = weights @ self.value(torch.cat([their, theirs, theirs_spread], -1)).to(weights.dtype)
        told = [
            self.own(own),
            seen,
            mine,
            mine_spread,
            colours,
            colours - torch.cat([mine, mine_spread], -1),
            (found.attended - found.source) / 25,
            found.attended / 50,
            (found.wanted - found.source)[..., 1:] / 25,
            found.alike[..., None],
            found.cosine[..., None],
            picture.kinds,
            (found.cast * 10)[:, None].expand(-1, CELLS * CELLS, -1),
        ]
        return self.mix(torch.cat([part.float() for part in told], -1)), share

    def _attention(self, own: Tensor, their: Tensor, usable: Tensor) -> Tensor:
        """Mean over the heads, to cells of which a twentieth at least is reference."""
        query, key = (
            layer(x).unflatten(-1, (self.heads, self.width)).transpose(1, 2)  # (B, N, h d) -> (B, h, N, d)
            for layer, x in ((self.query, own), (self.key, their))
        )
        logits = (query @ key.transpose(-1, -2)).float() / self.width**0.5
        allowed = usable > torch.minimum(torch.full_like(usable, 0.05), usable.amax(1, keepdim=True) * 0.9)
        return logits.masked_fill(~allowed[:, None, None], -1e4).softmax(-1).mean(1)


class MatchNetwork(nn.Module):
    """Both paths. ``forward`` returns the harmonized frame, not clipped: the composite outside the foreground."""

    def __init__(self, config: MatchConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MatchConfig()
        self.base = Network(config.base)
        self.cells = CellReader(config)
        self.hint = nn.Conv2d(config.cell, config.base.widths[2], 3, 1, 1)
        summary = 2 * config.cell + MATCH_SUMMARY + 1
        self.norm = nn.LayerNorm(summary)
        self.own = _head(summary, 3 * TERMS)
        self.correction = _head(summary, 3 * TERMS)
        self.shares = _head(summary, 4)
        self.cell_share = nn.Linear(config.cell, 1)
        for last in self.zero_layers():
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def zero_layers(self) -> tuple[nn.Module, ...]:
        """The layers that start at zero: until they are trained, nothing of what was added is felt."""
        return self.hint, self.own[-1], self.correction[-1], self.shares[-1], self.cell_share

    def forward(
        self, picture: Seen, foreground: Tensor, other: Seen, reference: Tensor, scene: Tensor, pasted: Tensor
    ) -> Tensor:
        """``foreground`` of ``picture`` and ``reference`` of ``other``, (B, 1, S, S); ``scene`` as in ``match``;
        ``pasted`` (B,): 1 where the foreground came from another photo, 0 where it belongs to this one."""
        return self.parts(picture, foreground, other, reference, scene, pasted)[0]

    def parts(
        self,
        picture: Seen,
        foreground: Tensor,
        other: Seen,
        reference: Tensor,
        scene: Tensor,
        pasted: Tensor,
        r1: float | Tensor = 1.0,
        code: float | Tensor = 0.0,
        transfer: float | Tensor = 0.0,
    ) -> tuple[Tensor, Parts]:
        """The frame, and what it was made of.

        The reference's code is ``r1`` times φ's and ``code`` (B, C) (γ of eq. 7); ``transfer`` as in ``match``.
        """
        with torch.autocast(foreground.device.type, enabled=False):
            mine = picture.region(foreground)
            attention, alike, _ = attend(mine, other.region(reference))
            reference = widened(mine, alike, reference, scene, (1 - pasted) * (1 - transfer))
            found = match(picture, foreground, other, reference, scene, transfer)
        cells, share = self.cells(picture, foreground, other, reference, found)
        composite = picture.image
        code = r1 * self.base.style(other.image, reference) + code
        code = self.base.condition(code, self.base.style(composite, foreground))
        hint = self.hint(cells.transpose(1, 2).unflatten(2, (CELLS, CELLS)))  # (B, N, C) -> (B, C, 16, 16)
        own = self.base.harmonize(composite, foreground, code, hint).float()
        with torch.autocast(foreground.device.type, enabled=False):
            cells = cells.float()
            summary = self.norm(torch.cat([*_pooled(cells, share), match_summary(found), pasted[:, None]], 1))
            terms = polynomial_terms(composite)

            def changed(head: nn.Module) -> Tensor:
                return torch.einsum("bkhw,bkc->bchw", terms, head(summary).unflatten(1, (TERMS, 3)))

            logits = self.shares(summary)
            lightness = _share(logits[:, :3])
            chroma = _share(logits[:, 3:] + self.cell_share(cells)[..., 0])
            own = own + foreground * changed(self.own)
            blend = (BLEND * pasted)[:, None, None, None] * foreground
            result = torch.lerp(own, moved(found, lightness, chroma), blend) + foreground * changed(self.correction)
        return result, Parts(own, found, lightness, chroma, attention, alike)

    def settings(self) -> dict:
        """The configuration as plain values, to be stored beside the weights."""
        return asdict(self.config)


def from_network(network: Network) -> MatchNetwork:
    """An untrained network of this form whose own path is ``network``.

    Not pasted, it answers as ``network`` does to the widened reference.
    """
    grown = MatchNetwork(MatchConfig(base=network.config))
    grown.base.load_state_dict(network.state_dict())
    return grown


def start_network(name: str | Path) -> MatchNetwork:
    """``from_network`` of a shipped name, or the weights of this form at a path."""
    if is_match(name):
        return load_match_network(name)
    return from_network(load_network(name).requires_grad_(True))


def is_match(name: str | Path) -> bool:
    """Whether that is a file of weights of this form."""
    return Path(name).suffix == ".safetensors" and load_tensors(name)[1].get("kind") == MatchNetwork.__name__


def load_match_network(name: str | Path) -> MatchNetwork:
    """Trained weights of this form, in evaluation mode. InputError for those of another form."""
    tensors, settings = load_tensors(name)
    if settings.get("kind") != MatchNetwork.__name__:
        raise InputError(f"expected the weights of a {MatchNetwork.__name__}, got those of a {settings.get('kind')}")
    try:
        given = dict(settings["config"])
        base = {key: tuple(v) if isinstance(v, list) else v for key, v in given.pop("base").items()}
        network = MatchNetwork(MatchConfig(base=Config(**base), **given))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as error:
        raise InputError(f"expected the weights {name} to fit their network: {str(error)[:120]}") from None
    return network.eval().requires_grad_(False)


def match_summary(found: Match) -> Tensor:
    """A match in ``MATCH_SUMMARY`` numbers of about one, (B, 22): lightness, chroma, fit, alikeness and cast."""
    weight = found.weight[..., None] / found.weight.sum(1).clamp_min(EPS)[:, None, None]

    def mean(values: Tensor) -> Tensor:
        return (values * weight).sum(1)

    change = found.wanted - found.source
    apart = (found.attended - found.source).abs()
    parts = [
        found.before / 50 - 1,
        (found.after - found.before) / 25,
        mean(found.source)[:, 1:] / 25,
        mean(found.attended)[:, 1:] / 25,
        mean(change)[:, 1:] / 15,
        mean(apart) / 15,
        mean(found.attended_deviation) / 10,
        mean(found.alike[..., None]),
        mean(found.cosine[..., None]),
        found.cast * 10,
    ]
    return torch.cat(parts, 1)


def _head(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, 128), nn.GELU(), nn.Linear(128, after))


def _share(logits: Tensor) -> Tensor:
    """``START_SHARE`` where the logits are zero, between 0 and ``MOST_SHARE``."""
    start = torch.logit(torch.tensor(START_SHARE / MOST_SHARE))
    return MOST_SHARE * torch.sigmoid(logits + start)


def _pooled(cells: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of cells (B, N, C) over the foreground, both (B, C)."""
    weight = share[..., None] / share.sum(1).clamp_min(EPS)[:, None, None]
    mean = (cells * weight).sum(1)
    return mean, (((cells - mean[:, None]).square() * weight).sum(1) + EPS).sqrt()
