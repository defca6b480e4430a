"""Result files: rows that a crash cut off, runs that go on meanwhile, and damaged files that stay as they are."""

import json
import resource
from pathlib import Path

import pandas as pd
import pytest
from bench_pictures import make_dataset
from bench_runs import go
from typer.testing import CliRunner

from bench.commands.app import app
from bench.evaluation.store import SCHEMA, Part
from bench.metrics import METRICS
from bench.report.boards import boards
from iph.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_dataset(tmp_path / "set", images=6, composites_a_photo=2)
    return tmp_path / "set"


def test_row_cut_off_by_a_crash_is_forgotten(folder: Path, tmp_path: Path) -> None:
    store, _ = go(folder, tmp_path / "results", limit=1)
    row = store.read().to_dict("records")[0] | {"id": "image5"}
    store.parts.mkdir()
    (store.parts / "crashed.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row)[:50])
    assert len(store.read()) == 3
    assert len(store.merge()) == 3 and not store.parts.exists()


def test_rows_of_a_run_that_goes_on_are_left_to_it(folder: Path, tmp_path: Path) -> None:
    store, _ = go(folder, tmp_path / "results", limit=1)
    row = store.read().to_dict("records")[0] | {"id": "image5"}
    with Part(store) as part:
        part.add([row])
        assert len(store.merge()) == 2 and part.path.exists()
        assert len(store.read()) == 3
    assert len(store.merge()) == 3 and not part.path.exists()


@pytest.mark.parametrize("content", [b"PAR1 but no more", b""])
def test_damaged_result_file_is_not_overwritten(folder: Path, tmp_path: Path, content: bytes) -> None:
    store, _ = go(folder, tmp_path / "results", limit=1)
    store.rows_file.write_bytes(content)
    with pytest.raises(InputError, match="expected result rows in .* but it is damaged"):
        go(folder, tmp_path / "results")
    assert store.rows_file.read_bytes() == content


def test_foreign_parquet_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    store, _ = go(folder, tmp_path / "results", limit=1)
    pd.DataFrame({"a": [1]}).to_parquet(store.rows_file)
    with pytest.raises(InputError, match="expected the columns of a result file in .* but dataset, "):
        go(folder, tmp_path / "results")
    rows = pd.DataFrame({name: ["x"] for name in SCHEMA.names})
    rows.to_parquet(store.rows_file)
    with pytest.raises(InputError, match="expected the columns of a result file in .* but: "):
        go(folder, tmp_path / "results")


@pytest.mark.parametrize("line", ["{broken", "[]", '{"id": "image0"}'])
def test_damaged_line_of_a_run_is_not_thrown_away(folder: Path, tmp_path: Path, line: str) -> None:
    store, _ = go(folder, tmp_path / "results", limit=1)
    store.parts.mkdir()
    part = store.parts / "one.jsonl"
    part.write_text(json.dumps(store.read().to_dict("records")[0]) + f"\n{line}\n")
    with pytest.raises(InputError, match="expected a JSON row in line 2 of .*one.jsonl, but it is damaged"):
        go(folder, tmp_path / "results")
    assert line in part.read_text()


@pytest.mark.parametrize(
    "content", ["{broken", "[]", "3", '{"methods": []}', '{"methods": {"composite": 1}}', "[" * 9000]
)
def test_damaged_meta_is_a_sentence(folder: Path, tmp_path: Path, content: str) -> None:
    store, _ = go(folder, tmp_path / "results", limit=1)
    store.meta_file.write_text(content)
    with pytest.raises(InputError, match="expected what a run writes in .*meta.json, but it is damaged; remove it"):
        boards(tmp_path / "results")


@pytest.mark.parametrize("file, content", [("rows.parquet", b"PAR1"), ("meta.json", b"{"), ("meta.json", b"\xff\xfe[")])
def test_a_damaged_data_set_hides_no_other(folder: Path, tmp_path: Path, file: str, content: bytes) -> None:
    results = tmp_path / "results"
    go(folder, results, limit=1)
    make_dataset(tmp_path / "other", images=2)
    go(tmp_path / "other", results)
    (results / "set" / file).write_bytes(content)
    told: list[InputError] = []
    (board,) = boards(results, damaged=told.append)
    assert board.dataset == "other" and len(told) == 1 and file in str(told[0])
    found = CliRunner().invoke(app, ["table", str(results)])
    assert found.exit_code == 1 and "other: 2 images" in found.output and f"left out: {told[0]}" in found.output
    alone = CliRunner().invoke(app, ["table", str(results), "--dataset", "other"])
    assert alone.exit_code == 0 and "left out" not in alone.output
    exported = CliRunner().invoke(app, ["export", str(results), "--out", str(tmp_path / "out")])
    assert exported.exit_code == 1 and "other" in (tmp_path / "out/leaderboard.csv").read_text()
    asked = CliRunner().invoke(app, ["table", str(results), "--dataset", "set"])
    assert asked.exit_code == 2 and asked.output.startswith("error: ")


def test_a_full_disk_keeps_whole_rows_and_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    store, _ = go(folder, tmp_path / "results", limit=1)
    row = store.read().to_dict("records")[0]
    line = len(json.dumps(row)) + 1
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Part(store) as part:
        part.add([row | {"id": "image1"}])
        resource.setrlimit(resource.RLIMIT_FSIZE, (line + line // 2, before[1]))
        try:
            with pytest.raises(InputError, match="expected room for result rows in .*File too large; all rows before"):
                part.add([row | {"id": "image2"}])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        part.add([row | {"id": "image3"}])
    assert set(store.merge()["id"]) == {row["id"], "image1", "image3"}


def test_every_metric_has_a_column(folder: Path, tmp_path: Path) -> None:
    store, _ = go(folder, tmp_path / "results", limit=1)
    assert set(METRICS) <= set(store.read().columns)
