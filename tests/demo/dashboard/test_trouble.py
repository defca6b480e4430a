"""What the dashboard must not do (write, follow a path), and what it says when data are broken, locked or not there."""

import os
import re
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from dashboard_data import ask
from dashboard_visit import PAGES, settled, texts, visit

from demo.dashboard import live
from userstudy.design.study_file import load_study
from userstudy.votes import store_reader
from userstudy.votes.sessions import Sessions
from userstudy.votes.store import Store
from userstudy.votes.vote_source import open_votes

RESULTS = Path(__file__).parents[3] / "results"
KEYS = (
    *("dataset", "protocol", "metric", "versus", "method", "sort", "image", "maps", "scale", "results", "by", "table"),
    *("part", "study", "votes", "pair", "level", "correlation", "against", "against_protocol"),
)
COMMITTED = ("iph", "poisson", "reinhard-reference")  # methods of the sample whose pictures are in the repository
opened: list[str] = []


def _note(event: str, given: tuple) -> None:
    if event in ("open", "os.listdir", "os.scandir", "sqlite3.connect", "subprocess.Popen"):
        opened.append(str(given))


@pytest.fixture(scope="module", autouse=True)
def committed():
    if not (RESULTS / "sample" / "pictures").is_dir():
        pytest.skip("no pictures of the sample are committed in results/")


@pytest.fixture(autouse=True)
def apart(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("IPH_RESULTS", str(RESULTS))
    monkeypatch.delenv("IPH_STUDY", raising=False)
    monkeypatch.delenv("IPH_DATA", raising=False)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return ask(tmp_path_factory.mktemp("study"), RESULTS, raters=6, judged=COMMITTED)


def own_results(folder: Path, *names: str) -> Path:
    """Copies of committed data sets, the sample's pictures by hard link where that is possible."""
    for name in names:
        shutil.copytree(RESULTS / name, folder / name)
    return folder


def test_no_text_of_the_address_reaches_the_disk(monkeypatch, study):
    monkeypatch.setenv("IPH_STUDY", str(study))
    sys.addaudithook(_note)
    for page in PAGES:
        at = visit(page, **{key: f"../../zzz-{key}/etc/passwd" for key in KEYS})
        assert not at.exception
    assert opened and not [given for given in opened if "zzz-" in given]


def test_a_store_is_only_read(monkeypatch, study):
    monkeypatch.setenv("IPH_STUDY", str(study))
    file = Path(load_study(study).database_url.removeprefix("sqlite:///"))
    before = file.read_bytes()
    at = visit("study")
    assert "No person saw these pictures" in texts(at)
    assert file.read_bytes() == before
    reader = open_votes(str(study)).store
    with pytest.raises(Exception, match="readonly"), reader.engine.connect() as connection:
        connection.execute(sa.text("delete from votes"))


def test_a_folder_that_allows_no_writing_is_read(monkeypatch, study, tmp_path):
    file = tmp_path / "kept.db"
    with sqlite3.connect(load_study(study).database_url.removeprefix("sqlite:///")) as there:
        there.execute("vacuum into ?", (str(file),))
    monkeypatch.setattr(store_reader.os, "access", lambda path, mode, **_: mode != os.W_OK)
    source = open_votes(str(file))
    assert source.studies() == ["board"] and list(tmp_path.iterdir()) == [file]


def test_what_is_no_store_stays_as_it_is(monkeypatch, tmp_path):
    for content in (b"", b"SQLite format 3\0" + bytes(4000)):
        file = tmp_path / "votes.db"
        file.write_bytes(content)
        monkeypatch.setenv("IPH_STUDY", str(file))
        at = visit("study")
        assert "vote store" in texts(at) and "IPH_STUDY" in texts(at) and file.read_bytes() == content


def test_a_locked_store_is_a_sentence_and_comes_back(monkeypatch, study, tmp_path):
    file = Path(shutil.copy(load_study(study).database_url.removeprefix("sqlite:///"), tmp_path / "locked.db"))
    monkeypatch.setattr(store_reader, "PATIENCE", 0.1)
    monkeypatch.setenv("IPH_STUDY", str(file))
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    at = visit("study")
    assert "is locked" in texts(at) and len(at.warning) == 1
    holder.close()
    next(button for button in at.button if button.label == "Try again").click().run()
    assert "Decisive votes" in [metric.label for metric in settled(at).metric]


def test_a_store_without_votes_is_a_sentence(monkeypatch, tmp_path, study):
    file = Path(shutil.copy(study, tmp_path / "board.toml"))
    design = load_study(file)
    store = Store(design.database_url)
    Sessions(store, design)
    store.close()
    monkeypatch.setenv("IPH_STUDY", str(file))
    assert "found none yet. The page looks again by itself" in texts(visit("study"))
    assert live.paper_scores() is None


def test_votes_that_failed_are_tried_again(monkeypatch, tmp_path):
    votes = tmp_path / "votes.csv"
    votes.write_text("rater,choice\nr,left\n", encoding="utf-8")
    monkeypatch.setenv("IPH_STUDY", str(votes))
    assert "lacks the columns" in texts(visit("study"))
    watched = live.watch("votes", None)
    assert not watched.busy
    watched.ended -= live.RETRY
    assert live.watch("votes", None).busy


def test_broken_and_missing_pictures_leave_the_others(monkeypatch, tmp_path):
    folder = own_results(tmp_path, "sample") / "sample" / "pictures"
    shutil.rmtree(folder / "iph")
    for file in (folder / "poisson").iterdir():
        file.write_bytes(file.read_bytes()[:200])
    monkeypatch.setenv("IPH_RESULTS", str(tmp_path))
    at = visit("explorer", results="all", maps="true", method="poisson")
    assert re.search(r"1 of \d+ kept pictures cannot be read", texts(at)) and "--recompute" in texts(at)
    assert "Best 6" in at.segmented_control(key="results").options


def test_one_damaged_data_set_leaves_the_others(monkeypatch, tmp_path):
    own_results(tmp_path, "portrait-open")
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "rows.parquet").write_bytes((RESULTS / "sample" / "rows.parquet").read_bytes()[:4000])
    monkeypatch.setenv("IPH_RESULTS", str(tmp_path))
    at = visit(dataset="sample")
    assert "damaged" in texts(at) and "other data sets can still be chosen" in texts(at)
    at.selectbox(key="dataset").set_value("portrait-open").run()
    assert settled(at).metric and not at.warning


