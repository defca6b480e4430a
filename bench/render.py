"""Tables for people: one small form, four ways to print it (text, Markdown, LaTeX, CSV)."""

import csv
import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.errors import unknown


@dataclass(frozen=True)
class Table:
    """A title, columns and cells that are ready to print, and the notes below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def gathered(sentences: Mapping[str, str]) -> list[str]:
    """``names: sentence`` lines, names with the same sentence on one line."""
    said: dict[str, list[str]] = {}
    for name, sentence in sentences.items():
        said.setdefault(sentence, []).append(name)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in said.items()]


def render(table: Table, form: str) -> str:
    """``table`` as ``text``, ``markdown``, ``latex`` or ``csv``."""
    if form not in FORMS:
        raise unknown("format", form, FORMS)
    return FORMS[form](table)


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


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
