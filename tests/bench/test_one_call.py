"""A method of one's own in one call: as a function, a file, a folder of pictures and on the command line."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench_pictures import make_dataset, picture, save
from bench_runs import serial
from typer.testing import CliRunner

import bench
from bench.commands.app import app
from iph.errors import InputError

README = Path(__file__).resolve().parents[2] / "bench/README.md"
CODE = "def harmonize(composite, foreground, reference):\n    composite[foreground] //= 2\n    return composite\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data").root


def halved(composite, foreground, reference):
    """Writes into what it is given, which must spoil nobody else's picture."""
    assert composite.dtype == np.uint8 and foreground.dtype == bool and reference.dtype == bool
    composite[foreground] //= 2
    return composite


def test_the_notebook_of_the_readme_runs() -> None:
    (code,) = re.findall(r"```python\n(import numpy as np\n\nimport bench\n.*?)```", README.read_text(), re.DOTALL)
    known: dict = {}
    lines = code.rstrip().splitlines()
    exec("\n".join(lines[:-3]), known)
    whole, table, rows = (eval(line.partition("  #")[0], known) for line in lines[-3:])
    assert list(table.index[:1]) == ["composite"] and {"rank", "psnr", "low"} <= set(table.columns)
    assert rows.shape == (8, 2) and rows["grey_world"].mean() == pytest.approx(table.loc["grey_world", "psnr"])
    assert "<table>" in whole._repr_html_() and "grey_world" in str(whole) and "weights missing" not in str(whole)


def test_function_file_and_folder_are_measured_alike(data: Path, tmp_path: Path) -> None:
    ours = bench.evaluate(halved, dataset=data, size=32)
    (tmp_path / "own.py").write_text(CODE)
    out = tmp_path / "results"
    file = bench.evaluate(tmp_path / "own.py", dataset=data, size=32, results=out, name="half")
    metrics = ["psnr", "ssim", "fmse"]
    assert ours.table.loc["halved", metrics].tolist() == file.table.loc["half", metrics].tolist()
    assert ours.table.loc["composite", metrics].tolist() == file.table.loc["composite", metrics].tolist()
    made = tmp_path / "made"
    for number in range(4):
        save(made / f"image{number}_harmonized.png", picture(9))
    folder = bench.evaluate(made, dataset=data, size=32, results=out)
    assert set(folder.table.index) == {"composite", "half", "made"}, "a results folder keeps what was measured before"
    assert (
        folder.table.loc["composite", "mse" if "mse" in folder.table else "fmse"] == file.table.loc["composite", "fmse"]
    )
    named = bench.evaluate("luminance-background", dataset=data, size=32, metrics=["fmse"])
    assert list(named.table.columns[:3]) == ["title", "rank", "fmse"] and "luminance-background" in named.table.index
    assert named.table["fmse"].is_monotonic_increasing or named.table["rank"].is_monotonic_increasing


def test_a_changed_function_is_another_one(data: Path, tmp_path: Path) -> None:
    def halved(composite, foreground, reference):
        return composite

    out = tmp_path / "results"
    first = bench.evaluate(halved, dataset=data, size=32, results=out)
    second = bench.evaluate(globals()["halved"], dataset=data, size=32, results=out)
    assert (
        first.table.loc["halved", "fmse"] == first.table.loc["composite", "fmse"] < second.table.loc["halved", "fmse"]
    )


@pytest.mark.parametrize(
    ("method", "options", "sentence"),
    [
        (
            lambda c, f, r: None,
            {},
            "the first of lambda on image0: expected an array from the function lambda",
        ),
        (
            lambda c, f, r: c[:9],
            {"name": "cut"},
            "4 failed, the first of cut on image0: expected an output of 32x32",
        ),
        (lambda c, f, r: c, {"name": "composite"}, "expected a new name for the function, but 'composite' is a method"),
        (lambda c, f, r: c, {"name": "a/b"}, "expected a name without '/'"),
        (lambda c, f, r: c, {"protocol": "idhi"}, "did you mean 'idih'"),
        (lambda c, f, r: c, {"metrics": ["pnsr"]}, "did you mean 'psnr'"),
        ("nowhere/pictures", {}, "expected a function, a folder of pictures, a .py file or a method's name, but got"),
        ("reinhard", {}, "did you mean 'reinhard-"),
        ("dovenet", {}, "dovenet: weights missing"),
    ],
)
def test_mistakes_are_one_sentence(data: Path, method, options: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as raised:
        str(bench.evaluate(method, dataset=data, **{"size": 32} | options))
    assert "\n" not in str(raised.value)


def test_the_same_from_the_command_line(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.evaluation.runner.local", lambda workers: serial)
    (tmp_path / "own.py").write_text(CODE)
    options = ["evaluate", str(tmp_path / "own.py"), "--dataset", str(data), "--size", "32"]
    out = CliRunner().invoke(app, [*options, "--metric", "psnr", "--format", "csv"])
    assert out.exit_code == 0, out.output
    rows = pd.read_csv(pd.io.common.StringIO(out.stdout)).set_index("method")
    expected = bench.evaluate(halved, dataset=data, size=32).table
    assert rows.loc["own", "PSNR ↑"] == pytest.approx(expected.loc["halved", "psnr"], abs=0.006)
    bad = CliRunner().invoke(app, [*options, "--protocol", "nothing"])
    assert bad.exit_code == 2 and bad.stderr.startswith("error: expected a protocol among")
