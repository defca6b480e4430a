"""Belief-Open's own number: the error with references of other kinds over that with the whole background."""

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from bench.belief import main, over_background
from iph.errors import InputError

ROWS = pd.DataFrame(
    [
        ("m", "a_1_background", "background", 10.0),
        ("m", "a_1_cloth", "cloth", 20.0),
        ("m", "a_1_sky", "sky", 5.0),
        ("m", "b_cloth_background", "background", 30.0),
        ("m", "b_cloth_cloth", "cloth", 15.0),
    ],
    columns=["method", "id", "subset", "fmse"],
)


def test_each_reference_is_laid_over_the_same_persons_background():
    found = over_background(ROWS)
    assert list(found) == ["all", "cloth", "sky"], "the commonest kind first"
    assert found.loc["m"].tolist() == pytest.approx([40 / 50, 35 / 40, 5 / 10])


def test_a_person_without_the_backgrounds_row_is_said():
    with pytest.raises(InputError, match="whole background for a_1"):
        over_background(ROWS[1:])


def test_the_published_rows():
    """Those that bench/README.md tells of."""
    alone = typer.Typer()
    alone.command()(main)
    told = CliRunner().invoke(alone, ["results"])
    assert told.exit_code == 0 and "| IPH match, general (ours) | 1.00 |" in told.output, told.output
    nothing = CliRunner().invoke(alone, ["/nowhere"])
    assert nothing.exit_code == 2 and nothing.output.count("\n") == 1
