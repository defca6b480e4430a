"""Everything a study says, in one call: scores of both kinds, intervals, tests, fit, screening, agreement.

What the votes do not determine is None with the reason beside it, never a made-up number.
"""

from collections.abc import Sequence

import pandas as pd

from userstudy.errors import InputError
from userstudy.report.pair_fits import Options
from userstudy.report.pair_report import score_pairs
from userstudy.report.ranking_report import score_rankings
from userstudy.report.results import PairStudy, RankingScores, StudyScores
from userstudy.scores.counts import KINDS, require_columns
from userstudy.scores.rankings import POINTS

NOTEWORTHY = 0.05  # p value below which, and share of unusable bootstrap draws above which, a note is due
EMPTY = pd.Series(dtype=bool)


def score_study(
    votes: pd.DataFrame | None = None,
    rankings: pd.DataFrame | None = None,
    options: Options | None = None,
    points: Sequence[float] = POINTS,
    simulated: bool | None = None,
) -> StudyScores:
    """Scores a study.

    votes: a table as ``userstudy.scores.counts`` describes it; rankings: as ``userstudy.scores.rankings`` does.
    Either may be None or empty, not both. ``points`` are given for ranks 1, 2, 3 … of the Ranking Score.
    simulated: what the tables hold, for tables that do not say so in a column ``simulated``.
    Raises InputError for tables that are not of their form, and for simulated and real votes together.
    """
    options = options or Options()
    votes = None if votes is None or votes.empty else votes
    rankings = None if rankings is None or rankings.empty else rankings
    if votes is None and rankings is None:
        raise InputError("expected votes or rankings to score, got neither")
    simulated = _simulated([table for table in (votes, rankings) if table is not None], simulated)
    if votes is not None and "trial" in votes.columns:
        require_columns(votes, ("rater", "trial"))
        twice = votes.duplicated(["rater", "trial"])
        if twice.any():
            row = votes[twice].iloc[0]
            raise InputError(
                f"expected the latest revision of each vote, got trial {row['trial']} of {row['rater']} twice"
            )
    # Checks and repeats alone make no scores, but they take none from the rankings beside them.
    unscored = votes is not None and rankings is not None and _without_normal(votes)
    pairs = None if votes is None or unscored else score_pairs(votes, options)
    ranked = None if rankings is None else score_rankings(rankings, options.methods, points)
    notes = _notes(simulated, pairs, ranked, options)
    if unscored:
        notes.append(f"Pairs are not scored: the {len(votes)} answers so far are to checks and repeats.")
    return StudyScores(simulated, pairs, ranked, tuple(notes))


def _without_normal(votes: pd.DataFrame) -> bool:
    return "kind" in votes.columns and set(votes["kind"]) <= set(KINDS) - {"normal"}


def _simulated(tables: Sequence[pd.DataFrame], claimed: bool | None) -> bool:
    """Whether people cast these votes; InputError when tables disagree with each other or with the claim."""
    marks = pd.concat([table["simulated"].astype(bool) for table in tables if "simulated" in table.columns] or [EMPTY])
    made_up = int(marks.sum())
    if 0 < made_up < len(marks):
        real = len(marks) - made_up
        raise InputError(f"expected real votes or simulated ones, got {real} real and {made_up} simulated together")
    if claimed is not None and len(marks) and claimed != bool(made_up):
        raise InputError(f"expected {_sort(claimed)} votes, got {len(marks)} {_sort(not claimed)} ones")
    return bool(claimed) or made_up > 0


def _sort(simulated: bool) -> str:
    return "simulated" if simulated else "real"


def _notes(simulated: bool, pairs: PairStudy | None, ranked: RankingScores | None, options: Options) -> list[str]:
    notes = ["All votes are simulated: no person saw these pictures."] if simulated else []
    if pairs:
        notes += _pair_notes(pairs, options)
    if ranked and ranked.problem:
        notes.append(f"Rankings: {ranked.problem}.")
    if ranked and ranked.complete_trials < ranked.trials:
        notes.append(f"{ranked.trials - ranked.complete_trials} of {ranked.trials} rankings leave places open.")
    return notes


def _pair_notes(pairs: PairStudy, options: Options) -> list[str]:
    tally, notes = pairs.tally, []
    other = [
        f"{count:,} {word}"
        for count, word in ((tally.ties, "ties"), (tally.both_bad, "both-bad"), (tally.skips, "skips"))
        if count
    ]
    if other:
        notes.append(f"{tally.decisive:,} of {tally.normal:,} votes are decisive; {', '.join(other)} are no wins.")
    if options.regularized:
        notes.append(f"Regularised: scores are shrunk by a normal prior of precision {options.regularized:g}.")
    if pairs.problem:
        notes.append(f"Scores {'rest on the prior' if options.regularized else 'are left out'}: {pairs.problem}.")
    fit = pairs.fit_bradley_terry
    if fit and fit.p_value is not None and fit.p_value < NOTEWORTHY:
        notes.append(
            "One score per method does not describe these votes: "
            f"G² = {fit.deviance:.1f} on {fit.degrees_of_freedom} degrees of freedom, p = {fit.p_value:.2g}."
        )
    if pairs.side and pairs.side.p_value < NOTEWORTHY:
        notes.append(f"Sides matter: the left picture won {pairs.side.left_share:.1%}, p = {pairs.side.p_value:.2g}.")
    if pairs.side_problem and not pairs.problem:  # without scores there is no side effect for the same reason
        notes.append(f"No side effect: {pairs.side_problem}.")
    if pairs.bootstrap and pairs.bootstrap.degenerate > NOTEWORTHY * pairs.bootstrap.replicates:
        notes.append(
            f"Bootstrap intervals are too narrow: {pairs.bootstrap.degenerate:,} of {pairs.bootstrap.replicates:,} "
            "draws of raters have no finite scores and are left out."
        )
    if pairs.raters_alike and pairs.tally.raters > 1:
        notes.append(
            "Standard errors take votes as independent, and there are no intervals over raters: "
            "these vote too alike to see how raters differ."
        )
    elif pairs.errors == "independent votes":
        notes.append("Standard errors take votes as independent: there are too few raters to see how they differ.")
    if pairs.without_flagged:
        without = pairs.without_flagged
        who = f"{len(without.raters)} raters are" if len(without.raters) > 1 else "1 rater is"
        effect = {True: "the order stays", False: "the order changes", None: "there are no scores"}[without.same_order]
        notes.append(f"{who} flagged and kept; without, {effect}.")
    return notes
