"""The network (paper Sec. 4): a style encoder φ and a harmonizer, every variant a configuration of one module.

Images are (B, 3, H, W) float in [0, 1], sRGB-encoded; masks (B, 1, H, W) in [0, 1]; H and W multiples of 16.
``build("small")`` ships, and is the own path of ``iph.match.network``, the default. ``build("paper")`` has the paper's
form and its 27 M parameters; the paper gives no widths, kernels, number of residual blocks or length D of the code, so
those are ours.
"""

import difflib
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iph.blocks import DownBlock, PartialConv2d, UpBlock, masked_statistics
from iph.errors import InputError


@dataclass(frozen=True)
class Config:
    """One variant of the network.

    widths: channels after each of the four down blocks. code: length D of the style code.
    style_widths: channels of the style encoder's partial convolutions.
    head: "rgb" (the paper's: pixels) or "colour" (a colour change from identity).
    inside: normalise inside the foreground mask. both: condition on φ(composite foreground) as well as φ(reference).
    every_scale: pool mean and deviation at every scale of φ; False: the masked mean of the last scale.
    projected: LayerNorm and a linear layer make the code of what was pooled. False: the paper's average pooling layer
    over the last map, whose channels are the code.
    residuals: residual blocks after each convolution down and up; 0 is the lighter form that ships.
    size: side of the square picture that the network is shown in use.
    style: False gives the harmonizer no code and no AdaIN, φ serves the losses alone (the ablation's H-Net).
    whole: the harmonizer sees the whole composite and not the foreground alone (H-Net: the background is its guide).
    """

    widths: tuple[int, int, int, int] = (24, 40, 64, 96)
    style_widths: tuple[int, ...] = (16, 32, 48, 64)
    code: int = 64
    head: str = "colour"
    inside: bool = True
    both: bool = True
    every_scale: bool = True
    style: bool = True
    whole: bool = False
    projected: bool = True
    residuals: int = 0
    size: int = 128


CONFIGS: dict[str, Config] = {
    "small": Config(),
    "small-rgb": Config(head="rgb"),
    "small-plain": Config(head="rgb", inside=False, both=False, every_scale=False),
    "h-net": Config(style=False, whole=True, inside=False),
    "paper": Config(
        widths=(72, 144, 288, 576),
        style_widths=(64, 128, 256, 512, 16),
        code=16,
        head="rgb",
        inside=False,
        both=False,
        every_scale=False,
        projected=False,
        residuals=2,
        size=256,
    ),
}


def build(name: str = "small", **changes) -> "Network":
    """The untrained network called ``name``, with fields of its ``Config`` changed. InputError for a wrong name."""
    if name not in CONFIGS:
        near = difflib.get_close_matches(name, CONFIGS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"expected a network out of {', '.join(CONFIGS)}, got {name!r}{hint}")
    return Network(replace(CONFIGS[name], **changes))


class StyleEncoder(nn.Module):
    """φ: the look of a region as a code (B, D), from the region's pixels alone (partial convolutions, masked pooling).

    The paper's average pooling runs over the whole map, which shrinks the code of a small region; unless the
    configuration says otherwise, the mask bounds the mean here.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.every_scale = config.every_scale
        channels = (3, *config.style_widths)
        self.convs = nn.ModuleList(
            PartialConv2d(before, after, 3, 2, 1) for before, after in zip(channels, channels[1:], strict=False)
        )
        if not config.projected and channels[-1] != config.code:
            raise InputError(f"expected a code of the last style width, {channels[-1]}, got {config.code}")
        pooled = 2 * sum(channels) if config.every_scale else channels[-1]
        self.project = None
        if config.projected:
            self.project = nn.Sequential(nn.LayerNorm(pooled), nn.Linear(pooled, config.code))

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        features = image * 2 - 1
        if self.project is None:
            return self._averaged(features, mask)
        scales = [masked_statistics(features, mask)]
        for conv in self.convs:
            features, mask = conv(features, mask)
            features = F.relu(features)
            scales.append(masked_statistics(features, mask))
        pooled = [part for scale in scales for part in scale] if self.every_scale else [scales[-1][0]]
        return self.project(torch.cat(pooled, dim=1).flatten(1))  # (B, sum of C, 1, 1) -> (B, D)

    def _averaged(self, features: Tensor, mask: Tensor) -> Tensor:
        """The paper's code: the last partial convolution's map, averaged over all its places."""
        for conv in self.convs[:-1]:
            features, mask = conv(features, mask)
            features = F.relu(features)
        return self.convs[-1](features, mask)[0].mean((2, 3))  # (B, D, h, w) -> (B, D)

    def settings(self) -> dict:
        """The configuration as plain values, to be stored beside the weights."""
        return asdict(self.config)


class RGBHead(nn.Module):
    """The paper's output: pixels, from the decoder's last features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(channels, 3, 3, 1, 1)

    def forward(self, features: Tensor, summary: Tensor, image: Tensor) -> Tensor:
        return torch.sigmoid(self.pixels(features))


