"""Size and arithmetic of networks, measured on the modules themselves: convolutions and matrix products."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from bench.methods import METHODS, Method, learned, ours

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

    Published networks are counted without their weights; ours, which shrink the picture first, and retrained ones,
    which are narrower, where weights are here.
    """
    return {method.name: count for method in methods if (count := _method_macs(method)) is not None}


def _method_macs(method: Method) -> int | None:
    if method.weights is None:
        return None
    return _published_macs(method) if method.published else _counted_in_a_call(method)


def method_parameters(method: Method) -> int | None:
    """How many numbers the method has learnt, in its own file where one was given; None where it learns nothing."""
    if method.parameters is not None or method.weights is None:
        return method.parameters
    if method.published:  # other weights of a published network, whose keys and shapes are fixed
        return METHODS[method.name.partition("=")[0]].parameters
    file = learned.retrained_file(method) if method.lacks is learned.lacks_retrained else method.source
    return ours.parameters(method.weights, file)


def _published_macs(method: Method) -> int:
    from bench.networks import NETWORKS

    network = NETWORKS[method.weights]
    with torch.device("meta"):
        return macs(network(), *(torch.empty(1, channels, SIDE, SIDE) for channels in network.INPUTS))


def _counted_in_a_call(method: Method) -> int | None:
    """Counted while it works: how far the picture is shrunk is the harmonizer's own affair."""
    if method.missing() is not None:
        return None
    composite = np.zeros((SIDE, SIDE, 3), np.uint8)
    left = np.arange(SIDE)[None] < SIDE // 2
    foreground = np.repeat(left, SIDE, axis=0)
    harmonize = ours.build(method, in_torch=True) if method.lacks is ours.lacks else method.make()
    counter = FlopCounterMode(display=False)
    with counter:
        harmonize(composite, foreground, ~foreground)
    return counter.get_total_flops() // 2
