"""What a reader of the dashboard is told: who shares the best place, what was only sent in, whose pictures lack."""

import json
import shutil

import numpy as np
import pytest
from dashboard_data import METHODS, measure
from dashboard_visit import texts, visit

from bench.evaluation.store import Part, Store
from bench.report.boards import boards
from bench.submissions.numbers import add_numbers, write_submission

OTHERS = 40  # images, enough for a test to say something


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("results"))


@pytest.fixture(autouse=True)
def apart(monkeypatch, tmp_path_factory, tmp_path, measured):
    """A copy of the results that a test may change, and a cache folder of the tests' own."""
    results = tmp_path / "results"
    shutil.copytree(measured, results)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("IPH_RESULTS", str(results))
    monkeypatch.delenv("IPH_STUDY", raising=False)
    monkeypatch.delenv("IPH_DATA", raising=False)
    return results


def write_scores(results, scores: dict[str, np.ndarray]) -> None:
    """The rows of ``scores`` (a PSNR an image) in place of those that are there."""
    store = Store(results, "sample")
    like = store.read().to_dict("records")[0]
    store.rows_file.unlink()
    with Part(store) as part:
        for method, values in scores.items():
            places = {"method": method, "weights_hash": ""}
            part.add([like | places | {"id": f"i{n}", "photo": f"p{n}", "psnr": v} for n, v in enumerate(values)])
    store.merge()


def test_who_cannot_be_told_apart_is_named_whatever_its_rank(apart):
    """The best mean is noisy; the second beats the third for sure, which cannot be told apart from the best either."""
    rng = np.random.default_rng(3)
    steady = rng.normal(30, 1, OTHERS)
    noisy = np.where(np.arange(OTHERS) % 2, steady + 8, steady - 7)
    scores = {"composite": steady - 9, METHODS[1]: noisy, METHODS[2]: steady, METHODS[3]: steady - 0.1}
    write_scores(apart, scores)
    at = visit(metric="psnr")
    ranks = at.dataframe[1].value["class"]
    assert ranks[METHODS[3]].rstrip("=") != "1", "it is beaten, though not by the best"
    sentence = next(
        line for line in texts(at).splitlines() if "cannot be told apart" in line and "has the best" in line
    )
    titles = at.dataframe[1].value["title"]
    told = sentence.partition("cannot be told apart from")[2]
    assert titles[METHODS[2]] in told and titles[METHODS[3]] in told and titles["composite"] not in told


def test_submitted_numbers_stand_apart(apart):
    (board,) = boards(apart)
    about = {"title": "MyNet", "citation": "Me", "year": 2026, "kind": "interactive", "looks_at": "reference"}
    board.meta["methods"][METHODS[1]] = about
    write_submission(board, METHODS[1], apart.parent / "mine.json")
    content = json.loads((apart.parent / "mine.json").read_text())
    content["method"]["name"] = "mynet"
    (apart.parent / "mine.json").write_text(json.dumps(content))
    add_numbers(apart.parent / "mine.json", apart)
    at = visit(metric="psnr")
    assert "MyNet" not in list(at.dataframe[1].value["title"])
    assert "Submitted, not measured here" in [part.value for part in at.subheader]
    (sent,) = [
        frame.value for frame in at.dataframe if "method" in frame.value and "MyNet" in list(frame.value["method"])
    ]
    assert sent["psnr"].item() == pytest.approx(at.dataframe[1].value["psnr"][METHODS[1]])
    assert "they take no rank" in texts(at)


def test_the_best_six_say_which_better_ones_have_no_picture(apart):
    at = visit("explorer", metric="psnr")
    assert "Shown are the best of which a picture was kept" not in texts(at)
    image = at.selectbox(key="image").value
    values = boards(apart)[0].rows.query("id == @image").set_index("method")["psnr"].drop("composite")
    best = values.idxmax()
    shutil.rmtree(apart / "sample/pictures" / best)
    again = visit("explorer", metric="psnr", image=image)
    said = next(line for line in texts(again).splitlines() if "Shown are the best of which a picture was kept" in line)
    title = boards(apart)[0].about(best)["title"]
    assert f"Without one: {title}." in said and "places 2, 3 of 3" in said


def test_rows_stand_by_rank_with_letters_and_seconds(apart):
    rng = np.random.default_rng(3)
    steady = rng.normal(30, 1, OTHERS)
    scores = {"composite": steady - 9, METHODS[1]: steady, METHODS[2]: steady - 0.1, METHODS[3]: steady[::-1] - 3}
    write_scores(apart, scores)
    table = visit(metric="psnr").dataframe[1].value
    ranks = [int(rank.rstrip("=")) for rank in table["class"]]
    assert ranks == sorted(ranks) and table["alike"].iloc[0].startswith("a") and table["seconds"].notna().any()
    assert table.loc[METHODS[1], "alike"] != table.loc[METHODS[2], "alike"]


def test_some_methods_are_chosen_and_the_link_keeps_them(apart):
    at = visit(metric="psnr")
    everybody = at.dataframe[1].value["title"]
    at.multiselect(key="methods").select(METHODS[1]).run()
    assert list(at.dataframe[1].value.index) == [METHODS[1]] and at.query_params["methods"] == METHODS[1]
    assert f"1 of {len(everybody)} methods" in texts(at)
    again = visit(metric="psnr", methods=f"{METHODS[2]} nobody")
    assert list(again.dataframe[1].value.index) == [METHODS[2]] and not again.exception
    assert len(visit(metric="psnr", methods="nobody").dataframe[1].value) == len(everybody)


def test_a_row_opens_its_card(apart):
    at = visit(metric="psnr")
    rows = list(at.dataframe[1].value.index)
    at.session_state["leaderboard_table"] = {
        "selection": {"rows": [rows.index(METHODS[1])], "columns": [], "cells": []}
    }
    at.run()
    assert not at.exception
    card = "\n".join(block.value for block in at.markdown)
    assert "Citation: " in card and at.code[-1].value.startswith("@")
