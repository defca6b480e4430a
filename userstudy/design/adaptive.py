"""Which pairs to ask next: those whose answers teach most about the scores.

Follows ASAP (Mikhailiuk et al., Active Sampling for Pairwise Comparisons via Approximate Message Passing and
Information Gain Maximization, ICPR 2020): a Gaussian belief about the scores, the expected information gain of every
pair, and a batch of pairs that forms a spanning tree, so that every method is asked about. Two things differ: the
belief is the Laplace approximation with its full covariance (ASAP passes messages to a factorised one), and the gain
under that belief is exact up to quadrature: the mutual information between the answer and the difference of scores.
"""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.special import log_ndtr, ndtr, xlog1py, xlogy

from userstudy.design.balanced import Trial

PRIOR_VARIANCE = 0.5  # of a score, in units of the difference's noise variance; ASAP's own
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(48)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def belief(wins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (K,) and covariance (K, K) of the scores from ``wins[i, j]``, times i was preferred to j (a tie: half each).

    Thurstone's Case V likelihood, P(i over j) = Φ(s_i − s_j), with independent N(0, 0.5) priors: Newton's method on
    the concave log posterior, then its curvature at the top.
    """
    count = len(wins)
    one, other = np.nonzero(wins)
    times = wins[one, other]
    mean = np.zeros(count)
    for _ in range(50):
        difference = mean[one] - mean[other]
        ratio = np.exp(-0.5 * difference**2 - log_ndtr(difference)) / np.sqrt(2 * np.pi)  # φ / Φ
        slope = times * ratio
        curve = times * ratio * (difference + ratio)
        gradient = np.bincount(one, slope, count) - np.bincount(other, slope, count) - mean / PRIOR_VARIANCE
        precision = np.eye(count) / PRIOR_VARIANCE
        np.add.at(precision, (one, one), curve)
        np.add.at(precision, (other, other), curve)
        np.add.at(precision, (one, other), -curve)
        np.add.at(precision, (other, one), -curve)
        step = np.linalg.solve(precision, gradient)
        mean = mean + step
        if np.abs(step).max() < 1e-9:
            break
    return mean, np.linalg.inv(precision)


def information_gain(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Expected information (nats) of asking each pair, (K, K), symmetric, zero on the diagonal.

    The answer depends on the scores through their difference d alone, so the gain is H(E[Φ(d)]) − E[H(Φ(d))].
    """
    variance = np.diag(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0))  # (K, K)
    middle = mean[:, None] - mean[None, :]
    chance = ndtr(middle[..., None] + spread[..., None] * NODES)  # (K, K, nodes)
    gain = _entropy(chance @ WEIGHTS) - _entropy(chance) @ WEIGHTS
    gain = np.maximum((gain + gain.T) / 2, 0)
    np.fill_diagonal(gain, 0)
    return gain


def next_pairs(wins: np.ndarray) -> list[tuple[int, int]]:
    """The K − 1 pairs to ask next, most informative first: the spanning tree of largest gains (as ASAP, on 1/gain)."""
    gain = information_gain(*belief(wins))
    tree = minimum_spanning_tree(1 / np.maximum(gain, 1e-12)).tocoo()
    return sorted(zip(tree.row.tolist(), tree.col.tolist(), strict=True), key=lambda pair: -gain[pair])


def adaptive_trials(
    methods: Sequence[str],
    items: Sequence[str],
    cells: Counter[tuple[str, str, str]],
    wins: np.ndarray,
    seen: set[tuple[str, frozenset[str]]],
    number: int,
    rng: random.Random,
) -> list[Trial]:
    """Up to ``number`` normal trials for one rater: the most informative pairs that still have an unseen item.

    ``cells[item, left, right]`` counts what was shown so far. Within a pair the item shown least comes next, and the
    sides go against the pair's imbalance; chance decides between equals.
    """
    trials: list[Trial] = []
    for one, other in next_pairs(wins):
        pair = methods[one], methods[other]
        unseen = [item for item in items if (item, frozenset(pair)) not in seen]
        if not unseen or len(trials) == number:
            continue
        shown = {item: cells[item, *pair] + cells[item, *pair[::-1]] for item in unseen}
        item = min(unseen, key=lambda item: (shown[item], rng.random()))
        leaning = sum(cells[item, *pair] - cells[item, *pair[::-1]] for item in items)
        swap = leaning > 0 or (leaning == 0 and rng.random() < 0.5)
        trials.append(Trial("pair", "normal", item, pair[::-1] if swap else pair))
    rng.shuffle(trials)
    return trials


def _entropy(chance: np.ndarray) -> np.ndarray:
    """Of a yes-no answer, in nats."""
    return -(xlogy(chance, chance) + xlog1py(1 - chance, -chance))
