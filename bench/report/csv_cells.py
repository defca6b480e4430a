"""Cells of CSV files that a spreadsheet takes for text: a method that is called ``=…`` is no formula to run.

The rule of ``userstudy.votes.csv_cells``, which this package does not import: an apostrophe before what spreadsheets
would evaluate (OWASP, *CSV Injection*), none before numbers.
"""

import re

import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NUMBERS = re.compile(r"[+-](?:[0-9., ±%()\[\]+–−-]|[eE][+-]?[0-9]|to)*")


def neutral(cell: object) -> object:
    """A text as it stands in a file; numbers and empty cells as they are."""
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBERS.fullmatch(cell):
        return f"'{cell}"
    return cell


def neutral_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with every cell neutral, and the columns' names."""
    texts = frame.select_dtypes(exclude="number")
    return frame.assign(**{name: texts[name].astype(object).map(neutral) for name in texts}).rename(columns=neutral)
