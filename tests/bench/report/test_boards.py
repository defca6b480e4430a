"""Boards, tables and exports, on rows made up so that the right answer is known."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench_rows import GAINS, IMAGES, fill, made_rows

from bench.metrics import METRICS
from bench.report.boards import boards, breakdown, scores
from bench.report.dashboard_data import open_boards, overview
from bench.report.export import export, leaderboard, long_table
from bench.report.published import PAPER_PARAMETERS, QUANTITIES, heading, published
from bench.report.render import Table, render, render_all
from bench.report.tables import broken_down, measured, paper_table, reported
from iph.errors import InputError
from iph.network import build


@pytest.fixture
def results(tmp_path: Path) -> Path:
    fill(tmp_path / "results", made_rows())
    return tmp_path / "results"


def test_scores_are_means_over_images(results: Path) -> None:
    (board,) = boards(results)
    table = scores(board, ["psnr", "mse"]).set_index(["method", "metric"])
    rows = pd.DataFrame(made_rows())
    for method in GAINS:
        mine = rows[rows["method"] == method]
        assert table.loc[(method, "psnr"), "mean"] == pytest.approx(mine["psnr"].mean())
        assert table.loc[(method, "mse"), "mean"] == pytest.approx(mine["mse"].mean())
    psnr = table.xs("psnr", level="metric")
    assert psnr["rank"].to_dict() == {
        "composite": 3,
        "reinhard-background": 1,
        "xiao-background": 1,
        "histogram-background": 4,
    }
    assert psnr["tied"].to_dict()["reinhard-background"] and not psnr["tied"].to_dict()["composite"]
    assert set(psnr.loc["composite", "beats"]) == {"histogram-background"}
    assert psnr["wins"].sum() == IMAGES
    assert table.xs("mse", level="metric")["rank"].tolist() == psnr["rank"].tolist()


def test_table_orders_marks_and_explains(results: Path) -> None:
    (board,) = boards(results)
    text = render(measured(board), "text")
    assert "these are not the published pictures of Portrait-Open" in text
    lines = text.splitlines()
    assert "48 images of 24 photos, data h1, protocol strict at 256x256" in lines[0]
    assert lines[4].split()[0] == lines[5].split()[0] == "1="
    assert [line.split()[1] for line in lines[4:8]] == ["a", "a", "b", "c"], "letters say who is alike"
    assert lines[6].split()[:4] == ["3", "b", "Direct", "composite"]
    assert "weights missing: put latest_net_G.pth" in text and "measured by 1.0+abc" in text
    assert "not run" in text, "methods that could run and have no rows are named"


def test_direction_of_the_first_metric_orders(results: Path) -> None:
    (board,) = boards(results)
    table = measured(board, ["fmse"])
    values = [float(row[table.columns.index("fMSE ↓")]) for row in table.rows if row[0]]
    assert values == sorted(values)


def test_reported_rows_stand_apart(results: Path) -> None:
    (board,) = boards(results)
    table, ablation = reported(board)
    assert (
        "Table 3" in ablation.title
        and table.title.startswith("REPORTED, not measured here: PortraitTest")
        and "other pictures" in table.title
    )
    cells = {row[0]: row for row in table.rows}
    assert cells["IPH (++)"][3:] == ["36.52", "0.9871", "4.21"]
    assert cells["Direct composite"][3:] == ["27.21", "0.9709", "37.27"]
    assert cells["DoveNet"][3:] == ["27.44", "0.9314", "23.49"]
    assert not any("36.52" in cell for row in measured(board).rows for cell in row)


def test_paper_tables() -> None:
    """Cells as the paper prints them; only the composite's Ranking Score is blank in it."""
    tables = {number: paper_table(number) for number in (1, 2, 3)}
    assert [[len(table.rows) for table in tables[number]] for number in tables] == [[8, 6], [5], [7]]
    cells = [row for table in (*tables[1], *tables[2], *tables[3]) for row in table.rows]
    assert sum(cell == "" for row in cells for cell in row[3:]) == 1 and not any("?" in row for row in cells)
    portraits, harmony = ({row[0]: row[1:] for row in table.rows} for table in tables[1])
    assert portraits["BargainNet (R) (++)"] == ["interactive", "ICME 2021", "30.10", "0.9787", "12.31"]
    assert harmony["RainNet"][2:] == ["24.92", "0.9113", "20.48"] and "BargainNet (R) (++)" not in harmony
    two = {row[0]: row[3:] for row in tables[2][0].rows}
    assert two["IPH (++)"] == ["28.33", "0.782", "0.3252"] and two["BargainNet (R) (++)"][0] == "26.40"
    three = {row[0]: row for row in tables[3][0].rows}
    assert three["w SE + LM loss (IPH)"][3:] == ["36.52", "0.9872", "18.33"] and three["H-Net"][1] == "generic"
    with pytest.raises(InputError, match="table of the paper"):
        paper_table(4)


