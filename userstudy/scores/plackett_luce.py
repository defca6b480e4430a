"""Plackett (1975) and Luce (1959): a ranking is a series of choices, each from among the methods not yet ranked.

Expanding rankings to pairs would count one judgement several times; this model does not.
"""

import numpy as np
import pandas as pd

from userstudy.errors import InputError
from userstudy.scores.connectivity import require_connected
from userstudy.scores.newton import maximise, zero_sum_covariance
from userstudy.scores.rankings import Rankings
from userstudy.scores.result import PairwiseFit


def plackett_luce(rankings: Rankings) -> PairwiseFit:
    """Log-strengths (zero-centred) and worths of the ranked methods, with errors clustered by rater.

    Unranked methods only ever lose, in no order among themselves.
    Raises InputError when the choices do not lead from every method to every other.
    """
    winner, pool, rater = _choices(rankings)
    size = len(rankings.methods)
    won = np.zeros((size, size))
    np.add.at(won, winner, pool.astype(float))
    np.fill_diagonal(won, 0)
    require_connected(won, rankings.methods)

    def shares(scores: np.ndarray) -> np.ndarray:
        strength = np.where(pool, np.exp(scores - scores.max()), 0.0)  # (choices, K)
        return strength / strength.sum(axis=1, keepdims=True)

    def derivatives(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        share = shares(parameters[0])
        gradient = np.bincount(winner, minlength=size) - share.sum(axis=0)
        return gradient[None], (np.diag(share.sum(axis=0)) - share.T @ share + 1.0 / size)[None]

    found = maximise(derivatives, np.zeros((1, size)))
    if not found.converged[0]:
        raise InputError("expected rankings with a finite best fit, got some so lopsided that the scores run away")
    scores = found.parameters[0] - found.parameters[0].mean()
    covariance = zero_sum_covariance(found.information[0], size)
    share = shares(scores)
    residual = np.eye(size)[winner] - share
    codes, names = pd.factorize(rater)
    clustered = None
    if len(names) > 1:
        gradients = np.zeros((len(names), size))
        np.add.at(gradients, codes, residual)
        clustered = covariance @ (gradients.T @ gradients) @ covariance * (len(names) / (len(names) - 1))
    chosen = share[np.arange(len(winner)), winner]
    return PairwiseFit(
        model="Plackett–Luce",
        unit="log-odds",
        names=rankings.methods,
        scores=scores,
        covariance=covariance,
        log_likelihood=float(np.log(chosen).sum()),
        deviance=float("nan"),
        degrees_of_freedom=0,
        votes=float(len(winner)),
        clustered_covariance=clustered,
    )


def _choices(rankings: Rankings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The method chosen (N,), from among which (N, K) bool, by whom (N,), for N choices with an alternative."""
    ranks = rankings.ranks
    winners, pools, raters = [], [], []
    for rank in range(1, len(rankings.methods)):
        chosen = ranks == rank
        pool = chosen | (ranks == 0) | (ranks > rank)
        choice = chosen.any(axis=1) & (pool.sum(axis=1) > 1)
        winners.append(np.argmax(chosen[choice], axis=1))
        pools.append(pool[choice])
        raters.append(rankings.rater[choice])
    return np.concatenate(winners), np.concatenate(pools), np.concatenate(raters)
