"""How well a metric predicts people's scores, against SciPy and hand-made cases."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.report.agreement import agreement, correlations
from iph.errors import InputError

RNG = np.random.default_rng(4)


def test_agreement_is_scipys_and_knows_direction() -> None:
    methods = [f"m{n}" for n in range(12)]
    people = RNG.normal(0, 1, 12)
    error = np.exp(-people + RNG.normal(0, 0.6, 12))
    found = agreement(
        pd.DataFrame({"method": methods, "fmse": error, "psnr": -10 * np.log10(error)}),
        pd.DataFrame({"method": methods[::-1], "score": people[::-1]}),
    ).set_index("metric")
    assert found.loc["fmse", "spearman"] == pytest.approx(stats.spearmanr(-error, people).statistic)
    assert found.loc["fmse", "kendall"] == pytest.approx(stats.kendalltau(-error, people).statistic)
    assert found.loc["psnr", "pearson"] == pytest.approx(stats.pearsonr(-10 * np.log10(error), people).statistic)
    assert found.loc["psnr", "spearman"] == pytest.approx(found.loc["fmse", "spearman"])
    for name in ("spearman", "kendall", "pearson"):
        assert (found[f"{name}_low"] < found[name]).all() and (found[name] < found[f"{name}_high"]).all()
    assert (found["n"] == 12).all()


def test_draws_are_scipys_on_repeated_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting how often a row was drawn is the same as repeating it, ties and all, whatever the block."""
    monkeypatch.setattr("bench.report.agreement.BLOCK", 7)
    values, scores = RNG.integers(0, 6, 20).astype(float), RNG.normal(0, 1, 20).round(1)
    weights = RNG.multinomial(20, np.full(20, 1 / 20), 8)
    found = correlations(values, scores, weights.astype(float))
    for draw, times in enumerate(weights):
        a, b = values.repeat(times), scores.repeat(times)
        assert found["spearman"][draw] == pytest.approx(stats.spearmanr(a, b).statistic)
        assert found["kendall"][draw] == pytest.approx(stats.kendalltau(a, b).statistic)
        assert found["pearson"][draw] == pytest.approx(stats.pearsonr(a, b).statistic)


def test_agreement_resamples_images() -> None:
    """Five equal answers for each image are one answer: the interval is that of images, not of rows."""
    images = [f"i{n}" for n in range(15)]
    people = RNG.normal(0, 1, 15)
    metric = people + RNG.normal(0, 1, 15)
    one = pd.DataFrame({"method": "a", "id": images, "psnr": metric, "score": people})
    many = pd.concat([one.assign(method=f"m{n}") for n in range(5)])
    widths = []
    for table in (one, many):
        row = agreement(table.drop(columns="score"), table[["method", "id", "score"]]).iloc[0]
        widths.append(row["pearson_high"] - row["pearson_low"])
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


@pytest.mark.parametrize(
    ("metrics", "people", "sentence"),
    [
        ({"method": ["a", "b"], "psnr": [1, 2]}, {"method": ["a", "b"], "score": [1, 2]}, "at least 3 methods"),
        ({"name": ["a"], "psnr": [1]}, {"method": ["a"], "score": [1]}, "expected a column 'method' in the metric"),
        ({"method": ["a"], "psnr": [1]}, {"method": ["a"], "bt": [1]}, "expected a column 'score'"),
        ({"method": ["a"], "beauty": [1]}, {"method": ["a"], "score": [1]}, "named like a metric"),
        ({"method": ["a", "a"], "psnr": [1, 2]}, {"method": ["a"], "score": [1]}, "expected one row a method"),
    ],
)
def test_agreement_says_what_is_wrong(metrics: dict, people: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        agreement(pd.DataFrame(metrics), pd.DataFrame(people))


def test_constant_scores_have_no_correlation() -> None:
    table = pd.DataFrame({"method": list("abcd"), "psnr": [1.0, 2, 3, 4]})
    row = agreement(table, pd.DataFrame({"method": list("abcd"), "score": [1.0] * 4})).iloc[0]
    assert np.isnan(row["spearman"]) and np.isnan(row["pearson_low"])