def test_the_papers_network_is_counted_right() -> None:
    assert sum(parameter.numel() for parameter in build("paper").parameters()) == PAPER_PARAMETERS


def test_published_values_have_a_source_and_make_sense() -> None:
    frame = published()
    assert (frame["source"] != "").all() and (frame["method"] != "").all()
    assert not frame.duplicated(["file", "table", "dataset", "method", "metric"]).any()
    known = frame.dropna(subset="value")
    assert len(known) == len(frame)
    counts = known[known["metric"] == "parameters"].set_index("method")["value"]
    assert counts.to_dict() == {"dovenet": 54, "bargainnet": 58, "rainnet": 54, "iph": 27}
    assert known.loc[known["metric"].isin(["ssim", "fssim"]), "value"].between(0, 1).all()
    assert known.loc[known["metric"] == "psnr", "value"].between(20, 45).all()
    two = known[known["file"] == "iph_table2"].pivot(index="method", columns="metric", values="value")
    assert two["bt_score"].sum() == pytest.approx(0.9996, abs=1e-6)
    assert two["preference"].sum() == pytest.approx(0.006, abs=1e-6)


def test_breakdowns(results: Path) -> None:
    (board,) = boards(results)
    rows = pd.DataFrame(made_rows())
    by_subset = breakdown(board, "subset", "psnr")
    assert by_subset.attrs["n"] == {"gamma": 16, "hue": 32}
    assert by_subset.loc["composite", "hue"] == pytest.approx(
        rows[(rows["method"] == "composite") & (rows["subset"] == "hue")]["psnr"].mean()
    )
    by_difficulty = breakdown(board, "difficulty", "psnr")
    assert list(by_difficulty.attrs["n"].values()) == [16, 16, 16]
    assert by_difficulty.loc["composite"].is_monotonic_decreasing
    by_size = breakdown(board, "size", "psnr")
    assert sum(by_size.attrs["n"].values()) == IMAGES
    assert "(n=16)" in render(broken_down(board, "difficulty", "psnr"), "markdown")
    with pytest.raises(InputError, match="did you mean 'subset'"):
        breakdown(board, "subsets", "psnr")


def test_methods_with_fewer_images_are_not_compared(results: Path) -> None:
    fill(results, made_rows(methods=["idt-background"], images=10))
    (board,) = boards(results)
    assert board.partial == {"idt-background": 10} and board.images == IMAGES
    assert any("10 images only" in row for row in measured(board).rows)


def test_rows_of_other_data_are_left_out_and_said(results: Path) -> None:
    fill(results, made_rows(hash_="old"))
    (board,) = boards(results)
    assert board.rows["dataset_hash"].unique().tolist() == ["h1"]
    assert any("192 rows of another version" in note for note in board.notes)


def test_a_board_of_other_data_only_is_left_out_and_said(results: Path, tmp_path: Path) -> None:
    """The rest of the folder is still a table and an export."""
    older = {"size": "64", "computed": "2025-01-01T00:00:00+00:00"}
    fill(results, [row | older for row in made_rows(hash_="old", methods=["composite"])])
    (board,) = boards(results)
    assert board.size == "256" and open_boards(results, "portrait-open").keys() == {("strict", "256")}
    (note,) = [note for note in board.notes if "left out" in note]
    assert note.endswith("of another version of this data set only: strict at 64")
    assert export([board], tmp_path / "out")
    fill(results, made_rows(methods=["idt-background"]), dataset_hash="h2")
    (board,) = boards(results)
    assert set(board.rows["dataset_hash"]) == {"h1"} and "the last run was on data h2 and left no rows" in board.notes


def test_one_photo_has_no_interval(tmp_path: Path) -> None:
    fill(tmp_path, [row | {"photo": "one"} for row in made_rows()])
    (board,) = boards(tmp_path)
    table = measured(board)
    assert {row[table.columns.index("95 % interval")] for row in table.rows if row[0]} == {"–"}
    assert any("one photo: no interval" in note for note in table.notes)
    (content,) = leaderboard([board])["boards"]
    assert content["methods"][0]["scores"]["psnr"]["low"] is None


