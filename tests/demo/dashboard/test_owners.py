"""What the public sees of a study under way (nothing), of an ended one (scores, no reasons), and of hostile names."""

import json
from types import SimpleNamespace

import pytest
from dashboard_data import ask, measure
from dashboard_visit import texts, visit
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from demo.dashboard import live, visitors
from demo.dashboard.text import chart_text, clicked_text, code, plain
from userstudy.design.study_file import load_study
from userstudy.votes.sessions import Sessions
from userstudy.votes.store import Store
from userstudy.votes.transfer import export_votes

REASON = "smelled of gin"
WAIT = "its results are shown here once it is closed"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("owners") / "results")


@pytest.fixture
def study(results, tmp_path, monkeypatch):
    """A running study with an excluded rater; the visitor is the public."""
    path = ask(tmp_path / "study", results, raters=8)
    sessions = Sessions(Store(load_study(path).database_url), load_study(path))
    rater = sessions.progress(sessions.enter("simulated", "0 0", simulated=True)).rater
    sessions.store.exclude(sessions.row.id, rater, REASON)
    monkeypatch.setenv("IPH_RESULTS", str(results))
    monkeypatch.setenv("IPH_STUDY", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(live, "owner", lambda: False)
    yield SimpleNamespace(path=path, sessions=sessions, rater=rater)
    sessions.store.close()


def seen(at: AppTest) -> str:
    """Everything that reaches the visitor's browser, tables and charts included."""
    tables = [frame.value.to_csv() for frame in at.dataframe]
    return "\n".join([texts(at), *tables, *(str(block.proto) for block in at.get("plotly_chart"))])


def test_the_public_sees_nothing_of_a_study_under_way(study, tmp_path):
    for part in ("scores", "pairs", "raters", "rankings", "time", "metrics"):
        at = visit("study", part=part)
        assert WAIT in texts(at) and "No person saw" not in texts(at)
        assert not at.dataframe and not at.get("plotly_chart") and not at.metric
    paper = visit("paper", table="2")
    assert "cannot be shown" in texts(paper) and all(
        frame.value.filter(like="_ours").isna().all(axis=None) for frame in paper.dataframe
    )
    assert not list((tmp_path / "cache").rglob("study-*"))  # nothing was even scored
    with pytest.raises(live.Withheld):
        live.watch("board", "simulated")
    study.sessions.store.set_state(study.sessions.row.id, "pause")
    assert WAIT in texts(visit("study"))


def test_the_public_sees_the_results_of_a_closed_study_and_no_reasons(study, tmp_path):
    study.sessions.store.set_state(study.sessions.row.id, "close", "all seats are done")
    at = visit("study", part="raters")
    shown = seen(at)
    assert "No person saw" in texts(at) and f"{study.rater} was left out by hand" in shown
    assert REASON not in shown and "all seats" not in shown
    for path in (tmp_path / "cache").rglob("study-*.json"):
        assert REASON not in path.read_text() and json.loads(path.read_text())["excluded"] == [study.rater]
    study.sessions.store.set_state(study.sessions.row.id, "open")  # and opened again it is withheld again
    assert WAIT in texts(visit("study"))


@pytest.mark.parametrize("how", ["the study file", "the environment", "a file of votes", "the owner"])
def test_results_are_live_for_those_who_ask_for_it(study, how, monkeypatch, tmp_path):
    if how == "the study file":
        study.path.write_text("live_results = true\n" + study.path.read_text())
        study.sessions.store.open_study(load_study(study.path))  # as a server does when it starts
    elif how == "the environment":
        monkeypatch.setenv("IPH_LIVE_RESULTS", "1")
    elif how == "a file of votes":
        export_votes(study.sessions.store, study.sessions.row, tmp_path / "votes.csv")
        monkeypatch.setenv("IPH_STUDY", str(tmp_path / "votes.csv"))
    else:
        monkeypatch.setattr(live, "owner", lambda: True)
    at = visit("study")
    assert WAIT not in texts(at)


@pytest.mark.parametrize(
    ("headers", "address", "mounted", "is_owner"),
    [
        ({"Host": "localhost:8501"}, None, False, True),
        ({"Host": "127.0.0.1:8501"}, "127.0.0.1", False, True),
        ({"Host": "[::1]:8501"}, None, False, True),
        ({"Host": "localhost:8501"}, None, True, False),  # within app.py
        ({"Host": "localhost:8501"}, "198.51.100.4", False, False),
        ({"Host": "study.example"}, None, False, False),  # a proxy, or a name that was bound to this machine
        ({"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}, None, False, False),
        ({"Host": "localhost", "Forwarded": "for=127.0.0.1"}, None, False, False),
        ({"Host": "[::"}, None, False, False),
    ],
)
def test_who_the_owner_is(monkeypatch, headers, address, mounted, is_owner):
    monkeypatch.setattr(visitors.st, "context", SimpleNamespace(headers=headers, ip_address=address))
    monkeypatch.delenv("IPH_STUDIO", raising=False)
    if mounted:
        monkeypatch.setenv("IPH_STUDIO", "/")
    assert visitors.owner() is is_owner


MARKDOWN = MarkdownIt("commonmark").enable(["strikethrough", "table"])
names = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Zs"]), max_size=30)
marks = st.text(alphabet="\\`*_[]()<>!#+-.1|~$&: ab/'\"=", max_size=30)


def read(markdown: str) -> tuple[str, set[str]]:
    """The text that a reader sees, and what else there is."""
    inline = [token for block in MARKDOWN.parse(markdown) if block.type == "inline" for token in block.children]
    kinds = {block.type for block in MARKDOWN.parse(markdown)} | {token.type for token in inline}
    return "".join(token.content for token in inline), kinds


@given(names | marks)
def test_every_name_is_read_as_it_is(name):
    line = " ".join(name.split())
    shown, kinds = read(plain(name))
    assert shown == line and kinds <= {"paragraph_open", "inline", "paragraph_close", "text", "text_special"}
    shown, kinds = read(f"Source: {code(name)}.")
    assert (
        not kinds - {"paragraph_open", "inline", "paragraph_close", "text", "code_inline"} and line.strip("` ") in shown
    )


@given(names | marks)
def test_charts_show_names_as_they_are_and_clicks_give_them_back(name):
    assert "<" not in chart_text(name) and clicked_text(chart_text(name)) == name


@pytest.mark.parametrize("name", ["![x](http://192.0.2.1/x.png)", ":red[x]", ":red-badge[x]", "$x$", "<img src=x>"])
def test_streamlit_s_own_marks_are_characters_too(name):
    written = plain(name)
    assert all(
        written[at - 1] == "\\" for at, sign in enumerate(written) if sign in "[<$" or written[at : at + 4] == ":red"
    )
