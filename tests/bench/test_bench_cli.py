"""The command line: what a newcomer types, and one sentence with an exit code for every mistake."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import typer.main
from bench_pictures import make_dataset, picture, save
from bench_rows import fill, made_rows
from bench_runs import serial
from typer.testing import CliRunner, Result

from bench import interaction, weights, wrong_reference
from bench.commands.app import app
from bench.datasets import CATALOGUE, read_manifest
from bench.datasets.catalogue import SAMPLE_ROOT
from bench.methods import METHODS

COMMANDS = (
    "add",
    "build-open",
    "datasets",
    "evaluate",
    "export",
    "retrain",
    "run",
    "site",
    "speed",
    "table",
    "weights",
    "withdraw",
)


def bench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(*arguments: str | Path) -> str:
    """The one sentence that a mistake is answered with."""
    result = bench(*arguments)
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    return line


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs stay in this process, to be quick; ``test_runner.py`` has them over processes."""
    monkeypatch.setattr("bench.evaluation.runner.local", lambda workers: serial)


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    make_dataset(tmp_path / "set", images=4)
    result = bench(
        "run", "--dataset", tmp_path / "set", "--methods", "composite,reinhard-reference", "--out", tmp_path / "r"
    )
    assert result.exit_code == 0, result.output
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(command: str) -> None:
    result = bench(command, "--help")
    assert result.exit_code == 0
    info = next(c for c in app.registered_commands if (c.name or c.callback.__name__.replace("_", "-")) == command)
    assert info.callback.__doc__
    for parameter in typer.main.get_command(app).commands[command].params:
        assert parameter.help or parameter.name in ("help",), f"{command} {parameter.name} has no help"


def test_all_commands_are_listed() -> None:
    found = {c.name or c.callback.__name__.replace("_", "-") for c in app.registered_commands}
    assert found == set(COMMANDS)


def test_from_run_to_table_and_export(measured: Path) -> None:
    table = bench("table", measured / "r")
    assert table.exit_code == 0 and "Direct composite" in table.stdout and "weights missing" in table.stdout
    by = bench("table", measured / "r", "--by", "subset", "--metric", "fmse", "--format", "csv")
    assert by.stdout.splitlines()[0] == "status,table,method,even (n=2),odd (n=2)"
    exported = bench("export", measured / "r", "--out", measured / "export")
    assert exported.exit_code == 0 and (measured / "export/leaderboard.json").exists()
    wrong = refused("export", measured / "r", "--out", measured / "export", "--submission", "composit")
    assert "expected a measured method among composite, reinhard-reference" in wrong and "did you mean" in wrong
    again = bench("run", "--dataset", measured / "set", "--methods", "composite", "--out", measured / "r")
    assert "0 rows computed, 4 were there" in again.stdout


FACTS = {"title": "MyNet", "citation": "Me, 2026", "year": 2026, "kind": "generic", "looks_at": "background"}
CODE = "def harmonize(composite, foreground, reference):\n    return composite\n"


def pictures_of(folder: Path, made: Path) -> Path:
    for entry in read_manifest(folder).entries:
        save(made / f"{entry.id}.png", picture(7))
    return made


@pytest.mark.parametrize("form", ["pictures", "code"])
def test_own_result_through_the_command_line(measured: Path, form: str) -> None:
    """Measured here without a word about it, then with its facts, then taken in by another lab."""
    if form == "pictures":
        made = pictures_of(measured / "set", measured / "made")
        own, facts = ("--methods", "none", "--predictions", f"mynet={made}"), made / "method.json"
    else:
        (measured / "my_net.py").write_text(CODE)
        own, facts = ("--methods", f"mynet={measured / 'my_net.py'}"), measured / "my_net.json"
    run = ("run", "--dataset", measured / "set", *own, "--out", measured / "r")
    assert bench(*run).exit_code == 0
    assert "mynet" in bench("table", measured / "r").stdout
    export = ("export", measured / "r", "--out", measured / "export", "--submission", "mynet")
    assert "the facts of 'mynet' to be known" in refused(*export)
    facts.write_text(json.dumps(FACTS | {"year": "soon"}))
    assert "year: Input should be a valid integer" in refused(*run)
    facts.write_text(json.dumps(FACTS))
    again = bench(*run)
    assert "0 rows computed" in again.stdout and "MyNet" in bench("table", measured / "r").stdout
    at_once = bench(*run[:-1], measured / "at once")
    assert at_once.exit_code == 0 and "4 rows computed" in at_once.stdout
    assert bench(*export).exit_code == 0
    bench("run", "--dataset", measured / "set", "--methods", "composite", "--out", measured / "elsewhere")
    taken = bench("add", measured / "export/mynet-set-strict-256.json", measured / "elsewhere")
    assert taken.exit_code == 0 and "MyNet" in bench("table", measured / "elsewhere").stdout


