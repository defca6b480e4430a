"""No cell of a CSV file is a formula, numbers stay numbers, and what was written is read again."""

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from userstudy.votes.csv_cells import neutral, neutral_frame, original, original_frame
from userstudy.votes.transfer import raw_form, read_votes, votes_hash, write_frame

SIGNS = "=+-@\t\r\n＝＋－＠"
FORMULAS = [
    "=1+1",
    "+A1",
    "-2+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "-e",
    "--",
    "'=1",
    "''+x",
]
anything = st.text(max_size=20) | st.text(alphabet="'=+-@\t\r\n＝a1", max_size=8)


@given(anything)
@example("'")
@example("''=")
def test_every_text_is_read_as_it_was_written(text):
    cell = neutral(text)
    assert original(cell) == text
    if cell[:1] in set(SIGNS):  # numbers: "-1e-7", "-0.1 to 0.3"
        assert not set("=@'!:;|\t\r\n") & set(cell) and not any(
            c.isalpha() for c in cell.lower().replace("e", "").replace("to", "")
        )


@given(st.lists(anything, min_size=2, max_size=2, unique=True))
def test_two_texts_are_two_cells(pair):
    assert neutral(pair[0]) != neutral(pair[1])


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text(text):
    if text != "--":  # signs alone compute nothing
        assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("number", ["-1", "+0.5", "-1.5e-07", "-3.25 ± 0.1", "-0.1 to 0.3", "+12 %", "-", "−1"])
def test_a_number_stays_a_number(number):
    assert neutral(number) == number


def test_tables_keep_their_numbers_and_their_gaps():
    table = pd.DataFrame({"a": [-1.5, None], "b": ["=1", None], "c": [-2, 3], "d": pd.to_datetime(["2026-01-01"] * 2)})
    written = neutral_frame(table)
    assert written["b"][0] == "'=1" and pd.isna(written["b"][1])
    assert written.drop(columns="b").equals(table.drop(columns="b"))
    assert original_frame(written)["b"][0] == "=1"


@settings(max_examples=50)
@given(st.lists(st.tuples(anything.filter(bool), anything, anything), min_size=1, max_size=4))
def test_votes_of_any_name_survive_a_spreadsheet_s_form(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("cells") / "votes.csv"
    common = dict(origin="link", simulated=False, revision=1, task="pair", kind="normal", choice="left", ranks=None)
    frame = raw_form(
        pd.DataFrame(
            [
                dict(common, rater="=r", trial=n, item=item, shown=json.dumps([left, right]), expected=None)
                | dict(
                    excluded="=HYPERLINK(1)", seconds=0.5, timestamp="2026-01-01T00:00:00+00:00", request_id=f"-{n}x"
                )
                for n, (item, left, right) in enumerate(rows)
            ]
        )
    )
    write_frame(frame, path)
    for line in list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))[1:]:
        assert all(neutral(original(cell)) == cell for cell in line)
    assert votes_hash(read_votes(path)[0]) == votes_hash(frame)


def test_a_file_of_before_is_read_as_it_is(tmp_path):
    row = dict(rater="-r", origin="link", simulated=False, excluded="", trial=0, revision=1, task="pair", kind="normal")
    row |= dict(item="=i", left="+a", right="b", shown='["+a", "b"]', choice="left", ranks="", expected="", seconds=1)
    pd.DataFrame([row | dict(timestamp="", request_id="x")]).to_csv(tmp_path / "v.csv", index=False)
    frame, _ = read_votes(tmp_path / "v.csv")
    assert frame.loc[0, ["rater", "item", "left"]].tolist() == ["-r", "=i", "+a"]


@given(anything)
def test_bench_writes_by_the_same_rule(text):
    from bench.report import csv_cells

    assert csv_cells.neutral(text) == neutral(text)
