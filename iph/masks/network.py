"""The subject-segmentation network of our own, which takes prompts.

It joins the features of the selfie segmenter, which know where people are and where they end, with those of the shared
encoder (``iph.semantics``, frozen and not stored here), which know what things are.

One part, `encode`, runs once a look, the other, `decode`, once a prompt (the split is that of Segment Anything,
Kirillov et al. 2023, at a thousandth of the size). Whose arm it is where two people touch shows in fine detail only, so
`decode` looks at the picture again, with a copy of the encoder that was trained on and sees the prompt from its first
layer on (as in RITM, Sofiiuk et al. 2021). A prompt is four maps: strokes or clicks to add, strokes or clicks to
remove, the inside of a box, and an earlier mask. With all four empty the network answers with the subjects of the
picture.

Axes: B pictures, P prompts a picture, C channels, H, W pixels (multiples of 32).
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iph.checkpoint import load_tensors
from iph.errors import InputError
from iph.masks import prompts as prompt_maps
from iph.masks.prompted_people import Asking, PromptedPeople
from iph.masks.prompts import SEEN, like_unwanted, like_wanted, zero
from iph.masks.selfie import SelfieNet
from iph.masks.windows import PROMPTS, Segmenter
from iph.runtime.modules import function
from iph.semantics import CHANNELS, Layers, encoder, published

OUTPUTS = ("mask", "person", "centre")


def _conv(inputs: int, outputs: int, size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
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


class Prompted(Layers):
    """The encoder once more, trained on: it sees the prompt with the picture.

    Beside the maps of the prompt, those to add and to remove come spread out as well, so that far places know where
    they are.
    """

    TAPS = (0, 2, 4, 10)
    CHANNELS = (16, 24, 40, 112)  # at strides 2, 4, 8 and 16

    def __init__(self) -> None:
        super().__init__(published())
        self.maps = zero(nn.Conv2d(SEEN, 32, 3, 2, bias=False))

    def forward(self, image: Tensor, maps: Tensor) -> list[Tensor]:
        """Features of pictures (B, 3, H, W) in [0, 1] with prompts (B, 4, H, W)."""
        seen = F.pad(prompt_maps.seen(maps), (0, 1, 0, 1))
        return self.taps(self.stemmed(image) + self.maps(seen), self.TAPS)


def _up(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


class PromptNet(nn.Module):
    """1.75 M parameters. Pictures (B, 3, H, W) in [0, 1]; prompts (B, P, 4, H, W) in [0, 1].

    ``precision`` is the encoder's, the quick one where it is None. ``at_sixteenth``, ``at_eighth``, ``at_quarter`` and
    ``at_half`` go from the answer so far, the features of that size, those times their mean under what is wanted (and
    unwanted), and the prompt maps to the answer of the next size. ``joins`` bring in what ``prompted`` sees.
    """

    precision: torch.dtype | None = None

    def __init__(self) -> None:
        super().__init__()
        self.people = SelfieNet()
        self.neck_sixteenth = nn.Sequential(_conv(32 + CHANNELS[1], 96, size=1), Residual(96), Context(96))
        self.neck_eighth = _conv(24 + CHANNELS[0] + 96, 48, size=1)
        self.neck_quarter = _conv(16 + 48, 24, size=1)
        self.neck_half = _conv(16, 12, size=1)
        maps = len(PROMPTS)
        deep = [Residual(96), Context(96), Residual(96), Context(96), Residual(96)]
        self.at_sixteenth = nn.Sequential(_conv(96 * 3 + maps, 96, size=1), *deep)
        self.at_eighth = nn.Sequential(_conv(96 + 48 * 2 + maps, 56), Residual(56))
        self.at_quarter = _conv(56 + 24 + maps, 32)
        self.at_half = nn.Sequential(_conv(32 + 12, 16), nn.Conv2d(16, len(OUTPUTS), 1))
        self.prompted = Prompted()
        self.joins = nn.ModuleList(
            zero(nn.Conv2d(seen, channels, 1, bias=False))
            for seen, channels in zip(Prompted.CHANNELS, (16, 32, 56, 96), strict=True)
        )

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features at strides 16, 8, 4 and 2, with 96, 48, 24 and 12 channels."""
        things = encoder(self.precision)(image)
        sixteenth, eighth, quarter, half = self.people.features(image)
        sixteenth = self.neck_sixteenth(torch.cat([sixteenth, things[1]], 1))
        eighth = self.neck_eighth(torch.cat([eighth, things[0], _up(sixteenth, eighth)], 1))
        quarter = self.neck_quarter(torch.cat([quarter, _up(eighth, quarter)], 1))
        return sixteenth, eighth, quarter, self.neck_half(half)

    def decode(self, image: Tensor, features: tuple[Tensor, ...], prompts: Tensor) -> Tensor:
        """Logits (B, P, 3, H/2, W/2): the mask asked for, people, and the middles of instances."""
        batch, count = prompts.shape[:2]
        image, sixteenth, eighth, quarter, half = (f.repeat_interleave(count, 0) for f in (image, *features))
        maps = prompts.flatten(0, 1)  # (B, P, 4, H, W) -> (B*P, 4, H, W)
        seen = [join(tap) for join, tap in zip(self.joins, self.prompted(image, maps), strict=True)]
        maps4, maps8, maps16 = prompt_maps.smaller(maps)
        first, *deep = self.at_sixteenth
        x = first(torch.cat([sixteenth, like_wanted(sixteenth, maps16), like_unwanted(sixteenth, maps16), maps16], 1))
        x = x + seen[3]
        for layer in deep:
            x = layer(x)
        first, last = self.at_eighth
        x = last(first(torch.cat([_up(x, eighth), eighth, like_wanted(eighth, maps8), maps8], 1)) + seen[2])
        x = self.at_quarter(torch.cat([_up(x, quarter), quarter, maps4], 1)) + seen[1]
        first, last = self.at_half
        x = last(first(torch.cat([_up(x, half), half], 1)) + seen[0])
        return x.unflatten(0, (batch, count))  # (B*P, 3, H/2, W/2) -> (B, P, 3, H/2, W/2)

    def forward(self, image: Tensor, prompts: Tensor) -> Tensor:
        return self.decode(image, self.encode(image), prompts)


