"""What became of every submission: ``<results>/<dataset>/history.jsonl``, one line a change, nothing ever removed.

Rows that a change takes out of the table lie in ``history/`` beside it, so that any change can be looked up and undone.
"""

import json
from datetime import UTC, datetime
from typing import Literal

import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from bench.evaluation.store import SUBMITTED, Store
from bench.metrics import METRICS
from bench.report.boards import finite
from iph.errors import InputError, unknown
from iph.files import replacing

Action = Literal["added", "repeated", "replaced", "withdrawn"]


class Event(BaseModel):
    """One change. ``status``: measured here from pictures, or submitted as numbers. means: of every metric."""

    model_config = ConfigDict(extra="ignore")
    time: AwareDatetime
    action: Action
    method: str
    status: Literal["measured", "submitted"]
    protocol: str
    size: str
    dataset_hash: str
    weights_hash: str
    images: int
    means: dict[str, float]


def events(store: Store) -> list[Event]:
    """Every change of a data set's submissions, the oldest first. Raises InputError where the file is damaged."""
    path = store.folder / "history.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(Event.model_validate_json(line))
        except ValidationError:
            raise InputError(f"expected a submission's change in line {number} of {path}, but it is damaged") from None
    return found


def present(store: Store) -> set[str]:
    """Names of the methods that were submitted and not withdrawn."""
    last = {event.method: event.action for event in events(store)}
    return {method for method, action in last.items() if action != "withdrawn"}


def take_in(store: Store, rows: pd.DataFrame, about: dict) -> Event:
    """Put the rows of one method under one protocol into the table, in place of those that it has there.

    ``about`` is what ``meta.json`` says of it. The rows that go are kept.
    """
    first = rows.iloc[0]
    before = store.read()
    same = before["method"] == first["method"]
    for column in ("dataset_hash", "protocol", "size"):
        same &= before[column] == first[column]
    old = before[same]
    event = _event("added" if old.empty else "repeated" if _alike(old, rows) else "replaced", rows)
    _archive(store, event, old)
    store.replace(old, rows)
    meta = store.read_meta()
    store.write_meta(meta | {"methods": meta.get("methods", {}) | {first["method"]: about}})
    _write(store, event)
    return event


def withdraw(store: Store, method: str) -> list[Event]:
    """Take a submission out of the table; its rows and its history stay. Raises InputError where there is none."""
    if method not in (known := present(store)):
        raise (
            unknown("method that was submitted", method, known)
            if known
            else InputError(
                f"expected a method that was submitted to {store.folder.name}, but none was, so not {method!r}"
            )
        )
    rows = store.read()
    mine = rows[rows["method"] == method]
    found = [_event("withdrawn", group) for _, group in mine.groupby(["dataset_hash", "protocol", "size"])]
    for event in found:
        _archive(store, event, mine)
    store.replace(mine, mine.iloc[:0])
    meta = store.read_meta()
    meta["methods"] = {name: about for name, about in meta.get("methods", {}).items() if name != method}
    store.write_meta(meta)
    for event in found:
        _write(store, event)
    return found


def _alike(old: pd.DataFrame, new: pd.DataFrame) -> bool:
    """Whether the same pictures, or pictures that nobody tells the hash of, came to the same numbers."""
    columns = ["weights_hash", *METRICS]
    return old.set_index("id")[columns].sort_index().equals(new.set_index("id")[columns].sort_index())


def _event(action: Action, rows: pd.DataFrame) -> Event:
    first = rows.iloc[0]
    metrics = [name for name in METRICS if rows[name].notna().all()]
    return Event(
        time=datetime.now(UTC),
        action=action,
        method=first["method"],
        status="submitted" if first["code"] == SUBMITTED else "measured",
        images=len(rows),
        means=finite(rows[metrics]).mean().to_dict(),
        **{name: first[name] for name in ("protocol", "size", "dataset_hash", "weights_hash")},
    )


def _archive(store: Store, event: Event, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    folder = store.folder / "history"
    folder.mkdir(exist_ok=True)
    with replacing(folder / f"{event.time:%Y%m%dT%H%M%S.%f}-{event.method}.parquet") as temporary:
        rows.to_parquet(temporary, index=False)


def _write(store: Store, event: Event) -> None:
    path = store.folder / "history.jsonl"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    with replacing(path) as temporary:
        temporary.write_text(before + json.dumps(event.model_dump(mode="json"), ensure_ascii=False) + "\n", "utf-8")
