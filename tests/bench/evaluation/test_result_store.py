"""Result files: rows that a crash cut off, runs that go on meanwhile, and damaged files that stay as they are."""

import json
from pathlib import Path

import pandas as pd
import pytest
from bench_pictures import make_dataset
from bench_runs import go

from bench.evaluation.store import SCHEMA, Part
from bench.metrics import METRICS
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


def test_every_metric_has_a_column(folder: Path, tmp_path: Path) -> None:
    store, _ = go(folder, tmp_path / "results", limit=1)
    assert set(METRICS) <= set(store.read().columns)
