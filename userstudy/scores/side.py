"""Does the left picture win because it is on the left? The within-pair order effect of Davidson & Beaver (1977).

P(left chosen) = F(s_left - s_right + side), with a likelihood-ratio test of side = 0 on one degree of freedom.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford
from scipy.stats import chi2

from userstudy.errors import InputError, require_one_of
from userstudy.scores.connectivity import require_connected
from userstudy.scores.newton import maximise, zero_sum_covariance
from userstudy.scores.pairwise import LOGIT, PROBIT
from userstudy.scores.result import check_wins, difference_se

LINKS = {"logit": LOGIT, "probit": PROBIT}


@dataclass(frozen=True)
class SideEffect:
    """``effect`` is the advantage of the left side on the scale of the scores; positive favours the left."""

    names: tuple[str, ...]
    scores: np.ndarray  # (K,) zero-centred, the side allowed for
    covariance: np.ndarray  # (K + 1, K + 1), the side last
    effect: float
    log_likelihood: float
    likelihood_ratio: float
    p_value: float
    left_share: float  # of decisive votes
    votes: float

    @property
    def effect_se(self) -> float:
        """Standard error of the effect."""
        return float(np.sqrt(self.covariance[-1, -1]))

    def relative_to(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Scores (K,) with ``name`` at 0, and the standard errors of those differences."""
        reference = self.names.index(name)
        return self.scores - self.scores[reference], difference_se(self.covariance[:-1, :-1])[:, reference]


def side_effect(
    left_wins: np.ndarray, right_wins: np.ndarray, names: Sequence[str] | None = None, link: str = "logit"
) -> SideEffect:
    """left_wins (K, K): [i, j] = times i was shown left of j and chosen; right_wins: the same showing, j chosen.

    ``link`` is "logit" (Bradley–Terry) or "probit" (Case V). Raises InputError when no finite fit exists, or when the
    sides cannot be told apart from the methods.
    """
    require_one_of(link, LINKS, "link")
    model = LINKS[link]
    won, names = check_wins(left_wins, names)
    lost, _ = check_wins(right_wins, names)
    require_connected(won + lost.T, names)
    _require_both_sides(won, lost)
    items = len(won)
    left, right = np.nonzero(won + lost)
    design = np.zeros((len(left), items + 1))  # one row per shown pair: left, right, side
    rows = np.arange(len(left))
    design[rows, left], design[rows, right], design[:, -1] = 1.0, -1.0, 1.0
    won, lost = won[left, right], lost[left, right]
    anchor = np.zeros((items + 1, items + 1))
    anchor[:items, :items] = 1.0 / items

    def climb(columns: slice) -> np.ndarray:
        used, fixed = design[:, columns], anchor[columns, columns]

        def derivatives(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            gradient, weights = model.derivatives(parameters @ used.T, won, lost)
            return gradient @ used, (used.T * weights) @ used + fixed

        found = maximise(derivatives, np.zeros((1, used.shape[1])))
        if not found.converged[0]:
            raise InputError("expected wins on both sides, got votes from which the effect of the side runs away")
        return found.parameters[0]

    def log_likelihood(u: np.ndarray) -> float:
        return float((won * model.log_cdf(u) + lost * model.log_cdf(-u)).sum())

    full, plain = climb(slice(None)), climb(slice(items))
    best = log_likelihood(design @ full)
    ratio = 2 * (best - log_likelihood(design[:, :items] @ plain))
    expected = (won + lost) * model.information(design @ full)
    return SideEffect(
        names=names,
        scores=full[:items] - full[:items].mean(),
        covariance=zero_sum_covariance((design.T * expected) @ design + anchor, items),
        effect=float(full[-1]),
        log_likelihood=best,
        likelihood_ratio=ratio,
        p_value=float(chi2.sf(ratio, 1)),
        left_share=float(won.sum() / (won.sum() + lost.sum())),
        votes=float(won.sum() + lost.sum()),
    )


def _require_both_sides(left_wins: np.ndarray, right_wins: np.ndarray) -> None:
    """InputError unless the effect has one finite best fit.

    In a round of wins, A over B over … over A, the scores cancel: what is left is the side's, for its wins on the left
    and against its wins on the right. The fit is finite exactly when some round has more of the one and some round more
    of the other (Albert & Anderson 1984, for this design).
    """
    left, right = (_some_round_has_more(*wins) for wins in ((left_wins, right_wins.T), (right_wins.T, left_wins)))
    if not left and not right:
        raise InputError(
            "expected methods that change sides, got votes that cannot tell the side from the methods on it"
        )
    if not left or not right:
        won, total = int(left_wins.sum()), int(left_wins.sum() + right_wins.sum())
        raise InputError(
            f"expected wins on both sides, got votes in which the {'left' if left else 'right'} side takes all that "
            f"the methods leave open (the left picture won {won:,} of {total:,})"
        )


def _some_round_has_more(these: np.ndarray, others: np.ndarray) -> bool:
    """Whether a round of wins, [i, j] of i over j in two kinds (K, K), has more of ``these`` than of ``others``."""
    try:
        bellman_ford(csr_array(np.where(these > 0, -1.0, others > 0)))
    except NegativeCycleError:
        return True
    return False
