"""Tables for people: one small form, four ways to print it (text, Markdown, LaTeX, CSV), and many as one CSV."""

import csv
import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.errors import unknown


@dataclass(frozen=True)
class Table:
    """A title, columns and cells that are ready to print, and the notes below.

    statuses: of each row, "measured", "reported", or why it has no numbers; all are measured where none are given.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    statuses: Sequence[str] = ()


def gathered(sentences: Mapping[str, str]) -> list[str]:
    """``names: sentence`` lines, names with the same sentence on one line."""
    said: dict[str, list[str]] = {}
    for name, sentence in sentences.items():
        said.setdefault(sentence, []).append(name)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in said.items()]


def render(table: Table, form: str) -> str:
    """``table`` as ``text``, ``markdown``, ``latex`` or ``csv``; a line break in what people wrote becomes a space."""
    if form not in FORMS:
        raise unknown("format", form, FORMS)
    rows = [list(map(_one_line, row)) for row in table.rows]
    notes = list(map(_one_line, table.notes))
    return FORMS[form](Table(_one_line(table.title), list(map(_one_line, table.columns)), rows, notes))


def render_all(tables: Sequence[Table], form: str) -> str:
    """One below the other; as ``csv`` one frame, with the columns of all, in which every row says what it is."""
    return _frame(tables) if form == "csv" else "\n\n".join(render(table, form) for table in tables)


def _text(table: Table) -> str:
    """Columns aligned; the first two to the left, numbers to the right."""
    grid = [list(table.columns), *map(list, table.rows)]
    widths = [max(map(_width, column)) for column in zip(*grid, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell + " " * (width - _width(cell)) if _is_words(table, n) else " " * (width - _width(cell)) + cell
            for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    rule = "  ".join("─" * width for width in widths)
    notes = [f"  {note}" for note in table.notes]
    return "\n".join([table.title, "", line(grid[0]), rule, *map(line, grid[1:]), *([""] if notes else []), *notes])


def _markdown(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"

    rule = ["---" if _is_words(table, n) else "---:" for n in range(len(table.columns))]
    notes = [f"- {note}" for note in table.notes]
    body = [line(table.columns), line(rule), *map(line, table.rows)]
    return "\n".join([f"**{table.title}**", "", *body, *([""] if notes else []), *notes])


def _latex(table: Table) -> str:
    kinds = "".join("l" if _is_words(table, n) else "r" for n in range(len(table.columns)))
    lines = [" & ".join(map(_escape, row)) + r" \\" for row in [table.columns, *table.rows]]
    head = [r"\begin{table}", r"\centering", rf"\caption{{{_escape(table.title)}}}", rf"\begin{{tabular}}{{{kinds}}}"]
    notes = [rf"% {note}" for note in table.notes]
    body = [r"\hline", lines[0], r"\hline", *lines[1:], r"\hline"]
    return "\n".join([*head, *body, r"\end{tabular}", r"\end{table}", *notes])


def _csv(table: Table) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return buffer.getvalue().rstrip("\n")


def _frame(tables: Sequence[Table]) -> str:
    """CSV whose first columns are the row's status and the table's title; what stands for no number is left empty."""
    columns = list(dict.fromkeys(column for table in tables for column in table.columns))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["status", "table", *columns], lineterminator="\n")
    writer.writeheader()
    for table in tables:
        for row, status in zip(table.rows, table.statuses or ["measured"] * len(table.rows), strict=True):
            cells = ("" if cell in ("?", "–", status) else _one_line(cell) for cell in row)
            place = {"status": status, "table": _one_line(table.title)}
            writer.writerow(place | dict(zip(table.columns, cells, strict=True)))
    return buffer.getvalue().rstrip("\n")


FORMS: dict[str, Callable[[Table], str]] = {"text": _text, "markdown": _markdown, "latex": _latex, "csv": _csv}

_LATEX = {
    **{c: "\\" + c for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "Δ": r"$\Delta$",
    "≤": r"$\le$",
    "−": "$-$",
    "–": "--",
    "·": r"$\cdot$",
    "²": r"$^2$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "×": r"$\times$",
}


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _is_words(table: Table, column: int) -> bool:
    """Whether a column holds words: more cells with a letter than with a digit."""
    cells = [row[column] for row in table.rows]
    return sum(cell[:1].isalpha() for cell in cells) > sum(cell[:1].isdigit() or cell[:1] in "+−-" for cell in cells)


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
