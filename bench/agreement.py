"""How well each metric predicts what people prefer. Tables in, a table out: nothing here knows a user study.

Correlations: Spearman's and Kendall's (tau-b) of ranks, Pearson's of values, from SciPy; intervals by the percentile
bootstrap over the rows, or over the images where both tables have an ``id``.
"""

import numpy as np
import pandas as pd
from scipy import stats

from bench.errors import InputError
from bench.metrics import METRICS

RESAMPLES = 1000
SEED = 2022
FEWEST = 3  # rows below which a correlation says nothing
CORRELATIONS = {
    "spearman": lambda a, b: stats.spearmanr(a, b).statistic,
    "kendall": lambda a, b: stats.kendalltau(a, b).statistic,
    "pearson": lambda a, b: stats.pearsonr(a, b).statistic,
}


def agreement(metric_table: pd.DataFrame, score_table: pd.DataFrame, score: str = "score") -> pd.DataFrame:
    """Correlation of every metric with people's scores, metrics turned so that more is better.

    ``metric_table``: a row a method (or a method and an image) with ``method``, perhaps ``id``, and columns named as
    in ``METRICS``. ``score_table``: ``method``, perhaps ``id``, and ``score``, higher for what people prefer. Returns
    a row a metric: ``n`` and, for each correlation, its value and ``_low``, ``_high`` (95 %).
    """
    keys = _keys(metric_table, score_table, score)
    metrics = [name for name in METRICS if name in metric_table.columns]
    if not metrics:
        raise InputError(f"expected a column named like a metric ({', '.join(METRICS)}), found none")
    joined = metric_table.merge(score_table[[*keys, score]], on=keys, validate="one_to_one")
    if len(joined) < FEWEST:
        raise InputError(f"expected at least {FEWEST} methods in both tables, but they share {len(joined)}")
    return pd.DataFrame([_row(joined, metric, score) for metric in metrics])


def _keys(metric_table: pd.DataFrame, score_table: pd.DataFrame, score: str) -> list[str]:
    for name, table, column in (("metric", metric_table, "method"), ("score", score_table, "method")):
        if column not in table.columns:
            raise InputError(f"expected a column 'method' in the {name} table, but it has {', '.join(table.columns)}")
    if score not in score_table.columns:
        raise InputError(f"expected a column {score!r} in the score table, but it has {', '.join(score_table.columns)}")
    keys = ["method", "id"] if {"id"} <= {*metric_table.columns} & {*score_table.columns} else ["method"]
    for name, table in (("metric", metric_table), ("score", score_table)):
        if table.duplicated(keys).any():
            raise InputError(f"expected one row a {' and '.join(keys)} in the {name} table, but some are there twice")
    return keys


def _row(joined: pd.DataFrame, metric: str, score: str) -> dict:
    sign = 1 if METRICS[metric].direction == "higher" else -1
    usable = joined[np.isfinite(joined[metric]) & np.isfinite(joined[score])]
    groups = usable["id"] if "id" in usable.columns else pd.Series(np.arange(len(usable)), index=usable.index)
    values, scores = sign * usable[metric].to_numpy(), usable[score].to_numpy()
    codes = pd.factorize(groups)[0]
    resampled = _resampled(values, scores, [np.flatnonzero(codes == code) for code in range(codes.max() + 1)])
    row: dict = {"metric": metric, "n": len(usable)}
    for name, correlate in CORRELATIONS.items():
        row[name] = _correlation(correlate, values, scores)
        draws = [draw[name] for draw in resampled if np.isfinite(draw[name])]
        low, high = np.quantile(draws, [0.025, 0.975]) if draws else (np.nan, np.nan)
        row |= {f"{name}_low": low, f"{name}_high": high}
    return row


def _resampled(values: np.ndarray, scores: np.ndarray, groups: list[np.ndarray]) -> list[dict[str, float]]:
    rng = np.random.default_rng(SEED)
    draws = []
    for _ in range(RESAMPLES):
        chosen = np.concatenate([groups[g] for g in rng.integers(len(groups), size=len(groups))])
        draws.append({name: _correlation(f, values[chosen], scores[chosen]) for name, f in CORRELATIONS.items()})
    return draws


def _correlation(correlate, values: np.ndarray, scores: np.ndarray) -> float:
    """NaN where either side does not vary: a constant has no order."""
    if len(values) < FEWEST or np.ptp(values) == 0 or np.ptp(scores) == 0:
        return float("nan")
    return float(correlate(values, scores))
