"""How well each metric predicts what people prefer. Tables in, a table out: nothing here knows a user study.

Correlations: Spearman's and Kendall's (tau-b) of ranks, Pearson's of values; intervals by the percentile bootstrap over
the rows, or over the images where both tables have an ``id``. All draws are counted at once: a draw is how often each
row occurs in it.

Axes: n rows, B draws.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.metrics import METRICS
from iph.errors import InputError

Floats = NDArray[np.float64]

RESAMPLES = 1000
SEED = 2022
FEWEST = 3  # rows below which a correlation says nothing
BLOCK = 1024  # rows whose order is compared with all others at a time


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
    usable = joined[np.isfinite(joined[metric]) & np.isfinite(joined[score])]
    groups = usable["id"] if "id" in usable.columns else pd.Series(np.arange(len(usable)), index=usable.index)
    values, scores = METRICS[metric].sign * usable[metric].to_numpy(float), usable[score].to_numpy(float)
    drawn = _draws(pd.factorize(groups)[0]) if len(usable) else np.zeros((RESAMPLES, 0))
    row: dict = {"metric": metric, "n": len(usable)}
    for name, found in correlations(values, scores, np.vstack([np.ones(len(usable)), drawn])).items():
        known = found[1:][np.isfinite(found[1:])]
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
        row |= {name: found[0], f"{name}_low": low, f"{name}_high": high}
    return row


def _draws(groups: NDArray[np.intp]) -> Floats:
    """How often each row occurs when the groups that the rows belong to are drawn with replacement, (B, n)."""
    count = groups.max() + 1
    return np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(float)[:, groups]


def correlations(values: Floats, scores: Floats, weights: Floats) -> dict[str, Floats]:
    """Each correlation of (n,) and (n,) where rows occur as often as ``weights`` (B, n) says, (B,).

    NaN where either side does not vary, for a constant has no order, and for fewer rows than mean anything.
    """
    ranks_v, ranks_s = np.empty_like(weights), np.empty_like(weights)
    agreeing, varying_v, varying_s = np.zeros((3, len(weights)))
    for start in range(0, len(values), BLOCK):
        rows = slice(start, start + BLOCK)
        above_v = np.sign(values[rows, None] - values)  # (block, n)
        above_s = np.sign(scores[rows, None] - scores)
        ranks_v[:, rows], ranks_s[:, rows] = weights @ above_v.T, weights @ above_s.T  # twice the centred mid-ranks
        for total, pairs in ((agreeing, above_v * above_s), (varying_v, above_v**2), (varying_s, above_s**2)):
            total += ((weights @ pairs.T) * weights[:, rows]).sum(axis=1)
    unclear = (varying_v == 0) | (varying_s == 0) | (weights.sum(axis=1) < FEWEST)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {
            "spearman": _pearson(ranks_v, ranks_s, weights),
            "kendall": agreeing / np.sqrt(varying_v * varying_s),
            "pearson": _pearson(values[None], scores[None], weights),
        }
    return {name: np.where(unclear, np.nan, value) for name, value in found.items()}


def _pearson(a: Floats, b: Floats, weights: Floats) -> Floats:
    """Correlation of (B or 1, n) and (B or 1, n) under ``weights`` (B, n), (B,)."""
    total = weights.sum(axis=1, keepdims=True)
    a = a - (weights * a).sum(axis=1, keepdims=True) / total
    b = b - (weights * b).sum(axis=1, keepdims=True) / total
    return (weights * a * b).sum(axis=1) / np.sqrt((weights * a**2).sum(axis=1) * (weights * b**2).sum(axis=1))
