"""``bench evaluate``: one method against the direct composite, as one table."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.terminal import Format, names, sentences
from bench.report.boards import TABLE_1


def evaluate(
    method: Annotated[str, typer.Argument(help="A .py file with harmonize, a folder of finished pictures, or a name.")],
    dataset: Annotated[str, typer.Option(help="A name of `python -m bench datasets`, or a folder.")] = "sample",
    root: Annotated[Path | None, typer.Option(help="Folder of the named data set.")] = None,
    protocol: Annotated[str, typer.Option(help="Scoring protocol, a paper's or 'strict'.")] = "strict",
    size: Annotated[str | None, typer.Option(help="Side in pixels, or 'original'.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first images.")] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="Metrics, with commas or repeated; the first one ranks.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the table calls it; default: the file's or folder's.")] = None,
    results: Annotated[
        Path | None, typer.Option(help="Results folder that keeps the rows, and whose methods stand beside.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    format: Format = "text",
) -> None:
    """Measure one method beside the direct composite and print the table."""
    from bench.evaluation import runner
    from bench.one_call import evaluate as measure
    from bench.report.look import Look
    from bench.report.render import render
    from bench.report.tables import measured

    with sentences():
        found = measure(
            method,
            dataset,
            protocol,
            root=root,
            size=size,
            limit=limit,
            metrics=names(metric) or TABLE_1,
            name=name,
            results=results,
            execute=runner.local(workers),
        )
        typer.echo(render(measured(found.board, found.metrics, Look(missing=False)), format))
