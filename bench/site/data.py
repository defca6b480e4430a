"""The form of the data behind the site's tables: ``data/<name>.json`` is one ``BoardData``, ``data/schema.json`` its
JSON Schema. A board's name is data set, protocol and size, and stays; ``dataset_hash`` says which pictures.
"""

import hashlib
import re
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bench.metrics import METRICS
from bench.report.boards import TABLE_1, Board, available, scores, submitted_scores
from bench.report.citations import bibtex_of
from bench.report.dashboard_data import overview
from bench.report.letters import letters

Badge = Literal["measured", "submitted"]


class Score(BaseModel):
    """One metric of one method: the mean over images, where it was measured its interval, and of the first metric its
    standing.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    rank: int | None = None
    tied: bool = False
    alike: str = Field("", description="letters: methods that share one cannot be told apart")


class MethodData(BaseModel):
    """One row. ``status``: measured here, or submitted as numbers, which take no rank."""

    name: str
    page: str = Field(description="the method's page, relative to the site")
    title: str
    status: Badge
    kind: str = ""
    looks_at: str = ""
    venue: str = ""
    year: int | None = None
    authors: list[str] = []
    citation: str = ""
    paper: str = ""
    code: str = ""
    licence: str = ""
    parameters: int | None = None
    hardware: str = ""
    note: str = ""
    bibtex: str = ""
    seconds: float | None = Field(None, description="median wall time of one image at this board's size")
    scores: dict[str, Score]


class BoardData(BaseModel):
    """One data set under one protocol at one size. The first metric ranks."""

    model_config = ConfigDict(extra="forbid")
    schema_: Literal["schema.json"] = Field("schema.json", alias="$schema")
    name: str
    dataset: str
    title: str
    dataset_hash: str
    protocol: str
    protocol_source: str
    size: str
    images: int
    photos: int
    computed: str = Field(description="UTC time of the newest row")
    metrics: list[str]
    methods: list[MethodData]
    notes: list[str]


def board_data(board: Board) -> BoardData:
    """What a board's page and files show, methods by rank and then by mean, submitted ones last."""
    there = available(board)
    first = METRICS[next(name for name in TABLE_1 if name in there)]
    metrics = list(dict.fromkeys((first.name, *(name for name in TABLE_1 if name in there), *there)))
    standing = scores(board, [first.name]).set_index("method")
    shared = letters(list((first.sign * standing["mean"]).sort_values(ascending=False).index), standing["beats"])
    order = standing.assign(loss=-first.sign * standing["mean"]).sort_values(["rank", "loss"]).index
    means = overview(board).set_index(["method", "metric"])
    methods = []
    for name in order:
        found = {metric: _score(means.loc[(name, metric)]) for metric in metrics}
        row = standing.loc[name]
        place = {"rank": int(row["rank"]), "tied": bool(row["tied"]), "alike": shared[name]}
        found[first.name] = found[first.name].model_copy(update=place)
        methods.append(_method(board, name, "measured", found))
    for name, part in submitted_scores(board, metrics).groupby("method"):
        methods.append(_method(board, name, "submitted", {row.metric: Score(mean=row.mean) for row in _rows(part)}))
    return BoardData(
        name=slug(f"{board.dataset}-{board.protocol}-{board.size}"),
        dataset=board.dataset,
        title=board.meta.get("title", board.dataset),
        dataset_hash=board.rows["dataset_hash"].iloc[0],
        protocol=board.protocol,
        protocol_source=board.meta.get("protocols", {}).get(board.protocol, ""),
        size=board.size,
        images=board.images,
        photos=board.photos,
        computed=max([*board.rows["computed"], *board.submitted["computed"]]),
        metrics=metrics,
        methods=methods,
        notes=list(board.notes),
    )


def slug(name: str) -> str:
    """A name as a file of any host: letters, digits and . _ -; what had to change keeps its difference as digits."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}".lstrip("-")


def _method(board: Board, name: str, status: Badge, found: dict[str, Score]) -> MethodData:
    about = {key: value for key, value in board.about(name).items() if value is not None}
    known = {key: about[key] for key in MethodData.model_fields if key in about and key not in ("name", "bibtex")}
    seconds = board.rows.loc[board.rows["method"] == name, "seconds"].median() if status == "measured" else np.nan
    return MethodData(
        **known | {"year": about.get("year") or None},
        name=name,
        page=f"methods/{slug(name)}.html",
        status=status,
        seconds=_number(seconds),
        bibtex=bibtex_of(name, about),
        scores=found,
    )


def _score(row) -> Score:
    return Score(mean=row["mean"], low=_number(row["low"]), high=_number(row["high"]))


def _rows(part):
    return part[["metric", "mean"]].itertuples(index=False)


def _number(value: float) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
