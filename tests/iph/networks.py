"""Networks for tests: untrained, but with a head that does change colours."""

import torch
from torch import nn

from iph.network import Network, build


def lively(name: str = "small", seed: int = 0, change: float = 0.05, **config) -> Network:
    """``build(name)`` with the last layers drawn at random, so that everything that goes in shows in what comes out."""
    torch.manual_seed(seed)
    network = build(name, **config)
    lasts = [network.head.pixels] if hasattr(network.head, "pixels") else [network.head.local]
    if hasattr(network.head, "polynomial"):
        lasts.append(network.head.polynomial[-1])
    for last in lasts:
        nn.init.normal_(last.weight, std=change)
        nn.init.normal_(last.bias, std=change)
    return network.eval().requires_grad_(False)
