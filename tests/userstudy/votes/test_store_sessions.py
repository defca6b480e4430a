"""A rater's way through a study: answers count once, nothing is overwritten, forged requests are refused."""

import threading
import uuid
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from study_files import RATERS, write_study

from userstudy.design.adaptive import next_pairs
from userstudy.design.study_file import load_study
from userstudy.scores.counts import count_votes
from userstudy.votes.reading import pair_counts, rankings_table, rater_table, raw_votes, votes_table
from userstudy.votes.sessions import Refused, Sessions
from userstudy.votes.simulate import Taste, simulate
from userstudy.votes.store import Store
from userstudy.votes.tables import raters, trials, votes
from userstudy.votes.tokens import ForeignToken, rater_of, rater_token

BOTH = """
[pairs]
per_rater = 6
answers = ["tie", "skip"]
repeats = 1
attention = 1
[ranking]
per_rater = 2
ranks = 3
"""
TASTE = Taste({"DoveNet": 0, "RainNet": 0.1, "BargainNet": 0.3, "IPH": 1.2, "composite": -0.6})


def maker(url, folder):
    store = Store(url)
    yield lambda rest=BOTH + RATERS, name="trial": Sessions(store, load_study(write_study(folder, rest, name)))
    store.close()


@pytest.fixture
def make(database_url, tmp_path):
    """``make(rest, name)``: the sessions of a study, all in one store; on either database."""
    yield from maker(database_url, tmp_path)


@pytest.fixture
def make_sqlite(tmp_path):
    """The same where the database makes no difference."""
    yield from maker("sqlite://", tmp_path)


def rows(sessions) -> list:
    with sessions.store.read() as connection:
        query = sa.select(votes.c.trial, votes.c.revision, votes.c.choice).order_by(votes.c.id)
        return [tuple(row) for row in connection.execute(query)]


def finish(sessions, token):
    """Answers everything that is left, rightly."""
    progress = sessions.progress(token)
    while progress.upcoming:
        trial = progress.upcoming[0]
        request = uuid.uuid4().hex
        if trial.task == "ranking":
            progress = sessions.vote(token, request, trial.trial, "ranked", 2.0, [1, 3, 2, None])
        else:
            progress = sessions.vote(token, request, trial.trial, trial.expected or "left", 2.0)
    return progress


def test_a_whole_session(make):
    sessions = make()
    token = sessions.enter()
    progress = sessions.progress(token)
    assert (progress.done, progress.total, progress.outcome, progress.can_undo) == (0, 10, None, False)
    assert [trial.trial for trial in progress.upcoming] == [0, 1, 2]
    progress = finish(sessions, token)
    assert (progress.done, progress.outcome, progress.upcoming) == (10, "complete", [])
    table = votes_table(sessions.store, sessions.row)
    assert len(table) == 8 and Counter(table["kind"]) == {"normal": 6, "repeat": 1, "attention": 1}
    assert count_votes(table).total("left") == 6  # what the scores count
    ranked = rankings_table(sessions.store, sessions.row)
    assert len(ranked) == 8 and sorted(ranked["rank"].dropna()) == [1, 1, 2, 2, 3, 3]


def test_a_request_sent_twice_is_stored_once_and_answered_alike(make):
    sessions = make()
    token = sessions.enter()
    first = sessions.vote(token, "a", 0, "left", 1.0)
    assert sessions.vote(token, "a", 0, "left", 1.0) == first
    assert sessions.vote(token, "a", 0, "right", 1.0) == first  # the id says it is the same request
    assert rows(sessions) == [(0, 1, "left")]
    undone = sessions.undo(token, "u")
    assert sessions.undo(token, "u") == undone
    assert rows(sessions) == [(0, 1, "left"), (0, 2, "undone")]


