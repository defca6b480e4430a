"""Votes of other systems: Chatbot Arena's tables and logs, pwcmp's; what cannot count is left out and counted."""

import json

import pytest

from userstudy.errors import InputError
from userstudy.report.study_report import score_study
from userstudy.scores.counts import count_votes
from userstudy.votes.transfer import read_votes, tables_of, votes_hash, write_frame


def battle(number: int, one: str, other: str, winner: str, judge: str, anony: bool) -> dict:
    """A row of lmsys/chatbot_arena_conversations, its texts left out."""
    row = dict(question_id=f"q{number}", model_a=one, model_b=other, winner=winner, judge=judge, turn=1)
    return row | dict(anony=anony, language="English", tstamp=1682351591.1 + number)


ARENA = [
    battle(0, "m1", "m2", "model_a", "arena_user_7", True),
    battle(1, "m2", "m3", "tie (bothbad)", "arena_user_7", True),
    battle(2, "m3", "m1", "tie", "arena_user_9", True),
    battle(3, "m3", "m1", "model_b", "arena_user_9", False),
]


def test_chatbot_arena_s_released_form(tmp_path):
    path = tmp_path / "arena.json"
    path.write_text(json.dumps(ARENA))
    frame, remarks = read_votes(path)
    assert remarks == ["1 votes with the models' names in sight were left out"]
    assert frame["choice"].tolist() == ["left", "both_bad", "tie"]
    assert frame["rater"].tolist() == ["voter-0", "voter-0", "voter-1"] and frame["trial"].tolist() == [0, 1, 0]
    assert frame["timestamp"][0].startswith("2023-04-24T15:53:11.1")
    assert count_votes(tables_of(frame)[0]).wins.sum() == 1


def test_chatbot_arena_s_table_of_probabilities_and_its_newer_words(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(
        "id,model_a,model_b,winner_model_a,winner_model_b,winner_tie\n1,x,y,0,1,0\n2,y,z,0,0,1\n3,x,z,1,0,0\n"
    )
    frame, _ = read_votes(path)
    assert frame.sort_values("item")["choice"].tolist() == ["right", "tie", "left"]
    assert frame["rater"].nunique() == 3  # no voter is known, so every battle is its own
    path.write_text("id,model_a,model_b,winner\n1,x,y,both_bad\n2,y,z,model_c\n")
    with pytest.raises(InputError, match="got 'model_c'"):
        read_votes(path)
    path.write_text("id,model_a,model_b,winner\n1,x,y,both_bad\n")
    assert read_votes(path)[0]["choice"].tolist() == ["both_bad"]


def test_battles_without_a_voter_or_a_question_keep_apart(tmp_path):
    path = tmp_path / "arena.csv"
    path.write_text(
        "question_id,model_a,model_b,winner,judge\nq1,x,y,model_a,u1\nq2,x,y,model_b,\n,y,x,tie,\nq4,y,x,tie,u1\n"
    )
    frame, remarks = read_votes(path)
    assert remarks == ["2 votes name no voter; each is taken as a rater of its own"]
    found = frame.sort_values(["rater", "trial"])
    assert found["rater"].tolist() == ["voter-0", "voter-0", "voter-1", "voter-2"]
    assert found["item"].tolist() == ["q1", "q4", "q2", "unnamed"]
    path.write_text("question_id,model_a,model_b,winner\nq1,x,,model_a\n")
    with pytest.raises(InputError, match="got none: 1 votes without a winner or a model were left out"):
        read_votes(path)


@pytest.mark.parametrize("factor", [1, 1e3, 1e6, 1e9])
def test_arena_times_in_any_unit(tmp_path, factor):
    path = tmp_path / "arena.json"
    path.write_text(json.dumps([row | {"tstamp": round(row["tstamp"] * factor)} for row in ARENA]))
    assert read_votes(path)[0]["timestamp"][0].startswith("2023-04-24T15:53:11")


@pytest.mark.parametrize(
    ("times", "lost"),
    [
        (["2023-04-24T15:53:11Z", "yesterday", None, None], 1),
        ([1682351591, 9e30, None, 1682351591], 1),
        ([{"$date": 1}, [2], None, "2023-04-24"], 2),
    ],
)
def test_arena_times_that_are_none_are_counted_and_their_votes_stay(tmp_path, times, lost):
    path = tmp_path / "arena.json"
    rows = [row | {"tstamp": time, "anony": True} for row, time in zip(ARENA, times, strict=True)]
    path.write_text(json.dumps(rows))
    frame, remarks = read_votes(path)
    assert len(frame) == 4 and f"{lost} times cannot be read and were left out; their votes count" in remarks


def test_a_battle_against_itself_or_without_a_field_is_left_out_and_counted(tmp_path):
    path = tmp_path / "arena.json"
    rows = [row | {"anony": True} for row in ARENA]
    rows += [battle(4, "m1", "m1", "model_a", "u", True), battle(5, "m1", None, "tie", "u", True)]
    rows += [battle(6, "m1", "m2", None, "u", True), {"question_id": "q7", "model_a": "m1", "model_b": "m2"}]
    path.write_text(json.dumps(rows))
    frame, remarks = read_votes(path)
    assert len(frame) == 4
    assert remarks == [
        "3 votes without a winner or a model were left out",
        "1 votes between a method and itself were left out",
    ]
    assert count_votes(tables_of(frame)[0]).wins.sum() == 2
    path.write_text(json.dumps(rows[4:5]))
    with pytest.raises(InputError, match="at least one vote that can be counted, got none: 1 votes between a method"):
        read_votes(path)
    pairs = "observer,condition_A,condition_B,is_A_selected\no,x,x,1\no,x,y,1\n"
    (tmp_path / "pwcmp.csv").write_text(pairs)
    frame, remarks = read_votes(tmp_path / "pwcmp.csv")
    assert len(frame) == 1 and remarks == ["1 votes between a method and itself were left out"]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"type": "chat", "tstamp": 1.0, "model": "m1"}], "got none: 1 log lines that are no votes were left out"),
        ([{"type": "chat", "tstamp": 1.0, "models": None}] * 2, "got none: 2 log lines that are no votes"),
        ([{"type": "leftvote", "tstamp": 1.0, "models": ["", ""]}], "got none: 1 votes without a winner or a model"),
        ([{"type": "leftvote", "models": ["a"], "states": 3}], "got none: 1 votes without a winner or a model"),
        ([{"model_a": "x", "model_b": "y"}], "expected a column 'winner'"),
        ([{"model_a": "x", "winner": "model_a"}], "is no file of votes"),
        (
            [{"model_a": "x", "model_b": "y", "winner_model_a": 0, "winner_model_b": 0, "winner_tie": 0}],
            "without a winner",
        ),
        ([3], "expected an object for each vote, got 3"),
        ([], "no file of votes"),
    ],
)
def test_a_log_without_votes_is_a_sentence(tmp_path, rows, sentence):
    (tmp_path / "log.json").write_text(json.dumps(rows))
    with pytest.raises(InputError, match=sentence):
        read_votes(tmp_path / "log.json")