def test_the_sample_is_measured_as_it_comes_and_its_pictures_are_kept(tmp_path: Path) -> None:
    result = bench("run", "--dataset", "sample", "--methods", "reinhard-background", "--limit", "2", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    rows = pd.read_parquet(tmp_path / "sample/rows.parquet")
    assert rows["size"].unique().tolist() == ["original"] and rows["width"].max() == 512
    for id_ in rows["id"]:
        kept = cv2.imread(str(tmp_path / f"sample/pictures/reinhard-background/{id_}.jpg"))
        given = cv2.imread(str(SAMPLE_ROOT / f"composites/{id_}.jpg"))
        assert kept.shape == given.shape and np.abs(kept.astype(int) - given).mean() > 0.2


def test_a_bad_image_makes_the_exit_code_1(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", images=3)
    (tmp_path / "set/targets/1.png").write_bytes(b"broken")
    result = bench("run", "--dataset", tmp_path / "set", "--methods", "composite", "--out", tmp_path / "r")
    assert result.exit_code == 1
    assert "failed: image1: expected a readable image" in result.stderr
    assert "2 rows computed" in result.stdout


def test_data_sets_are_described_and_checked(tmp_path: Path) -> None:
    listing = bench("datasets").stdout
    for source in CATALOGUE.values():
        assert source.title in listing and source.where in listing
    make_dataset(tmp_path / "set", images=3)
    assert "no fault found" in bench("datasets", tmp_path / "set").stdout
    named = bench("datasets", "realhm", "--root", tmp_path / "set").stdout
    assert "expected    216 test images; here 3, so this is not the whole set" in named
    (tmp_path / "set/targets/1.png").unlink()
    faulty = bench("datasets", tmp_path / "set", "--quick")
    assert faulty.exit_code == 1 and "missing files: 1" in faulty.stdout


def test_weights_say_where_they_belong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    listing = bench("weights").stdout
    put = "weights missing: put latest_net_G.pth (219.08 MB) into $IPH_WEIGHTS/dovenet"
    assert f"dovenet, dovenet-eval: {put}" in listing
    assert "iph: ready, SHA-256 " in listing and "lpips, a metric: weights missing: put alexnet" in listing


def test_changed_weights_are_a_sentence_and_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/G.pth").write_bytes(bytes(40_000))
    monkeypatch.setitem(weights.WEIGHTS, "tiny", weights.Weights("tiny", {"G.pth": 0.04}, ("nowhere",), "MIT"))
    tiny = replace(METHODS["dovenet"], name="tiny", weights="tiny")
    monkeypatch.setitem(METHODS, "tiny", tiny)
    assert bench("weights").exit_code == 0
    (tmp_path / "tiny/G.pth").write_bytes(bytes(39_999) + b"1")
    result = bench("weights")
    assert result.exit_code == 1
    assert "tiny: weights damaged: expected " in result.stdout and "as at first use, but got" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--dataset", "iharmony"], "did you mean 'iharmony4'"),
        (["run", "--dataset", "/nowhere/at/all"], "expected a folder at /nowhere/at/all"),
        (["run", "--dataset", "iharmony4"], "expected the folder of iHarmony4 as root"),
        (["run", "--dataset", "sample", "--methods", "dovnet"], "did you mean 'dovenet'"),
        (["run", "--dataset", "sample", "--protocol", "strickt"], "did you mean 'strict'"),
        (["run", "--dataset", "sample", "--methods", "composite", "--size", "large"], "expected a size in pixels"),
        (["run", "--dataset", "sample", "--methods", "composite", "--shard", "5/4"], "expected a shard as i/n"),
        (["run", "--dataset", "sample", "--methods", "none"], "expected at least one method"),
        (["run", "--dataset", "sample", "--methods", "none", "--predictions", "mine"], "predictions as name=DIR"),
        (["table", "/nowhere/at/all"], "expected a results folder at /nowhere/at/all"),
        (["table", "--paper", "7"], "expected a table of the paper among 1, 2, 3"),
        (["build-open", "--out", "/tmp"], "expected either --photos DIR, or --coco FILE"),
        (["build-open", "--out", "/tmp", "--photos", "/tmp", "--name", "portrait"], "did you mean 'portrait-open'"),
        (
            ["build-open", "--out", "/tmp", "--coco", "/tmp", "--images", "/tmp", "--name", "belief-open"],
            "open set among intharmony-open, portrait-open, but got 'belief-open'",
        ),
        (["add", "/nowhere.json"], "expected a result file at /nowhere.json"),
        (["speed", "--methods", "reinhart-background"], "did you mean 'reinhard-background'"),
    ],
)
def test_mistakes(arguments: list[str], sentence: str) -> None:
    assert sentence in refused(*arguments)


@pytest.mark.parametrize("main", [interaction.main, wrong_reference.main])
@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        (["iharmony4"], "error: expected the folder of iHarmony4 as root, got none"),
        (["iharmony4", "--root", "/nowhere"], "error: expected a folder at /nowhere, found none"),
        (["/nowhere/at/all"], "error: expected a folder at /nowhere/at/all, found none"),
        (["sample", "--model", "portrai"], "error: "),
    ],
)
def test_mistakes_outside_of_the_commands(main, dataset: list[str], sentence: str, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "out")] if main is wrong_reference.main else []
    alone = typer.Typer()
    alone.command()(main)
    result = CliRunner().invoke(alone, ["--dataset", *dataset, *out])
    assert result.exit_code == 2 and result.stderr.startswith(sentence) and result.stderr.count("\n") == 1


def test_unwritable_results(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", images=1)
    (tmp_path / "file").write_text("not a folder")
    fill(tmp_path / "results", made_rows())
    for command in (["export"], ["export", "--submission", "composite"]):
        wrong = refused(*command, tmp_path / "results", "--out", tmp_path / "file/deeper")
        assert "expected to write into a folder at" in wrong
    alone = typer.Typer()
    alone.command()(wrong_reference.main)
    result = CliRunner().invoke(alone, ["--dataset", str(tmp_path / "set"), "--out", str(tmp_path / "file")])
    assert result.exit_code == 2 and "expected to write into a folder at" in result.stderr
    assert (
        "expected to write"
        in refused("run", "--dataset", tmp_path / "set", "--methods", "composite", "--out", tmp_path / "file").lower()
    )
