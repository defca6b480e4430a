"""The dashboard's aggregates agree with the tables, and with sums done by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.evaluation.store import SCHEMA, Store
from bench.methods import METHODS
from bench.metrics import METRICS, delta_e00
from bench.report.boards import breakdown, scores
from bench.report.dashboard_data import (
    OURS,
    beside_paper,
    difference_map,
    digest,
    facts,
    frontier,
    gains,
    groups,
    open_boards,
    overview,
    per_image,
    versus,
)
from iph.errors import InputError

NAMES = ("composite", "reinhard-background", "mine")
IMAGES = 30


@pytest.fixture
def results(tmp_path):
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(index=range(IMAGES * len(NAMES)), columns=SCHEMA.names)
    texts = dict(dataset="made", dataset_hash="a" * 16, protocol="strict", size="256", weights_hash="", code="test")
    rows = rows.assign(**texts, computed="2026-01-01T00:00:00+00:00", width=8, height=8, peak_mb=1.0)
    rows["id"] = [f"i{k:02d}" for k in range(IMAGES)] * len(NAMES)
    rows["photo"] = [f"p{k // 2}" for k in range(IMAGES)] * len(NAMES)
    rows["subset"] = ["a" if k % 3 else "b" for k in range(IMAGES)] * len(NAMES)
    rows["method"] = np.repeat(NAMES, IMAGES)
    rows["seconds"] = np.repeat([0.1, 0.2, np.nan], IMAGES)
    rows["foreground_share"] = np.tile(rng.uniform(0.01, 0.9, IMAGES), len(NAMES))
    rows["composite_fmse"] = np.tile(rng.uniform(1, 900, IMAGES), len(NAMES))
    for name in METRICS:
        rows[name] = np.nan if METRICS[name].weights else rng.uniform(1, 40, len(rows))
    rows.loc[0, "psnr"] = np.inf
    store = Store(tmp_path, "made")
    store.write_meta({"title": "Made", "images": IMAGES, "methods": {}})
    store._write(rows)
    return tmp_path


@pytest.fixture
def board(results):
    return open_boards(results, "made")["strict", "256"]


def test_overview_and_differences_are_those_of_the_tables(board):
    found = overview(board).set_index(["metric", "method"])
    table = scores(board, ["psnr", "fmse"]).set_index(["metric", "method"])
    for column in ("mean", "low", "high"):
        pd.testing.assert_series_equal(found.loc[table.index, column], table[column], check_exact=True)
    best = table.loc["fmse"]["mean"].idxmin()
    difference = versus(board, "fmse", best).set_index("method")
    same = table.loc["fmse"].loc[difference.index]
    np.testing.assert_allclose(difference["difference"], same["difference"])
    np.testing.assert_allclose(difference[["low", "high"]], same[["difference_low", "difference_high"]])
    np.testing.assert_allclose(difference["p"], same["p"])
    assert "lpips" not in found.index.get_level_values("metric")


@pytest.mark.parametrize("by", ["subset", "size", "difficulty"])
def test_groups_are_the_breakdown_with_intervals(board, by):
    found, table = groups(board, by, "ssim"), breakdown(board, by, "ssim")
    for row in found.itertuples():
        assert row.mean == pytest.approx(table.loc[row.method, row.group])
        assert row.low <= row.mean <= row.high and row.images == table.attrs["n"][row.group]
    with pytest.raises(InputError, match="difficulty"):
        groups(board, "difficulti", "ssim")


def test_per_image(board):
    table = per_image(board, "fmse")
    values = table[list(NAMES)]
    np.testing.assert_allclose(table["spread"], values.to_numpy().std(axis=1))
    np.testing.assert_allclose(table["gain"], values["composite"] - values.min(axis=1))
    assert per_image(board, "psnr").loc["i00", "composite"] == 100.0


def test_facts(board):
    table = facts(board).set_index("method")
    assert table.loc["composite", "seconds"] == 0.1 and np.isnan(table.loc["mine", "seconds"])
    assert table.loc["reinhard-background", "looks_at"] == "background" and table.loc["mine", "kind"] == "predictions"


def test_digest_follows_the_content(results):
    before = digest(results, "made")
    assert before and before == digest(results, "made") and digest(results, "other") == ""
    store = Store(results, "made")
    store.write_meta(store.read_meta() | {"title": "Made again"})
    assert digest(results, "made") != before


def test_difference_map_is_the_metric_pixel_by_pixel():
    rng = np.random.default_rng(0)
    output, target = rng.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    target[:8] = output[:8]
    found = difference_map(output, target)
    assert (found[:8] == 0).all() and found.mean() == pytest.approx(delta_e00(output, target))
    with pytest.raises(InputError, match="one size"):
        difference_map(output, target[:8])


def test_beside_paper(board):
    frame = beside_paper(1, {"portraittest": board}).set_index(["dataset", "method", "metric"])
    means = overview(board).set_index(["metric", "method"])["mean"]
    ours = frame.loc["portraittest", "composite", "cie_delta"]
    assert ours["reported"] == 37.27 and ours["measured"] == means["cie_delta_sq76", "composite"]
    assert frame["measured"].notna().sum() == 3 and beside_paper(3, {})["measured"].isna().all()


def test_ours_are_never_in_a_reported_row(board):
    """Another configuration than the paper's gets a row of its own, marked, without a reported value."""
    rows = board.rows.assign(method=board.rows["method"].replace({"reinhard-background": "iph-pp", "mine": "dovenet"}))
    ours = type(board)(**(vars(board) | {"rows": rows}))
    frame = beside_paper(1, {"portraittest": ours}).set_index(["dataset", "method", "metric"])
    reported, own = (frame.loc["portraittest", name, "psnr"] for name in ("iph-pp", "iph-pp (ours)"))
    assert reported["reported"] == 36.52 and pd.isna(reported["measured"])
    assert (
        pd.isna(own["reported"])
        and own["measured"] == overview(ours).query("method == 'iph-pp' and metric == 'psnr'")["mean"].item()
    )
    assert own["title"] == "IPH small-portrait (ours)" and own["kind"] == "ours"
    same = frame.loc["portraittest", "dovenet", "psnr"]
    assert same["reported"] == 27.44 and not pd.isna(same["measured"])
    assert not frame.index.get_level_values("method").str.startswith("reinhard").any()


