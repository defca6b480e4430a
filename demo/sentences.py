"""Errors as sentences for people: one place for all screens, the named API and MCP."""

import logging
import re
from functools import lru_cache

from iph.errors import InputError

log = logging.getLogger(__name__)
OUR_FAULT = "Something went wrong on the server, nothing was changed: please try again."
# An absolute path or the address of a store, in quotes or up to the next blank; addresses of pages are none.
_STORE = r"(?!https?:)[a-z][\w+.-]*://"
_PLACES = re.compile(
    rf"(?<=')(?:{_STORE}|/)[^']*(?=')|(?<=\")(?:{_STORE}|/)[^\"]*(?=\")"
    rf"|(?<![\w/:.])(?:{_STORE}|/(?=[^\s'\",;()/]+/))[^\s'\",;()]*[^\s'\",;():]"
)


def without_places(said: object) -> str:
    """An error's words with names of files instead of where they lie on this server; the log has all of it."""
    text = str(said)
    shown = _PLACES.sub(lambda place: place[0].partition("?")[0].rstrip("/").rpartition("/")[2], text)
    if shown != text:
        _note(text)
    return shown


@lru_cache(maxsize=256)
def _note(text: str) -> None:
    """Once: a page says it again whenever it is drawn."""
    log.warning("visitors were told, without the places: %s", text)


def sentence(said: object) -> str:
    """An error's words with a capital and a full stop, without places of this server; a name that they begin with stays
    as it is written."""
    text = without_places(said).strip()
    if re.match(r"[a-z]+[ ,]", text):
        text = text[0].upper() + text[1:]
    return text + ("" if text.endswith((".", "!", "?")) else ".")


def explained(error: Exception, doing: str) -> str:
    """What to tell a visitor of an error: its own sentence where they can do something, else ``OUR_FAULT``, with the
    rest in the log."""
    if isinstance(error, InputError):
        return sentence(error)
    log.error("%s failed", doing, exc_info=error)
    return OUR_FAULT
