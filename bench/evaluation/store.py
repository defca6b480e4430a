"""Result rows: appended as they are made, merged into one Parquet file, never lost and never overwritten by a crash.

``<results>/<dataset>/parts/*.jsonl`` holds the rows of a run in progress, one JSON object a line, and
``rows.parquet`` all that came before. A row is known by data set hash, id, method, protocol and size; the newest wins.
"""

import json
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from textwrap import shorten

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from bench.evaluation.evaluate import Row
from bench.metrics import METRICS
from iph.errors import InputError
from iph.files import replacing, write_json

SUBMITTED = "submitted"  # the code of rows that were not computed here but sent in as numbers
KEY = ["dataset_hash", "id", "method", "protocol", "size"]
TEXT = ["dataset", *KEY, "photo", "subset", "weights_hash", "code", "computed"]
WHOLE = ["width", "height"]
REAL = ["foreground_share", "composite_fmse", "seconds", "peak_mb", *METRICS]
SCHEMA = pa.schema(
    [pa.field(name, pa.string()) for name in TEXT]
    + [pa.field(name, pa.int32()) for name in WHOLE]
    + [pa.field(name, pa.float64()) for name in REAL]
)
TYPES = dict.fromkeys(TEXT, "str") | dict.fromkeys(WHOLE, "int32") | dict.fromkeys(REAL, "float64")


