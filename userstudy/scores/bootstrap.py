"""Bootstrap over raters: whole raters are drawn with replacement, so that a rater's votes stay together.

One product of multinomial weights and counts per rater gives every replicate's counts; one batch of Newton climbs,
started from the fit of all votes, gives every replicate's scores. A replicate in which wins no longer lead from
every method to every other has no finite scores: it is left out of the intervals and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse
from scipy.special import softmax

from userstudy.errors import InputError
from userstudy.scores import pairwise
from userstudy.scores.bradley_terry import bradley_terry
from userstudy.scores.connectivity import connected_counts
from userstudy.scores.pairwise import LOGIT, PROBIT, Link
from userstudy.scores.thurstone import thurstone_case_v

MODELS = {"bradley-terry": (LOGIT, bradley_terry), "thurstone": (PROBIT, thurstone_case_v)}
LAST_STEP = 1e-3  # Newton errs by about its square after such a step: far below what draws of raters differ by
ENTRIES = 20_000_000  # of float64 held at once while replicates are fitted


@dataclass(frozen=True)
class Bootstrap:
    """``replicates`` (B, K) zero-centred scores of the replicates that have finite ones; ``degenerate`` had none."""

    model: str
    replicates: np.ndarray
    degenerate: int

    def interval(self, level: float = 0.95) -> np.ndarray:
        """(2, K) percentile interval of each score; nan when no replicate was usable."""
        return self._quantiles(self.replicates, level, "linear")

    def worth_interval(self, level: float = 0.95) -> np.ndarray:
        """(2, K) percentile interval of the worths, exp(scores) normalised to sum 1."""
        return self._quantiles(softmax(self.replicates, axis=1), level, "linear")

    def se(self) -> np.ndarray:
        """(K,) standard deviation of each score over the replicates."""
        return (
            self.replicates.std(axis=0, ddof=1)
            if len(self.replicates) > 1
            else np.full(self.replicates.shape[1], np.nan)
        )

    def rank_interval(self, level: float = 0.95) -> np.ndarray:
        """(2, K) percentile interval of each rank, 1 the best."""
        return self._quantiles((-self.replicates).argsort(axis=1).argsort(axis=1) + 1, level, "inverted_cdf")

    def _quantiles(self, values: np.ndarray, level: float, method: str) -> np.ndarray:
        if not len(values):
            return np.full((2, values.shape[1]), np.nan)
        tail = (1 - level) / 2
        return np.quantile(values, [tail, 1 - tail], axis=0, method=method)


def bootstrap_raters(
    rater_wins: csr_array | np.ndarray,
    models: Sequence[str] = ("bradley-terry", "thurstone"),
    replicates: int = 1000,
    seed: int = 0,
    regularized: float = 0.0,
) -> dict[str, Bootstrap]:
    """Bootstraps of each model on the same draws of raters.

    rater_wins: (R, K, K) or sparse (R, K·K), [r, i, j] = times rater r preferred i to j.
    regularized: as in the models; every replicate then has finite scores.
    Raises InputError as the models do when all votes together have no finite fit.
    """
    if not issparse(rater_wins):
        rater_wins = csr_array(np.asarray(rater_wins).reshape(len(rater_wins), -1))  # (R, K, K) -> (R, K·K)
    raters, cells = rater_wins.shape
    items = round(cells**0.5)
    if raters < 2 or items * items != cells:
        raise InputError(f"expected wins of at least two raters over K×K cells, got shape {rater_wins.shape}")
    wins = rater_wins.sum(axis=0).reshape(items, items)  # (K·K,) -> (K, K)
    starts = {model: MODELS[model][1](wins, regularized=regularized).scores for model in models}
    used, upper, lower = _pair_columns(rater_wins, items)
    draw = np.random.default_rng(seed)
    found: dict[str, list[np.ndarray]] = {model: [] for model in models}
    size = max(1, ENTRIES // max(cells, raters))
    for first in range(0, replicates, size):
        weights = _draws(draw, raters, min(size, replicates - first))
        drawn = weights.astype(used.dtype) @ used  # (B, R) @ (R, 2M): the wins of each replicate
        counts = drawn[:, : len(upper)].astype(float), drawn[:, len(upper) :].astype(float)
        sound = connected_counts(*counts, items) | (regularized > 0)
        for model in models:
            found[model].append(_fit(counts, sound, MODELS[model][0], starts[model], regularized))
    results = {}
    for model, parts in found.items():
        scores = np.concatenate(parts)
        results[model] = Bootstrap(model, scores, replicates - len(scores))
    return results


def _draws(draw: np.random.Generator, raters: int, replicates: int) -> np.ndarray:
    """(B, R) how often each rater is in each replicate of R draws with replacement."""
    chosen = draw.integers(raters, size=(replicates, raters)) + raters * np.arange(replicates)[:, None]
    return np.bincount(chosen.ravel(), minlength=replicates * raters).reshape(replicates, raters)


def _pair_columns(rater_wins: csr_array, items: int) -> tuple[np.ndarray | csr_array, np.ndarray, np.ndarray]:
    """(R, 2M) counts, the pairs' upper cells first, dense where that multiplies quicker; and both lists of columns."""
    first, second = np.triu_indices(items, 1)
    upper, lower = first * items + second, second * items + first
    columns = rater_wins[:, np.concatenate([upper, lower])]
    if columns.nnz * 20 > columns.shape[0] * columns.shape[1]:
        return columns.toarray().astype(np.float32), upper, lower  # exact: counts stay far below 2^24
    return columns.astype(np.int64), upper, lower


def _fit(
    counts: tuple[np.ndarray, np.ndarray], sound: np.ndarray, link: Link, start: np.ndarray, ridge: float
) -> np.ndarray:
    """Scores (B', K) of the sound replicates that settled."""
    if not sound.any():
        return np.empty((0, len(start)))
    found = pairwise.fit(counts[0][sound], counts[1][sound], link, start, ridge, LAST_STEP)
    return found.parameters[found.converged]
