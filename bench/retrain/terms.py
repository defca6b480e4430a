"""What all jobs of a queue share: photos, size, batch and rate, kept beside them so that nothing else is mixed in."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.evaluation.store import make_folder
from bench.retrain.experiments import Experiment
from iph.data.samples import SampleRules
from iph.errors import InputError
from iph.files import read_json, write_json
from iph.training.stages import SMALL_RATES, stage


@dataclass(frozen=True)
class Terms:
    """What all jobs of a folder share, and what decides a result beside row and seed."""

    photos: str
    size: int = 64
    batch: int = 48
    rate: float = SMALL_RATES[2]
    losses: str = "eqs. 1 to 6, on pairs of instances"  # jobs of other terms, made before there was this field, differ


def open_queue(out: Path, terms: Terms) -> None:
    """The folder of one queue, made where there is none. InputError where its jobs are of other terms."""
    make_folder(out)
    path, wanted = out / "terms.json", asdict(terms)
    known = read_json(path) if path.is_file() else wanted
    if known != wanted:
        raise InputError(f"expected the terms of the jobs in {out}, {known}, but got {wanted}; take another folder")
    write_json(path, wanted)


def rules_of(experiment: Experiment, terms: Terms) -> SampleRules:
    """What is drawn for a row: nothing unpaired, because the baselines' losses need the truth."""
    return replace(stage(experiment.stage, "small", terms.size).rules, unpaired=0.0, **experiment.rules)
