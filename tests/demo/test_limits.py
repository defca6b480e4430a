"""The limits that all screens share: settings, how often, how many at a time, and whose turn it is."""

import asyncio
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import fields
from pathlib import Path

import pytest

from demo.places import Places
from demo.plain_routes import Refusal
from demo.rate_limit import RateLimit
from demo.settings import Settings, table, variable
from demo.work_queue import WorkQueue, go_on
from iph.errors import InputError


def test_settings_come_from_the_environment_and_each_has_a_meaning():
    assert Settings.from_environment({}) == Settings()
    given = Settings.from_environment({"IPH_SESSIONS": "7", "IPH_LEFT_SECONDS": "1.5", "IPH_STUDY": "x.toml"})
    assert given.sessions == 7 and given.left_seconds == 1.5 and given.api_at_once == Settings().api_at_once
    assert all(one.metadata["meaning"] for one in fields(Settings)) and variable("sessions") == "IPH_SESSIONS"
    for text in ("many", "0", "-1", "1.5", "nan", "inf"):
        with pytest.raises(InputError, match="expected a positive whole number in IPH_SESSIONS"):
            Settings.from_environment({"IPH_SESSIONS": text})
    for text in ("nan", "inf", "0", "soon"):
        with pytest.raises(InputError, match="expected a positive number in IPH_LEFT_SECONDS"):
            Settings.from_environment({"IPH_LEFT_SECONDS": text})


def test_the_readme_lists_every_setting():
    assert table() in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_a_token_comes_back_with_time_and_clients_are_counted_apart():
    now = [0.0]
    limit = RateLimit(rate=2, burst=4, clients=2, clock=lambda: now[0])
    assert [limit.wait("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert limit.wait("b", 4) == 0
    now[0] = 0.5
    assert limit.wait("a") == 0 and limit.wait("a") == pytest.approx(0.5)
    limit.wait("c")
    assert limit.wait("b", 4) == 0  # forgotten as the oldest of three, and so new
    with pytest.raises(Refusal, match="please wait 1 seconds"):
        limit.count("b")


def test_places_are_counted_in_all_and_for_each_client():
    places = Places(most=3, per_client=2)
    with places.take("a"), places.take("a"):
        with pytest.raises(Refusal, match="from this address") as refused:
            places.take("a").__enter__()
        assert refused.value.status == 429 and refused.value.seconds
        with places.take("b"), pytest.raises(Refusal, match="Too many people"):
            places.take("c").__enter__()
        assert places.taken == 2
    with pytest.raises(KeyError), places.take("a"):
        raise KeyError
    assert places.taken == 0 and not places._taken


def test_a_few_clients_leave_places_for_those_who_have_none():
    places = Places(most=9, per_client=5)
    with ExitStack() as held:
        for client in "aaaabbbb":
            with suppress(Refusal):
                held.enter_context(places.take(client))
        assert places.taken == 6
        for client in "cde":
            held.enter_context(places.take(client))
            with pytest.raises(Refusal, match="Too many people"):
                places.take(client).__enter__()


@pytest.fixture
def queue():
    queue = WorkQueue("test", at_once=1, most=9, per_client=9, seconds=30)
    yield queue
    queue.close()


def test_work_is_done_in_the_order_in_which_it_came(queue):
    done = []

    async def all_of_it():
        await asyncio.gather(*(queue.run(lambda k=k: done.append(k)) for k in range(6)))

    asyncio.run(all_of_it())
    assert done == list(range(6))


def test_work_whose_caller_is_gone_is_dropped_while_it_waits_and_ends_where_it_runs(queue):
    begun, gate, done = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        assert gate.wait(30)
        done.append("first")

    async def leave():
        running = asyncio.ensure_future(queue.answer(queue.run(work), asyncio.sleep(0.2)))
        await asyncio.to_thread(begun.wait, 30)
        waiting = asyncio.ensure_future(queue.answer(queue.run(lambda: done.append("second")), asyncio.sleep(0.1)))
        for one in (waiting, running):
            with pytest.raises(Refusal, match="has left"):
                await one
        gate.set()
        await queue.run(lambda: done.append("third"))

    asyncio.run(leave())
    assert done == ["first", "third"]


def test_work_that_runs_ends_at_its_next_stage_once_its_caller_is_gone(queue):
    begun, gate, done = threading.Event(), threading.Event(), []

    def work():
        go_on()
        begun.set()
        assert gate.wait(30)
        go_on()
        done.append("second stage")

    async def leave():
        with pytest.raises(Refusal, match="has left"):
            await queue.answer(queue.run(work), asyncio.to_thread(begun.wait, 30))
        await asyncio.sleep(0.1)
        gate.set()
        await queue.run(go_on)  # whoever comes next in this thread is heard

    asyncio.run(leave())
    assert done == []
    go_on()  # outside of any queue


def test_nobody_waits_for_ever(queue):
    gate = threading.Event()
    queue.seconds = 0.2

    async def wait():
        with pytest.raises(Refusal, match=r"longer than 0\.2 seconds"):
            await queue.answer(queue.run(lambda: gate.wait(30)), asyncio.sleep(60))
        gate.set()

    began = time.monotonic()
    asyncio.run(wait())
    assert time.monotonic() - began < 10


def test_what_goes_wrong_in_a_thread_is_told_to_who_asked(queue):
    def fail():
        raise InputError("expected something else")

    with pytest.raises(InputError, match="something else"):
        asyncio.run(queue.answer(queue.run(fail), asyncio.sleep(60)))
