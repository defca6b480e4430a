"""What a page asks for and is told, request by request: no event goes with the stream that its answer would come by."""

import json
import time

import httpx
import pytest
from visitor_hands import PATIENCE, studio

from demo.studio import steady_queue

__all__ = ["studio"]  # a fixture


class Page:
    """A page's side of the conversation. ``ask`` returns the event's id, ``told`` all messages until one that is."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        self.client, self.session = client, session
        self.events = {event["api_name"]: event["id"] for event in client.get("config").json()["dependencies"]}

    def ask(self, name: str, **data) -> str:
        asked = {"data": [], "fn_index": self.events[f"studio_{name}"], "event_data": data}
        answer = self.client.post("gradio_api/queue/join", json=asked | {"session_hash": self.session})
        return answer.raise_for_status().json()["event_id"]

    def stream(self):
        return self.client.stream("GET", "gradio_api/queue/data", params={"session_hash": self.session})


def told(lines, kind: str) -> list[dict]:
    messages = []
    for line in lines:
        if line.startswith("data: "):
            messages.append(json.loads(line[6:]))
            if messages[-1]["msg"] == kind:
                return messages
    raise AssertionError(f"the stream ended without {kind}: {messages}")


@pytest.fixture
def page(studio, request):
    with httpx.Client(base_url=studio.address, timeout=PATIENCE / 1000) as client:
        yield Page(client, request.node.name)


def test_an_event_outlives_the_stream_that_closes_while_it_is_asked_for(page, monkeypatch):
    monkeypatch.setattr(steady_queue, "OPEN_SECONDS", 0.0)
    event = page.ask("example", id="haze")
    with page.stream() as first:
        next(first.iter_lines())  # it is open; now it closes
    with page.stream() as second:
        answers = told(second.iter_lines(), "close_stream")
    completed = [one for one in answers if one["msg"] == "process_completed" and one["event_id"] == event]
    assert [one["success"] for one in completed] == [True]


def test_a_stream_stays_open_for_the_next_event_and_closes_when_none_comes(page, monkeypatch):
    monkeypatch.setattr(steady_queue, "OPEN_SECONDS", 1.5)
    first = page.ask("undo")
    with page.stream() as stream:
        lines = stream.iter_lines()
        assert told(lines, "process_completed")[-1]["event_id"] == first
        second = page.ask("undo")
        assert told(lines, "process_completed")[-1]["event_id"] == second
        told(lines, "close_stream")
        assert not any(lines)


def test_after_a_streams_end_an_event_is_said_to_be_taken_when_the_page_has_heard_of_it(page, monkeypatch):
    monkeypatch.setattr(steady_queue, "OPEN_SECONDS", 0.0)
    monkeypatch.setattr(steady_queue, "HEARD_SECONDS", 1.0)
    began = time.monotonic()
    page.ask("undo")
    with page.stream() as stream:
        told(stream.iter_lines(), "close_stream")
    late = page.ask("undo")
    assert time.monotonic() - began >= 1.0
    with page.stream() as stream:
        assert told(stream.iter_lines(), "process_completed")[-1]["event_id"] == late
