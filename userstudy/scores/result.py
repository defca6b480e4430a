"""What every pairwise model answers: zero-centred scores, their errors, and what can be asked of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from userstudy.errors import InputError, nearest


def check_wins(wins: object, names: Sequence[str] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """A (K, K) float matrix of counts and K names; InputError for anything that is not one."""
    if names is None and isinstance(wins, pd.DataFrame):
        names = wins.index
    matrix = np.asarray(wins, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise InputError(f"expected a square matrix of wins among at least two methods, got shape {matrix.shape}")
    if not np.isfinite(matrix).all() or (matrix < 0).any():
        raise InputError("expected counts of wins (finite, not negative), got a matrix with other values")
    if np.diagonal(matrix).any():
        raise InputError("expected zeros on the diagonal of the wins (no method meets itself), got other values")
    names = tuple(str(name) for name in (range(len(matrix)) if names is None else names))
    if len(names) != len(matrix):
        raise InputError(f"expected one name for each of the {len(matrix)} methods, got {len(names)}")
    return matrix, names


def difference_se(covariance: np.ndarray) -> np.ndarray:
    """Standard errors (..., K, K) of s_i - s_j, from the covariance (..., K, K) of s."""
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    squared = variance[..., :, None] + variance[..., None, :] - 2 * covariance
    return np.sqrt(np.clip(squared, 0, None))


@dataclass(frozen=True)
class PairwiseFit:
    """Scores of K methods on one interval scale.

    ``scores`` and ``se`` (K,) are zero-centred; ``covariance`` (K, K) comes from the information matrix and
    ``clustered_covariance``, when counts per rater were given, allows a rater's votes to depend on each other.
    ``deviance`` is G² against each pair's own proportion. ``regularized`` is the precision of the normal prior that was
    asked for (0: none); such scores are shrunk towards each other and have to be reported as regularised.
    """

    model: str
    unit: str
    names: tuple[str, ...]
    scores: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    deviance: float
    degrees_of_freedom: int
    votes: float
    regularized: float = 0.0
    clustered_covariance: np.ndarray | None = field(default=None)

    @property
    def se(self) -> np.ndarray:
        """Standard errors (K,) of the zero-centred scores, votes taken as independent."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def clustered_se(self) -> np.ndarray | None:
        """Standard errors (K,) with votes clustered by rater."""
        return None if self.clustered_covariance is None else np.sqrt(np.diagonal(self.clustered_covariance))

    @property
    def worth(self) -> np.ndarray:
        """exp(scores) normalised to sum 1: for Bradley–Terry, the odds of being chosen from among all K."""
        strength = np.exp(self.scores - self.scores.max())
        return strength / strength.sum()

    @property
    def label(self) -> str:
        """The model's name with what was asked of it."""
        return self.model + (
            f", regularised (normal prior of precision {self.regularized:g})" if self.regularized else ""
        )

    def relative_to(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Scores (K,) with ``name`` at 0, and the standard errors of those differences."""
        if name not in self.names:
            raise InputError(f"expected one of {', '.join(self.names)}, got {name!r}{nearest(name, self.names)}")
        reference = self.names.index(name)
        return self.scores - self.scores[reference], difference_se(self.covariance)[:, reference]

    def contrasts(self, clustered: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Differences s_i - s_j and their standard errors, both (K, K)."""
        covariance = self.clustered_covariance if clustered else self.covariance
        if covariance is None:
            raise InputError("expected a fit with counts per rater for clustered errors, got one without")
        return self.scores[:, None] - self.scores[None, :], difference_se(covariance)
