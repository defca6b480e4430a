"""Do raters agree with each other, and with themselves?

With each other: Krippendorff's alpha (2018, ch. 12) over the answers to the same pair of the same picture, 1 all
alike and 0 as by chance. With themselves: pairs shown once more, sides swapped.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from userstudy.scores.counts import normal_votes, require_columns
from userstudy.scores.significance import wilson_interval

ANSWERS = ["first_wins", "second_wins", "ties", "both_bad"]


@dataclass(frozen=True)
class Agreement:
    """``alpha`` over ``units`` (picture and pair) that at least two raters answered; None where nothing varies."""

    alpha: float | None
    units: int
    answers: int


@dataclass(frozen=True)
class Repeats:
    """Repeated pairs: ``same`` got the same answer again; ``same_side`` kept to a side that had changed methods."""

    asked: int
    same: int
    same_side: int
    share: float | None
    interval: tuple[float, float] | None  # Wilson, 95 %
    by_rater: dict[str, tuple[int, int]]  # asked, same


def krippendorff_alpha(counts: np.ndarray) -> float | None:
    """Nominal alpha of counts (units, values), [u, v] = raters who gave unit u the value v; skipped answers left out.

    Units with one answer say nothing and are left out. None when all answers are the same value, or there are none.
    """
    counts = np.asarray(counts, dtype=float)
    counts = counts[counts.sum(axis=1) > 1]
    answers = counts.sum(axis=1)
    total = answers.sum()
    observed = ((answers**2 - (counts**2).sum(axis=1)) / (answers - 1)).sum()
    expected = total**2 - (counts.sum(axis=0) ** 2).sum()
    return None if expected == 0 else float(1 - (total - 1) * observed / expected)


def vote_agreement(units: pd.DataFrame) -> Agreement:
    """Alpha of ``count_units``. Each unit enters in both orders: which method is named first must not matter."""
    counts = units[ANSWERS].to_numpy()
    alpha = krippendorff_alpha(np.concatenate([counts, counts[:, [1, 0, 2, 3]]]))
    shared = counts.sum(axis=1) > 1
    return Agreement(alpha, int(shared.sum()), int(counts[shared].sum()))


def repeat_agreement(votes: pd.DataFrame) -> Repeats:
    """Compares each repeat with the same rater's normal vote on the same picture and pair; skips are left out."""
    require_columns(votes, ("rater", "item"))
    if "kind" not in votes.columns or not (votes["kind"] == "repeat").any():
        return Repeats(0, 0, 0, None, None, {})
    original = _answers(normal_votes(votes)).drop_duplicates(["rater", "item", "low", "high"])
    again = _answers(votes[votes["kind"] == "repeat"])
    both = again.merge(original, on=["rater", "item", "low", "high"], suffixes=("", "_before"))
    same = both["answer"] == both["answer_before"]
    swapped = (both["left"] != both["left_before"]) & both["choice"].isin(("left", "right"))
    same_side = swapped & (both["choice"] == both["choice_before"])
    asked, agreed = len(both), int(same.sum())
    counts = same.groupby(both["rater"].astype(str)).agg(["size", "sum"])
    return Repeats(
        asked=asked,
        same=agreed,
        same_side=int(same_side.sum()),
        share=agreed / asked if asked else None,
        interval=wilson_interval(agreed, asked),
        by_rater={rater: (int(row["size"]), int(row["sum"])) for rater, row in counts.iterrows()},
    )


def _answers(votes: pd.DataFrame) -> pd.DataFrame:
    """Votes with the pair in alphabetical order and the answer in terms of methods."""
    votes = votes.loc[votes["choice"] != "skip", ["rater", "item", "left", "right", "choice"]]
    swap = votes["left"] > votes["right"]
    answer = votes["choice"].where(~votes["choice"].isin(("left", "right")))
    answer = answer.where(votes["choice"] != "left", votes["left"]).where(votes["choice"] != "right", votes["right"])
    return votes.assign(
        low=votes["left"].where(~swap, votes["right"]), high=votes["right"].where(~swap, votes["left"]), answer=answer
    )
