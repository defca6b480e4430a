"""Size and arithmetic of a network, measured on the module itself."""

from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(module: nn.Module) -> int:
    """How many learnt numbers ``module`` holds."""
    return sum(parameter.numel() for parameter in module.parameters())


def macs(module: nn.Module, *inputs: Tensor) -> int:
    """Multiply-accumulates of one forward pass: convolutions and matrix products, as PyTorch counts them."""
    import torch

    was_training = module.training
    module.eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        module(*inputs)
    module.train(was_training)
    return counter.get_total_flops() // 2  # one multiply-accumulate is two operations
