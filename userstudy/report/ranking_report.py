"""The ranking half of a study: from a rankings table to ``RankingScores``."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from userstudy.errors import InputError
from userstudy.report.results import RankedMethod, RankingScores, Scale
from userstudy.scores.plackett_luce import plackett_luce
from userstudy.scores.rankings import concordance_by_item, ranking_score, read_rankings
from userstudy.scores.significance import use_clustered


def score_rankings(table: pd.DataFrame, methods: Sequence[str] | None, points: Sequence[float]) -> RankingScores:
    """Scores a rankings table (form: ``userstudy.scores.rankings``); Plackett–Luce is None without a finite fit.

    ``methods`` gives the order; those that no ranking shows (the composite of the paper's A/B half) are left out.
    """
    rankings = read_rankings(table, methods)
    rankings = rankings.only_shown()
    score = ranking_score(rankings, points)
    concordance = concordance_by_item(rankings)
    problem, strengths, worths = "", [None] * len(rankings.methods), [None] * len(rankings.methods)
    try:
        fitted = plackett_luce(rankings)
    except InputError as error:
        problem = str(error)
    else:
        se = fitted.clustered_se if use_clustered(score.raters) else fitted.se
        strengths = [Scale(float(s), float(e)) for s, e in zip(fitted.scores, se, strict=True)]
        worths = [float(worth) for worth in fitted.worth]
    return RankingScores(
        methods=tuple(
            RankedMethod(
                method=name,
                per_rater=float(score.per_rater[k]),
                per_trial=float(score.per_trial[k]),
                rank_counts=tuple(int(count) for count in score.rank_counts[k]),
                unranked=int(score.unranked[k]),
                shown=int(score.shown[k]),
                plackett_luce=strengths[k],
                worth=worths[k],
            )
            for k, name in enumerate(rankings.methods)
        ),
        points=score.points,
        raters=score.raters,
        trials=score.trials,
        complete_trials=score.complete_trials,
        concordance=concordance,
        mean_w=float(np.mean([found.w for found in concordance.values()])) if concordance else None,
        problem=problem,
    )