class Encoding(nn.Module):
    """``PromptNet.encode`` as a module."""

    def __init__(self, network: PromptNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.network.encode(image.contiguous(memory_format=torch.channels_last))


class Decoding(nn.Module):
    """``PromptNet.decode`` as a module, of features by their name, to probabilities."""

    def __init__(self, network: PromptNet) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, image: Tensor, sixteenth: Tensor, eighth: Tensor, quarter: Tensor, half: Tensor, prompts: Tensor
    ) -> tuple[Tensor]:
        return (self.network.decode(image, (sixteenth, eighth, quarter, half), prompts).sigmoid(),)


def read(weights: str | Path, kind: type[nn.Module]) -> tuple[dict[str, Tensor], dict]:
    """Tensors and what is told with them, of a shipped name or a path. Raises InputError for another network's."""
    tensors, told = load_tensors(weights)
    if told.get("network") != kind.__name__:
        raise InputError(f"expected {weights} to hold weights of {kind.__name__}, got {told.get('network')}")
    return tensors, told


def load(weights: str | Path, kind: type[nn.Module] = PromptNet) -> nn.Module:
    """The network of a shipped name or a path, in evaluation mode."""
    tensors, _ = read(weights, kind)
    network = kind()
    network.load_state_dict(tensors, strict=False)  # strict but for batch counts, not stored
    return network.eval().to(memory_format=torch.channels_last)


def segmenter(weights: str | Path, people: str | Path) -> Segmenter:
    """Both networks in torch, as the windows ask them."""
    network, asked = load(weights), load(people, PromptedPeople)
    return Segmenter(function(Encoding(network)), function(Decoding(network)), function(Asking(asked)))