def test_a_psnr_of_minus_infinity_is_worst_and_said(results: Path) -> None:
    """As ``dovenet`` gives it to an output of one colour, whose range is its peak."""
    rows = made_rows(methods=["xiao-background"])
    fill(results, [row | ({"psnr": -np.inf} if n == 5 else {}) for n, row in enumerate(rows)])
    (board,) = boards(results)
    table = scores(board, ["psnr"]).set_index("method").loc["xiao-background"]
    rest = np.mean([row["psnr"] for n, row in enumerate(rows) if n != 5])
    assert table["mean"] == pytest.approx((47 * rest - 100) / 48) and table["low"] < table["mean"] < table["high"]
    assert table["p"] > 0.05, "one photo proves nothing"
    assert any("1 outputs have a PSNR of -inf" in note for note in board.notes)
    overview_ = overview(board).set_index(["method", "metric"])
    assert overview_.loc[("xiao-background", "psnr"), "mean"] == table["mean"]


def test_perfect_outputs_do_not_break_the_mean(results: Path) -> None:
    rows = [row | {"psnr": float("inf"), "mse": 0.0} for row in made_rows(methods=["luminance-background"])]
    fill(results, rows)
    (board,) = boards(results)
    table = scores(board, ["psnr"]).set_index("method")
    assert table.loc["luminance-background", "mean"] == 100 and np.isfinite(table["high"]).all()
    assert any("equal their target" in note for note in board.notes)


def test_wrong_metric_or_nothing_there(results: Path, tmp_path: Path) -> None:
    (board,) = boards(results)
    with pytest.raises(InputError, match="did you mean 'psnr'"):
        scores(board, ["psnrr"])
    with pytest.raises(InputError, match="expected lpips in every row"):
        scores(board, ["lpips"])
    with pytest.raises(InputError, match="expected a results folder"):
        boards(tmp_path / "absent")
    with pytest.raises(InputError, match="expected rows of protocol 'idih'"):
        boards(results, protocol="idih")


TABLE = Table("A_B, 5 % ↑", ["method", "PSNR ↑"], [["a|b & c", "1.00"], ["d", "−2.00"]], ["note_1"])


def test_forms() -> None:
    assert render(TABLE, "markdown").splitlines()[2:5] == [
        "| method | PSNR ↑ |",
        "| --- | ---: |",
        r"| a\|b & c | 1.00 |",
    ]
    latex = render(TABLE, "latex")
    assert r"a$|$b \& c & 1.00 \\" in latex and r"A\_B, 5 \% $\uparrow$" in latex and "{lr}" in latex
    assert list(csv.reader(io.StringIO(render(TABLE, "csv"))))[1] == ["a|b & c", "1.00"]
    assert len({len(line) for line in render(TABLE, "text").splitlines()[2:6]}) == 1
    with pytest.raises(InputError, match="did you mean 'markdown'"):
        render(TABLE, "markdwn")


def test_wide_and_combined_characters_keep_columns_in_line() -> None:
    rows = [["日本", "1.00"], ["e\u0301", "10.00"]]
    lines = render(Table("t", ["method", "PSNR ↑"], rows), "text").splitlines()[4:]
    assert lines == ["日本      1.00", "e\u0301        10.00"]


def test_a_quantity_is_printed_and_headed_in_one_way() -> None:
    assert [heading(name) for name in ("psnr", "fmse", "cie_delta", "bt_score")] == [
        "PSNR ↑",
        "fMSE ↓",
        "CIE ↓",
        "BT score ↑",
    ]
    assert METRICS["ssim"].text(0.98765) == "0.9877" and METRICS["psnr"].text(-1.5, signed=True) == "-1.50"
    assert METRICS["psnr"].text(float("nan")) == "–" and QUANTITIES["preference"].text(None, "?") == "?"
    assert METRICS["psnr"].sign == 1 and METRICS["mse"].sign == -1


@pytest.mark.parametrize("form", ["markdown", "latex", "text"])
def test_line_breaks_of_other_people_break_no_table(form: str) -> None:
    broken = Table("A\ntitle", ["method", "PSNR ↑"], [["My\r\nNet", "1.00"]], ["a\nnote"])
    whole = Table("A title", ["method", "PSNR ↑"], [["My Net", "1.00"]], ["a note"])
    assert render(broken, form) == render(whole, form)


def test_a_method_s_name_is_no_formula_in_any_csv(results: Path, tmp_path: Path) -> None:
    (board,) = boards(results)
    board.meta.setdefault("methods", {})["composite"] = {"title": "=HYPERLINK(A1)"}
    table = Table("=1", ["method", "+x"], [["@SUM(A1)", "-0.5"], ["\tx", "-0.1 to 0.3"]])
    rows = list(csv.reader(io.StringIO(render(table, "csv"))))
    assert rows == [["method", "'+x"], ["'@SUM(A1)", "-0.5"], ["'\tx", "-0.1 to 0.3"]]
    for text in (
        render_all([measured(board, ["psnr"])], "csv"),
        *(p.read_text() for p in export([board], tmp_path / "o")),
    ):
        assert "\n=" not in text and ",=HYP" not in text


