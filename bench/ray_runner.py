"""The same run on many machines through Ray (an optional extra): ``python -m bench.ray_runner --dataset …``.

Every task is ``evaluate``, as on one machine, and rows are written by this process only, so that they are the same. The
data set and the code must lie at the same paths on every machine. ``--address`` joins a running cluster.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.commands.run import METHODS_HELP, measure
from bench.commands.terminal import names, sentences
from bench.evaluation.evaluate import SINGLE_THREAD, Outcome, RunContext, evaluate, prepare_process
from bench.evaluation.request import RunRequest
from bench.evaluation.runner import Execute, Task
from iph.errors import InputError


def on_ray(address: str | None) -> Execute:
    """Run on the cluster at ``address``, or on one that is started here."""
    try:
        import ray
    except ImportError:
        raise InputError("expected Ray to be installed, but it is not: pip install ray==2.56.0") from None

    def execute(context: RunContext, tasks: Sequence[Task]) -> Iterator[Outcome]:
        threads = {"env_vars": SINGLE_THREAD}
        ray.init(address, include_dashboard=False, log_to_driver=False, configure_logging=False, runtime_env=threads)
        try:
            remote = ray.remote(num_cpus=1, max_retries=2)(_evaluate)
            waiting = [remote.remote(context, entry, entrants) for entry, entrants in tasks]
            while waiting:
                ready, waiting = ray.wait(waiting)
                yield from ray.get(ready)
        finally:
            ray.shutdown()

    return execute


def _evaluate(context: RunContext, entry, entrants) -> Outcome:
    prepare_process()
    return evaluate(context, entry, entrants)


def main(
    dataset: Annotated[str, typer.Option(help="A name of `python -m bench datasets`, or a folder.")],
    root: Annotated[Path | None, typer.Option(help="Folder of the named data set.")] = None,
    methods: Annotated[list[str], typer.Option(help=METHODS_HELP)] = ["all"],  # noqa: B006
    out: Annotated[Path, typer.Option(help="Results folder.")] = Path("results"),
    protocol: Annotated[str, typer.Option(help="Scoring protocol.")] = "strict",
    size: Annotated[str | None, typer.Option(help="Side in pixels, or 'original'.")] = None,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster; without it one starts here.")] = None,
) -> None:
    """Measure methods on a data set over a Ray cluster; rows are those of `python -m bench run`."""
    with sentences():
        measure(RunRequest(dataset, out, root, names(methods), (), protocol, size), on_ray(address))


if __name__ == "__main__":
    typer.run(main)
