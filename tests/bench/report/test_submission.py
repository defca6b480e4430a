"""One's own result as one file: it goes in, and every mistake in it is one sentence."""

import json
from pathlib import Path

import pytest
from bench_rows import DIFFICULTY, IMAGES, fill, made_rows

from bench.report.boards import boards, scores
from bench.report.submission import add, write_submission
from bench.report.tables import measured
from iph.errors import InputError


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
    about = {"title": "MyNet", "citation": "Me, 2026", "year": 2026, "kind": "interactive", "looks_at": "reference"}
    board.meta.setdefault("methods", {})["mynet"] = about
    write_submission(board, "mynet", path)
    return path


def test_own_result_goes_in(mine: Path, results: Path) -> None:
    submission, count = add(mine, results)
    assert (submission.method.name, count) == ("mynet", IMAGES)
    (board,) = boards(results)
    table = scores(board, ["psnr"]).set_index("method")
    assert table.loc["mynet", "mean"] == pytest.approx(DIFFICULTY.mean() + 1, abs=0.1)
    assert board.about("mynet")["note"] == "submitted"
    assert any(row[1] == "MyNet" and row[2] == "reference" for row in measured(board).rows)
    assert (board.rows.loc[board.rows["method"] == "mynet", "subset"] != "").all()


def test_a_correction_wins_whatever_time_it_bears(mine: Path, results: Path) -> None:
    content = json.loads(mine.read_text())
    for time, ssim in (("2031-01-01T00:00:00+05:00", 0.5), ("2026-01-01T00:00:00Z", 0.25)):
        mine.write_text(json.dumps(content | {"computed": time, "rows": [r | {"ssim": ssim} for r in content["rows"]]}))
        add(mine, results)
        (board,) = boards(results)
        rows = board.rows[board.rows["method"] == "mynet"]
        assert (rows["ssim"] == ssim).all() and not rows["computed"].str.startswith("2031").any()
    assert board.about("mynet")["computed"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp", "..", ".", "", "a/b", "a\\b", "C:", "a\0", ".hidden"])
def test_a_data_set_s_name_leads_nowhere_else(mine: Path, results: Path, name: str) -> None:
    mine.write_text(json.dumps(json.loads(mine.read_text()) | {"dataset": name}))
    with pytest.raises(InputError, match="dataset: String should match pattern"):
        add(mine, results)
    assert sorted(path.name for path in results.parent.iterdir()) == ["elsewhere", "mynet.json", "results"]


def test_a_data_set_that_is_a_link_elsewhere_is_not_written_to(mine: Path, results: Path, tmp_path: Path) -> None:
    dataset = json.loads(mine.read_text())["dataset"]
    (results / dataset).rename(tmp_path / "other")
    (results / dataset).symlink_to(tmp_path / "other")
    with pytest.raises(InputError, match="is a link elsewhere"):
        add(mine, results)


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
        (lambda c: c["rows"][3].update(psnr=99.0), "expected PSNR and MSE of image03 .* to agree"),
        (lambda c: c["rows"][3].pop("ssim"), "expected a number for ssim of image03"),
        (lambda c: c["rows"][3].update(beauty=1.0), "expected metrics of this benchmark for image03 .* beauty"),
    ],
)
def test_own_result_is_checked(mine: Path, results: Path, change, sentence: str) -> None:
    fill(results, made_rows(methods=["ours"]))
    before = (results / "portrait-open/rows.parquet").read_bytes()
    mine.write_text(json.dumps(edit(json.loads(mine.read_text()), change)))
    with pytest.raises(InputError, match=sentence) as raised:
        add(mine, results)
    assert "\n" not in str(raised.value)
    assert (results / "portrait-open/rows.parquet").read_bytes() == before


def test_broken_own_result(results: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match="expected a result file like the one in bench/README.md"):
        add(tmp_path / "broken.json", results)
    with pytest.raises(InputError, match="expected a result file at"):
        add(tmp_path / "absent.json", results)
