"""Tables for people: one small form, four ways to print it (text, Markdown, LaTeX, CSV), and many as one CSV."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tabulate import SEPARATING_LINE, DataRow, Line, TableFormat, tabulate

from bench.report.csv_cells import neutral
from iph.errors import unknown


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


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The bare table in Markdown, without title and notes."""
    kinds = _kinds(rows, len(columns))
    rule = "| " + " | ".join("---" if kind == "left" else "---:" for kind in kinds) + " |"
    grid = [[cell.replace("|", r"\|") for cell in row] for row in (columns, *rows)]
    return _drawn([grid[0], SEPARATING_LINE, *grid[1:]], DataRow("| ", " | ", " |"), rule)


def _text(table: Table) -> str:
    """Columns aligned: words to the left, numbers to the right."""
    kinds = _kinds(table.rows, len(table.columns))
    body = _drawn([table.columns, SEPARATING_LINE, *table.rows], DataRow("", "  ", ""), Line("", "─", "  ", ""), kinds)
    notes = [f"  {note}" for note in table.notes]
    return "\n".join([table.title, "", body, *([""] if notes else []), *notes])


def _markdown(table: Table) -> str:
    notes = [f"- {note}" for note in table.notes]
    body = markdown(table.columns, table.rows)
    return "\n".join([f"**{table.title}**", "", body, *([""] if notes else []), *notes])


def _latex(table: Table) -> str:
    kinds = "".join(kind[0] for kind in _kinds(table.rows, len(table.columns)))
    grid = [list(map(_escape, row)) for row in (table.columns, *table.rows)]
    ruled = [SEPARATING_LINE, grid[0], SEPARATING_LINE, *grid[1:], SEPARATING_LINE]
    body = _drawn(ruled, DataRow("", " & ", r" \\"), r"\hline")
    head = [r"\begin{table}", r"\centering", rf"\caption{{{_escape(table.title)}}}", rf"\begin{{tabular}}{{{kinds}}}"]
    notes = [rf"% {note}" for note in table.notes]
    return "\n".join([*head, body, r"\end{tabular}", r"\end{table}", *notes])


def _drawn(lines: Sequence[Sequence[str]], row: DataRow, rule: Line | str, kinds: Sequence[str] = ()) -> str:
    """Rows and separating lines by ``tabulate``: aligned as ``kinds`` says, or each cell as narrow as it is.

    The heading is one of the rows, because the library makes a column two characters wider than its heading.
    """
    between = rule if isinstance(rule, Line) else lambda widths, aligns: rule
    form = TableFormat(None, between, None, None, row, row, padding=0, with_header_hide=None)
    aligns = kinds or [None] * max(map(len, lines))
    return tabulate(lines, tablefmt=form, colalign=aligns, disable_numparse=True)


def _kinds(rows: Sequence[Sequence[str]], columns: int) -> list[str]:
    """How each column stands: to the left where more cells begin with a letter than with a digit or a sign."""

    def words(cells: Sequence[str]) -> bool:
        return sum(cell[:1].isalpha() for cell in cells) > sum(
            cell[:1].isdigit() or cell[:1] in "+−-" for cell in cells
        )

    return ["left" if words([row[n] for row in rows]) else "right" for n in range(columns)]


def _csv(table: Table) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in (table.columns, *table.rows):
        writer.writerow(map(neutral, row))
    return buffer.getvalue().rstrip("\n")


def _frame(tables: Sequence[Table]) -> str:
    """CSV whose first columns are the row's status and the table's title; what stands for no number is left empty."""
    columns = list(dict.fromkeys(column for table in tables for column in table.columns))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(map(neutral, ["status", "table", *columns]))
    for table in tables:
        for row, status in zip(table.rows, table.statuses or ["measured"] * len(table.rows), strict=True):
            cells = ("" if cell in ("?", "–", status) else _one_line(cell) for cell in row)
            found = dict(zip(table.columns, cells, strict=True))
            line = [status, _one_line(table.title), *(found.get(column, "") for column in columns)]
            writer.writerow(map(neutral, line))
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


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
