"""``python -m bench retrain``: baselines, ablation and trials on equal terms, one command to stop at any time."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.run import measure
from bench.commands.terminal import names, sentences
from bench.evaluation.request import RunRequest, usual_side


def retrain(
    photos: Annotated[Path, typer.Option(help="Photo folder: images/, masks/; its train split, where it has one.")],
    out: Annotated[Path, typer.Option(help="Folder of the queue; what is in it is gone on with.")] = Path(
        "runs/retrain"
    ),
    minutes: Annotated[
        float, typer.Option(min=0, help="Length of each job: as many samples as its row sees in so many minutes.")
    ] = 10,
    seeds: Annotated[
        int, typer.Option(min=1, help="Runs of each row; every row gets its first before any second.")
    ] = 3,
    size: Annotated[int, typer.Option(min=64, help="Side of the training composites, a power of two.")] = 64,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this row, or group (baselines, ablation, trials); may be repeated.")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Measure on this open set or folder after each round; may be repeated.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="Folder that holds the named open sets.")] = None,
) -> None:
    """Train DoveNet, RainNet, BargainNet and the paper's ablation by our trainer, alike in all but what they are.

    Every job is a folder. Ctrl-C, a crash or kill -9 lose at most two hundred steps: the same command skips what is
    finished and goes on with the rest; more --minutes or --seeds go on from what is there. Started twice, two work.

    \b
      python -m bench build-open --photos PHOTOS --out open
      python -m bench retrain --photos PHOTOS --minutes 10 --seeds 3 --dataset portrait-open --root open
      python -m bench retrain --photos PHOTOS --minutes 10 --seeds 1 --only trials
    """
    import torch

    from bench.report.render import render
    from bench.retrain.experiments import chosen
    from bench.retrain.queue import TrainingJob, work
    from bench.retrain.summary import held_out
    from bench.retrain.terms import Terms, open_queue
    from iph.errors import InputError

    with sentences():
        rows = chosen(names(only))
        if size & (size - 1):
            raise InputError(f"expected a power of two as the size, but got {size}")
        torch.set_num_threads(1)  # a row's pace is that of one core
        terms = Terms(str(photos.resolve()), size)
        jobs = [TrainingJob(row, seed, out) for seed in range(seeds) for row in rows]
        open_queue(out, terms)
        try:
            for seed in range(seeds):
                work([job for job in jobs if job.seed == seed], minutes, terms, typer.echo)
                typer.echo(render(held_out(jobs), "markdown"))
                for name in dataset or []:
                    _measure(name, root, jobs, out)
        except KeyboardInterrupt:
            typer.echo("stopped: the same command goes on", err=True)
            raise typer.Exit(130) from None


def _measure(name: str, root: Path | None, jobs: list, out: Path) -> None:
    """Run the benchmark on every finished network that was not measured yet; print and write the table."""
    from filelock import FileLock

    from bench.datasets.catalogue import open_dataset
    from bench.evaluation import runner
    from bench.methods import METHODS
    from bench.report.render import render
    from bench.retrain.queue import TrainingJob
    from bench.retrain.summary import measured, record_measured

    folder = None if root is None else root / name
    title = open_dataset(name, folder).name
    composite = TrainingJob("composite", 0, out)
    with FileLock(out / ".measuring"):
        done = [job for job in jobs if job.row in METHODS and job.facts() and job.weights.is_file()]
        new = [job for job in done if not job.measured(title)]
        if new or not composite.measured(title):
            methods = ["composite", *(f"{job.row}={job.weights}" for job in new)]
            measure(RunRequest(name, out / "results", folder, tuple(methods)), runner.local(1))
            size = str(usual_side(title, "strict") or "original")
            record_measured(out / "results", title, size, [composite, *new])
    table = render(measured(title, composite, jobs), "markdown")
    (out / f"{Path(name).name}.md").write_text(table + "\n")
    typer.echo(table)
