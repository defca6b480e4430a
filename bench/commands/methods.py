"""``bench weights`` and ``bench speed``: what the methods need and what they cost."""

from typing import Annotated

import typer

from bench.commands.terminal import Format, names, progress, sentences


def weights() -> None:
    """Which weights are here, where the others are offered, and where they have to lie; exits 1 if one is damaged."""
    from bench.methods import METHODS
    from bench.metrics import METRICS
    from bench.report.render import gathered

    found = {name: method.availability() for name, method in METHODS.items() if method.weights is not None}
    found |= {f"{name}, a metric": metric.availability() for name, metric in METRICS.items() if metric.weights}
    typer.echo("\n".join(gathered(found)))
    if any(sentence.startswith("weights damaged") for sentence in found.values()):
        raise typer.Exit(1)


def speed(
    methods: Annotated[list[str], typer.Option(help="Names or groups, with commas or repeated.")] = ["all"],  # noqa: B006
    format: Format = "text",
) -> None:
    """Parameters, MACs and milliseconds a picture at 256², 1 and 8 megapixels."""
    from bench.methods import resolve
    from bench.report.render import render
    from bench.speed import measure, table

    with sentences():
        chosen = resolve(names(methods))
        typer.echo(render(table(progress(measure(chosen), len(chosen))), format))
