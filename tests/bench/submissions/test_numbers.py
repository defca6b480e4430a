"""One's own result as one file: it goes in, and every mistake in it is one sentence."""

import json
from pathlib import Path

import pandas as pd
import pytest
from bench_pictures import make_dataset, picture, save
from bench_rows import DIFFICULTY, IMAGES, fill, made_rows
from bench_runs import go
from pandas.testing import assert_frame_equal

from bench.metrics import METRICS
from bench.report.boards import boards, scores, submitted_scores
from bench.report.export import export
from bench.report.tables import measured
from bench.submissions.numbers import add_numbers, write_submission
from iph.errors import InputError

ABOUT = {"title": "MyNet", "citation": "Me, 2026", "year": 2026, "kind": "interactive", "looks_at": "reference"}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    fill(tmp_path / "results", made_rows())
    return tmp_path / "results"


@pytest.fixture
def mine(results: Path, tmp_path: Path) -> Path:
    """A result file of another lab: what this benchmark exported there, under the lab's own name."""
    elsewhere = tmp_path / "elsewhere"
    fill(elsewhere, made_rows(methods=["composite", "mynet"]))
    (board,) = boards(elsewhere)
    path = tmp_path / "mynet.json"
    board.meta.setdefault("methods", {})["mynet"] = ABOUT
    write_submission(board, "mynet", path)
    return path


def test_own_result_goes_in(mine: Path, results: Path) -> None:
    submission, event = add_numbers(mine, results)
    assert (submission.method.name, event.action, event.images) == ("mynet", "added", IMAGES)
    (board,) = boards(results)
    (mine,) = submitted_scores(board, ["psnr"]).to_dict("records")
    assert mine["method"] == "mynet" and mine["mean"] == pytest.approx(DIFFICULTY.mean() + 1, abs=0.1)
    assert mine["low"] < mine["mean"] < mine["high"] and mine["n"] == IMAGES
    assert (board.submitted["subset"] != "").all()


def test_a_submitted_row_is_called_so_everywhere_and_ranks_nowhere(mine: Path, results: Path, tmp_path: Path) -> None:
    (before,) = boards(results)
    content = json.loads(mine.read_text())
    for row in content["rows"]:  # as good as a number can be, and true to itself
        row.update({name: 0.0 for name in METRICS if METRICS[name].direction == "lower" and name in row})
        row.update(psnr=float("inf"), fpsnr=float("inf"), ssim=1.0, fssim=1.0)
    mine.write_text(json.dumps(content))
    add_numbers(mine, results)
    (board,) = boards(results)
    assert "mynet" not in board.methods and "mynet" not in board.absent and not board.partial
    assert_frame_equal(scores(board), scores(before))
    assert not any("versions of the code" in note for note in board.notes)
    table = measured(board)
    (row,) = [row for row in table.rows if row[2] == "MyNet"]
    assert row[:2] == ["submitted", ""] and row[5] == "100.00" and row[-3:] == ["", "", ""]
    assert dict(zip([row[2] for row in table.rows], table.statuses, strict=True))["MyNet"] == "submitted"
    assert any(note.startswith("submitted: ") for note in table.notes)
    assert not any(note.startswith("submitted: ") for note in measured(before).notes)
    export([board], tmp_path / "out")
    rows = pd.read_csv(tmp_path / "out/leaderboard.csv", dtype=str).query("method == 'mynet'")
    assert set(rows["status"]) == {"submitted"} and rows["rank"].isna().all() and rows["mean"].notna().all()
    (there,) = json.loads((tmp_path / "out/leaderboard.json").read_text())["boards"]
    (method,) = [method for method in there["methods"] if method["name"] == "mynet"]
    assert method["status"] == "submitted" and "rank" not in method["scores"]["psnr"]
    assert "| submitted |  | MyNet |" in (tmp_path / "out/leaderboard.md").read_text()


def test_pictures_of_a_submitted_method_are_measured_and_then_rank(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "data").root
    made = tmp_path / "made"
    for number in range(4):
        save(made / f"image{number}.png", picture(number))
    go(folder, tmp_path / "here", predictions=[f"mynet={made}"])
    (board,) = boards(tmp_path / "here")
    board.meta["methods"]["mynet"] |= ABOUT
    write_submission(board, "mynet", tmp_path / "mynet.json")
    results = tmp_path / "there"
    go(folder, results)
    add_numbers(tmp_path / "mynet.json", results)
    assert len(boards(results)[0].submitted) == 4
    _, summary = go(folder, results, names=[], predictions=[f"mynet={made}"])
    (board,) = boards(results)
    assert summary.computed == 4 and "mynet" in board.methods and board.submitted.empty


