"""Cells of CSV files that a spreadsheet takes for text: a name that begins with ``=`` is no formula to run.

Spreadsheets evaluate cells that begin with ``= + - @``, also behind a tab or a line's end and in their full-width forms
(OWASP, *CSV Injection*). An apostrophe before such a cell ends that, and one more before cells that begin with
apostrophes and then such a sign makes it reversible: ``original(neutral(text)) == text`` for every text. What is only
numbers stays as it is.
"""

import re
from collections.abc import Callable

import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NEUTRAL = re.compile(r"''*[=+\-@\t\r\n＝＋－＠]")
_NUMBERS = re.compile(r"[+-](?:[0-9., ±%()\[\]+–−-]|[eE][+-]?[0-9]|to)*")


def neutral(text: str) -> str:
    """The text as it stands in a file."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBERS.fullmatch(text) else text


def original(cell: str) -> str:
    """The text that ``neutral`` was given."""
    return cell[1:] if _NEUTRAL.match(cell) else cell


def neutral_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with every text neutral, its columns' names too; numbers and empty cells are not touched."""
    return _each(frame, neutral).rename(columns=lambda name: neutral(name) if isinstance(name, str) else name)


def original_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The table whose cells ``neutral_frame`` made neutral."""
    return _each(frame, original)


def _each(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    frame = frame.copy()
    for name, column in frame.items():
        if not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column):
            frame[name] = column.astype(object).map(lambda cell: change(cell) if isinstance(cell, str) else cell)
    return frame
