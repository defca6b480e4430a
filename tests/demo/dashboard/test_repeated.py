"""A part that draws itself again leaves no hole in the page, whenever it is asked for."""

import pytest
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from demo.dashboard.theme import repeated

    st.write("before")
    repeated(60, lambda: st.caption("drawn again"))
    st.write("after")


def bare() -> None:
    """As Streamlit's own examples have it."""
    import streamlit as st

    st.write("before")
    st.fragment(lambda: st.caption("drawn again"), run_every=60)()
    st.write("after")


def sent_when_asked_for_at_once(page) -> list[tuple[int, ...]]:
    """The places, in order, of what reaches the browser when the fragment is asked for before anything was sent."""
    messages = []
    ForwardMsgQueue.on_before_enqueue_msg(messages.append)
    try:
        assert not AppTest.from_function(page).run().exception
    finally:
        ForwardMsgQueue.on_before_enqueue_msg(None)
    queue = ForwardMsgQueue()
    for message in messages:
        queue.enqueue(message)
    fragments = {message.delta.fragment_id for message in messages if message.HasField("delta")} - {""}
    assert len(fragments) == 1
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=list(fragments))
    return [tuple(message.metadata.delta_path) for message in queue.flush() if message.HasField("delta")]


def holes(places: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Places that come before their left neighbour has."""
    known = set(places)
    return [place for place in places if place[-1] > 0 and (*place[:-1], place[-1] - 1) not in known]


@pytest.mark.parametrize(("page", "wanted"), [(script, []), (bare, [(0, 2)])])
def test_the_page_has_no_hole(page, wanted):
    """The second case is the fault itself: it fails when Streamlit mends it, and then ``repeated`` may be simpler."""
    assert holes(sent_when_asked_for_at_once(page)) == wanted
