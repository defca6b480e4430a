"""``bench add`` and ``bench withdraw``: results of other people come and go, and every change is noted."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.terminal import progress, sentences

Results = Annotated[Path, typer.Argument(help="Results folder, as `run` makes it.")]


def add(
    file: Annotated[Path, typer.Argument(help="Pictures with method.toml, as folder or archive; or a result file.")],
    results: Results = Path("results"),
    root: Annotated[Path | None, typer.Option(help="Folder of the data set that method.toml names.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that measure the pictures.")] = 2,
) -> None:
    """Take somebody's result into the table: pictures are measured, a result file is checked."""
    from bench.evaluation import runner
    from bench.submissions.numbers import add_numbers
    from bench.submissions.pictures import add_pictures

    with sentences():
        if file.suffix == ".json":
            submission, event = add_numbers(file, results)
            name, dataset = submission.method.name, submission.dataset
        else:
            card, event = add_pictures(file, results, root, runner.local(workers), progress)
            name, dataset = card.name, card.dataset
        typer.echo(
            f"{name}: {event.action}, {event.images} images of {dataset} {event.status}, protocol {event.protocol}"
        )


def withdraw(
    method: Annotated[str, typer.Argument(help="The submitted method's name.")],
    results: Results = Path("results"),
    dataset: Annotated[str | None, typer.Option(help="Only from this data set.")] = None,
) -> None:
    """Take a submission out of the table; its rows and its history are kept."""
    from bench.evaluation.store import Store, data_sets
    from bench.submissions.history import present
    from bench.submissions.history import withdraw as take_out
    from iph.errors import unknown

    with sentences():
        stores = [Store(results, name) for name in data_sets(results) if dataset in (None, name)]
        having = [store for store in stores if method in present(store)]
        if not having:
            raise unknown("submitted method", method, {name for store in stores for name in present(store)})
        for store in having:
            for event in take_out(store, method):
                typer.echo(f"{method}: withdrawn from {store.folder.name}, {event.images} images, {event.protocol}")