def test_undo_adds_rows_and_the_latest_revision_counts(make):
    sessions = make()
    token = sessions.enter()
    sessions.vote(token, "a", 0, "left", 1.0)
    sessions.vote(token, "b", 1, "left", 1.0)
    assert sessions.undo(token, "u1").done == 1
    progress = sessions.undo(token, "u2")
    assert progress.done == 0 and not progress.can_undo and progress.upcoming[0].trial == 0
    with pytest.raises(Refused, match="no answer to take back"):
        sessions.undo(token, "u3")
    sessions.vote(token, "c", 0, "right", 1.0)
    assert rows(sessions) == [
        (0, 1, "left"),
        (1, 1, "left"),
        (1, 2, "undone"),
        (0, 2, "undone"),
        (0, 3, "right"),
    ]
    assert votes_table(sessions.store, sessions.row)["choice"].tolist() == ["right"]
    assert len(raw_votes(sessions.store, sessions.row)) == 5


def test_undoing_the_last_answer_reopens_a_finished_session(make_sqlite):
    sessions = make_sqlite()
    token = sessions.enter()
    finish(sessions, token)
    assert sessions.undo(token, "u").outcome is None
    assert finish(sessions, token).outcome == "complete"


@pytest.mark.parametrize(
    ("trial", "choice", "seconds", "ranks", "message"),
    [
        (99, "left", 1, None, "not among this rater's"),
        (-1, "left", 1, None, "not among this rater's"),
        (0, "both_bad", 1, None, "expected one of left, right, tie, skip"),
        (0, "undone", 1, None, "expected one of"),
        (0, "ranked", 1, [1, 2, 3, None], "expected one of"),
        (0, "left", 1, [1, 2], "expected one of"),
        (0, "left", 0.2, None, "at least 0.5 seconds"),
        (0, "left", float("nan"), None, "seconds of viewing"),
        (0, "left", -1, None, "seconds of viewing"),
        (8, "left", 1, None, "expected ranks"),
        (8, "ranked", 1, None, "expected ranks"),
        (8, "ranked", 1, [1, 2, 3], "for 4 pictures"),
        (8, "ranked", 1, [1, 1, None, None], "expected ranks"),
        (8, "ranked", 1, [2, 3, None, None], "expected ranks"),
        (8, "ranked", 1, [1, 2, 3, 4], "one to 3 ranks"),
        (8, "ranked", 1, [None] * 4, "one to 3 ranks"),
    ],
)
def test_a_forged_answer_is_refused_and_nothing_is_stored(make_sqlite, trial, choice, seconds, ranks, message):
    sessions = make_sqlite(BOTH + RATERS.replace("min_seconds = 0", "min_seconds = 0.5"))
    token = sessions.enter()
    with pytest.raises(Refused, match=message) as refused:
        sessions.vote(token, "a", trial, choice, seconds, ranks)
    assert refused.value.code == "invalid"
    assert rows(sessions) == []


def test_a_second_answer_needs_an_undo(make_sqlite):
    sessions = make_sqlite()
    token = sessions.enter()
    sessions.vote(token, "a", 0, "left", 1.0)
    with pytest.raises(Refused, match="already has an answer") as refused:
        sessions.vote(token, "b", 0, "right", 1.0)
    assert refused.value.code == "conflict"


def test_tokens_of_other_studies_and_forged_ones_open_nothing(make_sqlite):
    sessions, other = make_sqlite(), make_sqlite(name="other")
    token = other.enter()
    for call in (
        lambda t: sessions.progress(t),
        lambda t: sessions.vote(t, "a", 0, "left"),
        lambda t: sessions.undo(t, "u"),
    ):
        with pytest.raises(ForeignToken, match="another study"):
            call(token)
    mine = sessions.enter()
    study, rater, proof = mine.split(".")
    for forged in (f"{study}.{rater}.{'0' * 32}", f"{study}.0123456789abcdef.{proof}", study, "", "..", "ü.ü.ü"):
        with pytest.raises(ForeignToken):
            sessions.progress(forged)
    with pytest.raises(ForeignToken, match="does not know"):
        sessions.progress(rater_token(sessions.row.secret, "0123456789abcdef"))


