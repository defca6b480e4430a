"""Damped Newton for concave log-likelihoods, many at once: every score of this package is such a maximum.

Axes: ``B`` problems (bootstrap replicates, left-out raters, simulated studies; 1 for a single fit), ``P`` parameters.
Shift-invariant models hand in an information matrix with 1/K added over their K scores, so that it can be inverted;
their gradient sums to zero, hence so does every step. The damping log(1 + r) / r is the one that makes Newton
descend on logistic-like likelihoods (Bach 2010, "Self-concordant analysis for logistic regression").
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Derivatives = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
FULL_STEP = 0.5  # below this spread of a step, Newton converges by itself


class Maximum(NamedTuple):
    parameters: np.ndarray  # (B, P)
    information: np.ndarray  # (B, P, P) at the maximum
    converged: np.ndarray  # (B,) bool


def maximise(derivatives: Derivatives, start: np.ndarray, tolerance: float = 1e-9, limit: int = 60) -> Maximum:
    """Climb from ``start`` (B, P); ``derivatives(parameters)`` gives gradient (B, P) and information (B, P, P).

    A problem has converged when its last step moved no parameter by more than ``tolerance``.
    """
    parameters = np.array(start, dtype=float)
    spread = np.full(len(parameters), np.inf)
    information = np.empty(0)
    for _ in range(limit):
        gradient, information = derivatives(parameters)
        try:
            step = np.linalg.solve(information, gradient[..., None])[..., 0]
        except np.linalg.LinAlgError:  # a flat likelihood somewhere: the minimum-norm step keeps the others going
            step = (np.linalg.pinv(information, hermitian=True) @ gradient[..., None])[..., 0]
        spread = step.max(axis=1) - step.min(axis=1)
        damping = np.where(spread > FULL_STEP, np.log1p(spread) / np.maximum(spread, FULL_STEP), 1.0)
        parameters += damping[:, None] * step
        if np.nanmax(spread) <= tolerance:
            break
    return Maximum(parameters, information, spread <= tolerance)


def zero_sum_covariance(information: np.ndarray, items: int) -> np.ndarray:
    """Covariance (..., P, P) of parameters whose first ``items`` sum to zero: the pseudo-inverse on that plane."""
    project = np.eye(information.shape[-1])
    project[:items, :items] -= 1.0 / items
    return project @ np.linalg.inv(information) @ project
