"""The tables of retrained rows: means over seeds with Student's interval (95 %), from what each job recorded."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t

from bench.evaluation.store import Store
from bench.report.boards import PERFECT_DB
from bench.report.render import Table
from bench.retrain.experiments import EXPERIMENTS
from bench.retrain.queue import TrainingJob
from bench.weights import sha256

LEVEL = 0.95
PEAK = 255.0**2
COLUMNS = {  # title → digits
    "PSNR ↑": 2,
    "PSNR, own background ↑": 2,
    "SSIM, own background ↑": 4,
    "fMSE ↓": 0,
    "fMSE / composite's ↓": 3,
    "fΔE00 ↓": 2,
}
TRAINED = ["retrained", "seeds", "parameters", "images seen", "held-out fMSE / composite's ↓"]
NOTES = [
    "± is half of Student's 95 % interval over seeds; where nothing stands, there is one seed",
    "held-out: photos of the training split that were not trained on, at the training size",
]


def record_measured(results: Path, dataset: str, size: str, jobs: Sequence[TrainingJob]) -> None:
    """Write the means of each job's rows of ``dataset`` in ``results`` into its facts; the composite is one of them.

    Rows are those of the last run's data under ``strict`` at ``size``, as a row has it. A method's name may hold the
    file's and its folder's; the weights' hash tells the seeds apart.
    """
    store = Store(results, dataset)
    frame, meta = store.read(), store.read_meta()
    title = meta.get("title", dataset)
    current = frame["dataset_hash"] == meta["dataset_hash"]
    frame = frame[current & (frame["protocol"] == "strict") & (frame["size"] == size)]
    for job in jobs:
        rows = frame[frame["method"] == "composite"]
        if job.row != "composite":
            rows = frame[frame["method"].str.startswith(f"{job.row}=")]
            rows = rows[rows["weights_hash"] == sha256(job.weights)[:16]]
        if rows.empty:
            continue
        facts = job.facts() or {"sets": {}}
        facts["sets"][dataset] = {
            "title": title,
            "data": rows["dataset_hash"].iloc[0],
            "images": rows["id"].nunique(),
            "photos": rows["photo"].nunique(),
            "means": _measures(rows),
        }
        job.record(facts)


def measured(dataset: str, composite: TrainingJob, jobs: Sequence[TrainingJob]) -> Table:
    """One row an experiment, from those of its seeds that were measured on ``dataset``; the composite on top."""
    own = composite.facts()["sets"][dataset]
    rows = [["Direct composite", "", "", "", "", *_cells([own["means"]])]]
    minutes = set()
    for title, facts in _by_experiment(jobs):
        facts = [fact for fact in facts if fact["sets"].get(dataset, {}).get("data") == own["data"]]
        if facts:
            minutes |= {f"{fact['minutes']:g}" for fact in facts}
            rows.append([*_trained(title, facts), *_cells([fact["sets"][dataset]["means"] for fact in facts])])
    return Table(
        f"{own['title']}: {own['images']} images of {own['photos']} photos, data {own['data']}, "
        f"{' and '.join(sorted(minutes))} minutes of training a job",
        [*TRAINED, *COLUMNS],
        rows,
        [
            *NOTES,
            "PSNR: the answer inside the foreground, the composite around it; own background: the frame as the method "
            "gives it (DoveNet and BargainNet repaint all of it)",
        ],
    )


def held_out(jobs: Sequence[TrainingJob]) -> Table:
    """One row an experiment: its error on held-out photos, and what a wrong reference does to it."""
    rows = [
        [*_trained(title, facts), _spread([fact["held_out"]["wrong reference"] for fact in facts], 3)]
        for title, facts in _by_experiment(jobs)
    ]
    return Table("Held-out photos", [*TRAINED, "with a wrong reference ↓"], rows, NOTES)


def _by_experiment(jobs: Sequence[TrainingJob]) -> list[tuple[str, list[dict]]]:
    """The title of each experiment of which some job is finished, and the facts of these jobs."""
    found = [
        (experiment.title, [facts for job in jobs if job.row == name and (facts := job.facts())])
        for name, experiment in EXPERIMENTS.items()
    ]
    return [(title, facts) for title, facts in found if facts]


def _trained(title: str, facts: Sequence[dict]) -> list[str]:
    """The cells of ``TRAINED``."""
    return [
        title,
        str(len(facts)),
        f"{facts[0]['parameters'] / 1e6:.2f} M",
        f"{np.mean([fact['images'] for fact in facts]) / 1000:.1f} k",
        _spread([fact["held_out"]["ratio"] for fact in facts], 3),
    ]


def _measures(rows: pd.DataFrame) -> dict[str, float]:
    """Means over images. Around the foreground a composite is its target, so that MSE is fMSE times the share."""
    inside = 10 * np.log10(PEAK / (rows["fmse"] * rows["foreground_share"]))
    values = [
        inside.clip(upper=PERFECT_DB),
        rows["psnr"].clip(upper=PERFECT_DB),
        rows["ssim"],
        rows["fmse"],
        rows["fmse"],
        rows["fdelta_e00"],
    ]
    means = dict(zip(COLUMNS, (float(value.mean()) for value in values), strict=True))
    return means | {"fMSE / composite's ↓": float(rows["fmse"].mean() / rows["composite_fmse"].mean())}


def _cells(seeds: Sequence[dict[str, float]]) -> list[str]:
    return [_spread([seed[name] for seed in seeds], digits) for name, digits in COLUMNS.items()]


def _spread(values: Sequence[float], digits: int) -> str:
    """Mean ± half the interval over seeds; the mean alone for one seed."""
    mean = f"{np.mean(values):.{digits}f}"
    if len(values) == 1:
        return mean
    half = t.ppf((1 + LEVEL) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{mean} ± {half:.{digits}f}"
