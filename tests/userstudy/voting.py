"""Votes drawn for the tests: raters of known taste on a known design."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

COLUMNS = "rater trial item left right choice seconds timestamp kind expected simulated".split()


def drawn_votes(
    scores: dict[str, float],
    raters: int = 20,
    votes: int = 40,
    items: int = 8,
    seed: int = 0,
    side: float = 0.0,
    tie_width: float = 0.0,
    deviation: float = 0.2,
    liars: Sequence[int] = (),
) -> pd.DataFrame:
    """A votes table by Case V raters; ``liars`` prefer what is worse, ``side`` is added to the left score."""
    draw, names = np.random.default_rng(seed), list(scores)
    rows = []
    for rater in range(raters):
        taste = np.array(list(scores.values())) + draw.normal(scale=deviation, size=len(names))
        taste = -taste if rater in liars else taste
        for trial in range(votes):
            left, right = draw.choice(len(names), 2, replace=False)
            lead = taste[left] - taste[right] + side + draw.normal()
            choice = "tie" if abs(lead) < tie_width else "left" if lead > 0 else "right"
            seconds, item = round(float(draw.lognormal(1.0, 0.4)), 2), f"picture {draw.integers(items)}"
            rows.append(
                (f"r{rater:02d}", trial, item, names[left], names[right], choice, seconds, trial, "normal", None, False)
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def extra(rater: str, trial: int, choice: str, kind: str, expected: str | None = None, **shown: str) -> dict:
    """One more row of a votes table."""
    row = {"rater": rater, "trial": trial, "item": "picture 0", "left": "a", "right": "b", "choice": choice}
    return row | {"seconds": 3.0, "timestamp": trial, "kind": kind, "expected": expected, "simulated": False} | shown
