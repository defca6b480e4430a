"""Visitors' names for their files, as every file system and every page can take them.

Letters of all scripts stay, with their marks, and emoji; the rest is what systems and pages give a meaning to.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 160  # of a name without its ending: file systems end at 255, and results add words to it
MOST_ENDING = 8
PLAIN = "+-_.() "
JOINER = "\u200d"  # between the parts of one emoji, and between letters of some scripts
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³")}


def file_name(name: str) -> str:
    """A visitor's file name with nothing in it that a file system or a page could take for something else."""
    name = unicodedata.normalize("NFC", Path(name.replace("\\", "/")).name)
    stem, dot, ending = "".join(_plain(letter) for letter in name).rstrip(" .").rpartition(".")
    if not dot:
        stem, ending = ending, ""
    stem = _cut(stem.strip(" ." + JOINER), MOST_BYTES).rstrip(" .") or "photo"
    if stem.partition(".")[0].strip().lower() in RESERVED:  # devices of Windows, whatever the ending
        stem = f"_{stem}"
    return f"{stem}{dot}{_cut(ending, MOST_ENDING)}"


def _plain(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind[0] in "LMN" or kind in ("So", "Sk") or letter in PLAIN or letter == JOINER:
        return letter
    return " " if kind == "Zs" else "_"


def _cut(text: str, most: int) -> str:
    """As many whole characters, as a person sees them, as fit into so many bytes of UTF-8."""
    kept = ""
    for character in _characters(text):
        if len((kept + character).encode()) > most:
            break
        kept += character
    return kept


def _characters(text: str) -> Iterator[str]:
    """Letters with their marks, and emoji with all that is joined to them: nearly Unicode's grapheme clusters."""
    cluster = ""
    for letter in text:
        joined = cluster.endswith(JOINER) or letter == JOINER or unicodedata.category(letter)[0] == "M"
        tinted = "\U0001f3fb" <= letter <= "\U0001f3ff"  # skin tones
        flag = _is_flag(letter) and sum(map(_is_flag, cluster)) == 1  # two letters are one flag
        if cluster and not (joined or tinted or flag):
            yield cluster
            cluster = ""
        cluster += letter
    if cluster:
        yield cluster


def _is_flag(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"
