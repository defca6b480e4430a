"""Thurstone's Case V (1927): P(i preferred to j) = Phi(s_i - s_j), by maximum likelihood or by column means.

Scales (Tsukida & Gupta 2011; Perez-Ortiz & Mantiuk 2017): ``difference`` gives the difference of two methods unit
deviation, ``item`` gives each method unit deviation (× sqrt 2), ``jod`` makes one unit a 75 % preference (× 1.4826).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtri

from userstudy.errors import InputError, require_one_of
from userstudy.scores import pairwise
from userstudy.scores.maximum_likelihood import fit_wins
from userstudy.scores.pairwise import PROBIT
from userstudy.scores.result import PairwiseFit, check_wins

SCALES = {
    "difference": (1.0, "standard deviations of a difference"),
    "item": (np.sqrt(2.0), "standard deviations of one method"),
    "jod": (1 / ndtri(0.75), "JOD (one unit: 75 % prefer)"),
}
METHODS = ("mle", "column-mean")
ZERO_CELLS = ("clip", "half", "drop")


def thurstone_case_v(
    wins: np.ndarray,
    names: Sequence[str] | None = None,
    *,
    method: str = "mle",
    scale: str = "difference",
    zero_cells: str = "clip",
    rater_wins: csr_array | np.ndarray | None = None,
    regularized: float = 0.0,
) -> PairwiseFit:
    """Zero-centred scores of K methods in the unit that ``scale`` names.

    wins: (K, K), [i, j] = times i was preferred to j.
    method: "mle", the probit maximum likelihood; "column-mean", the classic mean of normal deviates.
    zero_cells (column means only): what to do with a proportion p of 0 or 1 over n votes, whose deviate is infinite:
        "clip" takes 1 / (2n) or 1 - 1 / (2n); "half" adds half a win to both sides of every pair; "drop" leaves the
        pair out and solves least squares on the others (Morrissey 1955, Gulliksen 1956).
    rater_wins, regularized (maximum likelihood only): as in ``bradley_terry``; regularized=1 is Tsukida & Gupta's MAP.
    Raises InputError for unknown names, for votes without a finite fit, and for column means over missing pairs.
    """
    require_one_of(method, METHODS, "method")
    require_one_of(scale, SCALES, "scale")
    require_one_of(zero_cells, ZERO_CELLS, "zero_cells")
    matrix, names = check_wins(wins, names)
    factor, unit = SCALES[scale]
    if method == "mle":
        fitted = fit_wins(matrix, names, PROBIT, None, "Thurstone Case V", unit, rater_wins, regularized)
    elif rater_wins is not None or regularized:
        raise InputError("expected method='mle' for clustered errors or regularisation, got method='column-mean'")
    else:
        fitted = _column_mean(matrix, names, zero_cells, unit)
    return _scaled(fitted, factor)


def _column_mean(wins: np.ndarray, names: tuple[str, ...], zero_cells: str, unit: str) -> PairwiseFit:
    """Least squares s_i - s_j = z_ij over the kept pairs: with all pairs, exactly the mean of each row of z."""
    items = len(wins)
    upper, lower = pairwise.split(wins)
    total = upper + lower
    keep = total > 0
    if zero_cells == "drop":
        keep &= (upper > 0) & (lower > 0)
    elif not keep.all():
        first, second = (index[~keep][0] for index in np.triu_indices(items, 1))
        raise InputError(
            f"expected votes on every pair for column means, got none on {names[first]} and {names[second]} "
            "(method='mle' needs no complete design, zero_cells='drop' leaves such pairs out)"
        )
    n, won = total[keep], upper[keep]
    if zero_cells == "half":
        n, won = n + 1, won + 0.5
    share = np.clip(won / n, 0.5 / n, 1 - 0.5 / n)
    deviate = ndtri(share)
    design = pairwise.incidence(items)[keep]
    parts, _ = connected_components(csr_array(np.abs(design.T) @ np.abs(design)), directed=False)
    if parts > 1:
        raise InputError(
            "expected pairs won by both sides that link all methods, got too few after dropping the others"
        )
    solve = np.linalg.solve(design.T @ design + 1 / items, design.T)  # (K, M), least squares with zero sum
    scores = solve @ deviate
    density = np.exp(-0.5 * deviate**2) / pairwise.SQRT_2PI
    covariance = (solve * (share * (1 - share) / n / density**2)) @ solve.T
    log_likelihood = float(pairwise.log_likelihood(upper, lower, PROBIT, scores))
    return PairwiseFit(
        model=f"Thurstone Case V, column means ({zero_cells})",
        unit=unit,
        names=names,
        scores=scores,
        covariance=covariance,
        log_likelihood=log_likelihood,
        deviance=2 * (pairwise.saturated_log_likelihood(upper, lower) - log_likelihood),
        degrees_of_freedom=int((total > 0).sum()) - (items - 1),
        votes=float(wins.sum()),
    )


def _scaled(fitted: PairwiseFit, factor: float) -> PairwiseFit:
    clustered = fitted.clustered_covariance
    return replace(
        fitted,
        scores=fitted.scores * factor,
        covariance=fitted.covariance * factor**2,
        clustered_covariance=None if clustered is None else clustered * factor**2,
    )
