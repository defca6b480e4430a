"""What is to be measured: a request as a person makes it, and the plan that it comes to before a picture is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.datasets.catalogue import CATALOGUE, open_dataset
from bench.datasets.manifest import Dataset
from bench.evaluation import entrants
from bench.evaluation.entrants import Entrant
from bench.evaluation.store import Store
from bench.methods.registry import Harmonize
from bench.metrics import PROTOCOLS
from iph.errors import InputError, unknown

SMALLEST = 16  # pixels a side


@dataclass(frozen=True)
class RunRequest:
    """One ``python -m bench run``, or one over Ray: what its options say.

    methods: names, groups, ``name=WEIGHTS`` and ``name=CODE.py``; "none" is no method. predictions: ``name=DIR``.
    functions: names and what was handed over in Python, for a run in this process.
    size: a side in pixels, "original", or None for the usual one. limit: only the first images; shard: ``i/n``.
    recompute: rows that are there are computed again. keep_pictures: outputs are kept beside the rows.
    """

    dataset: str
    out: Path = Path("results")
    root: Path | None = None
    methods: tuple[str, ...] = ("all",)
    predictions: tuple[str, ...] = ()
    functions: tuple[tuple[str, Harmonize], ...] = ()
    protocol: str = "strict"
    size: str | None = None
    limit: int | None = None
    shard: str | None = None
    recompute: bool = False
    keep_pictures: bool = False


@dataclass(frozen=True)
class RunPlan:
    """A request whose names were found.

    whole: the data set, whose hash marks the rows; chosen: the images of it that are measured. size: a square's side,
    None for each picture's own size.
    """

    request: RunRequest
    whole: Dataset
    chosen: Dataset
    entrants: tuple[Entrant, ...]
    size: int | None

    @property
    def store(self) -> Store:
        """Where the rows go."""
        return Store(self.request.out, self.whole.name)

    @property
    def missing(self) -> Mapping[str, str]:
        """Why an entrant cannot run here, by name."""
        return {entrant.name: entrant.missing for entrant in self.entrants if entrant.missing}


def plan(request: RunRequest) -> RunPlan:
    """Find what the ``request`` names. Raises InputError for a name, folder, size or shard that does not exist."""
    if request.protocol not in PROTOCOLS:
        raise unknown("protocol", request.protocol, PROTOCOLS)
    whole = open_dataset(request.dataset, request.root).of_split("test")
    chosen = part_of(whole, request.limit, request.shard)
    who = entrants.methods(name for name in request.methods if name != "none")
    who += [entrants.predictions(given, chosen, whole) for given in request.predictions]
    who += [entrants.function(name, harmonize) for name, harmonize in request.functions]
    if not who:
        raise InputError("expected at least one method or one --predictions name=DIR, got none")
    entrants.check_names(who)
    side = _side(request.size, usual_side(whole.name, request.protocol))
    spec = PROTOCOLS[request.protocol]
    if not spec.any_size and side != spec.size:
        its, asked = (f"{side} pixels" if side else "each picture's own size" for side in (spec.size, side))
        raise InputError(f"expected the protocol {spec.name} at {its}, which is part of it, but got {asked}")
    return RunPlan(request, whole, chosen, tuple(who), side)


def part_of(dataset: Dataset, limit: int | None = None, shard: str | None = None) -> Dataset:
    """The first ``limit`` images, then every n-th of them for shard ``i/n`` (1/n to n/n)."""
    entries = dataset.entries[:limit]
    if shard is not None:
        number, _, count = shard.partition("/")
        if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
            raise InputError(f"expected a shard as i/n with i from 1 to n, like 2/4, but got {shard!r}")
        entries = entries[int(number) - 1 :: int(count)]
    if not entries:
        raise InputError(f"expected at least one image, but the limit or shard leaves none of {len(dataset.entries)}")
    return Dataset(dataset.name, dataset.root, entries)


def usual_side(dataset: str, protocol: str) -> int | None:
    """Side in pixels at which ``dataset`` is measured where nobody asks for another; None for its own size."""
    spec = PROTOCOLS[protocol]
    if not spec.any_size:
        return spec.size
    return CATALOGUE[dataset].size if dataset in CATALOGUE else 256


def _side(size: str | None, usual: int | None) -> int | None:
    if size is None:
        return usual
    if size == "original":
        return None
    if not size.isdigit() or int(size) < SMALLEST:
        raise InputError(f"expected a size in pixels from {SMALLEST}, or 'original', but got {size!r}")
    return int(size)
