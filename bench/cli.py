"""``python -m bench``: data sets, runs, tables, weights, speed, export."""

from pathlib import Path
from typing import Annotated

import typer

from bench.errors import InputError, unknown
from bench.retrain.command import retrain
from bench.running import progress, run_and_report, sentences

app = typer.Typer(
    help="Measure harmonization methods: `run` evaluates, `table` prints, `datasets` and `weights` say what is here.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Results = Annotated[Path, typer.Argument(help="Results folder, as `run` makes it.")]
METHODS_HELP = (
    "Names, groups (all, classical, generic, interactive), name=WEIGHTS or name=CODE.py, with commas or repeated; "
    "'none' measures predictions only."
)


@app.command()
def datasets(
    folder: Annotated[str | None, typer.Argument(help="A folder, or with --root a name, to check.")] = None,
    root: Annotated[Path | None, typer.Option(help="Folder of the named data set.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Look at sizes only, decode no picture.")] = False,
) -> None:
    """What each data set is and where to get it; with FOLDER, one report about what lies there."""
    from bench.datasets.catalogue import CATALOGUE, open_dataset
    from bench.datasets.check import check, describe

    with sentences():
        if folder is None:
            for name, source in CATALOGUE.items():
                typer.echo("\n".join(describe(name, source)))
            return
        report = check(open_dataset(folder, root), read_all=not quick)
        typer.echo("\n".join(report.lines()))
    if not report.sound:
        raise typer.Exit(1)


@app.command()
def build_open(
    out: Annotated[Path, typer.Option(help="Where the sets' folders are made.")],
    photos: Annotated[Path | None, typer.Option(help="Photo folder: images/, masks/.")] = None,
    coco: Annotated[Path | None, typer.Option(help="COCO's instances_*.json: build the counterparts.")] = None,
    images: Annotated[Path | None, typer.Option(help="COCO's image folder, with --coco.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="Only this set; may be repeated.")] = None,
) -> None:
    """Rebuild IntHarmony-Open and Portrait-Open bit for bit, or their counterparts from COCO."""
    from bench.datasets.coco import build_counterpart
    from bench.datasets.manifest import read_manifest
    from bench.datasets.open_sets import DEFINITIONS, build

    known = sorted(path.stem for path in DEFINITIONS.glob("*.csv") if "." not in path.stem)
    failed = False
    with sentences():
        if (photos is None) == (coco is None) or (coco is None) != (images is None):
            raise InputError("expected either --photos DIR, or --coco FILE with --images DIR")
        for chosen in name or [set_ for set_ in known if set_ != "sample"]:
            if chosen not in known:
                raise unknown("open set", chosen, known)
            if coco is not None:
                lost = build_counterpart(chosen, coco, images, out, progress)
                typer.echo(f"{chosen}-coco: built in {out}, {len(lost)} composites without image or annotation")
                continue
            different = build(chosen, photos, out, progress)
            digest = read_manifest(out / chosen).content_hash()
            verdict = "identical to the published set" if not different else f"{different} composites DIFFER"
            typer.echo(f"{chosen}: {out / chosen}, data {digest}, {verdict}")
            failed |= different > 0
    if failed:
        typer.echo("error: other pictures than the published ones: do not compare their numbers", err=True)
        raise typer.Exit(1)


@app.command()
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
    from bench.evaluation.runner import local

    with sentences():
        keep = dataset == "sample" if pictures is None else pictures
        run_and_report(
            dataset,
            root,
            methods,
            predictions or [],
            out,
            protocol,
            size,
            local(workers),
            limit,
            shard,
            recompute,
            keep,
        )


@app.command()
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
    format: Annotated[str, typer.Option(help="text, markdown, latex or csv.")] = "text",
) -> None:
    """Our measured rows, with the reported ones beside them."""
    from bench.report.boards import TABLE_1, boards
    from bench.report.render import render_all
    from bench.report.tables import broken_down, measured, paper_table, reported

    with sentences():
        if paper is not None:
            shown = paper_table(paper)
        else:
            metrics = [name for given in metric or TABLE_1 for name in given.split(",") if name]
            found = [board for board in boards(results, protocol, size) if dataset in (None, board.dataset)]
            if not found:
                raise InputError(f"expected results of {dataset!r} in {results}, found none")
            if by is not None:
                shown = [broken_down(board, by, metrics[0]) for board in found]
            else:
                shown = [table_ for board in found for table_ in [measured(board, metrics), *reported(board, metrics)]]
        typer.echo(render_all(shown, format))


@app.command()
def weights() -> None:
    """Which weights are here, where the others are offered, and where they have to lie; exits 1 if one is damaged."""
    from bench.methods import METHODS
    from bench.report.render import gathered
    from bench.weights import status

    found = {name: method.availability() for name, method in METHODS.items() if method.weights is not None}
    found["lpips, a metric"] = status("lpips").sentence
    typer.echo("\n".join(gathered(found)))
    if any(sentence.startswith("weights damaged") for sentence in found.values()):
        raise typer.Exit(1)


@app.command()
def speed(
    methods: Annotated[list[str], typer.Option(help="Names or groups, with commas or repeated.")] = ["all"],  # noqa: B006
    format: Annotated[str, typer.Option(help="text, markdown, latex or csv.")] = "text",
) -> None:
    """Parameters, MACs and milliseconds a picture at 256², 1 and 8 megapixels."""
    from bench.methods import resolve
    from bench.report.render import render
    from bench.speed import measure, table

    with sentences():
        chosen = resolve(name for given in methods for name in given.split(",") if name)
        typer.echo(render(table(progress(measure(chosen), len(chosen))), format))


@app.command()
def export(
    results: Results = Path("results"),
    out: Annotated[Path, typer.Option(help="Where the files are written.")] = Path("export"),
    submission: Annotated[str | None, typer.Option(help="Write one method's rows as a file that `add` takes.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this data set.")] = None,
) -> None:
    """CSV, Markdown, LaTeX, and the JSON that the dashboard and a leaderboard site read."""
    from bench.evaluation.store import make_folder
    from bench.evaluation.submission import write_submission
    from bench.report.boards import boards
    from bench.report.export import export as write

    with sentences():
        found = [board for board in boards(results) if dataset in (None, board.dataset)]
        if not found:
            raise InputError(f"expected results of {dataset!r} in {results}, found none")
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


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A result file, as `export --submission` writes it.")],
    results: Results = Path("results"),
) -> None:
    """Take somebody's result into the table, after checking it."""
    from bench.evaluation.submission import add as take

    with sentences():
        submission, count = take(file, results)
        typer.echo(f"{submission.method.name}: {count} rows added to {submission.dataset}")


app.command()(retrain)


def main() -> None:
    """Entry of ``python -m bench``."""
    app(prog_name="python -m bench")
