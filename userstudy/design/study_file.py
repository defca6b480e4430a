"""The study file: what is compared, what raters are asked, and where their votes go.

One TOML file describes a study. Reading it checks every key and every picture, so that a study that starts is a
study that can be finished. A mistake is reported with its line and the nearest right name.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from userstudy.design.pictures import find_pictures
from userstudy.design.toml_lines import line_of
from userstudy.errors import InputError, nearest

Answer = Literal["tie", "both_bad", "skip"]


class Section(BaseModel):
    """A part of the study file; unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Pictures(Section):
    folder: str = Field(description="one folder of pictures per method, or a results folder of bench")
    composite: str = Field("composite", description="the folder of the unedited input among them")
    methods: tuple[str, ...] = Field((), description="methods to compare; empty: every folder but the composite's")
    items: tuple[str, ...] | int = Field((), description="picture names, or how many to draw; empty: all")


class Golden(Section):
    """A pair whose answer is known: a rater who misses it was not looking."""

    item: str
    better: str
    worse: str


class Pairs(Section):
    question: str = "Which picture looks more natural?"
    per_rater: int = Field(ge=1, description="different pairs that each rater judges, checks and repeats not counted")
    with_composite: bool = Field(False, description="the unedited input competes as a method of its own")
    show_composite: bool = Field(
        False, description="the unedited input is shown beside the pair, also where it competes and can be recognised"
    )
    answers: tuple[Answer, ...] = Field(("tie", "both_bad", "skip"), description="answers beside left and right")
    repeats: int = Field(0, ge=0, description="pairs shown once more with sides swapped")
    attention: int = Field(0, ge=0, description="pairs that tell the rater what to press")
    golden: tuple[Golden, ...] = ()
    adaptive: bool = Field(False, description="after the balanced start, ask for the most informative pairs")
    balanced_start: int = Field(3, ge=1, description="votes for each pair of methods before adaptive choice begins")


class Ranking(Section):
    question: str = "Rank the pictures, the most natural one first."
    per_rater: int = Field(ge=1)
    ranks: int = Field(3, ge=1, description="how many ranks a rater may give; a picture without one gets no points")
    with_composite: bool = False
    show_composite: bool = False


class Raters(Section):
    number: int = Field(ge=1, description="seats; those of raters who leave are given to others")
    seat_minutes: float = Field(60, gt=0, description="silence after which an unfinished rater's seat is free again")
    min_seconds: float = Field(0.5, ge=0, le=60, description="viewing time before an answer counts")
    min_width: int = Field(320, ge=0, description="smallest window in CSS pixels")
    min_height: int = Field(480, ge=0)
    brightness_check: bool = False
    max_failed: int | None = Field(None, ge=1, description="failed attention or golden pairs that end the session")
    sessions_per_address: int = Field(10, ge=1, description="unfinished sessions that one address may hold at once")
    entries_per_hour: int = Field(20, ge=1, description="new sessions that one address may begin within an hour")
    labs: tuple[str, ...] = Field((), description="addresses or networks of labs and classrooms, without those limits")

    @field_validator("labs")
    @classmethod
    def _networks(cls, labs: tuple[str, ...]) -> tuple[str, ...]:
        for lab in labs:
            try:
                ip_network(lab)
            except ValueError as error:
                raise ValueError(f"expected an address or a network such as '192.0.2.0/24': {error}") from None
        return labs


class Completion(Section):
    complete: str | None = Field(None, description="code shown at the end (Prolific: its completion code)")
    screened_out: str | None = None
    failed_checks: str | None = None
    no_consent: str | None = None
    redirect: str | None = Field(None, description="address with {code} and, if wanted, {PROLIFIC_PID} and the like")

    @field_validator("redirect")
    @classmethod
    def _reachable(cls, address: str | None) -> str | None:
        if address is None:
            return None
        parts = urlsplit(address)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError(f"expected an https address, got {address!r}")
        if parts.hostname.endswith("prolific.co"):
            raise ValueError("Prolific's address ends in .com (app.prolific.com), not .co")
        return address


class StudyFile(Section):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", description="names the study in its vote store")
    title: str
    consent: str = Field(min_length=1)
    instructions: str = ""
    seed: int = 0
    live_results: bool = Field(False, description="the public dashboard shows results while raters still vote")
    store: str | None = Field(None, description="database URL; default: an SQLite file beside the study file")
    pictures: Pictures
    pairs: Pairs | None = None
    ranking: Ranking | None = None
    raters: Raters
    completion: Completion = Completion()

    @model_validator(mode="after")
    def _asks_something(self) -> "StudyFile":
        if self.pairs is None and self.ranking is None:
            raise ValueError("expected a [pairs] or a [ranking] section, got neither")
        if self.ranking and self.ranking.with_composite and self.ranking.show_composite:
            raise ValueError(
                "with_composite and show_composite exclude each other in a ranking: it would hold it twice"
            )
        if self.pairs and self.pairs.repeats > self.pairs.per_rater:
            raise ValueError(f"repeats ({self.pairs.repeats}) cannot exceed per_rater ({self.pairs.per_rater})")
        return self