def test_a_participant_is_one_rater_and_their_id_is_nowhere(make_sqlite):
    sessions, other = make_sqlite(), make_sqlite(name="other")
    token = sessions.enter("prolific", "5f0c1a2b3c4d5e6f70819203")
    sessions.vote(token, "a", 0, "left", 1.0)
    assert sessions.enter("prolific", "5f0c1a2b3c4d5e6f70819203") == token
    assert sessions.enter("mturk", "5f0c1a2b3c4d5e6f70819203") != token
    assert sessions.enter() != sessions.enter()
    assert rater_of(other.row.secret, other.enter("prolific", "5f0c1a2b3c4d5e6f70819203")) != token.split(".")[1]
    with sessions.store.read() as connection:
        for table in (raters, trials, votes):
            for row in connection.execute(sa.select(table)):
                assert "5f0c1a2b3c4d5e6f70819203" not in str(row)


def test_seats_are_held_freed_and_full(make):
    sessions = make(BOTH + RATERS.replace("number = 30", "number = 2"))
    first, second = sessions.enter(), sessions.enter()
    with pytest.raises(Refused, match="taken") as refused:
        sessions.enter()
    assert refused.value.code == "full"
    finish(sessions, first)
    sessions.vote(second, "x", 0, "left", 1.0)
    with sessions.store.write() as connection:  # the second rater left long ago
        connection.execute(
            raters.update().where(raters.c.outcome.is_(None)).values(last_seen="2020-01-01T00:00:00.000000+00:00")
        )
    third = sessions.enter()
    with sessions.store.read() as connection:
        seats = dict(connection.execute(sa.select(raters.c.rater, raters.c.seat)).all())
    assert seats[third.split(".")[1]] == seats[second.split(".")[1]] == 1
    shown = [[trial.shown for trial in sessions.progress(token).upcoming] for token in (third,)]
    assert shown and sessions.vote(second, "y", 1, "left", 1.0).done == 2  # who comes back may go on
    finish(sessions, third)
    sessions.store.exclude(sessions.row.id, first.split(".")[1], "asked for it")
    assert sessions.enter()  # an excluded rater's seat is free


def test_failed_checks_end_a_session(make_sqlite):
    sessions = make_sqlite(BOTH.replace("attention = 1", "attention = 3") + RATERS + "max_failed = 2\n")
    token = sessions.enter()
    progress = sessions.progress(token)
    while progress.upcoming:
        trial = progress.upcoming[0]
        wrong = {"left": "right", "right": "left", None: "left"}[trial.expected]
        progress = sessions.vote(token, str(trial.trial), trial.trial, wrong, 1.0)
    assert progress.outcome == "failed_checks" and progress.done < progress.total and not progress.can_undo
    with pytest.raises(Refused, match="has ended"):
        sessions.vote(token, "late", progress.total - 1, "ranked", 1.0, [1, None, None, None])
    with pytest.raises(Refused):
        sessions.undo(token, "u")
    (row,) = rater_table(sessions.store, sessions.row).itertuples()
    assert row.failed_checks == 2 and row.outcome == "failed_checks"


def test_simulated_raters_are_kept_apart(make):
    sessions = make()
    answers = simulate(sessions, TASTE, number=3, seed=1)
    real = finish(sessions, sessions.enter())
    assert answers == 30 and real.total == 10
    store, row = sessions.store, sessions.row
    assert votes_table(store, row)["simulated"].tolist() == [False] * 8
    assert votes_table(store, row, simulated=True)["simulated"].tolist() == [True] * 24
    assert pair_counts(store, row)["votes"].sum() == 6
    assert pair_counts(store, row, simulated=True)["votes"].sum() == 18
    assert Counter(raw_votes(store, row)["simulated"]) == {True: 30, False: 10}
    with store.read() as connection:  # a simulated rater takes no real rater's seat
        assert connection.scalars(sa.select(raters.c.seat).where(~raters.c.simulated)).all() == [0]


def test_excluded_raters_leave_the_tables_and_come_back(make):
    sessions = make()
    token = sessions.enter()
    finish(sessions, token)
    rater = sessions.progress(token).rater
    sessions.store.exclude(sessions.row.id, rater, "bored")
    assert votes_table(sessions.store, sessions.row).empty
    assert rankings_table(sessions.store, sessions.row).empty
    assert pair_counts(sessions.store, sessions.row).empty
    assert len(votes_table(sessions.store, sessions.row, with_excluded=True)) == 8
    assert raw_votes(sessions.store, sessions.row)["excluded"].tolist() == ["bored"] * 10
    sessions.store.include(sessions.row.id, rater, "mistake")
    assert len(votes_table(sessions.store, sessions.row)) == 8