def test_latex_prints_what_is_written(results: Path) -> None:
    """In its usual encoding a bare < is an upside-down !, a bare | a dash."""
    (board,) = boards(results)
    text = render(measured(board, ["psnr"]), "latex")
    assert "$<$0.001" in text and not re.search(r"(?<!\$)[<>|]", text.partition("% measured by")[0])
    odd = render(Table('<a> "b" ≥ ±', ["c"], [["→ …"]]), "latex")
    assert r"\caption{$<$a$>$ ''b'' $\ge$ $\pm$}" in odd and r"$\to$ \ldots{}" in odd


def test_reported_rows_keep_their_protocol(tmp_path: Path) -> None:
    fill(tmp_path / "results", made_rows(dataset="iharmony4"))
    (board,) = boards(tmp_path / "results")
    titles = [table.title for table in reported(board)]
    for protocol in ("pctnet", "dovenet-test", "idih", "rainnet"):
        (title,) = [title for title in titles if f"iHarmony4, protocol {protocol}: " in title]
        assert f"protocol {protocol}" in title.partition(": ")[2].partition(": ")[2], "the whole source is said"
    assert any("protocol pctnet, original size" in title for title in titles)
    long = long_table([board])
    shown = long[(long["status"] == "reported") & (long["dataset"] == "iharmony4")]
    assert {"pctnet", "dovenet-test", "idih", "rainnet", ""} <= set(shown["protocol"])


def test_files_for_others_hold_no_place_of_this_machine(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path / "weights"))
    assert any("$IPH_WEIGHTS/dovenet" in sentence for sentence in boards(results)[0].absent.values())
    for path in export(boards(results), tmp_path / "out"):
        assert str(tmp_path) not in path.read_text() and str(Path.home()) not in path.read_text()
    monkeypatch.delenv("IPH_WEIGHTS")
    sentences = [*boards(results)[0].absent.values()]
    assert any("~/.cache/iph" in sentence for sentence in sentences)
    assert not any(str(Path.home()) in sentence for sentence in sentences)


def test_csv_is_one_frame_that_marks_what_was_reported(results: Path) -> None:
    fill(results, made_rows(methods=["idt-background"], images=10))
    (board,) = boards(results)
    text = render_all([measured(board, ["psnr"]), *reported(board, ["psnr"])], "csv")
    frame = pd.read_csv(io.StringIO(text))
    assert list(frame.columns[:3]) == ["status", "table", "rank"] and frame["PSNR ↑"].dtype == float
    ours, theirs = (frame[frame["status"] == status] for status in ("measured", "reported"))
    assert (
        len(ours) == len(GAINS) and ours["rank"].notna().all() and ours["table"].str.contains("protocol strict").all()
    )
    assert 36.52 in set(theirs["PSNR ↑"]) and theirs["table"].str.startswith("REPORTED").all()
    rest = frame[~frame["status"].isin(["measured", "reported"])]
    assert rest["PSNR ↑"].isna().all() and {"10 images only", "weights missing", "not run"} == set(rest["status"])


def test_export(results: Path, tmp_path: Path) -> None:
    found = boards(results)
    paths = export(found, tmp_path / "out")
    assert sorted(path.suffix for path in paths) == [".bib", ".csv", ".html", ".json", ".md", ".tex"]
    content = json.loads((tmp_path / "out/leaderboard.json").read_text())
    (board,) = content["boards"]
    methods = {method["name"]: method for method in board["methods"]}
    assert methods["composite"]["scores"]["psnr"]["rank"] == 3
    assert methods["dovenet"]["status"].startswith("weights missing")
    assert board["breakdowns"]["difficulty"]["psnr"]["images"]["hardest third"] == 16
    long = pd.read_csv(tmp_path / "out/leaderboard.csv")
    assert set(long["status"]) == {"measured", "reported"}
    assert long[long["status"] == "measured"]["n"].eq(IMAGES).all()


def test_json_has_no_nan(results: Path) -> None:
    json.dumps(leaderboard(boards(results)), allow_nan=False)


def test_long_table_is_the_scores(results: Path) -> None:
    (board,) = boards(results)
    long = long_table([board])
    psnr = long[(long["metric"] == "psnr") & (long["status"] == "measured")].set_index("method")["mean"]
    assert psnr.to_dict() == scores(board, ["psnr"]).set_index("method")["mean"].to_dict()
