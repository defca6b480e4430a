"""The same scores from independent implementations: statsmodels, choix and evalica, on drawn votes."""

import choix
import evalica
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.duration.hazard_regression import PHReg

from userstudy.scores import bradley_terry, plackett_luce, read_rankings, side_effect, thurstone_case_v

RATERS, ITEMS, VOTES = 25, 5, 40
TRUE = np.array([-0.6, -0.2, 0.0, 0.3, 0.5])
LINKS = {"logit": sm.families.links.Logit(), "probit": sm.families.links.Probit()}


@pytest.fixture(scope="module")
def votes() -> pd.DataFrame:
    """One row a vote: rater, left, right (numbers), won (1: the left one)."""
    draw = np.random.default_rng(7)
    rater = np.repeat(np.arange(RATERS), VOTES)
    left = draw.integers(ITEMS, size=len(rater))
    right = (left + draw.integers(1, ITEMS, size=len(rater))) % ITEMS
    taste = TRUE + draw.normal(scale=0.4, size=(RATERS, ITEMS))
    lead = taste[rater, left] - taste[rater, right] + 0.3
    return pd.DataFrame(
        {"rater": rater, "left": left, "right": right, "won": lead + draw.logistic(size=len(rater)) > 0}
    )


def matrices(votes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """wins per rater (R, K, K), left wins and right wins (K, K)."""
    per_rater = np.zeros((RATERS, ITEMS, ITEMS))
    left_wins, right_wins = np.zeros((2, ITEMS, ITEMS))
    for row in votes.itertuples():
        winner, loser = (row.left, row.right) if row.won else (row.right, row.left)
        per_rater[row.rater, winner, loser] += 1
        (left_wins if row.won else right_wins)[row.left, row.right] += 1
    return per_rater, left_wins, right_wins


def design(votes: pd.DataFrame, side: bool = False) -> np.ndarray:
    """(N, K - 1) or (N, K): the first method is the reference, the side comes last."""
    matrix = np.eye(ITEMS)[votes["left"]] - np.eye(ITEMS)[votes["right"]]
    return np.column_stack([matrix[:, 1:], np.ones(len(votes))]) if side else matrix[:, 1:]


@pytest.mark.parametrize(("link", "score"), [("logit", bradley_terry), ("probit", thurstone_case_v)])
def test_glm_with_errors_clustered_by_rater(votes, link, score):
    per_rater, _, _ = matrices(votes)
    fitted = score(per_rater.sum(axis=0), rater_wins=per_rater)
    model = sm.GLM(votes["won"].astype(float), design(votes), family=sm.families.Binomial(link=LINKS[link]))
    plain = model.fit(tol=1e-12)
    scores, se = fitted.relative_to("0")
    np.testing.assert_allclose(scores[1:], plain.params, atol=1e-7)
    np.testing.assert_allclose(se[1:], plain.bse, atol=1e-6)
    assert fitted.log_likelihood == pytest.approx(plain.llf)
    groups = {"groups": votes["rater"], "use_correction": False}
    robust = model.fit(tol=1e-12, cov_type="cluster", cov_kwds=groups)
    _, clustered = fitted.contrasts(clustered=True)
    correction = np.sqrt(RATERS / (RATERS - 1))
    np.testing.assert_allclose(clustered[1:, 0], robust.bse * correction, rtol=1e-6)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_side_effect_is_the_intercept(votes, link):
    _, left_wins, right_wins = matrices(votes)
    found = side_effect(left_wins, right_wins, link=link)
    family = sm.families.Binomial(link=LINKS[link])
    full = sm.GLM(votes["won"].astype(float), design(votes, side=True), family=family).fit(tol=1e-12)
    plain = sm.GLM(votes["won"].astype(float), design(votes), family=family).fit(tol=1e-12)
    scores, se = found.relative_to("0")
    np.testing.assert_allclose([*scores[1:], found.effect], full.params, atol=1e-7)
    np.testing.assert_allclose([*se[1:], found.effect_se], full.bse, atol=1e-6)
    assert found.likelihood_ratio == pytest.approx(2 * (full.llf - plain.llf), abs=1e-6)


def test_bradley_terry_of_choix_and_evalica(votes):
    per_rater, _, _ = matrices(votes)
    wins = per_rater.sum(axis=0)
    fitted = bradley_terry(wins)
    np.testing.assert_allclose(fitted.scores, choix.ilsr_pairwise_dense(wins), atol=1e-7)
    won = [evalica.Winner.X if won else evalica.Winner.Y for won in votes["won"]]
    names = [votes[side].astype(str).tolist() for side in ("left", "right")]
    worths = evalica.bradley_terry(*names, won, tolerance=1e-12, limit=10_000).scores
    np.testing.assert_allclose(fitted.worth, (worths / worths.sum())[list("01234")], atol=1e-8)


@pytest.mark.parametrize("precision", [0.1, 1.0])
def test_regularised_scores_are_the_penalised_ones_of_choix(precision):
    never_lost = np.array([[0, 3, 4], [0, 0, 2], [0, 1, 0]])
    pairs = [(i, j) for i in range(3) for j in range(3) for _ in range(never_lost[i, j])]
    expected = choix.opt_pairwise(3, pairs, alpha=precision / 2, tol=1e-12)
    fitted = bradley_terry(never_lost, regularized=precision)
    np.testing.assert_allclose(fitted.scores, expected - expected.mean(), atol=1e-5)
    assert "regularised" in fitted.label


def rankings_table(seed: int) -> pd.DataFrame:
    """Rankings of four methods by ten raters, some with the last two or three places left open."""
    draw = np.random.default_rng(seed)
    rows = []
    for rater in range(10):
        for item in range(8):
            order = np.argsort(-(np.array([0.0, 0.4, 0.8, 1.0]) + draw.gumbel(size=4)))
            ranked = draw.integers(1, 5)
            for place, method in enumerate(order, start=1):
                rows.append((rater, item, item, "abcd"[method], place if place <= ranked else None))
    return pd.DataFrame(rows, columns=["rater", "trial", "item", "method", "rank"])


def test_plackett_luce_is_a_stratified_cox_model_and_choix_top_one():
    table = rankings_table(3)
    fitted = plackett_luce(read_rankings(table))
    # Cox: a method "fails" at its rank, unranked ones are censored after all ranks; one stratum a trial.
    stratum = table["rater"] * 100 + table["trial"]
    covariates = np.stack([(table["method"] == name).astype(float) for name in "bcd"], axis=1)
    cox = PHReg(table["rank"].fillna(5), covariates, status=table["rank"].notna().astype(int), strata=stratum).fit()
    scores, se = fitted.relative_to("a")
    np.testing.assert_allclose(scores[1:], cox.params, atol=1e-6)
    np.testing.assert_allclose(se[1:], cox.bse, atol=1e-6)
    choices = []
    for _, trial in table.groupby(["rater", "trial"]):
        places = {"abcd".index(name): rank for name, rank in zip(trial["method"], trial["rank"], strict=True)}
        for method, rank in places.items():
            rest = tuple(other for other, its in places.items() if other != method and not its < rank)
            if not np.isnan(rank) and rest:
                choices.append((method, rest))
    np.testing.assert_allclose(fitted.scores, choix.ilsr_top1(4, choices), atol=1e-6)