def test_every_network_of_ours_and_every_retrained_one_is_beside_the_paper_s():
    """What ships, what was retrained, and the appendix's guide for BargainNet and RainNet."""
    shown = {name for names in OURS.values() for name in names}
    wanted = {name for name in METHODS if name.endswith(("-retrained", "-guide"))}
    wanted |= {name for name in METHODS if name.startswith(("iph", "h-net"))}
    assert wanted <= shown <= METHODS.keys()


def test_gains_are_the_differences_to_the_composite(board):
    expected = versus(board, "mse", "composite").set_index("method")
    found = gains(board, "mse").set_index("method")
    assert list(found.index) == ["reinhard-background", "mine"]
    for name, row in found.iterrows():
        assert [row["gain"], row["gain_low"], row["gain_high"]] == pytest.approx(
            expected.loc[name, ["difference", "low", "high"]].tolist()
        )
    paper = beside_paper(1, {"portraittest": board}).set_index(["dataset", "method", "metric"])
    assert paper.loc[("portraittest", "iph-pp", "psnr"), "reported_gain"] == pytest.approx(36.52 - 27.21)
    assert pd.isna(paper.loc[("portraittest", "composite", "psnr"), "reported_gain"])


def test_groups_without_images_are_an_error(board):
    rows = board.rows.assign(foreground_share=np.nan)
    with pytest.raises(InputError, match="grouped by size"):
        groups(type(board)(**(vars(board) | {"rows": rows})), "size", "psnr")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12), st.booleans())
def test_frontier_is_what_nothing_beats(points, higher):
    cost, quality = (pd.Series(column, dtype=float) for column in zip(*points, strict=True))
    front = frontier(cost, quality, higher)
    sign = 1 if higher else -1
    for name in cost.index:
        beaten = ((cost < cost[name]) & (sign * quality >= sign * quality[name])).any()
        equals = ((cost == cost[name]) & (sign * quality >= sign * quality[name])).sum() > 1
        assert name in front if not beaten and not equals else not beaten or name not in front
    assert list(cost[front]) == sorted(cost[front]) and (sign * quality[front]).is_monotonic_increasing
