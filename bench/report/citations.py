"""What to cite for each method: a key, and one ``.bib`` with all of them (``references.bib``, and what methods say)."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path

from bench.methods import METHODS
from bench.methods.bibtex import key_of
from bench.report.published import published

FILE = Path(__file__).with_name("references.bib")
KEYS = {  # by the beginning of a method's name, measured or reported
    "reinhard": "reinhard2001color",
    "xiao": "xiao2006color",
    "histogram": "vanderwalt2014scikit",
    "idt": "pitie2007automated",
    "poisson": "perez2003poisson",
    "dovenet": "cong2020dovenet",
    "bargainnet": "cong2021bargainnet",
    "rainnet": "ling2021region",
    "idih": "sofiiuk2021foreground",
    "issam": "sofiiuk2021foreground",
    "hrnet32-idih": "sofiiuk2021foreground",
    "cdtnet": "cong2022high",
    "harmonizer": "ke2022harmonizer",
    "dccf": "xue2022dccf",
    "pctnet": "guerreiro2023pctnet",
    "hdnet": "chen2023hierarchical",
    "gknet": "shen2023learning",
    "luminance": "iph2026",
    "semantic-match": "iph2026",
    "h-net": "iph2026",
    "iph": "iph2026",
}
OF_THE_PAPER = {name: "valanarasu2022interactive" for name in ("h-net", "iph")}  # reported values are its own


def cite_key(method: str, about: Mapping) -> str:
    """The key of ``method``: of the BibTeX that it brought itself, else the one known for its name, else "".

    Of a reported row nothing is told ``about``; a measured one of ours is no network of the paper's.
    """
    if own := about.get("bibtex"):
        return key_of(own)
    base = method.partition("=")[0]
    if base not in METHODS and base not in set(published()["method"]):
        return ""  # a stranger's, whatever it is called
    keys = KEYS if about else KEYS | OF_THE_PAPER
    fits = [start for start in keys if re.match(rf"{re.escape(start)}(?![a-z])", base)]
    return keys[max(fits, key=len)] if fits else ""


def bibtex_of(method: str, about: Mapping) -> str:
    """The BibTeX entry of ``method``, "" where none is known."""
    return (about.get("bibtex") or "").strip() or _known().get(cite_key(method, about), "")


def bibliography(about: Mapping[str, Mapping], keys: Collection[str] | None = None) -> str:
    """The ``.bib`` of ``keys``, or of all that is known: what methods brought (``about`` by name), and what is here.

    Of two entries under one key the first counts.
    """
    entries: dict[str, str] = {}
    for entry in [*(one.get("bibtex") or "" for one in about.values()), *_known().values()]:
        if entry.strip() and ((key := key_of(entry)) in (keys or {key})):
            entries.setdefault(key, entry.strip())
    return "\n\n".join(entries.values()) + "\n"


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    entries = re.findall(r"^@.+?^}", FILE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return {key_of(entry): entry for entry in entries}
