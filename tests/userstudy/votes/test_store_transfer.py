"""Votes out of a store, into files, and back; and the forms of other systems."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from study_files import RATERS, write_study

from userstudy.design.study_file import load_study
from userstudy.errors import InputError
from userstudy.votes.reading import rankings_table, raw_votes, votes_table
from userstudy.votes.restore import import_votes
from userstudy.votes.sessions import Sessions
from userstudy.votes.simulate import Taste, simulate
from userstudy.votes.store import Store
from userstudy.votes.transfer import export_votes, raw_form, read_votes, tables_of, votes_hash, write_frame

TASTE = Taste({"DoveNet": 0, "RainNet": 0.1, "BargainNet": 0.3, "IPH": 1.2})
BOTH = "\n[pairs]\nper_rater = 5\nattention = 1\n[ranking]\nper_rater = 1\n"


@pytest.fixture
def sessions(tmp_path) -> Sessions:
    """A study with two simulated raters, a real one who took an answer back, and an excluded one."""
    study = load_study(write_study(tmp_path, BOTH + RATERS))
    sessions = Sessions(Store(f"sqlite:///{tmp_path}/votes.db"), study)
    simulate(sessions, TASTE, 2)
    token, other = sessions.enter(), sessions.enter()
    for number, choice in enumerate(("left", "tie", "both_bad")):
        sessions.vote(token, f"v{number}", number, choice, 1.25 + number)
    sessions.undo(token, "u")
    sessions.vote(token, "again", 2, "skip", None)
    sessions.vote(other, "v", 0, "right", 3)
    sessions.store.exclude(sessions.row.id, sessions.progress(other).rater, "left the room, «sorry»")
    yield sessions
    sessions.store.close()


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    order = ["rater", "trial"] + (["method"] if "method" in one else [])
    one, other = (t.sort_values(order).reset_index(drop=True).astype(object) for t in (one, other))
    assert_frame_equal(one.where(one.notna(), None), other.where(other.notna(), None))


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_file_says_what_the_store_says(sessions, tmp_path, form):
    path = tmp_path / f"votes.{form}"
    about = export_votes(sessions.store, sessions.row, path)
    assert about["rows"] == 14 + 6 and about["simulated_rows"] == 14 and about["raters"] == 4
    assert json.loads((tmp_path / f"votes.{form}.json").read_text()) == about
    frame, remarks = read_votes(path)
    assert remarks == [] and votes_hash(frame) == about["sha256"]
    for simulated in (False, True):
        pairs, rankings = tables_of(frame, simulated)
        same(pairs, votes_table(sessions.store, sessions.row, simulated))
        same(rankings, rankings_table(sessions.store, sessions.row, simulated))
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_the_hash_is_of_the_content(sessions, tmp_path):
    hashes = {
        export_votes(sessions.store, sessions.row, tmp_path / f"v.{f}")["sha256"] for f in ("csv", "jsonl", "parquet")
    }
    assert len(hashes) == 1
    text = (tmp_path / "v.csv").read_text()
    (tmp_path / "v.csv").write_text(text.replace(",tie,", ",left,", 1))
    with pytest.raises(InputError, match="changed after its export"):
        read_votes(tmp_path / "v.csv")


def test_a_study_is_restored_elsewhere(sessions, tmp_path, database_url):
    about = export_votes(sessions.store, sessions.row, tmp_path / "v.jsonl")
    frame, _ = read_votes(tmp_path / "v.jsonl")
    store = Store(database_url.replace("votes.db", "elsewhere.db"))
    row = store.open_study(sessions.study)
    assert import_votes(store, sessions.study, row, frame) == (20, 0)
    assert import_votes(store, sessions.study, row, frame) == (0, 20)  # a second time changes nothing
    again = export_votes(store, row, tmp_path / "again.csv")
    assert again["rows"] == about["rows"] and again["simulated_rows"] == about["simulated_rows"]
    same(votes_table(store, row), votes_table(sessions.store, sessions.row))
    same(rankings_table(store, row, True), rankings_table(sessions.store, sessions.row, True))
    assert list(store.excluded(row.id).values()) == ["left the room, «sorry»"]
    store.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda row: row | {"shown": '["IPH", "DoveNett"]'},
            "method 'DoveNett' that the study lacks; did you mean 'DoveNet'",
        ),
        (lambda row: row | {"item": "photo-9"}, "picture 'photo-9' that the study lacks"),
        (lambda row: row | {"choice": "skip"}, "differs from the stored one"),
        (lambda row: row | {"item": "photo-1" if row["item"] != "photo-1" else "photo-2"}, "shows something else"),
    ],
)
def test_votes_that_contradict_are_refused_whole(sessions, tmp_path, change, message):
    export_votes(sessions.store, sessions.row, tmp_path / "v.parquet")
    before = votes_hash(read_votes(tmp_path / "v.parquet")[0])
    records = read_votes(tmp_path / "v.parquet")[0].to_dict("records")
    new = dict(records[0], rater="new", request_id="n")
    index = next(n for n, r in enumerate(records) if r["choice"] in ("left", "right"))
    records[index] = change(records[index])
    with pytest.raises(InputError, match=message):
        import_votes(sessions.store, sessions.study, sessions.row, raw_form(pd.DataFrame([new, *records])))
    export_votes(sessions.store, sessions.row, tmp_path / "after.parquet")
    assert votes_hash(read_votes(tmp_path / "after.parquet")[0]) == before


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("a,b\n1,2\n", "v.csv", "lacks the columns rater, origin"),
        ("", "v.csv", "cannot be read as a table"),
        ('{"a": 1}\n{"b"', "v.jsonl", "cannot be read as a table"),
        ("x", "v.xlsx", "expected a .csv, .jsonl, .json or .parquet file"),
        ("x", "v.parquet", "cannot be read as a table"),
    ],
)
def test_a_file_that_holds_no_votes(tmp_path, content, name, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_votes(tmp_path / name)


def test_wrong_words_and_doubled_rows(sessions, tmp_path):
    export_votes(sessions.store, sessions.row, tmp_path / "v.csv")
    (tmp_path / "v.csv.json").unlink()
    text = (tmp_path / "v.csv").read_text()
    for old, new, message in (
        (",tie,", ",tye,", "got 'tye'; did you mean 'tie'"),
        (",normal,", ",normall,", "did you mean 'normal'"),
        ('"[""', '"[', "a row that is no vote"),
    ):
        (tmp_path / "v.csv").write_text(text.replace(old, new, 1))
        with pytest.raises(InputError, match=message):
            read_votes(tmp_path / "v.csv")
    lines = text.splitlines()
    (tmp_path / "v.csv").write_text("\n".join([*lines, lines[1]]) + "\n")
    with pytest.raises(InputError, match="two answers of rater"):
        read_votes(tmp_path / "v.csv")
    with pytest.raises(InputError, match="did you mean 'arena'"):
        read_votes(tmp_path / "v.csv", "arenas")
    with pytest.raises(InputError, match="ending in .csv, .jsonl or .parquet"):
        export_votes(sessions.store, sessions.row, tmp_path / "v.txt")


@pytest.mark.parametrize("column", ["rater", "trial", "item"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_of_nobody_are_named_not_dropped(sessions, tmp_path, column, form):
    export_votes(sessions.store, sessions.row, tmp_path / "v.parquet")
    frame = pd.read_parquet(tmp_path / "v.parquet").astype({column: object})
    frame.loc[:2, column] = None
    write_frame(frame, tmp_path / f"v.{form}")
    with pytest.raises(InputError, match=f"value of '{column}' in every row of v.{form}, got 3 empty ones"):
        read_votes(tmp_path / f"v.{form}")


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_exclusion_s_reason_may_look_like_a_number(sessions, tmp_path, form):
    token = sessions.enter()
    sessions.vote(token, "v", 0, "left", 1.0)
    rater = sessions.progress(token).rater
    for other in sessions.store.excluded(sessions.row.id):
        sessions.store.include(sessions.row.id, other, "so that every reason is a number")
    sessions.store.exclude(sessions.row.id, rater, "2")
    export_votes(sessions.store, sessions.row, tmp_path / f"v.{form}")
    store = Store(f"sqlite:///{tmp_path}/elsewhere.db")
    row = store.open_study(sessions.study)
    import_votes(store, sessions.study, row, read_votes(tmp_path / f"v.{form}")[0])
    assert store.excluded(row.id) == {rater: "2"}
    store.close()


def test_votes_whose_exclusion_fails_are_not_there_either(sessions, tmp_path):
    export_votes(sessions.store, sessions.row, tmp_path / "v.csv")
    frame = read_votes(tmp_path / "v.csv")[0].assign(excluded=" ")
    store = Store(f"sqlite:///{tmp_path}/elsewhere.db")
    row = store.open_study(sessions.study)
    with pytest.raises(InputError, match="expected a reason to exclude"):
        import_votes(store, sessions.study, row, frame)
    assert raw_votes(store, row).empty
    store.close()


def test_pwcmp_s_votes_have_no_times_and_join_a_study_all_the_same(sessions, tmp_path):
    (tmp_path / "lab.csv").write_text(
        "observer,scene,condition_A,condition_B,is_A_selected\n7,photo-1,IPH,DoveNet,1\n7,photo-2,DoveNet,IPH,0\n"
    )
    frame, _ = read_votes(tmp_path / "lab.csv")
    before = len(votes_table(sessions.store, sessions.row))
    assert import_votes(sessions.store, sessions.study, sessions.row, frame) == (2, 0)
    assert import_votes(sessions.store, sessions.study, sessions.row, frame) == (0, 2)
    votes = votes_table(sessions.store, sessions.row)
    assert len(votes) == before + 2 and votes["timestamp"].notna().all()


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8)


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(texts, texts, texts, st.sampled_from(["left", "tie"]), st.none() | st.floats(0, 1e4)),
        min_size=1,
        max_size=6,
    )
)
def test_any_names_and_numbers_survive_every_form(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("forms")
    frame = raw_form(
        pd.DataFrame(
            [
                dict(rater="r", origin="link", simulated=False, excluded=None, trial=n, revision=1, task="pair")
                | dict(kind="normal", item=item, shown=json.dumps([left, right]), choice=choice, ranks=None)
                | dict(expected=None, seconds=seconds, timestamp="2026-01-01T00:00:00.5+00:00", request_id=str(n))
                for n, (item, left, right, choice, seconds) in enumerate(rows)
            ]
        )
    )
    for form in ("jsonl", "parquet", "csv"):
        write_frame(frame, folder / f"v.{form}")
        assert votes_hash(read_votes(folder / f"v.{form}")[0]) == votes_hash(frame)


@pytest.mark.parametrize("shown,seconds", [("\r", None), ("a", 3.571413959388544e-46), ("\n", 0.1), ('"', 1 / 3)])
def test_odd_names_and_numbers_survive_csv(tmp_path, shown, seconds):
    frame = raw_form(
        pd.DataFrame(
            [
                dict(rater="r", origin="link", simulated=False, excluded=None, trial=0, revision=1, task="pair")
                | dict(kind="normal", item="i", shown=json.dumps([shown, "b"]), choice="left", ranks=None)
                | dict(expected=None, seconds=seconds, timestamp="2026-01-01T00:00:00+00:00", request_id=shown)
            ]
        )
    )
    with np.printoptions(legacy="1.13"):  # what importing colour-science leaves behind
        write_frame(frame, tmp_path / "v.csv")
    assert votes_hash(read_votes(tmp_path / "v.csv")[0]) == votes_hash(frame)
