"""Bradley & Terry (1952): P(i preferred to j) = worth_i / (worth_i + worth_j).

The start is ``choix.ilsr_pairwise_dense`` (Maystre & Grossglauser 2015, exact in a few Markov chains); Newton then
confirms it and yields the information matrix, which choix does not.
"""

from collections.abc import Sequence

import choix
import numpy as np
from scipy.sparse import csr_array

from userstudy.scores.maximum_likelihood import fit_wins
from userstudy.scores.pairwise import LOGIT
from userstudy.scores.result import PairwiseFit, check_wins


def bradley_terry(
    wins: np.ndarray,
    names: Sequence[str] | None = None,
    *,
    rater_wins: csr_array | np.ndarray | None = None,
    regularized: float = 0.0,
) -> PairwiseFit:
    """Log-strengths (zero-centred) and worths (sum 1) of K methods.

    wins: (K, K), [i, j] = times i was preferred to j; ties, both-bad and skipped votes do not belong here.
    rater_wins: the same per rater, (R, K, K) or sparse (R, K·K), for errors clustered by rater.
    regularized: precision of a normal prior on each log-strength, for votes that have no finite best fit.
    Raises InputError when wins do not lead from every method to every other, unless ``regularized`` is above 0.
    """
    matrix, names = check_wins(wins, names)
    return fit_wins(matrix, names, LOGIT, _markov_start, "Bradley–Terry", "log-odds", rater_wins, regularized)


def _markov_start(wins: np.ndarray) -> np.ndarray:
    try:
        return choix.ilsr_pairwise_dense(wins)
    except RuntimeError:  # connected, but so lopsided that the chains settle slowly
        return np.zeros(len(wins))
