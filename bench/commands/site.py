"""``bench site``: the board as files that any web host serves."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.terminal import sentences
from iph.errors import InputError


def site(
    results: Annotated[Path, typer.Argument(help="Results folder, as `run` makes it.")] = Path("results"),
    out: Annotated[Path, typer.Option(help="Where the site is written, or lies from the last time.")] = Path("site"),
    study: Annotated[
        Path | None, typer.Option(help="A study's scores, as `python -m userstudy score --json` prints them.")
    ] = None,
) -> None:
    """Write a static site of all boards: no server, no script needed, also from a disk."""
    from bench.report.boards import boards
    from bench.site.build import build
    from bench.site.study import read_study

    damaged: list[InputError] = []
    with sentences():
        scores = None if study is None else read_study(study)
        pages = build(results, boards(results, damaged=damaged.append), out, scores)
        typer.echo(f"{out / 'index.html'}: {len(pages)} pages")
    for error in damaged:
        typer.echo(f"left out: {error}", err=True)
    if damaged:
        raise typer.Exit(1)