def test_adaptive_choice_follows_a_balanced_start_and_shows_no_cell_twice(make):
    rest = "[pairs]\nper_rater = 14\nrepeats = 2\nadaptive = true\nbalanced_start = 2\n"
    sessions = make(rest + RATERS)
    simulate(sessions, TASTE, number=9, seed=3)
    with sessions.store.read() as connection:
        query = (
            sa.select(raters.c.id, trials)
            .join(trials, raters.c.id == trials.c.rater_id)
            .order_by(raters.c.id, trials.c.trial)
        )
        shown = connection.execute(query).all()
    by_rater: dict[int, list] = {}
    for row in shown:
        by_rater.setdefault(row.rater_id, []).append(row)
    for own in by_rater.values():
        assert len(own) == 16
        cells = [(row.item, frozenset(row.shown)) for row in own if row.kind == "normal"]
        assert len(cells) == len(set(cells)) == 14
        for row in own:
            if row.kind == "repeat":
                assert row.shown == own[row.repeat_of].shown[::-1] and row.item == own[row.repeat_of].item
    counts = pair_counts(sessions.store, sessions.row, simulated=True)
    pair = counts[["left", "right"]].apply(frozenset, axis=1)
    per_pair = counts.groupby(pair)["votes"].sum()
    assert len(per_pair) == 6 and per_pair.min() >= 2
    # IPH is far ahead, so pairs without it teach more.
    without = per_pair[[name for name in per_pair.index if "IPH" not in name]].mean()
    assert without > per_pair[[name for name in per_pair.index if "IPH" in name]].mean()
    left = counts.groupby("left")["votes"].sum() / (
        counts.groupby("left")["votes"].sum() + counts.groupby("right")["votes"].sum()
    )
    assert left.between(0.35, 0.65).all()
    assert len(next_pairs(count_votes(votes_table(sessions.store, sessions.row, simulated=True)).wins)) == 3


def test_many_threads_lose_and_double_nothing(make):
    """8 raters at once, every request sent twice by two threads at the same moment."""
    sessions = make()
    tokens = [sessions.enter() for _ in range(8)]
    errors = []

    def send(token):
        try:
            for trial in range(8):
                sessions.vote(token, f"r{trial}", trial, "left", 1.0)
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=send, args=(token,)) for token in tokens for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert Counter(rows(sessions)) == {(trial, 1, "left"): 8 for trial in range(8)}


def test_seats_are_unique_when_all_come_at_once(make):
    sessions = make()
    threads = [threading.Thread(target=sessions.enter) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sessions.store.read() as connection:
        assert sorted(connection.scalars(sa.select(raters.c.seat))) == list(range(16))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["left", "right", "tie", "undo", "replay"]), max_size=14))
def test_any_order_of_answers_and_undos_keeps_the_books(tmp_path, actions):
    """Against a plain list as the model of what stands."""
    tmp_path.mkdir(exist_ok=True)
    store = Store("sqlite://")  # in memory
    sessions = Sessions(store, load_study(write_study(tmp_path, items=2)))
    token, standing, last, history = sessions.enter(), [], None, 0
    for number, action in enumerate(actions):
        if action == "replay":
            if last:
                last()
        elif action == "undo":
            if not standing:
                continue
            standing.pop()
            last = lambda n=number: sessions.undo(token, f"u{n}")  # noqa: E731
            last()
            history += 1
        elif len(standing) < 6:
            at = len(standing)
            last = lambda n=number, at=at, a=action: sessions.vote(token, f"v{n}", at, a, 1.0)  # noqa: E731
            standing.append(action)
            last()
            history += 1
    assert votes_table(store, sessions.row).sort_values("trial")["choice"].tolist() == standing
    assert len(raw_votes(store, sessions.row)) == history
    assert sessions.progress(token).done == len(standing)
    store.close()
