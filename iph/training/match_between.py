"""Weights part of the way from the network that training began with (WiSE-FT, Wortsman et al. 2022).

    python -m iph.training.match_between RUN/average.safetensors --share 0.6 --out OUT.safetensors

The own path's weights go back to those it grew from. What was added began with last layers of zeros, so a share of the
way is that share of those. Of weights that lie part of the way, a share above 1 is the way on: of those that ship, at
0.7, ``--share 1.4286`` gives back what was trained, to half precision.
"""

import argparse
from pathlib import Path

import torch

from iph.checkpoint import load_network, save_network
from iph.errors import InputError
from iph.match.network import MatchNetwork, load_match_network
from iph.network import Network

FURTHEST = 2  # of the way


def part_of_the_way(trained: MatchNetwork, start: Network, share: float) -> MatchNetwork:
    """A network ``share`` (0 to 2) of the way from ``start`` to ``trained``. InputError for another configuration."""
    if start.config != trained.config.base:
        raise InputError("expected the network that training began with, got one of another configuration")
    if not 0 <= share <= FURTHEST:
        raise InputError(f"expected a share from 0 to {FURTHEST}, got {share}")
    found = MatchNetwork(trained.config)
    found.load_state_dict(trained.state_dict())
    with torch.no_grad():
        for name, value in found.base.state_dict().items():
            value.copy_(torch.lerp(start.state_dict()[name], value, share))
        for layer in found.zero_layers():
            layer.weight.mul_(share)
            layer.bias.mul_(share)
    return found.eval().requires_grad_(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trained", type=Path, help="trained weights, .safetensors")
    parser.add_argument("--start", default="small", help="what training began with")
    parser.add_argument("--share", type=float, required=True, help=f"how much of the way, from 0 to {FURTHEST}")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    args = parser.parse_args()
    try:
        found = part_of_the_way(load_match_network(args.trained), load_network(args.start), args.share)
        save_network(args.out, found, half=True)
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
