"""What the dashboard's tests look at: a real run on pictures of the sample, and a study of its results."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.evaluation.evaluate import Outcome, RunContext, evaluate
from bench.evaluation.request import RunRequest, plan
from bench.evaluation.runner import Task, run
from userstudy.design.study_file import load_study
from userstudy.votes.sessions import Sessions
from userstudy.votes.simulate import Taste, simulate
from userstudy.votes.store import Store as VoteStore

IMAGES = 6
METHODS = ("composite", "reinhard-background", "reinhard-reference", "luminance-reference")
STUDY = """\
name = "board"
title = "Which picture looks more natural?"
consent = "You will compare pictures."

[pictures]
folder = "{pictures}"
methods = {methods}

[pairs]
per_rater = 15
repeats = 2
attention = 1
with_composite = true

[ranking]
per_rater = 4
ranks = 3

[raters]
number = 40
min_seconds = 0
"""
TASTE = Taste(
    {"composite": 0.0, "reinhard-background": -0.4, "reinhard-reference": 0.1, "luminance-reference": 0.6}
    | {"iph": 0.5, "iph-pp": 0.6, "poisson": -0.1},
    tie_width=0.1,
)


def measure(results: Path) -> Path:
    """Rows and pictures of METHODS on IMAGES pictures of the sample, in ``results``."""
    request = RunRequest("sample", results, methods=METHODS, limit=IMAGES, keep_pictures=True)
    run(plan(request), _serial)
    return results


def ask(folder: Path, results: Path, raters: int = 16, judged: Sequence[str] = METHODS[1:]) -> Path:
    """A study of the pictures in ``results`` with simulated raters; returns the study file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "board.toml"
    pictures = results / "sample" / "pictures"
    path.write_text(STUDY.format(pictures=pictures, methods=json.dumps(judged)), encoding="utf-8")
    study = load_study(path)
    store = VoteStore(study.database_url)
    simulate(Sessions(store, study), TASTE, raters)
    store.close()
    return path


def _serial(context: RunContext, tasks: Sequence[Task]) -> Iterator[Outcome]:
    for entry, entrants in tasks:
        yield evaluate(context, entry, entrants)
