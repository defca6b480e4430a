"""Errors as sentences for people: one place for all screens, the named API and MCP."""

import logging
import re

from iph.errors import InputError

log = logging.getLogger(__name__)
OUR_FAULT = "Something went wrong on the server, nothing was changed: please try again."


def sentence(said: object) -> str:
    """An error's words with a capital and a full stop; a name that they begin with stays as it is written."""
    text = str(said).strip()
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
