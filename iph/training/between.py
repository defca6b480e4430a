"""Weights between two networks, one of which went on from the other (WiSE-FT, Wortsman et al. 2022).

    python -m iph.training.between GENERAL.safetensors PORTRAIT.safetensors --share 0.7 --out OUT.safetensors

What the second stage taught and what it cost grow unequally along the way: see ``docs/trials.md``.
"""

import argparse
from pathlib import Path

import torch

from iph.checkpoint import load_network, save_network
from iph.errors import InputError
from iph.network import Network


def between(start: Network, end: Network, share: float) -> Network:
    """``start``, moved by ``share`` (0 to 1) of the way to ``end``. InputError for networks of another form."""
    if start.settings() != end.settings():
        raise InputError("expected two networks of one configuration, got different ones")
    if not 0 <= share <= 1:
        raise InputError(f"expected a share from 0 to 1, got {share}")
    goal = end.state_dict()
    start.load_state_dict({name: torch.lerp(value, goal[name], share) for name, value in start.state_dict().items()})
    return start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("start", help="the network that was gone on from: a shipped name or a .safetensors file")
    parser.add_argument("end", help="the network that it became")
    parser.add_argument("--share", type=float, required=True, help="how much of the way, from 0 to 1")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    args = parser.parse_args()
    try:
        save_network(args.out, between(load_network(args.start), load_network(args.end), args.share))
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
