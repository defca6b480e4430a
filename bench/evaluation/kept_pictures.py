"""Outputs that are kept: ``pictures/<method>/<id>.*``, one set a method, and ``rows.json`` there: whose rows they show.

A study takes such a folder as it is, so that it must never hold pictures of two sizes, data sets or weights.
"""

import json
import shutil
from pathlib import Path

from bench.evaluation.store import make_folder
from iph.files import write_json

NOTE = "rows.json"


def rows_shown(folder: Path) -> dict[str, str] | None:
    """``dataset_hash, protocol, size, weights_hash`` of the rows that a method's kept pictures show.

    None where nothing says it: there are none, or they are older than this note.
    """
    try:
        return json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def keep_for(folder: Path, rows: dict[str, str]) -> None:
    """Make ``folder`` the one for pictures of ``rows``; pictures of other rows in it are deleted."""
    if rows_shown(folder) == rows:
        return
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    write_json(folder / NOTE, rows)