def test_explorer_opens_where_the_pictures_are():
    at = visit("explorer")
    assert at.selectbox(key="dataset").value == "sample" and "not on this machine" not in texts(at)
    at.switch_page("dashboard/leaderboard.py").run()
    assert at.selectbox(key="dataset").value == "intharmony-open"
    at.selectbox(key="dataset").set_value("portrait-open").run()
    at.switch_page("dashboard/explorer.py").run()
    assert at.selectbox(key="dataset").value == "portrait-open" and "not on this machine" in texts(at)
    next(button for button in at.button if button.label.startswith("Open Sample")).click().run()
    assert at.selectbox(key="dataset").value == "sample" and "not on this machine" not in texts(at)


def test_metrics_are_compared_on_the_pictures_that_people_saw(monkeypatch, study):
    monkeypatch.setenv("IPH_STUDY", str(study))
    at = visit("study", part="metrics")
    assert at.selectbox(key="against").value == "sample"
    at.selectbox(key="level").set_value("pictures").run()
    assert settled(at).dataframe[0].value["n"].min() > 40


def test_nothing_can_be_uploaded(monkeypatch, study):
    monkeypatch.setenv("IPH_STUDY", str(study))
    for page in PAGES:
        at = visit(page)
        assert not [kind for kind in ("file_uploader", "camera_input", "text_input", "text_area") if at.get(kind)]
    assert os.environ["IPH_RESULTS"] == str(RESULTS)