@dataclass(frozen=True)
class Study:
    """A checked study: ``pictures[item, method]`` is a file for every item and every method, the composite included."""

    path: Path
    file: StudyFile
    methods: tuple[str, ...]
    items: tuple[str, ...]
    pictures: dict[tuple[str, str], Path]

    @property
    def composite(self) -> str:
        return self.file.pictures.composite

    def methods_of(self, part: Pairs | Ranking) -> tuple[str, ...]:
        return (*self.methods, self.composite) if part.with_composite else self.methods

    @property
    def database_url(self) -> str:
        if self.file.store is None:
            return f"sqlite:///{self.path.with_suffix('.db')}"
        if self.file.store.startswith("sqlite:///"):
            return f"sqlite:///{self.path.parent / self.file.store.removeprefix('sqlite:///')}"
        return self.file.store

    @cached_property
    def design_hash(self) -> str:
        """Changes when votes given before and after would not belong together; texts and codes may change."""
        tasks = {
            name: part.model_dump(exclude={"question"}) if part else None
            for name, part in (("pairs", self.file.pairs), ("ranking", self.file.ranking))
        }
        design = [self.file.seed, self.methods, self.items, self.composite, tasks]
        return hashlib.sha256(json.dumps(design, sort_keys=True).encode()).hexdigest()


def load_study(path: Path | str) -> Study:
    """Reads and checks a study file and its pictures. Raises InputError for anything that would stop a rater."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        file = StudyFile.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"expected a study file (TOML), cannot read {path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name} is not valid TOML: {error}") from None
    except ValidationError as error:
        raise InputError("\n".join(_sentence(path.name, text, one) for one in _causes(error.errors()))) from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, lists in lists
        raise InputError(f"{path.name} is not TOML that can be read: it has a number or lists of absurd size") from None
    path, wanted = path.resolve(), file.pictures
    methods, items, pictures = find_pictures(
        path.parent / wanted.folder,
        wanted.composite,
        wanted.methods,
        wanted.items,
        seed=file.seed,
        needs_composite=_needs_composite(file),
    )
    study = Study(path, file, methods, items, pictures)
    _check_numbers(study)
    return study


def _needs_composite(file: StudyFile) -> bool:
    parts = [part for part in (file.pairs, file.ranking) if part]
    used = {name for pair in (file.pairs.golden if file.pairs else ()) for name in (pair.better, pair.worse)}
    return file.pictures.composite in used or any(part.with_composite or part.show_composite for part in parts)


def _check_numbers(study: Study) -> None:
    pairs, ranking = study.file.pairs, study.file.ranking
    for name, part in (("pairs", pairs), ("ranking", ranking)):
        if part and len(study.methods_of(part)) < 2:
            raise InputError(f"[{name}] needs at least two methods to compare, got {list(study.methods_of(part))}")
    if pairs:
        count = len(study.methods_of(pairs))
        cells = len(study.items) * count * (count - 1) // 2
        if pairs.per_rater > cells:
            raise InputError(f"[pairs] per_rater is {pairs.per_rater}, but there are only {cells} different pairs")
        for pair in pairs.golden:
            for method in (pair.better, pair.worse):
                if (pair.item, method) not in study.pictures:
                    known = study.items if pair.item not in study.items else (*study.methods, study.composite)
                    wrong = pair.item if pair.item not in study.items else method
                    raise InputError(f"a golden pair names {wrong!r}, which has no pictures{nearest(wrong, known)}")
    if ranking and ranking.per_rater > len(study.items):
        raise InputError(f"[ranking] per_rater is {ranking.per_rater}, but there are only {len(study.items)} items")
    if ranking and ranking.ranks > len(study.methods_of(ranking)):
        raise InputError(f"[ranking] ranks is {ranking.ranks}, but {len(study.methods_of(ranking))} methods are shown")


def _causes(errors: list[dict]) -> list[dict]:
    """Without the keys that are missing only because they are misspelt: that sentence names them."""
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    return [
        error
        for error in errors
        if error["type"] != "missing"
        or not any(loc[:-1] == error["loc"][:-1] and nearest(loc[-1], [str(error["loc"][-1])]) for loc in unknown)
    ]


def _sentence(name: str, text: str, error: dict) -> str:
    """One pydantic error as a sentence with its line."""
    where = tuple(step for step in error["loc"] if step not in ("tuple", "int"))
    section, key = where[:-1], str(where[-1]) if where else ""
    inside = f" in [{'.'.join(str(step) for step in section if isinstance(step, str))}]" if section else ""
    line = line_of(text, where)
    if error["type"] == "extra_forbidden":
        known = _keys_of(section)
        problem = f"unknown key {key!r}{inside}{nearest(key, known) or '; expected one of ' + ', '.join(known)}"
    elif error["type"] == "missing":
        problem = f"the key {key!r}{inside} is missing"
    else:
        reason = error["msg"].removeprefix("Value error, ")
        problem = f"{key!r}{inside}: {reason}, got {error['input']!r}" if error["type"] != "value_error" else reason
    return f"{name}, line {line}: {problem}"


def _keys_of(section: tuple) -> list[str]:
    model: type[BaseModel] = StudyFile
    parts = {"pictures": Pictures, "pairs": Pairs, "ranking": Ranking, "raters": Raters, "completion": Completion}
    for step in section:
        if isinstance(step, str):
            model = Golden if step == "golden" else parts[step]
    return list(model.model_fields)
