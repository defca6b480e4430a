"""The study that is shown, prepared beside the page: a low-priority process reduces the votes whenever they change.

The page shows the latest reduction at once, says how old it is, and takes the next one by itself. A study of a million
votes costs the page what a small one does. Reductions are kept by the votes' fingerprint in the cache folder.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import streamlit as st

from demo.dashboard.prepared import cache_folder
from demo.dashboard.text import plain
from demo.dashboard.visitors import owner, shows_live_results
from demo.sentences import without_places
from userstudy.errors import InputError
from userstudy.votes.vote_source import VotesFile, VoteStore, open_votes

PAUSE = 5.0  # seconds between two reductions of a study that is running
RETRY = 30.0  # seconds until votes that could not be scored are tried again
ROOT = Path(__file__).resolve().parents[2]
FORM = 2  # of a reduction; a kept one of another form, which held the administrator's reasons, is made anew


class Withheld(InputError):
    """The results are not for whoever looks now."""


@dataclass
class Watched:
    """One study and sort of votes: its latest reduction, and the one being made."""

    study: str
    sort: str | None
    about: dict | None = None
    items: pd.DataFrame = field(default_factory=pd.DataFrame)
    fingerprint: str = ""
    process: subprocess.Popen | None = None
    out: Path | None = None
    ended: float = 0.0
    failed: tuple[str, str] = ("", "")  # fingerprint, sentence
    lock: threading.Lock = field(default_factory=threading.Lock)  # several visitors, one process

    @property
    def busy(self) -> bool:
        return self.process is not None


def named() -> str | None:
    """What IPH_STUDY names, None where it names nothing."""
    return os.environ.get("IPH_STUDY") or None


def study_names() -> list[str]:
    """Studies among the votes. Raises InputError where the votes cannot be read."""
    return _source(named()).studies()


def watch(study: str, sort: str | None) -> Watched:
    """Takes what has been reduced, begins what has changed. Raises InputError where the votes cannot be read, and
    Withheld to the public while raters vote: who has seen scores votes otherwise."""
    if not (shows_live_results() or owner() or _source(named()).results_public(study)):
        raise Withheld(f"the study {study} has not ended yet; its results are shown here once it is closed")
    watched = _watched(named(), study, sort)
    fingerprint = _source(named()).fingerprint(study)
    with watched.lock:
        if watched.process is not None and watched.process.poll() is not None:
            _end(watched, fingerprint)
        since = time.monotonic() - watched.ended
        known = fingerprint == watched.fingerprint or (fingerprint == watched.failed[0] and since < RETRY)
        if not known and not watched.busy and since > (PAUSE if watched.about else 0):
            _begin(watched, fingerprint)
    return watched


def wait_for(study: str, sort: str | None, seconds: float) -> Watched:
    """As ``watch``, but gives a reduction that is nearly there the time to come."""
    end = time.monotonic() + seconds
    while True:
        watched = watch(study, sort)
        if not watched.busy or watched.about is not None or time.monotonic() > end:
            return watched
        time.sleep(0.02)


def paper_scores() -> pd.DataFrame | None:
    """``method, metric, measured, low, high`` of the study, named as Table 2 of the paper names its columns."""
    if named() is None:
        return None
    try:
        about = wait_for(study_names()[0], None, 0.1).about
    except InputError:
        return None
    if about is None:
        return None
    rows = []
    pairs, rankings = about["scores"]["pairs"], about["scores"]["rankings"]
    for row in about["scale"]:
        if row["scale"] == "thurstone":
            rows.append((row["method"], "preference", row["score"], row["low"], row["high"]))
    for method in pairs["methods"] if pairs else ():
        low, high = method["worth_interval"] or (None, None)
        rows.append((method["method"], "bt_score", method["worth"], low, high))
    for method in rankings["methods"] if rankings else ():
        rows.append((method["method"], "ranking_score", method["per_rater"], None, None))
    return pd.DataFrame(rows, columns=["method", "metric", "measured", "low", "high"])


def simulated_note() -> str:
    """What has to stand beside any number of a study that nobody took part in."""
    if named() is None:
        return ", which is not set up: IPH_STUDY names no votes"
    try:
        about = watch(study_names()[0], None).about
    except InputError as error:
        return f", which cannot be shown ({plain(without_places(error))})"
    return " (**simulated votes**: no person saw these pictures)" if about and about["sort"] == "simulated" else ""


@st.cache_resource(show_spinner=False, max_entries=4)
def _source(text: str) -> VotesFile | VoteStore:
    return open_votes(text)


@st.cache_resource(show_spinner=False, max_entries=32)
def _watched(text: str, study: str, sort: str | None) -> Watched:
    return Watched(study, sort)


def _begin(watched: Watched, fingerprint: str) -> None:
    key = hashlib.sha256(repr((FORM, named(), watched.study, watched.sort, fingerprint)).encode()).hexdigest()[:32]
    watched.out = cache_folder() / f"study-{key}.json"
    if watched.out.is_file() and watched.out.with_suffix(".parquet").is_file() and _take(watched):
        return
    command = [sys.executable, "-m", "userstudy.report.dashboard_data", str(watched.out), "--study", watched.study]
    command += ["--sort", watched.sort] if watched.sort else []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
    watched.process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=_yield_to_others
    )
    watched.failed = ("", "")


def _yield_to_others() -> None:
    os.nice(10)


def _end(watched: Watched, fingerprint: str) -> None:
    process, watched.process, watched.ended = watched.process, None, time.monotonic()
    said = process.stderr.read().decode(errors="replace").strip()
    process.stderr.close()
    if process.returncode != 0 or not _take(watched):
        sentence = said.splitlines()[-1] if said else f"the scoring process ended with {process.returncode}"
        watched.failed = (fingerprint, sentence)


def _take(watched: Watched) -> bool:
    try:
        about = json.loads(watched.out.read_text(encoding="utf-8"))
        items = pd.read_parquet(watched.out.with_suffix(".parquet"))
    except (OSError, ValueError):
        return False
    watched.about, watched.items, watched.fingerprint = about, items, about["fingerprint"]
    watched.failed = ("", "")
    return True
