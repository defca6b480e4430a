"""Every page of the dashboard in every state, run by Streamlit itself on real rows, pictures and votes."""

import base64
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dashboard_data import IMAGES, METHODS, ask, measure
from dashboard_visit import PAGES, PATIENCE, settled, texts, visit
from streamlit.testing.v1 import AppTest

from bench.evaluation.store import Store
from bench.report.dashboard_data import open_boards, overview, picture_file
from demo.dashboard import live, source

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def study(tmp_path_factory, measured):
    return ask(tmp_path_factory.mktemp("study"), measured)


@pytest.fixture(autouse=True)
def apart(monkeypatch, tmp_path_factory, measured):
    """Own results, no study, and a cache folder of the tests' own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("IPH_RESULTS", str(measured))
    monkeypatch.delenv("IPH_STUDY", raising=False)
    monkeypatch.delenv("IPH_DATA", raising=False)


def figure(at: AppTest, number: int = 0) -> dict:
    """The figure's JSON, its packed arrays as lists."""
    return _unpacked(json.loads(at.get("plotly_chart")[number].proto.spec))


def _unpacked(value):
    if isinstance(value, dict) and {"dtype", "bdata"} <= set(value):
        array = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        shape = value.get("shape")
        return (array.reshape([int(n) for n in shape.split(",")]) if shape else array).tolist()
    if isinstance(value, dict):
        return {key: _unpacked(item) for key, item in value.items()}
    return [_unpacked(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("page", PAGES)
def test_page_shows_its_charts_with_caption_and_table(page, monkeypatch, study):
    monkeypatch.setenv("IPH_STUDY", str(study))
    at = visit(page)
    charts = at.get("plotly_chart")
    assert len(charts) >= (0 if page == "paper" else 1)
    assert all(len(chart.proto.alt) > 40 for chart in charts)
    assert texts(at).count("Source: `") >= len(charts)
    assert len(at.expander) >= len(charts) and len(at.dataframe) >= len(charts)


def test_leaderboard_is_what_bench_says(measured):
    at = visit(metric="psnr")
    board = open_boards(measured, "sample")["strict", "original"]
    means = overview(board).query("metric == 'psnr'").set_index("method")
    table = at.dataframe[1].value
    assert list(table["psnr"]) == sorted(means["mean"], reverse=True)
    assert list(table["low"]) == [means.loc[name, "low"] for name in table.index]
    assert table.loc["composite", "class"].rstrip("=").isdigit() and table["wins"].sum() == IMAGES
    points = [x for trace in figure(at)["data"] if "error_x" in trace for x in trace["x"]]
    assert sorted(points) == pytest.approx(sorted(means["mean"]))
    assert {metric.label: metric.value for metric in at.metric}["Images"] == str(IMAGES)


def test_difference_to_the_chosen_method():
    table = visit(metric="mse", versus="reinhard-reference").dataframe[1].value
    expected = table["mse"] - table.loc["reinhard-reference", "mse"]
    assert pd.isna(table.loc["reinhard-reference", "to"])
    for name in table.index.drop("reinhard-reference"):
        assert table.loc[name, "to"] == pytest.approx(expected[name])
        assert table.loc[name, "to_low"] <= table.loc[name, "to"] <= table.loc[name, "to_high"]


def test_address_decides_and_is_checked():
    at = visit(metric="ssim", dataset="../../etc", versus="nobody", protocol="strict-original")
    assert at.selectbox(key="metric").value == "ssim" and at.selectbox(key="dataset").value == "sample"
    assert at.selectbox(key="versus").value == "composite"
    assert at.query_params["dataset"] == "sample" and at.query_params["metric"] == "ssim"
    at.selectbox(key="metric").set_value("psnr").run()
    assert at.query_params["metric"] == "psnr"
    at.switch_page("dashboard/explorer.py").run()
    assert at.selectbox(key="metric").value == "psnr"


def test_downloads_hold_measured_and_reported(measured):
    at = visit()
    assert [button.label for button in at.get("download_button")] == ["CSV", "Markdown", "LaTeX"]


def test_every_committed_data_set(monkeypatch):
    results = ROOT / "results"
    names = sorted(path.parent.name for path in results.glob("*/rows.parquet"))
    if not names:
        pytest.skip("no result rows are committed in results/")
    monkeypatch.setenv("IPH_RESULTS", str(results))
    for name in names:
        at = visit(dataset=name)
        assert at.selectbox(key="dataset").value == name
        for page in ("paper", "explorer", "speed"):
            at.switch_page(f"dashboard/{page}.py").run()
            settled(at)


def test_explorer_orders_and_steps():
    at = visit("explorer", method="luminance-reference", metric="fmse", sort="worst")
    order = at.selectbox(key="image").options
    assert len(order) == IMAGES
    shown = [at.selectbox(key="image").value]
    while len(shown) < IMAGES:
        next(button for button in at.button if button.label == "Next").click().run()
        shown.append(at.selectbox(key="image").value)
    assert shown == order and at.query_params["image"] == order[-1]
    at.selectbox(key="sort").set_value("best").run()
    assert at.selectbox(key="image").options == order[::-1]


def test_explorer_opens_the_clicked_point():
    at = visit("explorer")
    wanted = at.selectbox(key="image").options[3]
    at.session_state["scatter"] = {
        "selection": {"points": [{"customdata": wanted}], "point_indices": [3], "box": [], "lasso": []}
    }
    at.run()
    assert at.selectbox(key="image").value == wanted
    at.selectbox(key="image").set_value(at.selectbox(key="image").options[0]).run()
    assert at.selectbox(key="image").value != wanted  # an old click does not come back


def test_explorer_link_opens_its_image():
    image = visit("explorer").selectbox(key="image").options[2]
    assert visit("explorer", image=image).selectbox(key="image").value == image
    assert visit("explorer", image="../../../etc/passwd").selectbox(key="image").value != "../../../etc/passwd"


def test_no_name_leads_out_of_the_pictures(measured):
    board = open_boards(measured, "sample")["strict", "original"]
    image = board.rows["id"].iloc[0]
    assert picture_file(measured, board, "composite", image).is_file()
    assert picture_file(measured, board, "../../sample/pictures/composite", image) is None
    rows = board.rows.assign(id="../composite/" + board.rows["id"])
    forged = type(board)(**(vars(board) | {"rows": rows.assign(id="../../rows")}))
    (measured / "sample" / "rows.png").write_bytes(b"secret")
    assert picture_file(measured, forged, "composite", "../../rows") is None
    (measured / "sample" / "rows.png").unlink()


def test_explorer_without_pictures_says_so(monkeypatch, measured, tmp_path):
    rows = Store(measured, "sample").read().assign(dataset="elsewhere", dataset_hash="0123456789abcdef")
    store = Store(tmp_path, "elsewhere")
    store.folder.mkdir()
    store._write(rows)
    monkeypatch.setenv("IPH_RESULTS", str(tmp_path))
    at = visit("explorer")
    assert "not on this machine" in texts(at) and len(at.dataframe) == 2


@pytest.mark.parametrize("page", PAGES[:-1])
def test_empty_results_name_the_way_forward(page, monkeypatch, tmp_path):
    monkeypatch.setenv("IPH_RESULTS", str(tmp_path / "nowhere"))
    said = texts(visit(page))
    assert "python -m bench run" in said and str(tmp_path) not in said


@pytest.mark.parametrize("file", ["rows.parquet", "meta.json"])
def test_damaged_files_are_one_sentence(file, monkeypatch, measured, tmp_path):
    shutil.copytree(measured / "sample", tmp_path / "sample")
    (tmp_path / "sample" / file).write_bytes(b"PAR1 broken")
    monkeypatch.setenv("IPH_RESULTS", str(tmp_path))
    at = visit()
    assert "damaged" in texts(at) and len(at.warning) == 1 and str(tmp_path) not in texts(at)


def test_partial_methods_are_told_apart(monkeypatch, measured, tmp_path):
    rows = Store(measured, "sample").read()
    lost = (rows["method"] == "reinhard-reference") & (rows["id"] == rows["id"].iloc[0])
    store = Store(tmp_path, "sample")
    store.folder.mkdir()
    store._write(rows[~lost])
    monkeypatch.setenv("IPH_RESULTS", str(tmp_path))
    at = visit()
    listed = at.table[0].value
    assert "reinhard-reference" not in at.dataframe[1].value.index
    assert f"{IMAGES - 1} of {IMAGES} images only" in set(listed.iloc[:, 1])


def test_paper_tables_keep_reported_and_measured_apart(measured, monkeypatch, tmp_path, study):
    store = Store(tmp_path, "portrait-open")
    store.folder.mkdir()
    store._write(Store(measured, "sample").read().assign(dataset="portrait-open", size="256"))
    monkeypatch.setenv("IPH_RESULTS", str(tmp_path))
    table = visit("paper").dataframe[0].value
    assert table.loc["composite", "psnr_reported"] == 27.21
    board = open_boards(tmp_path, "portrait-open")["strict", "256"]
    means = overview(board).set_index(["metric", "method"])["mean"]
    assert table.loc["composite", "psnr_ours"] == means["psnr", "composite"]
    assert table.loc["composite", "cie_delta_ours"] == means["cie_delta_sq76", "composite"]
    assert pd.isna(table.loc["dovenet", "psnr_ours"])
    monkeypatch.setenv("IPH_STUDY", str(study))
    visit("study")  # scores the votes
    at = visit("paper", table="2")
    table = at.dataframe[0].value
    assert table.loc["iph-pp", "bt_score_reported"] == 0.3252 and pd.isna(table.loc["iph-pp", "bt_score_ours"])
    assert not pd.isna(table.loc["luminance-reference (ours)", "bt_score_ours"]) and not pd.isna(
        table.loc["composite", "preference_ours"]
    )
    assert "simulated votes" in texts(at)


def test_speed_groups(measured):
    at = visit("speed", by="difficulty")
    assert len(figure(at, 1)["data"]) == 3
    twin = at.dataframe[1].value
    assert twin.groupby("title")["images"].sum().eq(IMAGES).all()
    assert set(twin["title"]) == {
        source.boards_of("sample")["strict", "original"].board.about(m)["title"] for m in METHODS
    }


def test_study_pages(monkeypatch, study):
    monkeypatch.setenv("IPH_STUDY", str(study))
    at = visit("study")
    assert "No person saw these pictures" in texts(at)
    about = live.watch("board", None).about
    pairs = about["scores"]["pairs"]
    spec = figure(at)
    assert len(spec["data"]) == 2 and all("error_x" in trace for trace in spec["data"])
    drawn = dict(zip(spec["data"][0]["y"], spec["data"][0]["x"], strict=True))
    assert drawn == pytest.approx({m["method"]: m["thurstone"]["score"] for m in pairs["methods"]})

    choose(at, "pairs")
    heat = next(trace for trace in figure(at)["data"] if trace["type"] == "heatmap")
    cell = next(pair for pair in pairs["pairs"] if pair["share"] is not None)
    row, column = heat["y"].index(cell["first"]), heat["x"].index(cell["second"])
    assert heat["z"][row][column] == pytest.approx(cell["share"])
    wanted = f"{cell['second']} vs {cell['first']}"
    at.session_state["wins_chart"] = {
        "selection": {"points": [{"customdata": wanted}], "point_indices": [0], "box": [], "lasso": []}
    }
    at.run()
    assert at.selectbox(key="pair").value == wanted
    assert {m.label: m.value for m in at.metric}[f"{cell['second']} won"] == str(cell["second_wins"])

    choose(at, "raters")
    assert "Krippendorff" in texts(at) and "repeated pairs" in texts(at)
    assert set(at.dataframe[1].value["rater"]) == {check["rater"] for check in pairs["screening"]["raters"]}
    choose(at, "rankings")
    ranked = {m["method"]: m["per_rater"] for m in about["scores"]["rankings"]["methods"]}
    assert at.dataframe[0].value.set_index("method")["Ranking Score"].to_dict() == pytest.approx(ranked)
    choose(at, "time")
    assert figure(at)["data"][0]["y"][-1] == sum(pairs["tally"][name] for name in ("normal", "repeats", "checks"))
    choose(at, "metrics")
    assert len(at.dataframe[0].value) >= 13


def choose(at: AppTest, view: str) -> None:
    at.segmented_control(key="part").set_value(view).run()
    settled(at)


def test_study_follows_new_votes(monkeypatch, study, measured, tmp_path):
    file = ask(tmp_path, measured, raters=8)
    monkeypatch.setenv("IPH_STUDY", str(file))
    monkeypatch.setattr(live, "PAUSE", 0.0)
    at = visit("study")
    before = {m.label: m.value for m in at.metric}["Raters"]
    ask(tmp_path, measured, raters=12)
    end = time.monotonic() + PATIENCE
    while {m.label: m.value for m in at.metric}["Raters"] == before and time.monotonic() < end:
        time.sleep(0.3)
        at.run()
    assert (before, {m.label: m.value for m in at.metric}["Raters"]) == ("8", "12")


@pytest.mark.parametrize(
    ("votes", "sentence"),
    [(None, "No study is shown here yet"), ("none.toml", "found none"), ("sqlite:///none.db", "found none")],
)
def test_study_without_votes_names_the_way_forward(votes, sentence, monkeypatch, tmp_path):
    if votes:
        monkeypatch.setenv("IPH_STUDY", votes.replace("none", str(tmp_path / "none")))
    at = visit("study")
    assert sentence in texts(at) and "IPH_STUDY" in texts(at) and not (tmp_path / "none.db").exists()
    assert str(tmp_path) not in texts(at)


def test_votes_that_determine_nothing_are_explained(monkeypatch, tmp_path):
    votes = tmp_path / "few.csv"
    lines = ["rater,origin,simulated,excluded,trial,revision,task,kind,item,left,right,shown,choice,ranks,expected,"]
    lines[0] += "seconds,timestamp,request_id"
    for trial in range(3):
        lines.append(
            f'r,link,False,,{trial},1,pair,normal,p{trial},a,b,"[""a"", ""b""]",left,,,2.0,'
            f"2026-01-01T00:00:0{trial}+00:00,q{trial}"
        )
    votes.write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setenv("IPH_STUDY", str(votes))
    at = visit("study")
    assert "do not place the methods on one scale" in texts(at) and "never lost" in texts(at)
    assert "simulated" not in texts(at).replace("simulated raters", "").lower()
    choose(at, "pairs")
    choose(at, "raters")
