"""What the dashboard gets of a study: the scores, and nothing that counts differently from the votes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_files import PAIRS, RATERS, write_study
from voting import drawn_votes, extra

from userstudy.design.study_file import load_study
from userstudy.errors import InputError
from userstudy.report.dashboard_data import both_ways, item_scores, summarize
from userstudy.report.study_report import score_study
from userstudy.votes.sessions import Sessions
from userstudy.votes.simulate import Taste, simulate
from userstudy.votes.store import Store
from userstudy.votes.transfer import export_votes
from userstudy.votes.vote_source import open_votes

ROOT = Path(__file__).parents[3]
SCORES = {"DoveNet": -0.3, "RainNet": 0.0, "BargainNet": 0.2, "IPH": 0.6}


@pytest.fixture
def study(tmp_path):
    path = write_study(tmp_path, PAIRS.replace("6", "12") + RATERS)
    loaded = load_study(path)
    store = Store(loaded.database_url)
    simulate(Sessions(store, loaded), Taste(SCORES), 12)
    return path, store


class Table:
    """A source whose votes are given."""

    def __init__(self, votes: pd.DataFrame):
        self.votes = votes

    def fingerprint(self, study: str) -> str:
        return "given"

    def tables(self, study: str, sort: str | None):
        return "real", {"real": len(self.votes), "simulated": 0}, self.votes, pd.DataFrame()

    def excluded(self, study: str) -> dict[str, str]:
        return {}


def test_file_and_store_say_the_same(study, tmp_path):
    path, store = study
    export_votes(store, store.find_study(), tmp_path / "votes.parquet")
    texts = (str(path), str(path.with_suffix(".db")), f"sqlite:///{path.with_suffix('.db')}")
    told = []
    for text in (*texts, str(tmp_path / "votes.parquet")):
        source = open_votes(text)
        about, items = summarize(source, source.studies()[0])
        assert about["sort"] == "simulated" and about["answers"]["real"] == 0
        assert about["scores"]["notes"][0].startswith("All votes are simulated")
        json.dumps(about, allow_nan=False)
        told.append((about["scores"]["pairs"], items.to_dict("records")))
    assert told[0] == told[1] == told[2] == told[3]


def test_real_votes_come_first_and_never_with_simulated_ones(study):
    path, store = study
    loaded = load_study(path)
    sessions = Sessions(store, loaded)
    token = sessions.enter("link")
    progress = sessions.progress(token)
    sessions.vote(token, "request-1", progress.upcoming[0].trial, "left", 2.0)
    source = open_votes(str(path))
    about, items = summarize(source, "trial")
    assert about["sort"] == "real" and about["answers"]["real"] == 1
    assert about["scores"]["pairs"]["tally"]["normal"] == 1 and len(items) == 1
    assert "simulated" not in " ".join(about["scores"]["notes"])
    assert summarize(source, "trial", "simulated")[0]["scores"]["pairs"]["tally"]["raters"] == 12


def test_fingerprint_follows_every_vote_and_exclusion(study):
    path, store = study
    source, row = open_votes(str(path)), store.find_study()
    seen = {source.fingerprint("trial")}
    loaded = load_study(path)
    token = Sessions(store, loaded).enter("link")
    trial = Sessions(store, loaded).progress(token).upcoming[0].trial
    Sessions(store, loaded).vote(token, "request-1", trial, "right", 2.0)
    seen.add(source.fingerprint("trial"))
    rater = summarize(source, "trial", "simulated")[0]["scores"]["pairs"]["screening"]["raters"][0]["rater"]
    store.exclude(row.id, rater, "asked to be left out")
    seen.add(source.fingerprint("trial"))
    assert len(seen) == 3
    assert summarize(source, "trial", "simulated")[0]["excluded"] == [rater]  # and not why


def test_sides_items_and_exclusions_are_counts_of_the_votes():
    votes = drawn_votes({"a": 0.0, "b": 0.4, "c": 0.9}, raters=24, votes=40, tie_width=0.1, liars=(3,))
    about, items = summarize(Table(votes), "drawn")
    for row in about["sides"]:
        shown = votes[(votes[row["side"]] == row["method"]) & votes["choice"].isin(["left", "right"])]
        assert (row["shown"], row["won"]) == (len(shown), int((shown["choice"] == row["side"]).sum()))
    table = item_scores(items)
    decisive = votes[votes["choice"].isin(["left", "right"])]
    winner = np.where(decisive["choice"] == "left", decisive["left"], decisive["right"])
    assert table["votes"].sum() == 2 * len(decisive)
    one = table.iloc[0]
    here = ((decisive["item"] == one["id"]) & (winner == one["method"])).sum()
    assert one["score"] * one["votes"] == pytest.approx(here)
    assert about["timeline"] == {"time": [], "votes": []}  # these votes carry numbers, not times

    flagged = {row["rater"]: row for row in about["exclusions"]}
    assert "r03" in flagged
    again = score_study(votes[votes["rater"] != "r03"]).pairs
    before = {m["method"]: m["bradley_terry"]["score"] for m in about["scores"]["pairs"]["methods"]}
    change = max(abs(m.bradley_terry.score - before[m.method]) for m in again.methods)
    assert flagged["r03"]["largest_change"] == pytest.approx(change)


def test_votes_of_one_side_and_of_one_mind_are_shown_with_the_errors_that_there_are():
    rows = [extra(f"r{k}", t, answer, "normal") for k in range(5) for t, answer in enumerate(["left", "left", "right"])]
    about, _ = summarize(Table(pd.DataFrame(rows)), "drawn")
    assert about["bootstrap"] is None and about["scores"]["pairs"]["side"] is None
    assert {row["how"] for row in about["scale"]} == {"standard error"}
    assert all(row["low"] < row["score"] < row["high"] for row in about["scale"])


def test_bootstrap_histograms_hold_every_draw():
    about, _ = summarize(Table(drawn_votes({"a": 0.0, "b": 0.4, "c": 0.9})), "drawn")
    for scale in ("bradley_terry", "thurstone"):
        drawn = about["bootstrap"][scale]
        assert {sum(counts) for counts in drawn["draws"].values()} == {about["options"]["bootstraps"]}
        assert len(drawn["edges"]) == len(drawn["draws"]["a"]) + 1
    assert {row["how"] for row in about["scale"]} == {"bootstrap over raters"}


def test_both_ways_mirrors_each_pair():
    about, _ = summarize(Table(drawn_votes({"a": 0.0, "b": 0.4, "c": 0.9})), "drawn")
    table = both_ways(about["scores"]["pairs"]["pairs"]).set_index(["first", "second"])
    for first, second in (("a", "b"), ("b", "c")):
        there, back = table.loc[first, second], table.loc[second, first]
        assert there["first_wins"] == back["second_wins"] and there["share"] == pytest.approx(1 - back["share"])
        assert there["share_interval"][0] == pytest.approx(1 - back["share_interval"][1])
        assert there["difference"] == -back["difference"] and there["p_holm"] == back["p_holm"]


@pytest.mark.parametrize("text", ["none.toml", "none.parquet", "sqlite:///none.db", "", "nonsense://x"])
def test_nothing_there_is_one_sentence_and_makes_nothing(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        open_votes(text)
    assert not list(tmp_path.iterdir())


def test_command_writes_both_files_or_says_why(study, tmp_path):
    path, _ = study
    command = [sys.executable, "-m", "userstudy.report.dashboard_data", str(tmp_path / "out.json")]
    environment = {"IPH_STUDY": str(path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_text())["study"] == "trial"
    assert len(pd.read_parquet(tmp_path / "out.parquet"))
    wrong = subprocess.run([*command, "--study", "trail"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert wrong.returncode == 2 and "trial" in wrong.stderr and "Traceback" not in wrong.stderr
