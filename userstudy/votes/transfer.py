"""Raw votes in and out: CSV, JSONL and Parquet, each with a hash of its content.

A raw row is one revision of one answer with everything that was on screen, so a file is enough to score a study again
or to restore it. The hash is of the content, not of the file: the three forms of the same votes have the same hash. It
is written to ``<file>.json`` beside the file and checked when the file is read.
"""

import hashlib
import json
from pathlib import Path

import pandas as pd

from userstudy.errors import InputError, nearest
from userstudy.scores.counts import CHOICES, KINDS
from userstudy.votes.csv_cells import neutral_frame, original_frame
from userstudy.votes.foreign_formats import empty, from_arena, from_pwcmp
from userstudy.votes.reading import RANKING_COLUMNS, VOTE_COLUMNS, raw_votes
from userstudy.votes.store import Store, StudyRow, now

RAW_COLUMNS = [
    *("rater", "origin", "simulated", "excluded", "trial", "revision", "task", "kind", "item", "left", "right"),
    *("shown", "choice", "ranks", "expected", "seconds", "timestamp", "request_id"),
]
NUMBERS = ("trial", "revision", "simulated", "seconds")
FOREIGN_TEXTS = (  # of the other systems' tables: no name becomes a number because it looks like one
    *("observer", "scene", "group", "condition_A", "condition_B", "model_a", "model_b"),
    *("question_id", "id", "conversation_id", "judge", "user_id", "ip"),
)
FORMS = ("csv", "jsonl", "parquet", "arena", "pwcmp")
KEY = ["rater", "trial", "revision"]


def export_votes(store: Store, study: StudyRow, path: Path) -> dict:
    """Writes every vote of a study to ``path``, counts and hash beside it; returns both. Errors: ``write_frame``'s."""
    frame = raw_form(raw_votes(store, study))
    write_frame(frame, path)
    about = {
        "study": study.name,
        "rows": len(frame),
        "raters": int(frame["rater"].nunique()),
        "simulated_rows": int(frame["simulated"].sum()),
        "sha256": votes_hash(frame),
        "exported": now(),
    }
    _replace(path.with_name(path.name + ".json"), (json.dumps(about, indent=1) + "\n").encode())
    return about


