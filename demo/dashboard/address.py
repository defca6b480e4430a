"""Choices that live in the address, so that a link shows what its sender saw.

A value of the address counts only if it is one of the options that the data offer; anything else is the default. The
choice outlives a change of page.
"""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def choose(
    label: str,
    options: Sequence[Any],
    key: str,
    start: Any = None,
    title: Callable[[Any], str] = str,
    buttons: bool = False,
    **look: Any,
) -> Any:
    """A list to choose from, or a row of buttons, bound to ``?key=``; ``start`` is the default (the first option)."""
    asked = st.session_state.get(key, st.query_params.get(key))
    known = {str(option): option for option in options}
    st.session_state[key] = known.get(str(asked), options[0] if start is None else start)
    given = dict(format_func=title, key=key, persist_state="session", **look)
    if buttons:
        return _say(key, st.segmented_control(label, options, required=True, **given))
    return _say(key, st.selectbox(label, options, **given))


def switch(label: str, key: str) -> bool:
    """An on-off switch bound to ``?key=true``."""
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key) == "true"
    return _say(key, st.toggle(label, key=key, persist_state="session"))


def choose_many(label: str, options: Sequence[str], key: str, title: Callable[[str], str], hint: str) -> list[str]:
    """Some of a list, found by typing, bound to ``?key=`` with spaces between; what is no option does not count."""
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key, "").split()
    st.session_state[key] = [option for option in options if option in st.session_state[key]]
    chosen = st.multiselect(label, options, format_func=title, key=key, placeholder=hint, persist_state="session")
    if chosen or key in st.query_params:
        _say(key, " ".join(chosen))
    return chosen


def _say(key: str, value: Any) -> Any:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if st.query_params.get(key) != text:
        st.query_params[key] = text
    return value
