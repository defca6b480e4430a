"""One's own result as one JSON file: what the method is and its numbers for every image, checked before they count.

``python -m bench export --submission METHOD`` writes such a file from measured rows, ``python -m bench add`` takes it
in. The form is ``Submission``; ``bench/README.md`` shows an example. Such rows are *submitted*: shown beside the
measured ones, without a rank, until ``python -m bench add`` measures the method's pictures (``pictures.py``).
"""

import math
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bench.evaluation.entrants import FEW
from bench.evaluation.store import KEY, SUBMITTED, Store, frame_of
from bench.methods import METHODS
from bench.methods.method_card import MethodCard, NamedCard, fault
from bench.metrics import METRICS, PROTOCOLS
from bench.report.boards import Board
from bench.report.plausibility import contradiction
from bench.submissions.history import Event, take_in
from iph.errors import InputError
from iph.files import write_json

NEEDED = [name for name, metric in METRICS.items() if metric.weights is None]
SHARED = ["photo", "subset", "width", "height", "foreground_share", "composite_fmse"]


class Score(BaseModel):
    """One image: its id, every metric, and what it cost where that was measured."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=True)
    id: str
    seconds: float | None = None
    peak_mb: float | None = None


class Submission(BaseModel):
    """A whole file."""

    model_config = ConfigDict(extra="forbid")
    method: NamedCard
    dataset: str = Field(pattern=r"^[^./\\:\x00-\x1f][^/\\:\x00-\x1f]*$", max_length=200)
    dataset_hash: str
    protocol: str
    size: str
    weights_hash: str = ""
    computed: AwareDatetime
    rows: list[Score]


def write_submission(board: Board, method: str, path: Path) -> None:
    """The measured rows of one method as a file that ``add`` takes. InputError where ``add`` would refuse its facts."""
    rows = board.rows[board.rows["method"] == method]
    if rows.empty:
        raise InputError(f"expected measured rows of {method!r} on {board.dataset}, found none")
    about = {
        key: value for key, value in board.about(method).items() if key in MethodCard.model_fields and value is not None
    }
    try:
        NamedCard.model_validate({"name": method} | about)
    except ValidationError as error:
        raise InputError(
            f"expected the facts of {method!r} to be known before its result is written (bench/README.md, A method of "
            f"your own), but {fault(error)}"
        ) from None
    metrics = [name for name in METRICS if rows[name].notna().all()]
    content = {
        "method": {"name": method} | about,
        "dataset": board.dataset,
        "dataset_hash": rows["dataset_hash"].iloc[0],
        "protocol": board.protocol,
        "size": board.size,
        "weights_hash": rows["weights_hash"].iloc[0],
        "computed": rows["computed"].max(),
        "rows": rows[["id", "seconds", "peak_mb", *metrics]].to_dict("records"),
    }
    write_json(path, content)


def read_submission(path: Path) -> Submission:
    """The file, checked for form. Raises InputError that names the first field that is wrong."""
    try:
        return Submission.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"expected a result file at {path}, but: {error.strerror or error}") from None
    except (ValidationError, UnicodeDecodeError) as error:
        wrong = fault(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"expected a result file like the one in bench/README.md, but {path}: {wrong}") from None


def add_numbers(path: Path, results: Path) -> tuple[Submission, Event]:
    """Take a result file into ``results``; the data set must have been measured there, so that its images are known.

    Its rows bear the time at which they were taken in, so that a correction wins over what it corrects.
    """
    submission = read_submission(path)
    store = Store(results, submission.dataset)
    if not store.folder.resolve().is_relative_to(results.resolve()):
        raise InputError(f"expected a data set of {results} in {path}, but {submission.dataset!r} is a link elsewhere")
    rows = store.merge()
    same = rows[
        (rows["dataset_hash"] == submission.dataset_hash)
        & (rows["protocol"] == submission.protocol)
        & (rows["size"] == submission.size)
        & (rows["method"] != submission.method.name)
    ]
    known = same.drop_duplicates("id").set_index("id")
    _check(submission, path, rows, known, store)
    shared = known[SHARED].to_dict("index")
    common = {key: getattr(submission, key) for key in KEY if key not in ("id", "method")}
    common |= {
        "dataset": submission.dataset,
        "method": submission.method.name,
        "weights_hash": submission.weights_hash,
        "code": SUBMITTED,
        "computed": _utc(datetime.now(UTC)),
    }
    about = submission.method.facts() | {"missing": None}
    about |= {"weights_hash": submission.weights_hash, "computed": _utc(submission.computed)}
    event = take_in(store, frame_of(common | shared[row.id] | _numbers(row) for row in submission.rows), about)
    return submission, event


def _check(submission: Submission, path: Path, rows: pd.DataFrame, known: pd.DataFrame, store: Store) -> None:
    if submission.protocol not in PROTOCOLS:
        raise InputError(f"expected a protocol out of {', '.join(PROTOCOLS)} in {path}, got {submission.protocol!r}")
    here = rows["code"] != SUBMITTED
    if submission.method.name in METHODS or (rows.loc[here, "method"] == submission.method.name).any():
        raise InputError(f"expected a new method name in {path}, but {submission.method.name!r} is measured here")
    if known.empty:
        versions = ", ".join(sorted(rows["dataset_hash"].unique())) or "nothing"
        raise InputError(
            f"expected {submission.dataset} {submission.dataset_hash} under {submission.protocol} at {submission.size} "
            f"to be measured in {store.folder.parent} first, but it holds {versions}"
        )
    ids = [row.id for row in submission.rows]
    if len(set(ids)) < len(ids):
        raise InputError(f"expected every image once in {path}, but some are there twice")
    if wrong := sorted(set(known.index) ^ set(ids)):
        raise InputError(
            f"expected the {len(known)} images of {submission.dataset} in {path}, but {len(wrong)} are missing or "
            f"unknown: {', '.join(wrong[:FEW])}"
        )
    for row in submission.rows:
        _check_row(submission, path, row, known.at[row.id, "foreground_share"])


def _check_row(submission: Submission, path: Path, row: Score, share: float) -> None:
    numbers = _numbers(row)
    if missing := [
        name for name in METRICS if (name in NEEDED or name in numbers) and not _is_number(numbers.get(name))
    ]:
        raise InputError(f"expected a number for {', '.join(missing)} of {row.id} in {path}, found none")
    if unknown_ := sorted(set(numbers) - set(METRICS) - {"id", "seconds", "peak_mb"}):
        raise InputError(f"expected metrics of this benchmark for {row.id} in {path}, but got {', '.join(unknown_)}")
    for cost in ("seconds", "peak_mb"):  # NaN where it was not measured
        if not math.isnan(spent := numbers.get(cost, 0)) and not 0 <= spent < math.inf:
            raise InputError(f"expected {cost} of {row.id} in {path} to be 0 or more, but got {spent:g}")
    if wrong := contradiction(numbers, PROTOCOLS[submission.protocol], share):
        raise InputError(f"expected numbers that can be true at once for {row.id} in {path}, but: {wrong}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _utc(time: datetime) -> str:
    """As rows have it, so that text sorts by time."""
    return time.astimezone(UTC).isoformat(timespec="seconds")


def _numbers(row: Score) -> dict:
    return {key: value for key, value in row.model_dump().items() if value is not None}