def raw_form(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of the file, in order, with plain values: lists and mappings as JSON text, times as ISO text."""
    frame = frame.copy()
    shown = frame["shown"].map(json.loads)
    pair = frame["task"] == "pair"
    frame["left"] = shown.map(lambda methods: methods[0]).where(pair)
    frame["right"] = shown.map(lambda methods: methods[1]).where(pair)
    frame["shown"] = shown.map(_json)
    frame["ranks"] = frame["ranks"].map(lambda text: None if text is None or pd.isna(text) else _json(json.loads(text)))
    times = pd.to_datetime(frame["timestamp"], utc=True, format="ISO8601").dt.round("us")
    frame["timestamp"] = times.map(lambda time: None if pd.isna(time) else time.isoformat(timespec="microseconds"))
    frame = frame.astype({"trial": int, "revision": int, "simulated": bool, "seconds": float})
    texts = [name for name in RAW_COLUMNS if name not in NUMBERS]
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), None)
    return frame.sort_values(KEY)[RAW_COLUMNS].reset_index(drop=True)


def votes_hash(frame: pd.DataFrame) -> str:
    """SHA-256 over the rows in raw form, one JSON line each, ordered by rater, trial and revision."""
    digest = hashlib.sha256()
    for row in frame.sort_values(KEY)[RAW_COLUMNS].itertuples(index=False, name=None):
        digest.update((_json([None if _missing(value) else value for value in row]) + "\n").encode())
    return digest.hexdigest()


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Writes rows in raw form as .csv, .jsonl or .parquet. Raises InputError for other endings and where it cannot."""
    form = path.suffix.removeprefix(".").lower()
    if form not in FORMS[:3]:
        raise InputError(f"expected a file name ending in .csv, .jsonl or .parquet, got {path.name!r}")
    if form == "parquet":
        data = frame.to_parquet(index=False)
    elif form == "csv":
        # repr: numpy's text of a number follows its print options, which any imported package may have shortened.
        seconds = frame["seconds"].map(lambda value: None if pd.isna(value) else repr(float(value)))
        # RFC 4180's line end: so a lone \r is quoted too.
        data = neutral_frame(frame.assign(seconds=seconds)).to_csv(index=False, lineterminator="\r\n").encode()
    else:
        data = "".join(_json(_native(row)) + "\n" for row in frame.to_dict("records")).encode()
    _replace(path, data)


def read_votes(path: Path, form: str | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A file of votes in raw form, and remarks on what was left out. ``form`` is guessed from name and columns.

    Raises InputError if the file cannot be understood, or differs from the hash beside it.
    """
    if form not in (None, *FORMS):
        raise InputError(f"expected a form among {', '.join(FORMS)}, got {form!r}{nearest(form, FORMS)}")
    table = _load(path)
    form = form or _guess(table)
    if form == "arena":
        table, remarks = from_arena(table)
    elif form == "pwcmp":
        table, remarks = from_pwcmp(table)
    else:
        remarks = []
        table = original_frame(table) if path.suffix.lower() == ".csv" else table
        lacking = [name for name in RAW_COLUMNS if name not in table]
        if lacking:
            raise InputError(f"{path.name} is no file of votes: it lacks the columns {', '.join(lacking)}")
    for name in ("rater", "trial", "item"):
        if lacking := int(empty(table[name]).sum()):
            raise InputError(f"expected a value of {name!r} in every row of {path.name}, got {lacking} empty ones")
    try:
        frame = raw_form(table)
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(f"{path.name} holds a row that is no vote: {error}") from None
    _check_rows(frame, path)
    beside = path.with_name(path.name + ".json")
    if form in FORMS[:3] and beside.exists():
        try:
            expected = json.loads(beside.read_text(encoding="utf-8"))["sha256"]
        except (OSError, ValueError, TypeError, KeyError):
            raise InputError(
                f"expected the hash of {path.name} in {beside.name}, found none that can be read"
            ) from None
        if expected != votes_hash(frame):
            raise InputError(f"{path.name} was changed after its export: its content does not match {beside.name}")
    return frame, remarks


def tables_of(frame: pd.DataFrame, simulated: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The votes and rankings that count, of real or of simulated raters, as ``userstudy.votes.reading`` gives them."""
    frame = frame.loc[frame.groupby(["rater", "trial"])["revision"].idxmax().sort_values()]
    frame = frame[(frame["choice"] != "undone") & frame["excluded"].isna() & (frame["simulated"] == simulated)]
    pairs = frame[frame["task"] == "pair"]
    pairs = pairs.assign(timestamp=pd.to_datetime(pairs["timestamp"], utc=True, format="ISO8601"))
    ranked = frame[frame["choice"] == "ranked"]
    long = [
        (row.rater, row.trial, row.item, method, rank)
        for row in ranked.itertuples()
        for method, rank in json.loads(row.ranks).items()
    ]
    return pairs[VOTE_COLUMNS], pd.DataFrame(long, columns=RANKING_COLUMNS).astype({"rank": "Int64"})


def _check_rows(frame: pd.DataFrame, path: Path) -> None:
    if frame.empty:
        raise InputError(f"{path.name} holds no votes")
    twice = frame.duplicated(KEY)
    if twice.any():
        first = frame[twice].iloc[0]
        raise InputError(
            f"{path.name} holds two answers of rater {first.rater} to trial {first.trial}, revision {first.revision}"
        )
    words = {"choice": (*CHOICES, "ranked", "undone"), "kind": KINDS, "task": ("pair", "ranking")}
    for column, known in words.items():
        for wrong in frame[column][~frame[column].isin(known)]:
            raise InputError(f"expected a {column} among {', '.join(known)}, got {wrong!r}{nearest(wrong, known)}")


def _guess(table: pd.DataFrame) -> str:
    columns = set(table.columns)
    if {"model_a", "model_b"} <= columns or {"type", "models"} <= columns or {"type", "tstamp"} <= columns:
        return "arena"
    if {"observer", "condition_A", "condition_B"} <= columns:
        return "pwcmp"
    return "csv"


def _load(path: Path) -> pd.DataFrame:
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return pd.read_parquet(path)
        if suffix == ".csv":
            texts = dict.fromkeys([name for name in (*RAW_COLUMNS, *FOREIGN_TEXTS) if name not in NUMBERS], str)
            return pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""], encoding="utf-8")
        if suffix in (".jsonl", ".json"):
            return _load_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table: {error}") from None
    raise InputError(f"expected a .csv, .jsonl, .json or .parquet file, got {path.name!r}")


def _load_json(text: str) -> pd.DataFrame:
    lines = text.rstrip("\n").split("\n")  # not splitlines: names may hold other line separators
    rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in lines]
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError(f"expected an object for each vote, got {json.dumps(row)[:40]}")
        for name in ("shown", "ranks"):
            if isinstance(row.get(name), list | dict):
                row[name] = _json(row[name])
    return pd.DataFrame(rows)


def _native(row: dict) -> dict:
    """A row for JSONL: lists and mappings as themselves, nothing as null."""
    row = {name: None if _missing(value) else value for name, value in row.items()}
    return dict(row, shown=json.loads(row["shown"]), ranks=json.loads(row["ranks"]) if row["ranks"] else None)


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or value != value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
