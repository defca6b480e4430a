"""``bench run``: measures methods on a data set, says what went wrong, and ends with an exit code that tells."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.commands.terminal import names, progress, sentences
from bench.evaluation import runner
from bench.evaluation.interruption import STOPPED
from bench.evaluation.request import RunRequest, plan
from bench.methods.resolve import GROUPS
from bench.report.render import gathered

FEW = 10  # failures that are printed
METHODS_HELP = (
    f"Names, groups ({', '.join(GROUPS)}), name=WEIGHTS or name=CODE.py, with commas or repeated; "
    "'none' measures predictions only."
)


def run(
    dataset: Annotated[str, typer.Option(help="A name of `python -m bench datasets`, or a folder.")],
    root: Annotated[Path | None, typer.Option(help="Folder of the named data set.")] = None,
    methods: Annotated[
        list[str],
        typer.Option(help=METHODS_HELP),
    ] = ["all"],  # noqa: B006
    out: Annotated[Path, typer.Option(help="Results folder.")] = Path("results"),
    protocol: Annotated[str, typer.Option(help="Scoring protocol, a paper's or 'strict'.")] = "strict",
    size: Annotated[
        str | None,
        typer.Option(help="Side in pixels, or 'original'. Default: the protocol's, else 256; the sample's own."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first images.")] = None,
    shard: Annotated[str | None, typer.Option(help="i/n: every n-th image from the i-th.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    predictions: Annotated[
        list[str] | None, typer.Option(help="name=DIR of finished pictures named by id; may be repeated.")
    ] = None,
    pictures: Annotated[
        bool | None, typer.Option("--pictures/--no-pictures", help="Keep the outputs. Default: for the sample.")
    ] = None,
    recompute: Annotated[bool, typer.Option("--recompute", help="Compute rows again that are there.")] = False,
) -> None:
    """Measure methods on a data set. Run it again to go on where it stopped."""
    with sentences():
        request = RunRequest(
            dataset=dataset,
            out=out,
            root=root,
            methods=names(methods),
            predictions=tuple(predictions or ()),
            protocol=protocol,
            size=size,
            limit=limit,
            shard=shard,
            recompute=recompute,
            keep_pictures=dataset == "sample" if pictures is None else pictures,
        )
        measure(request, runner.local(workers))


def measure(request: RunRequest, execute: runner.Execute) -> None:
    """Run ``request`` on whatever ``execute`` runs on. Exits 1 where an image or method failed, 130 after Ctrl-C."""
    try:
        found = plan(request)
        for line in gathered(found.missing):
            typer.echo(line, err=True)
        summary = runner.run(found, execute, progress)
    except KeyboardInterrupt:  # before or after the measuring itself, which notes it instead
        typer.echo("stopped before the first picture: the same command begins again", err=True)
        raise typer.Exit(STOPPED) from None
    typer.echo(f"{found.store.folder}: {summary.computed} rows computed, {summary.present} were there")
    _report_failures(summary.failures)
    if summary.stopped:
        typer.echo("stopped: all finished rows are kept, and the same command goes on", err=True)
        raise typer.Exit(STOPPED)
    if summary.failures:
        raise typer.Exit(1)


def _report_failures(failures: Sequence[tuple[str, str, str]]) -> None:
    """One line a method and sentence, with how many images it hit."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for image, method, sentence in failures:
        grouped.setdefault((method, sentence), []).append(image)
    for (method, sentence), images in list(grouped.items())[:FEW]:
        where = images[0] if len(images) == 1 else f"{images[0]} and {len(images) - 1} more"
        typer.echo(f"failed: {f'{method} on ' if method else ''}{where}: {sentence}", err=True)
    if len(grouped) > FEW:
        typer.echo(f"and {len(grouped) - FEW} more kinds of failure", err=True)
