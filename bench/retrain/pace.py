"""How many samples a minute of one core is worth to each row: what makes ten minutes the same work on every day.

Processor time is no fair measure: on a machine that others use too, the same step took nearly twice as much of it from
one day to another. So a budget of minutes is turned into samples once for a queue, by steps of all rows in turn, and
kept in its ``pace.json``. Rows that come later are measured against the first of those that are there.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock

from bench.retrain.experiments import EXPERIMENTS
from bench.retrain.terms import Terms, rules_of
from iph.data.pack import PackedPhotos
from iph.files import read_json, write_json
from iph.training.loop import this_process
from iph.training.validate import objective_batch

ROUNDS = 5  # the median counts; one more before them warms up
STEPS = 3  # a round


def paces(rows: Sequence[str], photos: PackedPhotos, terms: Terms, out: Path) -> dict[str, float]:
    """Samples a minute of each row, or of the row that paces it: as ``out/pace.json`` has them; those it lacks are
    measured and added."""
    path = out / "pace.json"
    paced = {row: EXPERIMENTS[row].paced or row for row in rows}
    with FileLock(out / ".pace"):
        known = read_json(path) if path.is_file() else {}
        new = [row for row in dict.fromkeys(paced.values()) if row not in known]
        if new:
            ruler = list(known)[:1]
            found = _measured([*ruler, *new], photos, terms)
            scale = known[ruler[0]] / found[ruler[0]] if ruler else 1.0
            known |= {row: round(scale * found[row], 1) for row in new}
            write_json(path, known)
    return {row: known[by] for row, by in paced.items()}


def _measured(rows: Sequence[str], photos: PackedPhotos, terms: Terms) -> dict[str, float]:
    """Samples a minute: of processor time, or of time where there is an accelerator."""
    accelerated = torch.accelerator.is_available()
    clock = time.monotonic if accelerated else time.process_time
    steps = {row: _step(row, photos, terms) for row in rows}
    seconds: dict[str, list[float]] = {row: [] for row in rows}
    for _ in range(ROUNDS + 1):
        for row, step in steps.items():
            began = clock()
            for _ in range(STEPS):
                step()
            if accelerated:
                torch.accelerator.synchronize()
            seconds[row].append(clock() - began)
    return {row: 60 * STEPS * terms.batch / float(np.median(values[1:])) for row, values in seconds.items()}


def _step(row: str, photos: PackedPhotos, terms: Terms) -> Callable[[], None]:
    """A training step of the row, on the same batch each time."""
    experiment, device = EXPERIMENTS[row], this_process().device
    batch = objective_batch(photos, rules_of(experiment, terms), terms.batch)
    batch = {name: value.to(device) for name, value in batch.items()}
    network = experiment.network(terms.size).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=terms.rate)

    def step() -> None:
        experiment.objective(network, batch, experiment.weights)[0].backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step
