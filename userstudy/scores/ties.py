"""Davidson's ties (1970): P(i) : P(tie) : P(j) = worth_i : nu sqrt(worth_i worth_j) : worth_j.

A tie is a sign of two methods being close, which is more than half a win each: nu says how readily raters tie.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from userstudy.errors import InputError
from userstudy.scores.connectivity import require_connected
from userstudy.scores.newton import maximise, zero_sum_covariance
from userstudy.scores.pairwise import incidence, laplacian, split
from userstudy.scores.result import check_wins


@dataclass(frozen=True)
class TiesFit:
    """Bradley–Terry scores that use the ties; ``covariance`` (K + 1, K + 1) ends with log ``nu``."""

    names: tuple[str, ...]
    scores: np.ndarray  # (K,) zero-centred log-strengths
    covariance: np.ndarray
    nu: float
    log_likelihood: float

    @property
    def se(self) -> np.ndarray:
        """Standard errors (K,) of the zero-centred scores."""
        return np.sqrt(np.diagonal(self.covariance)[:-1])

    @property
    def worth(self) -> np.ndarray:
        """Strengths normalised to sum 1."""
        strength = np.exp(self.scores - self.scores.max())
        return strength / strength.sum()


def davidson(wins: np.ndarray, ties: np.ndarray, names: Sequence[str] | None = None) -> TiesFit:
    """wins (K, K) as in ``bradley_terry``; ties (K, K) symmetric, [i, j] = times the pair of i and j was a tie.

    Raises InputError without a tie, without a decisive vote, or when wins and ties do not link all methods.
    """
    wins, names = check_wins(wins, names)
    ties, _ = check_wins(ties, names)
    if not np.array_equal(ties, ties.T):
        raise InputError("expected ties as a symmetric matrix (a tie of i and j is one of j and i), got another")
    if not ties.any() or not wins.any():
        raise InputError(f"expected both ties and decisive votes, got {ties.sum() / 2:g} ties and {wins.sum():g} wins")
    require_connected(wins + ties, names)
    items = len(wins)
    design = incidence(items)
    upper, lower = split(wins)
    drawn, _ = split(ties)
    total = upper + lower + drawn

    def shares(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log probabilities (B, M) of i, j and a tie."""
        half = 0.5 * parameters[:, :items] @ design.T
        tie = np.broadcast_to(parameters[:, items:], half.shape)
        scale = np.logaddexp(np.logaddexp(half, -half), tie)
        return half - scale, -half - scale, tie - scale

    def derivatives(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, second, tie = (np.exp(share) for share in shares(parameters))
        lead = first - second
        pull = 0.5 * (upper - lower - total * lead)  # d / d(s_i - s_j)
        spread = 0.25 * total * (first + second - lead**2)
        mixed = -0.5 * total * tie * lead
        information = np.zeros((len(parameters), items + 1, items + 1))
        information[:, :items, :items] = laplacian(spread, items) + 1.0 / items
        information[:, :items, items] = information[:, items, :items] = mixed @ design
        information[:, items, items] = (total * tie * (1 - tie)).sum(axis=1)
        slope = (drawn - total * tie).sum(axis=1, keepdims=True)
        return np.concatenate([pull @ design, slope], axis=1), information

    found = maximise(derivatives, np.zeros((1, items + 1)))
    if not found.converged[0]:
        raise InputError("expected votes with a finite best fit, got votes so lopsided that the scores run away")
    best = found.parameters
    first, second, tie = shares(best)
    return TiesFit(
        names=names,
        scores=best[0, :items] - best[0, :items].mean(),
        covariance=zero_sum_covariance(found.information[0], items),
        nu=float(np.exp(best[0, items])),
        log_likelihood=float((upper * first + lower * second + drawn * tie).sum()),
    )