def test_a_hash_file_that_is_broken_is_a_sentence(tmp_path):
    path = tmp_path / "arena.json"
    path.write_text(json.dumps(ARENA))
    write_frame(read_votes(path)[0], tmp_path / "ours.csv")
    for content in ("{", "[]", "3", "{}"):
        (tmp_path / "ours.csv.json").write_text(content)
        with pytest.raises(InputError, match="expected the hash of ours.csv in ours.csv.json, found none"):
            read_votes(tmp_path / "ours.csv")


def test_fastchat_s_log_gives_no_address(tmp_path):
    def line(kind, models, ip, named=("", "")):
        return dict(type=kind, tstamp=2.0, models=named, states=[{"model_name": name} for name in models], ip=ip)

    lines = [
        {"type": "chat", "tstamp": 1.0, "model": "m1", "ip": "203.0.113.7"},
        line("leftvote", ("m1", "m2"), "203.0.113.7"),
        line("bothbad_vote", ("m1", "m2"), "203.0.113.9", named=("m1", "m2")),
        line("tievote", ("m2", "m1"), "203.0.113.9"),
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    frame, remarks = read_votes(path)
    assert len(remarks) == 2 and "1 log lines" in remarks[0] and "1 votes with the models' names" in remarks[1]
    assert frame["shown"].tolist() == ['["m1", "m2"]', '["m2", "m1"]'] and frame["choice"].tolist() == ["left", "tie"]
    assert not frame.astype(str).apply(lambda column: column.str.contains("203.0.113")).any().any()


def test_pwcmp_s_form(tmp_path):
    path = tmp_path / "ex3.csv"
    path.write_text(
        "observer,session_id,scene,condition_B,condition_A,is_A_selected,criterion\n"
        "M01,1,window,tmo_camera,ferwerda96,0,perceptual\n"
        "M01,1,exhibition,ronan12,irawan05,1,perceptual\n"
        "F01,5,window,tmo_camera,ferwerda96,0,perceptual\n"
    )
    frame, _ = read_votes(path)
    pairs, _ = tables_of(frame)
    assert pairs.sort_values(["rater", "trial"])["choice"].tolist() == ["right", "right", "left"]
    counts = count_votes(pairs)
    wins = dict(zip(counts.methods, counts.wins, strict=True))
    assert wins["tmo_camera"][counts.methods.index("ferwerda96")] == 2
    assert wins["irawan05"][counts.methods.index("ronan12")] == 1
    path.write_text("observer,scene,condition_A,condition_B,selected_A\nM01,w,a,b,2\n")
    with pytest.raises(InputError, match="expected 0 or 1 in 'selected_A', got 2"):
        read_votes(path)
    path.write_text("observer,scene,condition_A,condition_B\nM01,w,a,b\n")
    with pytest.raises(InputError, match="expected a column is_A_selected"):
        read_votes(path)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_pwcmp_without_scenes_is_scored_from_every_form(tmp_path, form):
    (tmp_path / "lab.csv").write_text("observer,condition_A,condition_B,is_A_selected\n01,a,b,1\n1,b,a,1\n1,b,a,0\n")
    frame, _ = read_votes(tmp_path / "lab.csv")
    write_frame(frame, tmp_path / f"ours.{form}")
    again, _ = read_votes(tmp_path / f"ours.{form}")
    assert votes_hash(again) == votes_hash(frame) and set(again["rater"]) == {"01", "1"}
    assert score_study(*tables_of(again)).pairs.items[0].item == "unnamed"
    (tmp_path / "lab.csv").write_text("observer,condition_A,condition_B,is_A_selected\n,a,b,1\n")
    with pytest.raises(InputError, match="value of 'observer' in every row, got 1 empty ones"):
        read_votes(tmp_path / "lab.csv")
