"""``bench table``, ``export`` and ``add``: what a results folder says, as text and as files."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.terminal import Format, names, sentences
from iph.errors import InputError, unknown

Results = Annotated[Path, typer.Argument(help="Results folder, as `run` makes it.")]


def table(
    results: Results = Path("results"),
    metric: Annotated[
        list[str] | None, typer.Option(help="Metrics, with commas or repeated; the first one ranks.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this data set.")] = None,
    protocol: Annotated[str | None, typer.Option(help="Only this protocol.")] = None,
    size: Annotated[str | None, typer.Option(help="Only this size.")] = None,
    by: Annotated[str | None, typer.Option(help="Break down by subset, size or difficulty.")] = None,
    paper: Annotated[int | None, typer.Option(help="Only the paper's Table 1, 2 or 3, as reported.")] = None,
    format: Format = "text",
) -> None:
    """Our measured rows, with the reported ones beside them."""
    from bench.report.boards import TABLE_1
    from bench.report.render import render_all
    from bench.report.tables import broken_down, measured, paper_table, reported

    with sentences():
        if paper is not None:
            shown = paper_table(paper)
        else:
            metrics = names(metric) or TABLE_1
            found = _boards(results, dataset, protocol, size)
            if by is not None:
                shown = [broken_down(board, by, metrics[0]) for board in found]
            else:
                shown = [table_ for board in found for table_ in [measured(board, metrics), *reported(board, metrics)]]
        typer.echo(render_all(shown, format))


def export(
    results: Results = Path("results"),
    out: Annotated[Path, typer.Option(help="Where the files are written.")] = Path("export"),
    submission: Annotated[str | None, typer.Option(help="Write one method's rows as a file that `add` takes.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this data set.")] = None,
) -> None:
    """CSV, Markdown, LaTeX, and the JSON that the dashboard and a leaderboard site read."""
    from bench.evaluation.store import make_folder
    from bench.report.export import export as write
    from bench.report.submission import write_submission

    with sentences():
        found = _boards(results, dataset)
        if submission is None:
            paths = write(found, out)
        else:
            with_it = [board for board in found if submission in board.methods]
            if not with_it:
                raise unknown("measured method", submission, {name for board in found for name in board.methods})
            make_folder(out)
            paths = [out / f"{submission}-{board.dataset}-{board.protocol}-{board.size}.json" for board in with_it]
            for board, path in zip(with_it, paths, strict=True):
                write_submission(board, submission, path)
        typer.echo("\n".join(map(str, paths)))


def add(
    file: Annotated[Path, typer.Argument(help="A result file, as `export --submission` writes it.")],
    results: Results = Path("results"),
) -> None:
    """Take somebody's result into the table, after checking it."""
    from bench.report.submission import add as take

    with sentences():
        submission, count = take(file, results)
        typer.echo(f"{submission.method.name}: {count} rows added to {submission.dataset}")


def _boards(results: Path, dataset: str | None, protocol: str | None = None, size: str | None = None) -> list:
    from bench.report.boards import boards

    found = [board for board in boards(results, protocol, size) if dataset in (None, board.dataset)]
    if not found:
        raise InputError(f"expected results of {dataset!r} in {results}, found none")
    return found
