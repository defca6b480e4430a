"""How fast are the scores? Against evalica (Rust) on the same million votes, as ratios of one run.

    python -m userstudy.speed_scores

Scores: votes table to counts, Bradley–Terry, Thurstone, errors from the information matrix and clustered by rater.
Bootstrap: 1,000 draws of 2,000 raters, both models. evalica: one Bradley–Terry fit, without errors, of prepared lists.
The aims are ratios below 1 and below 3.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from userstudy.scores import bootstrap_raters, bradley_terry, thurstone_case_v
from userstudy.scores.counts import Counts, count_votes

RATERS = 2000
REPLICATES = 1000


def drawn_votes(votes: int, methods: int, seed: int = 0) -> pd.DataFrame:
    """Votes by Bradley–Terry raters on random pairs and sides."""
    draw = np.random.default_rng(seed)
    names = np.array([f"method {k:02d}" for k in range(methods)])
    left = draw.integers(methods, size=votes)
    right = (left + draw.integers(1, methods, size=votes)) % methods
    scores = draw.normal(size=methods)
    won = draw.random(votes) < 1 / (1 + np.exp(scores[right] - scores[left]))
    rater = np.array([f"rater {k:04d}" for k in range(RATERS)])[draw.integers(RATERS, size=votes)]
    choice = np.where(won, "left", "right")
    return pd.DataFrame(
        {"rater": rater, "left": names[left], "right": names[right], "choice": choice, "kind": "normal"}
    )


def score(votes: pd.DataFrame) -> Counts:
    """Votes to both scales, with both kinds of errors."""
    counts = count_votes(votes)
    for model in (bradley_terry, thurstone_case_v):
        fitted = model(counts.wins, counts.methods, rater_wins=counts.rater_wins)
        assert np.isfinite(fitted.se).all() and np.isfinite(fitted.clustered_se).all()
    return counts


def fastest(call: Callable[[], object], runs: int) -> tuple[float, object]:
    """Seconds of the quickest of several runs, and what the last one returned."""
    seconds, found = [], None
    for _ in range(runs):
        start = time.perf_counter()
        found = call()
        seconds.append(time.perf_counter() - start)
    return min(seconds), found


def main() -> None:
    """Prints one line per number of methods."""
    import evalica  # a development package: a second opinion, not needed to score

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="the quickest of so many counts")
    options = parser.parse_args()
    print(f"{options.votes:,} votes, {RATERS:,} raters; time as a multiple of evalica's Bradley–Terry in this run")
    print(f"{'methods':>8} {'evalica':>10} {'scores':>8} {'bootstrap × ' + format(REPLICATES, ','):>18}")
    for methods in (5, 50):
        votes = drawn_votes(options.votes, methods)
        left, right = votes["left"].tolist(), votes["right"].tolist()
        winners = [evalica.Winner.X if choice == "left" else evalica.Winner.Y for choice in votes["choice"]]
        peer, _ = fastest(lambda sides=(left, right, winners): evalica.bradley_terry(*sides), options.runs)
        ours, counts = fastest(lambda table=votes: score(table), options.runs)
        wins = counts.rater_wins
        boot, _ = fastest(lambda wins=wins: bootstrap_raters(wins, replicates=REPLICATES), options.runs)
        print(f"{methods:>8} {peer:>8.2f} s {ours / peer:>8.2f} {boot / peer:>18.2f}")


if __name__ == "__main__":
    main()
