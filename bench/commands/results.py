"""``bench table`` and ``export``: what a results folder says, as text and as files."""

from collections.abc import Sequence
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
    subsets: Annotated[
        bool, typer.Option("--subsets", help="iHarmony4 as papers print it: four sub-sets and all, MSE, PSNR, fMSE.")
    ] = False,
    methods: Annotated[list[str] | None, typer.Option(help="Only these methods, with commas or repeated.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option(help="Only these columns of measured rows, like rank,method,psnr,wins.")
    ] = None,
    hide_missing: Annotated[
        bool, typer.Option("--hide-missing", help="Leave out methods that have no numbers.")
    ] = False,
    marks: Annotated[
        str,
        typer.Option(help="Bold and underlined: 'best' and second of each metric, or first and second 'rank'."),
    ] = "none",
    doubt: Annotated[
        bool, typer.Option("--doubt", help="A dagger on values that cannot be told apart from the best one.")
    ] = False,
    bib: Annotated[Path | None, typer.Option(help="Write the BibTeX of all methods shown; LaTeX cites it.")] = None,
    format: Format = "text",
) -> None:
    """Our measured rows, with the reported ones beside them."""
    from bench.report.boards import TABLE_1
    from bench.report.four_subsets import four_subsets
    from bench.report.look import Look
    from bench.report.render import render_all
    from bench.report.tables import broken_down, measured, paper_table, reported

    damaged: list[InputError] = []
    with sentences():
        look = Look(names(methods), names(columns), not hide_missing, marks, doubt, bib is not None)
        metrics = names(metric) or TABLE_1
        found = []
        if paper is not None:
            shown = paper_table(paper)
        elif subsets:
            found = _boards(results, damaged, "iharmony4", protocol, size) if (results / "iharmony4").exists() else []
            shown = four_subsets(found, protocol, look)
        else:
            found = _boards(results, damaged, dataset, protocol, size)
            _check_methods(look.methods, found)
            if by is not None:
                shown = [broken_down(board, by, metrics[0]) for board in found]
            else:
                shown = [table_ for b in found for table_ in [measured(b, metrics, look), *reported(b, metrics, look)]]
        if bib is not None:
            _write_bib(bib, shown, found)
        typer.echo(render_all(shown, format))
    _end(damaged)


def _check_methods(wanted: Sequence[str], found: list) -> None:
    from bench.report.published import published

    known = {*published()["method"]}
    for board in found:
        known |= {*board.methods, *board.submitted["method"], *board.partial, *board.absent}
    for method in wanted:
        if method not in known:
            raise unknown("method", method, known)


def _write_bib(path: Path, shown: list, found: list) -> None:
    """One entry for every key that a table cites: a method's own, else the one that is known here."""
    from bench.report.citations import bibliography
    from iph.files import replacing

    cited = {key for table in shown for key in table.cites if key}
    about = {name: one for board in found for name, one in board.meta.get("methods", {}).items()}
    with replacing(path) as temporary:
        temporary.write_text(bibliography(about, cited), encoding="utf-8")


def export(
    results: Results = Path("results"),
    out: Annotated[Path, typer.Option(help="Where the files are written.")] = Path("export"),
    submission: Annotated[str | None, typer.Option(help="Write one method's rows as a file that `add` takes.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this data set.")] = None,
) -> None:
    """CSV, Markdown, LaTeX, and the JSON that the dashboard and a leaderboard site read."""
    from bench.evaluation.store import make_folder
    from bench.report.export import export as write
    from bench.submissions.numbers import write_submission

    damaged: list[InputError] = []
    with sentences():
        found = _boards(results, damaged, dataset)
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
    _end(damaged)


def _boards(
    results: Path,
    damaged: list[InputError],
    dataset: str | None,
    protocol: str | None = None,
    size: str | None = None,
) -> list:
    from bench.report.boards import boards

    return boards(results, protocol, size, dataset, damaged.append)


def _end(damaged: list[InputError]) -> None:
    """What could not be read is said below what could, and is no success."""
    for error in damaged:
        typer.echo(f"left out: {error}", err=True)
    if damaged:
        raise typer.Exit(1)
