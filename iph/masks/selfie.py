"""MediaPipe's selfie segmenter (general, 256 x 256), which finds the people of a picture, as a plain torch module.

A MobileNetV3-like encoder (Howard et al., 2019), LR-ASPP, and three decoder steps with gated skips; 106,401 parameters.
Google's, Apache-2.0 (``iph/weights/selfie.LICENSE.txt``): weights converted from ``selfie_segmentation.tflite`` of the
npm package ``@mediapipe/selfie_segmentation`` 0.1.1675465747, values unchanged.

Features are (B, C, H, W) float32. bfloat16 is slower on a CPU and flips pixels.
"""

from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iph.checkpoint import load_tensors

SIDE = 256  # what the network was trained on; the aspect is not kept, as in the original


class Same(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME: an odd pixel of padding goes to the right and the bottom."""

    def __init__(self, inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, size, stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        size, stride = self.kernel_size[0], self.stride[0]
        if size > 1:
            wide, high = (max(0, (-(-n // stride) - 1) * stride + size - n) for n in (x.shape[3], x.shape[2]))
            x = F.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return super().forward(x)


class Gate(nn.Module):
    """Squeeze and excitation: a factor in (0, 1) for each channel, (B, C, 1, 1), from the mean over the picture."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze, self.excite = Same(channels, squeezed), Same(squeezed, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))).sigmoid()


class Block(nn.Module):
    """Inverted residual: 1x1 up, depthwise, gate, 1x1 down; added to its input where the shapes agree."""

    def __init__(
        self,
        inputs: int,
        wide: int,
        outputs: int,
        size: int,
        stride: int,
        squeezed: int,
        activation: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.expand, self.depthwise = Same(inputs, wide), Same(wide, wide, size, stride, wide)
        self.gate = Gate(wide, squeezed) if squeezed else None
        self.project = Same(wide, outputs)
        self.activation, self.residual = activation, stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.activation(self.depthwise(self.activation(self.expand(x))))
        if self.gate is not None:
            y = y * self.gate(y)
        y = self.project(y)
        return y + x if self.residual else y


class Context(nn.Module):
    """LR-ASPP: features times a gate from the picture's mean."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.local, self.whole = Same(inputs, outputs), Same(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.local(x)) * self.whole(x.mean((2, 3), keepdim=True)).sigmoid()


class Up(nn.Module):
    """Twice the size, joined to the encoder's features of that size, which are gated by the mean of both."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.reduce, self.gate = Same(inputs, channels), Gate(channels, channels)
        self.mix, self.depthwise = Same(channels, channels), Same(channels, channels, 3, 1, channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        # Reduced, then enlarged: the same as the original's other order, since both are linear, and cheaper.
        x = F.interpolate(self.reduce(x), scale_factor=2, mode="bilinear", align_corners=False)
        x = skip * self.gate(skip + x) + x
        x = F.relu(self.mix(x))
        return x + F.relu(self.depthwise(x))


class SelfieNet(nn.Module):
    """(B, 3, H, W) RGB in [0, 1], sides multiples of 16, to the logit (B, 1, H, W) that a pixel is of a person."""

    def __init__(self) -> None:
        super().__init__()
        relu, swish = F.relu, F.hardswish
        self.stem = Same(3, 16, 3, 2)
        self.quarter = Block(16, 16, 16, 3, 2, 8, relu)
        self.eighth = nn.Sequential(Block(16, 72, 24, 3, 2, 0, relu), Block(24, 88, 24, 3, 1, 0, relu))
        self.sixteenth = nn.Sequential(
            Block(24, 96, 32, 5, 2, 24, swish),
            Block(32, 128, 32, 5, 1, 32, swish),
            Block(32, 128, 32, 5, 1, 32, swish),
            Block(32, 96, 32, 5, 1, 24, swish),
            Block(32, 96, 32, 5, 1, 24, swish),
        )
        self.context = Context(32, 128)
        self.up_eighth, self.up_quarter, self.up_half = Up(128, 24), Up(24, 16), Up(16, 16)
        self.last = nn.ConvTranspose2d(16, 1, 2, 2)

    def features(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """32, 24, 16 and 16 channels at strides 16, 8, 4 and 2; the last two decoded: they know where people are."""
        half = F.hardswish(self.stem(image))
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        decoded = self.up_quarter(self.up_eighth(self.context(sixteenth), eighth), quarter)
        return sixteenth, eighth, decoded, self.up_half(decoded, half)

    def forward(self, image: Tensor) -> Tensor:
        return self.last(self.features(image)[-1])


@cache
def network(name: str = "people") -> SelfieNet:
    """A shipped network, read once: "selfie" is Google's, "people" the same trained further (docs/segmentation.md)."""
    net = SelfieNet()
    net.load_state_dict(load_tensors(name)[0])
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
