"""Size and arithmetic of networks, measured on the modules themselves: convolutions and matrix products."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from bench.methods import Method

SIDE = 256


def parameters(module: nn.Module) -> int:
    """How many learnt numbers ``module`` holds."""
    return sum(parameter.numel() for parameter in module.parameters())


def macs(module: nn.Module, *inputs: Tensor) -> int:
    """Multiply-accumulates of one forward pass. On PyTorch's ``meta`` device nothing is computed, only counted."""
    was_training = module.training
    module.eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        module(*inputs)
    module.train(was_training)
    return counter.get_total_flops() // 2  # one multiply-accumulate is two operations


def method_macs(methods: Iterable[Method]) -> dict[str, int]:
    """Multiply-accumulates for one 256x256 picture, by method name, of the methods with a network.

    Published networks are counted without their weights; ours, which shrink the picture first, where weights are here.
    """
    counted: dict[str, int] = {}
    found: dict[str, int] = {}
    for method in methods:
        if method.weights is None:
            continue
        key = f"{method.weights} {method.source}"
        if key not in counted:
            published = _PUBLISHED.get(method.weights)
            count = published() if published else _ours(method)
            if count is None:
                continue
            counted[key] = count
        found[method.name] = counted[key]
    return found


def _planes(channels: int, side: int = SIDE) -> Tensor:
    return torch.empty(1, channels, side, side, device="meta")


def _dovenet() -> int:
    from bench.networks import DoveNet

    with torch.device("meta"):
        return macs(DoveNet(), _planes(4))


def _bargainnet() -> int:
    from bench.networks import BargainNet

    with torch.device("meta"):
        return macs(BargainNet(), _planes(3), _planes(1), _planes(1))


def _rainnet() -> int:
    from bench.networks import RainNet

    with torch.device("meta"):
        return macs(RainNet(), _planes(3), _planes(1))


def _ours(method: Method) -> int | None:
    """Counted during one call: how far the picture is shrunk is the harmonizer's own affair."""
    if method.missing() is not None:
        return None
    composite = np.zeros((SIDE, SIDE, 3), np.uint8)
    left = np.arange(SIDE)[None] < SIDE // 2
    foreground = np.repeat(left, SIDE, axis=0)
    harmonize = method.make()
    counter = FlopCounterMode(display=False)
    with counter:
        harmonize(composite, foreground, ~foreground)
    return counter.get_total_flops() // 2


_PUBLISHED: dict[str, Callable[[], int]] = {
    "dovenet": _dovenet,
    "bargainnet": _bargainnet,
    "bargainnet-r-pp": _bargainnet,
    "rainnet": _rainnet,
}
