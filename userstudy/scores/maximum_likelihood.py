"""The fit that Bradley–Terry and Case V share: connectivity, start, Newton, errors from the information matrix.

Clustered errors are the sandwich of Liang & Zeger (1986) over raters, with the R / (R - 1) correction.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_array, issparse

from userstudy.errors import InputError
from userstudy.scores import pairwise
from userstudy.scores.connectivity import require_connected
from userstudy.scores.newton import zero_sum_covariance
from userstudy.scores.pairwise import Link
from userstudy.scores.result import PairwiseFit


def fit_wins(
    wins: np.ndarray,
    names: Sequence[str],
    link: Link,
    start: Callable[[np.ndarray], np.ndarray] | None,
    model: str,
    unit: str,
    rater_wins: csr_array | np.ndarray | None,
    regularized: float,
) -> PairwiseFit:
    """Scores of checked ``wins`` (K, K); ``start`` makes scores (K,) of connected wins, None starts at zeros."""
    if regularized < 0:
        raise InputError(f"expected a precision of 0 or more for regularized, got {regularized}")
    if not regularized:
        require_connected(wins, names)
    items = len(wins)
    upper, lower = pairwise.split(wins)
    first = start(wins) if start and not regularized else np.zeros(items)
    found = pairwise.fit(upper[None], lower[None], link, first, regularized)
    if not found.converged[0]:
        raise InputError("expected votes with a finite best fit, got votes so lopsided that the scores run away")
    scores = found.parameters[0] - found.parameters[0].mean()
    covariance = pairwise.covariance(upper[None], lower[None], link, scores[None], regularized)[0]
    log_likelihood = float(pairwise.log_likelihood(upper, lower, link, scores))
    clustered = None
    if rater_wins is not None:
        bread = zero_sum_covariance(found.information[0], items)  # of the observed information, as sandwiches are made
        clustered = bread @ rater_meat(rater_wins, scores, link) @ bread
    return PairwiseFit(
        model=model,
        unit=unit,
        names=tuple(names),
        scores=scores,
        covariance=covariance,
        log_likelihood=log_likelihood,
        deviance=2 * (pairwise.saturated_log_likelihood(upper, lower) - log_likelihood),
        degrees_of_freedom=int((upper + lower > 0).sum()) - (items - 1),
        votes=float(wins.sum()),
        regularized=regularized,
        clustered_covariance=clustered,
    )


def rater_meat(rater_wins: csr_array | np.ndarray, scores: np.ndarray, link: Link) -> np.ndarray:
    """(K, K) sum over raters of the outer product of each one's score vector, times R / (R - 1).

    ``rater_wins`` is (R, K, K) or (R, K·K), dense or sparse, [r, i, j] = times rater r preferred i to j.
    """
    items = len(scores)
    if not issparse(rater_wins):
        rater_wins = np.asarray(rater_wins).reshape(len(rater_wins), -1)  # (R, K, K) -> (R, K·K)
    raters, cells = rater_wins.shape
    if cells != items * items or raters < 2:
        raise InputError(
            f"expected wins of at least two raters over {items}×{items} cells, got shape {rater_wins.shape}"
        )
    winner, loser = np.divmod(np.arange(cells), items)
    pull = link.pull(scores[winner] - scores[loser])
    per_win = np.zeros((cells, items))
    per_win[np.arange(cells), winner] += pull
    per_win[np.arange(cells), loser] -= pull
    gradients = rater_wins @ per_win  # (R, K)
    gradients = gradients - gradients.mean(axis=0)  # 0 at a maximum, unless a prior holds the scores back
    return gradients.T @ gradients * (raters / (raters - 1))
