"""Tables that go into a paper: compiled by a real LaTeX where there is one, and counted cell by cell everywhere."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bench_rows import GAINS, fill, made_rows
from typer.testing import CliRunner

from bench.commands.app import app
from bench.methods import METHODS
from bench.methods.bibtex import key_of
from bench.report.boards import boards
from bench.report.citations import FILE, KEYS, OF_THE_PAPER, bibliography, cite_key
from bench.report.export import export
from bench.report.four_subsets import SUBSETS, four_subsets
from bench.report.look import Look
from bench.report.published import published
from bench.report.render import Table, render

OWN = "@misc{mine, author = {M{\\'e}, A. and Y{\\\"o}u, B.}, title = {100\\% {\\ss}uper \\& odd}, year = {2026}}"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    rows = made_rows(dataset="iharmony4", methods=[*GAINS, "mynet"])
    for number, row in enumerate(rows):
        row |= {"subset": SUBSETS[number % 4], "protocol": "pctnet"}
    store = fill(tmp_path / "results", rows)
    fill(tmp_path / "results", made_rows())
    about = {"title": "My_Net & {co} ~100%^2 <α>", "kind": "generic", "venue": "#1", "bibtex": OWN}
    store.write_meta(store.read_meta() | {"methods": {"mynet": about}})
    return tmp_path / "results"


def table(results: Path, *options: str) -> str:
    done = CliRunner().invoke(app, ["table", str(results), *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def tabulars(text: str) -> list[list[list[str]]]:
    """The cells of every tabular, the heads first; fails where a row has another number of cells than columns."""
    found = []
    for kinds, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}\n(.*?)\\end\{tabular\}", text, re.DOTALL):
        rows = []
        for line in body.splitlines():
            if line.endswith(r"\\") and "multicolumn" not in line:
                rows.append(re.split(r"(?<!\\) & ", line.removesuffix(r" \\")))
                assert len(rows[-1]) == len(kinds), line
            elif "multicolumn" in line:
                assert sum(map(int, re.findall(r"multicolumn\{(\d+)\}", line))) == len(kinds)
            else:
                assert re.fullmatch(r"\\(top|mid|bottom)rule|(\\cmidrule\(lr\)\{\d+-\d+\})+", line), line
        plain = re.sub(r"\\.", "", body)
        assert plain.count("{") == plain.count("}")
        found.append(rows)
    return found


def test_latex_with_all_that_stands_out(results: Path, tmp_path: Path) -> None:
    bib = tmp_path / "m.bib"
    options = ["--dataset", "iharmony4", "--format", "latex", "--marks", "best", "--doubt", "--hide-missing"]
    text = table(results, *options, "--metric", "psnr,fmse", "--columns", "Rank,PSNR,fMSE,alike", "--bib", str(bib))
    heads, *rows = tabulars(text)[0]
    assert heads == ["rank", "method", r"PSNR $\uparrow$", r"fMSE $\downarrow$", "alike"]
    named = {row[1].partition("~")[0]: row for row in rows}
    assert len(rows) == 5 and not any("missing" in row[2] for row in rows)
    best = [row for row in rows if r"\textbf" in row[2]]
    second = [row for row in rows if r"\underline" in row[2]]
    assert len(best) == len(second) == 1 and r"$^\dagger$" in second[0][2] and r"$^\dagger$" not in best[0][2]
    assert {best[0][4], second[0][4]} == {"a"} and named["Direct composite"][4] not in "a"
    assert r"My\_Net \& \{co\} \textasciitilde{}100\%\textasciicircum{}2 $<$$\alpha$$>$" in named
    cited = set(re.findall(r"\\cite\{(.*?)\}", text))
    assert "mine" in cited and {key_of(e) for e in re.split(r"\n\n(?=@)", bib.read_text())} == cited
    ranked = table(results, *options, "--marks", "rank", "--metric", "psnr")
    assert sum(r"\textbf" in row[5] for row in tabulars(ranked)[0][1:]) == 2, "both of the first rank"


def test_only_some_methods(results: Path) -> None:
    text = table(results, "--methods", "composite,xiao-background", "--format", "csv")
    assert "Reinhard" not in text and "Correlated transfer" in text and "Direct composite" in text
    wrong = CliRunner().invoke(app, ["table", str(results), "--methods", "xiao-backgrund"])
    assert wrong.exit_code == 2 and "did you mean 'xiao-background'" in wrong.stderr
    wrong = CliRunner().invoke(app, ["table", str(results), "--columns", "rnak"])
    assert wrong.exit_code == 2 and "did you mean 'rank'" in wrong.stderr
    wrong = CliRunner().invoke(app, ["table", str(results), "--marks", "bset"])
    assert wrong.exit_code == 2 and "did you mean 'best'" in wrong.stderr


def test_the_usual_table_of_iharmony4(results: Path) -> None:
    found = boards(results, dataset="iharmony4")
    tables = {t.title: t for t in four_subsets(found, look=Look(marks="best"))}
    ours = tables["iHarmony4, protocol pctnet at 256x256"]
    row = next(row for row in ours.rows if row[0] == "Direct composite" and row[2] == "measured")
    rows = found[0].rows.query("method == 'composite'")
    at = {name: k for k, name in enumerate(ours.columns)}
    assert row[at["HFlickr PSNR ↑"]] == f"{rows.loc[rows['subset'] == 'HFlickr', 'psnr'].mean():.2f}"
    assert row[at["All fMSE ↓"]] == f"{rows['fmse'].mean():.2f}"
    (vit,) = [row for row in ours.rows if row[0] == "PCT-Net ViT"]
    assert (vit[2], vit[at["Hday2night MSE ↓"]], vit[at["All PSNR ↑"]]) == ("reported", "48.67", "39.29")
    assert all(ours.statuses[r] == "measured" for r, _ in ours.marks), "reported rows stand out among nobody"
    (cdtnet,) = tables["iHarmony4, protocol cdtnet-1024"].rows
    assert cdtnet[0] == "CDTNet-256" and len(cdtnet) == 3 + 3, "HAdobe5k alone"
    shown = {cell for t in tables.values() for row in t.rows for cell in row[3:]}
    values = published().query("dataset.str.startswith('iharmony4') and metric in ('mse', 'psnr', 'fmse')")["value"]
    assert {f"{value:.2f}" for value in values} <= shown, "every published cell is in one of the tables"
    one = four_subsets(found, "dovenet-test")
    assert [t.title for t in one] == ["iHarmony4, protocol dovenet-test"]


def test_a_protocol_without_results_still_shows_what_was_reported(tmp_path: Path) -> None:
    text = table(tmp_path, "--subsets", "--protocol", "idih")
    assert "iSSAM" in text and "24.65" in text and "PCT-Net" not in text


class _Rows(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th"):
            self.rows[-1] += int(dict(attrs).get("colspan", 1))


def test_html_has_every_cell_and_runs_nothing(results: Path) -> None:
    reader = _Rows()
    reader.feed(table(results, "--subsets", "--protocol", "pctnet", "--format", "html"))
    assert len(reader.rows) == 2 + 5 + 5 and set(reader.rows) == {3 + 15}
    evil = Table(
        "<script>x</script>", ["method"], [["<img src=x onerror=y>"]], ["</ul><script>"], marks={(0, 0): "best"}
    )
    assert not re.search(r"<(script|img)", render(evil, "html"))


def test_every_citation_is_there_and_every_entry_is_used() -> None:
    entries = re.findall(r"^@\w+{(.+),$", FILE.read_text(), re.MULTILINE)
    assert len(entries) == len(set(entries)) and set(entries) == {*KEYS.values(), *OF_THE_PAPER.values()}
    uncited = {name for name, method in METHODS.items() if not cite_key(name, method.card())}
    assert uncited == {"composite"}
    assert {name for name in published()["method"] if not cite_key(name, {})} <= {"composite", "giftnet", ""}
    assert cite_key("idt-background", {}) == "pitie2007automated" != cite_key("idih", {})
    assert cite_key("iph-of-a-stranger", {}) == "", "a name alone cites nobody"
    for name in ("iph", "h-net-se-all"):
        assert cite_key(name, METHODS[name].card()) == "iph2026", "ours is no network of the paper's"
        assert cite_key(name, {}) == "valanarasu2022interactive", "a reported value is the paper's"


def test_no_entry_of_another_replaces_one_of_ours_in_silence() -> None:
    text = bibliography({"a": {"bibtex": "@misc{x, title={1}}"}, "b": {"bibtex": "@misc{x, title={2}}"}})
    assert text.startswith("@misc{x, title={1}}") and "title={2}" not in text


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX here (Debian's texlive-latex-recommended)")
def test_a_real_latex_compiles_it(results: Path, tmp_path: Path) -> None:
    export(boards(results), tmp_path)
    usual = table(results, "--subsets", "--format", "latex", "--marks", "best", "--bib", str(tmp_path / "more.bib"))
    (tmp_path / "usual.tex").write_text(usual)
    (tmp_path / "paper.tex").write_text(
        r"""\documentclass{article}\usepackage{booktabs}\usepackage[paperwidth=60cm,paperheight=60cm]{geometry}
        \begin{document}\input{leaderboard}\input{usual}\nocite{*}
        \bibliographystyle{plain}\bibliography{methods}\end{document}"""
    )
    for command in (["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper"], ["bibtex", "paper"]) * 2:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "paper.log").read_text(errors="replace")
    assert (tmp_path / "paper.pdf").exists() and "Missing character" not in log
    bibliography_ = (tmp_path / "paper.bbl").read_text()
    assert r"\bibitem{mine}" in bibliography_ and r"\bibitem{cong2020dovenet}" in bibliography_
