"""The table of retrained rows: means over seeds with Student's interval (95 %), from the benchmark's own rows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t

from bench.render import Table
from bench.report import PERFECT_DB
from bench.retrain.queue import Job
from bench.retrain.recipes import RECIPES
from bench.store import Store
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


def summary(results: Path, dataset: str, jobs: Sequence[Job]) -> Table:
    """One row a recipe, from those of its seeds that are finished and measured; the composite on top."""
    store = Store(results, dataset)
    frame = store.read()
    rows = [["Direct composite", "", "", "", "", *_cells([_measures(frame[frame["method"] == "composite"])])]]
    photos = frame["photo"].nunique()
    for name, recipe in RECIPES.items():
        measured = [(job.facts(), found) for job in jobs if job.row == name and (found := _of(frame, job)) is not None]
        if not measured:
            continue
        facts = pd.DataFrame([fact for fact, _ in measured])
        rows.append(
            [
                recipe.title,
                str(len(measured)),
                f"{facts['parameters'].iloc[0] / 1e6:.2f} M",
                f"{facts['images'].mean() / 1000:.1f} k",
                _spread(facts["ratio"].to_numpy(), 3),
                *_cells([found for _, found in measured]),
            ]
        )
    minutes = sorted({f"{facts['minutes']:g}" for job in jobs if (facts := job.facts())})
    return Table(
        f"{store.read_meta().get('title', dataset)}: {frame['id'].nunique()} images of {photos} photos, "
        f"data {frame['dataset_hash'].iloc[0]}, {' and '.join(minutes)} minutes of training a job",
        ["retrained", "seeds", "parameters", "images seen", "held-out fMSE / composite's ↓", *COLUMNS],
        rows,
        [
            "± is half of Student's 95 % interval over seeds; where nothing stands, there is one seed",
            "PSNR: the answer inside the foreground, the composite around it; own background: the frame as the method "
            "gives it (DoveNet and BargainNet repaint all of it)",
            "held-out: photos of the training split that were not trained on, at the training size",
        ],
    )


def _of(frame: pd.DataFrame, job: Job) -> dict[str, float] | None:
    """The means of a job's rows, None where its present weights were not measured."""
    if not job.weights.is_file():
        return None
    own = frame[frame["method"] == f"{job.row}={job.weights.name}"]
    own = own[own["weights_hash"] == sha256(job.weights)[:16]]
    return None if own.empty else _measures(own)


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
    return [_spread(np.array([seed[name] for seed in seeds]), digits) for name, digits in COLUMNS.items()]


def _spread(values: np.ndarray, digits: int) -> str:
    """Mean ± half the interval over seeds; the mean alone for one seed."""
    mean = f"{values.mean():.{digits}f}"
    if len(values) == 1:
        return mean
    half = t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{mean} ± {half:.{digits}f}"
