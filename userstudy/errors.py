"""The one error of this package that is meant for a person to read, and the nearest right name for a wrong one."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """What was given cannot be used. The message is one sentence: what was expected, and what came."""


def nearest(wrong: object, right: Iterable[str]) -> str:
    """ "; did you mean X?" for the closest of ``right``, or nothing when none is close."""
    close = get_close_matches(str(wrong), list(right), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def require_one_of(given: str, known: Iterable[str], what: str) -> None:
    """InputError that names the right words, and the nearest, unless ``given`` is one of them."""
    words = list(known)
    if given not in words:
        raise InputError(f"expected {what} to be one of {', '.join(words)}, got {given!r}{nearest(given, words)}")
