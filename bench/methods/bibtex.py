"""One BibTeX entry as somebody sends it: looked at before it stands in a file that a paper's author compiles.

Nothing is parsed into fields: an entry is passed on as it came, so all that matters is that it is one entry, that it
ends where it seems to, and that its text can do nothing but print. TeX runs what a ``.bib`` says.
"""

import re

from iph.errors import InputError

_HEAD = re.compile(r"@([A-Za-z]+)\s*\{\s*([A-Za-z0-9][A-Za-z0-9:._/+-]*)\s*,")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_SIGNS = "'`^\"~=.,\\-&%$#_{} "  # accents and signs; of words what sets a title, none that reads, writes or defines
_WORDS = {*"c v H k u b d r t ss o O l L aa AA ae AE oe OE i j".split()}
_WORDS |= {*"emph textit textbf textsc textsuperscript url".split()}
MOST = 8000  # characters
_NO_ENTRIES = {"string", "preamble", "comment"}


def key_of(entry: str) -> str:
    """The key by which ``entry`` is cited. Raises InputError that says what is wrong with it."""
    if len(entry) > MOST:
        raise InputError(f"expected one BibTeX entry of at most {MOST} characters, but got {len(entry)}")
    text = entry.strip().expandtabs(2).replace("\r\n", "\n")
    head = _HEAD.match(text)
    if head is None or head[1].lower() in _NO_ENTRIES:
        raise InputError(f"expected a BibTeX entry like @article{{key, …}}, but it begins with {text[:30]!r}")
    if (end := _closing(text)) != len(text) - 1:
        what = "its braces do not close" if end is None else f"more follows it: {text[end + 1 :].strip()[:30]!r}"
        raise InputError(f"expected one whole BibTeX entry for {head[2]}, but {what}")
    for command in _COMMAND.finditer(text):
        if command[1] not in _WORDS and command[1] not in _SIGNS:
            raise InputError(f"expected BibTeX with accents only, but {head[2]} holds the command {command[0]!r}")
    if odd := re.search(r"\^\^|[^\S\n ]|[\x00-\x09\x0b-\x1f\x7f]", text):  # ^^5c is a backslash to TeX
        raise InputError(f"expected BibTeX in plain characters, but {head[2]} holds {odd[0]!r}")
    return head[2]


def _closing(text: str) -> int | None:
    """Where the first brace of ``text`` is closed, None where it never is."""
    depth = 0
    for brace in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0 and brace[0] == "}":
            return brace.start()
    return None
