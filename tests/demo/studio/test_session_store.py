"""Sessions: who opens which, how long they stay, and that nothing of them is left behind."""

import tempfile
from dataclasses import replace
from types import SimpleNamespace

import pytest

from demo.plain_routes import Refusal
from demo.settings import Settings
from demo.studio.session_store import FULL, SessionStore


@pytest.fixture
def now():
    return SimpleNamespace(seconds=0.0)


@pytest.fixture
def store(monkeypatch, tmp_path, now):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = SessionStore(Settings(), lambda: now.seconds)
    yield store
    store.close()
    assert not list(tmp_path.glob("iph-studio-*"))


def work(session):
    """Give a session something that would be lost."""
    session.new_upload().write_text("a photo")
    return session


def use(store, session, page=None, takes_over=False):
    with store.using(session.name, session.key, page, takes_over) as used:
        return used


def refused(code, ask, *arguments):
    with pytest.raises(Refusal) as error:
        ask(*arguments)
    return error.value.code == code and str(error.value)[0].isupper() and str(error.value).endswith(".")


def test_a_name_opens_nothing_without_its_key(store):
    first, second = work(store.take("a")), work(store.take("b"))
    assert use(store, first) is first and first.name != first.key
    for name, key in ((first.name, ""), (first.name, second.key), (first.key, first.name), ("", ""), ("x", "ö")):
        assert refused("gone", lambda name=name, key=key: store.using(name, key).__enter__())
        assert refused("gone", store.leave, name, key, "page")
    assert first.left is None and len({s.name for s in (first, second)} | {s.key for s in (first, second)}) == 4


def test_what_a_visitor_left_is_deleted(store, now):
    first = work(store.take("a"))
    assert first.folder.stat().st_mode & 0o077 == 0
    now.seconds = store.settings.idle_seconds - 1
    second = work(store.take("a"))
    now.seconds += 2
    third = work(store.take("a"))
    assert not first.folder.exists() and second.folder.exists()
    store.leave(third.name, third.key, "page")
    now.seconds += store.settings.left_seconds - 1
    store.sweep()
    assert third.folder.exists()
    now.seconds += 1
    store.sweep()
    assert not third.folder.exists() and list(store.sessions) == [second.name]
    empty = store.take("a")
    store.leave(empty.name, empty.key, "page")
    assert not empty.folder.exists()


def test_a_page_that_comes_back_in_time_keeps_its_work(store, now):
    session = work(store.take("a"))
    use(store, session, "first")
    store.leave(session.name, session.key, "first")
    now.seconds += store.settings.left_seconds - 1
    assert use(store, session, "reloaded", takes_over=True) is session and session.left is None
    now.seconds += 2
    store.sweep()
    assert session.folder.exists()


def test_work_in_use_is_never_deleted(store, now):
    session = store.take("a")
    with store.using(session.name, session.key):
        store.leave(session.name, session.key, "page")
        now.seconds += 2 * store.settings.idle_seconds
        store.sweep()
        assert session.folder.exists()


def test_a_session_belongs_to_one_page_until_another_takes_it_over(store):
    session = work(store.take("a"))
    use(store, session, "first")
    assert refused("elsewhere", use, store, session, "twin")
    use(store, session, "reloaded", True)
    assert refused("elsewhere", use, store, session, "first")
    store.leave(session.name, session.key, "first")  # an end that is heard of late
    assert session.left is None and use(store, session, "reloaded") is session


def test_sessions_that_hold_nothing_go_first_and_nobodys_work_is_deleted(store):
    store.settings = replace(store.settings, sessions=3, sessions_per_client=2)
    kept, empty = work(store.take("a")), store.take("a")
    newer = work(store.take("a"))
    assert list(store.sessions) == [kept.name, newer.name] and not empty.folder.exists()
    assert refused("full", store.take, "a")
    theirs = work(store.take("b"))
    for newcomer in "cdefg":
        assert refused("full", store.take, newcomer)
    assert list(store.sessions) == [kept.name, newer.name, theirs.name]
    store.leave(theirs.name, theirs.key, "page")  # may still come back
    assert refused("full", store.take, "c")


def test_a_few_addresses_do_not_shut_out_all_others(store):
    """Five of them take what they get; each of twenty others still finds a place, and no more than that."""
    settings = store.settings
    for number in range(settings.sessions):
        try:
            work(store.take(f"greedy-{number % 5}"))
        except Refusal as error:
            assert str(error) == FULL
    assert len(store.sessions) == settings.sessions - settings.sessions // 3
    for number in range(settings.sessions // 3):
        work(store.take(f"visitor-{number}"))
        assert refused("full", store.take, f"visitor-{number}")  # a second one is for those who have none
    assert refused("full", store.take, "late") and len(store.sessions) == settings.sessions


def test_an_empty_session_in_use_does_not_go(store):
    store.settings = replace(store.settings, sessions_per_client=1)
    first = store.take("a")
    with store.using(first.name, first.key):  # an upload that is on its way
        assert refused("full", store.take, "a")
    assert store.take("a") is not first
