"""P(i preferred to j) = F(s_i - s_j) by maximum likelihood on win counts: F logistic is Bradley–Terry, F normal Case V.

Axes: ``B`` count matrices at once, ``K`` methods, ``M`` = K(K-1)/2 pairs (i < j, in the order of ``np.triu_indices``).
Counts come as ``upper`` (B, M), the wins of i over j, and ``lower`` (B, M), the wins of j over i.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, ndtr

from userstudy.scores.newton import Maximum, maximise, zero_sum_covariance

FAR = 35.0  # the normal tail still fits a float64 here; connected counts never get near
SQRT_2PI = np.sqrt(2 * np.pi)


class Link(NamedTuple):
    """A distribution F of the preference for i over j at the utility difference u = s_i - s_j."""

    log_cdf: Callable[[np.ndarray], np.ndarray]
    pull: Callable[[np.ndarray], np.ndarray]  # d log F(u) / du: what one win adds to the gradient
    cdf: Callable[[np.ndarray], np.ndarray]
    information: Callable[[np.ndarray], np.ndarray]  # expected information of one vote about u
    derivatives: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def _logit_derivatives(u: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = expit(u)
    expected = (upper + lower) * p
    return upper - expected, expected * (1 - p)


def _tails(u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """phi(u) / Phi(u), phi(u) / Phi(-u) and u kept within FAR, from one evaluation of the small tail."""
    u = np.clip(u, -FAR, FAR)
    small = ndtr(-np.abs(u))
    density = np.exp(-0.5 * u * u) / SQRT_2PI
    short, long = density / small, density / (1 - small)
    return np.where(u < 0, short, long), np.where(u < 0, long, short), u


def _probit_derivatives(u: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    won, lost, u = _tails(u)
    return upper * won - lower * lost, upper * won * (won + u) + lower * lost * (lost - u)


def _probit_information(u: np.ndarray) -> np.ndarray:
    won, lost, _ = _tails(u)
    return won * lost


LOGIT = Link(log_expit, lambda u: expit(-u), expit, lambda u: expit(u) * expit(-u), _logit_derivatives)
PROBIT = Link(log_ndtr, lambda u: _tails(u)[0], ndtr, _probit_information, _probit_derivatives)


def incidence(items: int) -> np.ndarray:
    """(M, K): +1 at i and -1 at j for each pair i < j."""
    first, second = np.triu_indices(items, 1)
    matrix = np.zeros((len(first), items))
    rows = np.arange(len(first))
    matrix[rows, first], matrix[rows, second] = 1.0, -1.0
    return matrix


def split(wins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., K, K) win matrices as ``upper`` and ``lower`` (..., M)."""
    first, second = np.triu_indices(wins.shape[-1], 1)
    return wins[..., first, second], wins[..., second, first]


def laplacian(weights: np.ndarray, items: int) -> np.ndarray:
    """(B, K, K) information of the scores, from the information (B, M) of each pair's difference."""
    first, second = np.triu_indices(items, 1)
    matrix = np.zeros((len(weights), items, items))
    matrix[:, first, second] = -weights
    matrix[:, second, first] = -weights
    diagonal = np.arange(items)
    matrix[:, diagonal, diagonal] = -matrix.sum(axis=2)
    return matrix


def fit(
    upper: np.ndarray, lower: np.ndarray, link: Link, start: np.ndarray, ridge: float = 0.0, tolerance: float = 1e-9
) -> Maximum:
    """Zero-sum scores (B, K) of B count sets, climbing from ``start`` (K,) or (B, K).

    ``ridge`` is the precision of a normal prior on each score (0 is maximum likelihood; 1 is Tsukida & Gupta's MAP).
    """
    items = np.shape(start)[-1]
    design = incidence(items)
    anchor = np.full((items, items), 1.0 / items) + ridge * np.eye(items)

    def derivatives(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        gradient, weights = link.derivatives(scores @ design.T, upper, lower)
        return gradient @ design - ridge * scores, laplacian(weights, items) + anchor

    return maximise(derivatives, np.broadcast_to(start, (len(upper), items)), tolerance)


def covariance(upper: np.ndarray, lower: np.ndarray, link: Link, scores: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    """(B, K, K) of zero-sum scores (B, K): the inverse of Fisher's expected information."""
    items = scores.shape[-1]
    weights = (upper + lower) * link.information(scores @ incidence(items).T)
    anchor = np.full((items, items), 1.0 / items) + ridge * np.eye(items)
    return zero_sum_covariance(laplacian(weights, items) + anchor, items)


def log_likelihood(upper: np.ndarray, lower: np.ndarray, link: Link, scores: np.ndarray) -> np.ndarray:
    """Sum over votes of the log probability of what was chosen, (B,) for scores (B, K)."""
    u = scores @ incidence(scores.shape[-1]).T
    return (upper * link.log_cdf(u) + lower * link.log_cdf(-u)).sum(axis=-1)


def saturated_log_likelihood(upper: np.ndarray, lower: np.ndarray) -> float:
    """The same with every pair's own proportion: the most that any model of pairs can reach."""
    total = upper + lower
    share = np.divide(upper, total, out=np.zeros_like(upper, dtype=float), where=total > 0)
    other = np.divide(lower, total, out=np.zeros_like(lower, dtype=float), where=total > 0)
    return float(
        sum((n * np.log(p, out=np.zeros_like(p), where=n > 0)).sum() for n, p in ((upper, share), (lower, other)))
    )
