"""What a reference of another kind costs, on Belief-Open: cloth, sky, furniture or one saturated thing beside a person.

``python -m bench.belief results/`` prints, for every method measured there, the foreground MSE with such references
over that of the same people with their whole background as reference: 1 is what is wanted at most.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from bench.commands.terminal import sentences
from bench.report.boards import Board
from bench.report.dashboard_data import open_boards
from bench.report.render import markdown
from iph.errors import InputError
from iph.training.belief import BASELINE

DATASET = "belief-open"


def over_background(rows: pd.DataFrame) -> pd.DataFrame:
    """Of a board's rows: a row a method, columns ``all`` and each kind of reference, in the order of their number.

    ``id`` ends with ``_`` and the kind, which ``subset`` names. InputError where a person lacks the background's row.
    """
    person = [name.removesuffix(f"_{kind}") for name, kind in zip(rows["id"], rows["subset"], strict=True)]
    rows = rows.assign(person=person)
    base = rows["subset"] == BASELINE
    known = rows[base].set_index(["method", "person"])["fmse"].rename("background")
    others = rows[~base].join(known, on=["method", "person"])
    alone = others[others["background"].isna()]
    if len(alone):
        raise InputError(f"expected a row with the whole background for {alone['person'].iat[0]}, found none")
    sums = [others.assign(kind="all"), others.assign(kind=others["subset"])]
    summed = pd.concat(sums).groupby(["method", "kind"])[["fmse", "background"]].sum()
    kinds = ["all", *others["subset"].value_counts().index]
    return (summed["fmse"] / summed["background"]).unstack()[kinds]


def report(board: Board) -> str:
    """``over_background`` as Markdown, with how many references there are of each kind."""
    found = over_background(board.rows)
    counts = board.rows[board.rows["method"] == found.index[0]]["subset"].value_counts().drop(BASELINE)
    heads = [f"{kind} ({count})" for kind, count in zip(found, [counts.sum(), *counts[found.columns[1:]]], strict=True)]
    order = [method for method in board.methods if method in found.index]
    cells = [[board.about(method)["title"], *(f"{value:.2f}" for value in found.loc[method])] for method in order]
    return markdown(["method", *heads], cells)


def main(
    results: Annotated[Path, typer.Argument(help="Results folder, as `bench run` makes it.")] = Path("results"),
) -> None:
    """Print the table of every board of Belief-Open."""
    with sentences():
        for (protocol, size), board in open_boards(results, DATASET).items():
            typer.echo(f"**{protocol}, {size}**\n\n{report(board)}")


if __name__ == "__main__":
    typer.run(main)
