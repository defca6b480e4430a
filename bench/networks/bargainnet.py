"""BargainNet (Cong et al., "BargainNet: Background-Guided Domain Translation for Image Harmonization", ICME 2021).

A style encoder of partial convolutions (Liu et al., ECCV 2018) turns the region under a mask into a 16-number domain
code; the generator is DoveNet's U-Net over image, mask and that code repeated at every pixel.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.networks.blocks import LEVELS, WIDTH, AttentionUNet, widths_of

CODE_CHANNELS = 16
WEIGHT_FLOOR = 0.001


class PartialConv(nn.Conv2d):
    """3x3, stride 2, no padding; each window is scaled by 9 / (valid pixels), and a window without any gives 0."""

    def __init__(self, channels_in: int, channels_out: int, bias: bool = False):
        super().__init__(channels_in, channels_out, kernel_size=3, stride=2, bias=bias)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) features and (B, 1, H, W) mask → the same, half the side."""
        ones = torch.ones(1, 1, 3, 3, dtype=mask.dtype, device=mask.device)
        valid = F.conv2d(mask, ones, stride=2)  # (B, 1, H', W'): valid pixels under each window
        covered = valid.clamp(0, 1)
        scale = 9 / (valid + 1e-8) * covered
        out = super().forward(x * mask)
        if self.bias is None:
            return out * scale, covered
        bias = self.bias[:, None, None]
        return ((out - bias) * scale + bias) * covered, covered


class StyleEncoder(nn.Module):
    """Region of an image → its domain code. The pooling is over the whole map, as published: not mask-aware."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        one, two, three, four, five = widths_of(width, 5)
        self.conv1f = PartialConv(3, one, bias=True)
        self.conv2f, self.norm2f = PartialConv(one, two), nn.BatchNorm2d(two)
        self.conv3f, self.norm3f = PartialConv(two, three), nn.BatchNorm2d(three)
        self.conv4f, self.norm4f = PartialConv(three, four), nn.BatchNorm2d(four)
        self.conv5f = PartialConv(four, five)
        self.convs = nn.Conv2d(five, CODE_CHANNELS, kernel_size=1)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] and (B, 1, H, W) in {0, 1} → code (B, 16, 1, 1)."""
        x, mask = self.conv1f(image, mask)
        x = F.relu(x)
        for conv, norm in ((self.conv2f, self.norm2f), (self.conv3f, self.norm3f), (self.conv4f, self.norm4f)):
            x, mask = conv(x, mask)
            x = F.relu(norm(x))
        x, _ = self.conv5f(x, mask)
        return self.convs(F.adaptive_avg_pool2d(x, 1))


class Generator(AttentionUNet):
    """The U-Net over image, mask and code map; the code map is scaled by a learnt scalar, kept above 0.001."""

    def __init__(self, width: int = WIDTH, levels: int = LEVELS) -> None:
        super().__init__(3 + 1 + CODE_CHANNELS, width, levels)
        self.weight = nn.Parameter(torch.full((1,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 20, H, W): RGB in [-1, 1], mask, 16 code channels → (B, 3, H, W) in [-1, 1]."""
        image_and_mask, code = x.split([4, CODE_CHANNELS], dim=1)
        return super().forward(torch.cat([image_and_mask, code * self.weight.clamp(min=WEIGHT_FLOOR)], dim=1))


class BargainNet(nn.Module):
    """``style_encoder`` and ``generator``, published as two checkpoints (58.70 M parameters together)."""

    INPUTS = (3, 1, 1)  # channels of what ``forward`` takes

    def __init__(self, width: int = WIDTH, levels: int = LEVELS) -> None:
        super().__init__()
        self.style_encoder = StyleEncoder(width)
        self.generator = Generator(width, levels)

    def forward(self, composite: Tensor, foreground: Tensor, guide: Tensor) -> Tensor:
        """Harmonize towards the look under ``guide``: 1 - foreground as published, or any reference region.

        Composite (B, 3, H, W) in [-1, 1], masks (B, 1, H, W) in {0, 1} → raw frame (B, 3, H, W) in [-1, 1].
        """
        return self.generate(composite, foreground, self.style_encoder(composite, guide))

    def generate(self, composite: Tensor, foreground: Tensor, code: Tensor) -> Tensor:
        """The raw frame under a domain code (B, 16, 1, 1) of any picture's region."""
        code_map = code.expand(-1, -1, *composite.shape[2:])  # (B, 16, H, W)
        return self.generator(torch.cat([composite, foreground, code_map], dim=1))
