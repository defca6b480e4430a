"""What the documents tell a newcomer to type: every command is parsed, and the method of one's own is run."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer.main
from bench_runs import serial
from typer.testing import CliRunner

import bench.commands.app
import bench.interaction
import bench.ray_runner
import bench.wrong_reference
import demo.vote.page
import iph.commands.app
import userstudy.cli
from bench.datasets import load, open_dataset

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "bench/README.md", "iph/weights/MODEL_CARD.md")),
    *ROOT.glob("docs/*.md"),
]
APPS = {
    "bench": bench.commands.app.app,
    "iph": iph.commands.app.app,
    "userstudy": userstudy.cli.app,
    "bench.interaction": bench.interaction.main,
    "bench.ray_runner": bench.ray_runner.main,
    "bench.wrong_reference": bench.wrong_reference.main,
    "demo.vote": demo.vote.page.serve,
}


def commands() -> list[str]:
    """Every ``python -m …`` line, in blocks and in sentences, without comments."""
    texts = [path.read_text(encoding="utf-8").replace("\\\n", " ") for path in DOCUMENTS]
    return sorted({" ".join(line.split()) for text in texts for line in re.findall(r"python -m ([^\n`#|]+)", text)})


def parse(app, line: str) -> None:
    """Raises where a command, option or argument does not exist, or a required one is not named.

    Files that are named need not be there. "…" stands for what a sentence leaves out.
    """
    if not isinstance(app, typer.Typer):
        function, app = app, typer.Typer()
        app.command()(function)
    command, words = typer.main.get_command(app), shlex.split(line)
    while words and hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands") or words in ([], ["--help"]):
        return
    values, rest, _ = command.make_parser(command.context_class(command)).parse_args([w for w in words if w != "…"])
    assert not rest, f"nothing takes {rest}"
    missing = [p.name for p in command.params if p.required and values.get(p.name) is None]
    assert not missing or "…" in words, f"{missing} are required"


@pytest.mark.parametrize("line", commands())
def test_commands_of_the_documents_parse(line: str) -> None:
    module, _, rest = line.partition(" ")
    if module in APPS:
        parse(APPS[module], rest)
    else:
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), f"no module {module}"


@pytest.mark.parametrize(
    "line",
    ["runs", "run --dataset sample --metods all", "table results/ more/", "run --methods all", "add mynet.json x y"],
)
def test_wrong_commands_do_not_parse(line: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: B017 - the name of Typer's error is looked at below
        parse(APPS["bench"], line)
    assert raised.type.__name__ in ("KeyError", "AssertionError", "NoSuchOption")


def test_the_method_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and the command of bench/README.md, as they stand there."""
    text = (ROOT / "bench/README.md").read_text(encoding="utf-8")
    section = text[text.index("## A method of your own") : text.index("## A result of your own")]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (command,) = re.findall(r"python -m bench (run .*grey_world.py)", section)
    assert len(code.strip().splitlines()) <= 10
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bench.evaluation.runner.local", lambda workers: serial)
    Path("grey_world.py").write_text(code)
    for expected in (3, 0):
        result = CliRunner().invoke(bench.commands.app.app, [*shlex.split(command), "--limit", "3"])
        assert result.exit_code == 0 and f"{expected} rows computed" in result.stdout, result.output
    rows = pd.read_parquet("results/sample/rows.parquet").set_index("id")
    picture = load(open_dataset("sample").entries[0])
    inside = picture.foreground
    gain = picture.composite[~inside].mean(axis=0) / picture.composite[inside].mean(axis=0)
    expected = np.clip(picture.composite[inside] * gain, 0, 255).astype(np.uint8)
    error = np.mean((expected.astype(float) - picture.target[inside]) ** 2)
    row = rows.loc[open_dataset("sample").entries[0].id]
    assert row["method"] == "grey-world" and row["fmse"] == pytest.approx(error)
    Path("grey_world.py").write_text(code.replace("* gain", "* 1"))
    again = CliRunner().invoke(bench.commands.app.app, [*shlex.split(command), "--limit", "3"])
    assert "3 rows computed" in again.stdout, "another version of the file is another method"
