"""``python -m bench``: data sets, runs, tables, weights, speed, export."""

import typer

from bench.commands.data import build_open, datasets
from bench.commands.evaluate import evaluate
from bench.commands.methods import speed, weights
from bench.commands.results import export, table
from bench.commands.retrain import retrain
from bench.commands.run import run
from bench.commands.site import site
from bench.commands.submissions import add, withdraw

app = typer.Typer(
    help="Measure harmonization methods: `run` evaluates, `table` prints, `datasets` and `weights` say what is here.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (datasets, build_open, evaluate, run, table, weights, speed, export, site, add, withdraw, retrain):
    app.command()(verb)


def main() -> None:
    """Entry of ``python -m bench``."""
    app(prog_name="python -m bench")