class ColorHead(nn.Module):
    """A colour change from identity: a global 11-term polynomial (Hong et al. 2001) plus a local affine change.

    Both start at zero, so that an untrained network returns its input.
    """

    def __init__(self, channels: int, summary: int) -> None:
        super().__init__()
        self.polynomial = nn.Sequential(
            nn.LayerNorm(summary), nn.Linear(summary, 128), nn.LeakyReLU(0.2), nn.Linear(128, 33)
        )
        self.local = nn.Conv2d(channels, 12, 3, 1, 1)
        for last in (self.polynomial[-1], self.local):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, features: Tensor, summary: Tensor, image: Tensor) -> Tensor:
        terms = polynomial_terms(image)  # (B, 11, H, W)
        global_change = torch.einsum("bkhw,bkc->bchw", terms, self.polynomial(summary).view(-1, 11, 3))
        affine = F.interpolate(self.local(features), size=image.shape[-2:], mode="bilinear", align_corners=False)
        matrix = affine.unflatten(1, (3, 4))  # (B, 12, H, W) -> (B, 3, 4, H, W)
        local_change = (matrix[:, :, :3] * image[:, None]).sum(2) + matrix[:, :, 3]
        return image + global_change + local_change


def polynomial_terms(image: Tensor) -> Tensor:
    """[r, g, b, rg, rb, gb, r², g², b², rgb, 1] of an image (B, 3, H, W): (B, 11, H, W)."""
    r, g, b = image.unbind(1)
    return torch.stack([r, g, b, r * g, r * b, g * b, r * r, g * g, b * b, r * g * b, torch.ones_like(r)], dim=1)


class Network(nn.Module):
    """φ and the harmonizer. ``forward`` returns the harmonized frame: the composite outside the foreground."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.style_encoder = StyleEncoder(config)
        code = None if not config.style else config.code * (2 if config.both else 1)
        widths = config.widths
        self.down = nn.ModuleList(
            DownBlock(before, after, depth > 0, config.inside, config.residuals)
            for depth, (before, after) in enumerate(zip((4, *widths), widths, strict=False))
        )
        # The paper feeds the foreground "concatenated with the style code". A convolution over constant maps is a
        # constant per channel, so it is added after the first convolution, at a tenth of the work. Not quite the same:
        # at the frame's rim zero padding would be seen.
        self.join = nn.Linear(code, widths[0]) if code else None
        narrowing = (widths[3], widths[2], widths[1], widths[0])
        after_up = (widths[2], widths[1], widths[0], max(16, widths[0] // 2))
        self.up = nn.ModuleList(
            UpBlock(before, after, code, config.inside, config.residuals)
            for before, after in zip(narrowing, after_up, strict=True)
        )
        if config.head == "colour":
            self.up = self.up[:3]  # a colour change is smooth: half resolution is enough
            self.head = ColorHead(after_up[2], 2 * widths[3] + (code or 0))
        else:
            self.head = RGBHead(after_up[3])

    def style(self, image: Tensor, mask: Tensor) -> Tensor:
        """φ of a region of an image, (B, D)."""
        return self.style_encoder(image, mask)

    def condition(self, reference_style: Tensor, own_style: Tensor | None) -> Tensor | None:
        """The code the harmonizer is conditioned on: φ(reference), with φ(composite foreground) if ``both``.

        None where the harmonizer takes no code.
        """
        if not self.config.style:
            return None
        if not self.config.both:
            return reference_style
        return torch.cat([reference_style, own_style], dim=1)

    def harmonize(
        self, composite: Tensor, foreground: Tensor, code: Tensor | None, hint: Tensor | None = None
    ) -> Tensor:
        """The harmonized frame under a condition code; ``hint`` (B, C, h, w) is added to the decoder's features at
        an eighth of the size, inside the foreground."""
        masks = [foreground]
        for _ in range(4):
            masks.append(F.max_pool2d(masks[-1], 2))  # masks[k]: (B, 1, H/2^k, W/2^k)
        seen = composite if self.config.whole else composite * foreground
        features = torch.cat([seen, foreground], dim=1)  # (B, 4, H, W)
        joined = None if code is None else self.join(code)[..., None, None]  # (B, C, 1, 1)
        for block, mask in zip(self.down, masks[1:], strict=True):
            features, joined = block(features, mask, joined), None
        mean, deviation = masked_statistics(features, masks[4])
        summary = torch.cat([mean, deviation], dim=1).flatten(1)  # (B, 2C, 1, 1) -> (B, 2C)
        if code is not None:
            summary = torch.cat([summary, code], dim=1)
        for block, mask in zip(self.up, reversed(masks[:4]), strict=False):
            features = block(features, mask, code)
            if hint is not None:
                features, hint = features + F.interpolate(hint, size=features.shape[-2:]) * mask, None
        changed = self.head(features, summary, composite)
        return composite + foreground * (changed - composite)

    def forward(self, composite: Tensor, foreground: Tensor, reference_image: Tensor, reference: Tensor) -> Tensor:
        """The harmonized frame (B, 3, H, W), not clipped; ``reference`` masks ``reference_image`` (B, 3, h, w)."""
        own_style = self.style(composite, foreground) if self.config.both else None
        code = self.condition(self.style(reference_image, reference), own_style)
        return self.harmonize(composite, foreground, code)

    def settings(self) -> dict:
        """The configuration as plain values, to be stored beside the weights."""
        return asdict(self.config)