class Store:
    """The rows of one data set in one results folder."""

    def __init__(self, results: str | os.PathLike, dataset: str) -> None:
        self.folder = Path(results) / dataset
        self.rows_file = self.folder / "rows.parquet"
        self.meta_file = self.folder / "meta.json"
        self.parts = self.folder / "parts"

    def read(self) -> pd.DataFrame:
        """Every row, those of unfinished runs included. Raises InputError where a file is damaged."""
        kept = _read_parquet(self.rows_file) if self.rows_file.exists() else frame_of([])
        fresh = frame_of(row for part in sorted(self.parts.glob("*.jsonl")) for row in _read_part(part))
        return _newest(pd.concat([kept, fresh], ignore_index=True) if len(fresh) else kept)

    def merge(self) -> pd.DataFrame:
        """Move the rows of ended runs into the Parquet file; those of a run still going are left to it."""
        if not self.folder.is_dir():
            return frame_of([])
        with FileLock(self.folder / ".lock"):
            ended = [(part, lock) for part in sorted(self.parts.glob("*.jsonl")) if (lock := _claim(part))]
            try:
                fresh = frame_of(row for part, _ in ended for row in _read_part(part))
                kept = _read_parquet(self.rows_file) if self.rows_file.exists() else frame_of([])
                merged = _newest(pd.concat([kept, fresh], ignore_index=True)) if len(fresh) else kept
                if len(fresh):
                    self._write(merged)
                for part, _ in ended:
                    part.unlink()
            finally:
                for _, lock in ended:
                    lock.release()
                    Path(lock.lock_file).unlink(missing_ok=True)
            if self.parts.is_dir() and not any(self.parts.iterdir()):
                self.parts.rmdir()
        return merged

    def replace(self, old: pd.DataFrame, new: pd.DataFrame) -> None:
        """Take the rows ``old`` out of the file, by their keys, and put ``new`` in."""
        self.merge()
        make_folder(self.folder)
        with FileLock(self.folder / ".lock"):
            kept = _read_parquet(self.rows_file) if self.rows_file.exists() else frame_of([])
            gone = pd.MultiIndex.from_frame(old[KEY])
            kept = kept[~pd.MultiIndex.from_frame(kept[KEY]).isin(gone)]
            self._write(_newest(pd.concat([frame for frame in (kept, new) if len(frame)] or [kept], ignore_index=True)))

    def _write(self, frame: pd.DataFrame) -> None:
        table = pa.Table.from_pandas(frame, schema=SCHEMA, preserve_index=False)
        with replacing(self.rows_file) as temporary:
            pq.write_table(table, temporary, compression="zstd")

    def read_meta(self) -> dict:
        """What ``meta.json`` says about the last run, {} where there is none."""
        try:
            meta = json.loads(self.meta_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (ValueError, OSError, RecursionError):
            meta = None
        about = meta.get("methods", {}) if isinstance(meta, dict) else None
        if not isinstance(about, dict) or not all(isinstance(one, dict) for one in about.values()):
            raise InputError(
                f"expected what a run writes in {self.meta_file}, but it is damaged; remove it to have it made again"
            ) from None
        return meta

    def write_meta(self, meta: dict) -> None:
        make_folder(self.folder)
        write_json(self.meta_file, meta)

    def new_part(self) -> Path:
        """A fresh file name below ``parts``."""
        make_folder(self.parts)
        return self.parts / f"{uuid.uuid4().hex}.jsonl"


class Part:
    """The rows of one run, on disk as soon as they are added. A context that closes it and does not merge it."""

    def __init__(self, store: Store) -> None:
        self.path = store.new_part()
        self.lock = FileLock(f"{self.path}.lock")
        self.lock.acquire()
        self.file = self.path.open("ab", buffering=0)

    def add(self, rows: Iterable[Row]) -> None:
        """Append whole lines and hand them to the disk: neither kill -9 nor a power cut loses them.

        InputError where the disk is full; then none of ``rows`` is there, and all earlier ones are.
        """
        left = memoryview("".join(json.dumps(row) + "\n" for row in rows).encode())
        length = os.fstat(self.file.fileno()).st_size
        try:
            while left:
                left = left[self.file.write(left) :]
            os.fsync(self.file.fileno())
        except OSError as error:
            self.file.truncate(length)
            raise InputError(
                f"expected room for result rows in {self.path.parent}, but: {error.strerror or error}; all rows before "
                f"are kept, and the same command goes on"
            ) from None

    def __enter__(self) -> "Part":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.lock.release()


def make_folder(folder: Path) -> None:
    """Make ``folder`` where it is not there. Raises InputError where the file system refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected to write into a folder at {folder}, but: {error.strerror or error}") from None


def data_sets(results: str | os.PathLike) -> list[str]:
    """Names of the data sets that have rows below ``results``."""
    folder = Path(results)
    if not folder.is_dir():
        raise InputError(f"expected a results folder at {folder}, found none; 'python -m bench run' makes one")
    found = sorted(
        path.name for path in folder.iterdir() if (path / "rows.parquet").exists() or (path / "parts").is_dir()
    )
    if not found:
        raise InputError(f"expected results of a run in {folder}, found none; 'python -m bench run' makes them")
    return found


def _claim(part: Path) -> FileLock | None:
    """The lock of a part whose run has ended, however it ended; None while the run goes on."""
    lock = FileLock(f"{part}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock


def _read_part(part: Path) -> Iterable[Row]:
    lines = part.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline was cut off by a crash
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or not {*TEXT, *WHOLE} <= row.keys():
            raise InputError(f"expected a JSON row in line {number} of {part}, but it is damaged")
        yield row


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"expected result rows in {path}, but it is damaged ({_first(error)})") from None
    missing = [name for name in TEXT + WHOLE if name not in table.column_names]
    if missing:
        raise InputError(f"expected the columns of a result file in {path}, but {', '.join(missing)} are not there")
    try:
        return table.to_pandas().reindex(columns=SCHEMA.names).astype(TYPES)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected the columns of a result file in {path}, but: {_first(error)}") from None


def frame_of(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as the file has them, what they lack left empty."""
    return pd.DataFrame(list(rows), columns=SCHEMA.names).astype(TYPES)


def _newest(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a key, the last computed, in the keys' order."""
    newest = frame.sort_values("computed", kind="stable").drop_duplicates(KEY, keep="last")
    return newest.sort_values(KEY).reset_index(drop=True)


def _first(error: Exception) -> str:
    return shorten(str(error).strip().split("\n")[0], 160, placeholder=" …")