def test_a_correction_wins_whatever_time_it_bears(mine: Path, results: Path) -> None:
    content = json.loads(mine.read_text())
    for time, ssim in (("2031-01-01T00:00:00+05:00", 0.5), ("2026-01-01T00:00:00Z", 0.25)):
        mine.write_text(json.dumps(content | {"computed": time, "rows": [r | {"ssim": ssim} for r in content["rows"]]}))
        add_numbers(mine, results)
        (board,) = boards(results)
        rows = board.submitted
        assert (
            len(rows) == IMAGES and (rows["ssim"] == ssim).all() and not rows["computed"].str.startswith("2031").any()
        )
    assert board.about("mynet")["computed"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp", "..", ".", "", "a/b", "a\\b", "C:", "a\0", ".hidden"])
def test_a_data_set_s_name_leads_nowhere_else(mine: Path, results: Path, name: str) -> None:
    mine.write_text(json.dumps(json.loads(mine.read_text()) | {"dataset": name}))
    with pytest.raises(InputError, match="dataset: String should match pattern"):
        add_numbers(mine, results)
    assert sorted(path.name for path in results.parent.iterdir()) == ["elsewhere", "mynet.json", "results"]


def test_a_data_set_that_is_a_link_elsewhere_is_not_written_to(mine: Path, results: Path, tmp_path: Path) -> None:
    dataset = json.loads(mine.read_text())["dataset"]
    (results / dataset).rename(tmp_path / "other")
    (results / dataset).symlink_to(tmp_path / "other")
    with pytest.raises(InputError, match="is a link elsewhere"):
        add_numbers(mine, results)


def edit(content: dict, change) -> dict:
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c["method"].pop("title"), "method.title: Field required"),
        (lambda c: c.update(extra=1), "extra: Extra inputs"),
        (lambda c: c["method"].update(name="composite"), "expected a new method name"),
        (lambda c: c["method"].update(name="ours"), "expected a new method name in .* but 'ours' is measured here"),
        (lambda c: c.update(computed="2026-11-27T12:00:00"), "computed: Input should have timezone info"),
        (lambda c: c.update(computed="zzz"), "computed: Input should be a valid datetime"),
        (lambda c: c.update(dataset_hash="other"), "to be measured in .* first, but it holds h1"),
        (lambda c: c.update(protocol="loose"), "expected a protocol out of"),
        (lambda c: c["rows"].pop(), "but 1 are missing or unknown: image47"),
        (lambda c: c["rows"].append(c["rows"][0]), "expected every image once"),
        (lambda c: c["rows"][3].update(id="image99"), "but 2 are missing or unknown: image03, image99"),
        (lambda c: c["rows"][3].update(psnr=99.0), "image03 .* but: expected psnr and mse to agree"),
        (lambda c: c["rows"][3].update(mse=0.0, psnr=80.0), "expected psnr and mse to agree: mse 0 is inf dB, got 80"),
        (lambda c: c["rows"][3].update(ssim=7.5), "expected ssim from -1 to 1, got 7.5"),
        (lambda c: c["rows"][3].update(fmse=-10.0), "expected fmse from 0 to 65025, got -10"),
        (lambda c: c["rows"][3].update(mse=float("inf")), "expected mse from 0 to 65025, got inf"),
        (lambda c: c["rows"][3].update(ssim=True), "expected a number for ssim of image03"),
        (lambda c: c["rows"][3].update(lpips="low"), "expected a number for lpips of image03"),
        (lambda c: c["rows"][3].update(seconds=-1.0), "expected seconds of image03 .* to be 0 or more, but got -1"),
        (lambda c: c["rows"][3].pop("ssim"), "expected a number for ssim of image03"),
        (lambda c: c["rows"][3].update(beauty=1.0), "expected metrics of this benchmark for image03 .* beauty"),
    ],
)
def test_own_result_is_checked(mine: Path, results: Path, change, sentence: str) -> None:
    fill(results, made_rows(methods=["ours"]))
    before = (results / "portrait-open/rows.parquet").read_bytes()
    mine.write_text(json.dumps(edit(json.loads(mine.read_text()), change)))
    with pytest.raises(InputError, match=sentence) as raised:
        add_numbers(mine, results)
    assert "\n" not in str(raised.value)
    assert (results / "portrait-open/rows.parquet").read_bytes() == before


def test_broken_own_result(results: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match="expected a result file like the one in bench/README.md"):
        add_numbers(tmp_path / "broken.json", results)
    with pytest.raises(InputError, match="expected a result file at"):
        add_numbers(tmp_path / "absent.json", results)
