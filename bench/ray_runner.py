"""The same run on many machines through Ray (an optional extra): ``python -m bench.ray_runner --dataset …``.

Every task is ``evaluate``, as on one machine, and rows are written by this process only, so that they are the same and
none is there twice. A task whose node dies is done by another one. The data set, the code and the folder in which the
command is given must lie at the same paths on every node, which is looked at first. ``--address`` joins a running
cluster, on one of its nodes.
"""

import os
import socket
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer

from bench.commands.run import METHODS_HELP, measure
from bench.commands.terminal import names, sentences
from bench.datasets.manifest import Entry
from bench.evaluation.entrants import Entrant
from bench.evaluation.evaluate import SINGLE_THREAD, Outcome, RunContext, evaluate, prepare_process
from bench.evaluation.request import RunRequest
from bench.evaluation.runner import Execute, Task, code_version
from iph.errors import InputError

ANSWER = 10  # seconds
TRIES_AGAIN = 2  # of a task whose process or node died


def on_ray(address: str | None) -> Execute:
    """Run on the cluster at ``address``, or on one that is started here.

    The run raises InputError where no cluster answers, where a node lacks the data set or the code, and where a task
    fails however often it is tried.
    """
    try:
        import ray
        from ray.exceptions import RayError
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as OnNode
    except ImportError:
        raise InputError("expected Ray to be installed, but it is not: pip install ray==2.56.0") from None

    def execute(context: RunContext, tasks: Iterable[Task]) -> Iterator[Outcome]:
        env = SINGLE_THREAD | {name: os.environ[name] for name in ("IPH_WEIGHTS",) if name in os.environ}
        quiet = {"include_dashboard": False, "log_to_driver": False, "configure_logging": False}
        coming, folder = iter(tasks), os.getcwd()
        if (first := next(coming, None)) is None:
            return
        if address is not None:
            _require_answer(address)
        try:
            ray.init(address, runtime_env={"env_vars": env}, **quiet)
            _require_everywhere(ray, OnNode, folder, first[0], context.code)
            remote = ray.remote(num_cpus=1, max_retries=TRIES_AGAIN)(_evaluate)
            coming, waiting = chain([first], coming), []
            while True:
                free = int(ray.cluster_resources().get("CPU", 1)) - len(waiting)  # nodes come and go meanwhile
                waiting += [remote.remote(folder, context, *task) for task in islice(coming, max(free, 0))]
                if not waiting:
                    return
                ready, waiting = ray.wait(waiting)
                yield from ray.get(ready)
        except ConnectionError as error:
            raise InputError(
                f"expected to be on a node of the Ray cluster at {address}, but: {_last_line(error)}"
            ) from None
        except RayError as error:
            raise InputError(
                f"expected an answer of the Ray cluster, but: {_last_line(error)}; all finished rows are kept, and the "
                "same command goes on"
            ) from None
        finally:
            ray.shutdown()

    return execute


def _require_answer(address: str) -> None:
    """Raises InputError where nobody listens: Ray itself would try for many minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()
    except (OSError, ValueError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise InputError(f"expected a Ray cluster at HOST:PORT, but got {address!r}: {said}") from None


def _require_everywhere(ray, on_node, folder: str, entry: Entry, code: str) -> None:
    """Raises InputError with the first node that lacks what every node needs."""
    look = ray.remote(num_cpus=0)(_lacks)
    alive = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    placed = [look.options(scheduling_strategy=on_node(node, soft=False)) for node in alive]
    for lack in ray.get([one.remote(folder, entry, code) for one in placed]):
        if lack:
            raise InputError(
                f"expected the data set and the code on every node at the paths that they have here, but {lack}; copy "
                "them there, or put them on a path that all nodes share"
            )


def _lacks(folder: str, entry: Entry, code: str) -> str:
    """What the node that this runs on lacks, "" for nothing."""
    from ray.util import get_node_ip_address

    name = f"the node {socket.gethostname()} ({get_node_ip_address()})"
    if not os.path.isdir(folder):
        return f"{name} has no folder {folder}"
    os.chdir(folder)
    absent = next((path for path in entry.files().values() if not path.is_file()), None)
    if absent is not None:
        return f"{name} has no {absent}"
    return "" if code_version() == code else f"{name} has other code"


def _evaluate(folder: str, context: RunContext, entry: Entry, entrants: tuple[Entrant, ...]) -> Outcome:
    os.chdir(folder)  # of the command: its paths may begin there
    prepare_process()
    return evaluate(context, entry, entrants)


def _last_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1][:200]


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
        request = RunRequest(dataset, out, root, names(methods), protocol=protocol, size=size)
        measure(request, on_ray(address))


if __name__ == "__main__":
    typer.run(main)
