"""Tables for people: one small form, five ways to print it (text, Markdown, LaTeX, HTML, CSV), and many as one CSV."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape

from tabulate import SEPARATING_LINE, DataRow, Line, TableFormat, tabulate

from bench.report.csv_cells import neutral
from iph.errors import unknown

BEST, SECOND = "best", "second"


@dataclass(frozen=True)
class Table:
    """A title, columns and cells that are ready to print, and the notes below.

    statuses: of each row, "measured", "reported", or why it has no numbers; all are measured where none are given.
    marks: BEST or SECOND of a cell by its row and column. cites: of each row, the key of a BibTeX entry or "".
    groups: titles over so many columns each, which these columns begin with; "" is none.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    statuses: Sequence[str] = ()
    marks: Mapping[tuple[int, int], str] = field(default_factory=dict)
    cites: Sequence[str] = ()
    groups: Sequence[tuple[str, int]] = ()

    def heads(self) -> list[str]:
        """The columns' names below their groups."""
        titles = [title for title, span in self.groups for _ in range(span)] or [""] * len(self.columns)
        return [name.removeprefix(f"{title} ") for name, title in zip(self.columns, titles, strict=True)]

    def drawn(self, draw: Mapping[str, Callable[[str], str]], plain: Callable[[str], str] = str) -> list[list[str]]:
        """The cells, each through ``plain`` and then through what ``draw`` has for its mark."""
        return [
            [draw.get(self.marks.get((r, c), ""), str)(plain(cell)) for c, cell in enumerate(row)]
            for r, row in enumerate(self.rows)
        ]


def gathered(sentences: Mapping[str, str]) -> list[str]:
    """``names: sentence`` lines, names with the same sentence on one line."""
    said: dict[str, list[str]] = {}
    for name, sentence in sentences.items():
        said.setdefault(sentence, []).append(name)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in said.items()]


def render(table: Table, form: str) -> str:
    """``table`` as ``text``, ``markdown``, ``latex`` (wants the package booktabs), ``html`` or ``csv``.

    A line break in what people wrote becomes a space.
    """
    if form not in FORMS:
        raise unknown("format", form, FORMS)
    rows = [list(map(_one_line, row)) for row in table.rows]
    notes = list(map(_one_line, table.notes))
    columns = list(map(_one_line, table.columns))
    return FORMS[form](replace(table, title=_one_line(table.title), columns=columns, rows=rows, notes=notes))


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
    body = markdown(table.columns, table.drawn({BEST: "**{}**".format, SECOND: "<u>{}</u>".format}))
    return "\n".join([f"**{table.title}**", "", body, *([""] if notes else []), *notes])


def _latex(table: Table) -> str:
    kinds = "".join(kind[0] for kind in _kinds(table.rows, len(table.columns)))
    rows = table.drawn({BEST: r"\textbf{{{}}}".format, SECOND: r"\underline{{{}}}".format}, _escape)
    if any(table.cites):
        at = table.columns.index("method")
        for row, key in zip(rows, table.cites, strict=True):
            row[at] += rf"~\cite{{{key}}}" if key else ""
    lines = [" & ".join(row) + r" \\" for row in ([_escape(name) for name in table.heads()], *rows)]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escape(table.title)}}}",
            rf"\begin{{tabular}}{{{kinds}}}",
            *(r"\toprule", *_latex_groups(table), lines[0], r"\midrule", *lines[1:], r"\bottomrule"),
            r"\end{tabular}",
            r"\end{table}",
            *(f"% {note}" for note in table.notes),
        ]
    )


def _latex_groups(table: Table) -> list[str]:
    """The line of groups, and the rules below those that have a title."""
    if not table.groups:
        return []
    cells, rules, at = [], [], 1
    for title, span in table.groups:
        cells.append(rf"\multicolumn{{{span}}}{{c}}{{{_escape(title)}}}")
        if title:
            rules.append(rf"\cmidrule(lr){{{at}-{at + span - 1}}}")
        at += span
    return [" & ".join(cells) + r" \\", "".join(rules)]


def _html(table: Table) -> str:
    """A table with its caption, and the notes as a list; no style, no script."""
    kinds = _kinds(table.rows, len(table.columns))
    side = [' style="text-align:right"' if kind == "right" else ' style="text-align:left"' for kind in kinds]
    above = "".join(f'<th colspan="{span}" scope="colgroup">{escape(title)}</th>' for title, span in table.groups)
    above = f"<tr>{above}</tr>" if above else ""
    head = "".join(f'<th scope="col"{s}>{escape(c)}</th>' for s, c in zip(side, table.heads(), strict=True))
    drawn = table.drawn({BEST: "<strong>{}</strong>".format, SECOND: "<u>{}</u>".format}, escape)
    body = [f"<tr>{''.join(f'<td{s}>{c}</td>' for s, c in zip(side, row, strict=True))}</tr>" for row in drawn]
    notes = [f"<li>{escape(note)}</li>" for note in table.notes]
    return "\n".join(
        [
            f"<table>\n<caption>{escape(table.title)}</caption>",
            f"<thead>{above}<tr>{head}</tr></thead>\n<tbody>",
            *body,
            "</tbody>\n</table>",
            *(["<ul>", *notes, "</ul>"] if notes else []),
        ]
    )


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


FORMS: dict[str, Callable[[Table], str]] = {"text": _text, "markdown": _markdown, "latex": _latex}
FORMS |= {"html": _html, "csv": _csv}

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
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "''",
    "≥": r"$\ge$",
    "±": r"$\pm$",
    "→": r"$\to$",
    "†": r"$^\dagger$",
    "…": r"\ldots{}",
}


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
