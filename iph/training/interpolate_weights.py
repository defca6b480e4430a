"""Weights between two networks of one form, with the match or without (WiSE-FT, Wortsman et al. 2022).

    python -m iph.training.interpolate_weights GENERAL.safetensors PORTRAIT.safetensors --share 0.7 --out OUT

What the second stage taught and what it cost grow unequally along the way: see ``docs/trials.md``. ``--onto`` takes the
same step from a third network, which learnt something else in the meantime (task arithmetic, Ilharco et al. 2023).
"""

import argparse
from pathlib import Path

from iph.checkpoint import load_harmonizer, save_network
from iph.errors import InputError
from iph.match.network import MatchNetwork, is_match, load_match_network
from iph.network import Network

Either = Network | MatchNetwork


def between(start: Either, end: Either, share: float, onto: Either | None = None) -> Either:
    """A network ``share`` (0 to 1) of the way from ``start`` to ``end``; with ``onto``, that step taken from there.

    Raises InputError for networks of different forms.
    """
    onto = onto or start
    if not start.settings() == end.settings() == onto.settings():
        raise InputError("expected networks of one configuration, got different ones")
    if not 0 <= share <= 1:
        raise InputError(f"expected a share from 0 to 1, got {share}")
    before, after = start.state_dict(), end.state_dict()
    moved = {name: value + share * (after[name] - before[name]) for name, value in onto.state_dict().items()}
    found = type(onto)(onto.config)
    found.load_state_dict(moved)
    return found


def _load(name: str) -> Either:
    return load_match_network(name) if is_match(name) else load_harmonizer(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("start", help="the network that was gone on from: a shipped name or a .safetensors file")
    parser.add_argument("end", help="the network that it became")
    parser.add_argument("--share", type=float, required=True, help="how much of the way, from 0 to 1")
    parser.add_argument("--onto", help="the network to take that step from; the first one where nothing is given")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    args = parser.parse_args()
    try:
        start, end, onto = (_load(name) for name in (args.start, args.end, args.onto or args.start))
        found = between(start, end, args.share, onto)
        save_network(args.out, found, half=isinstance(found, MatchNetwork))  # as the runs of that form keep theirs
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
