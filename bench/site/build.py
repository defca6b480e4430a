"""Boards to a folder of files: pages by Jinja2 templates, data as JSON and CSV, and what changed since last time."""

import csv
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import Environment, PackageLoader, StrictUndefined

from bench.datasets.catalogue import CATALOGUE
from bench.evaluation.store import Store, make_folder
from bench.metrics import METRICS
from bench.report.boards import TABLE_1, Board
from bench.report.citations import bibliography
from bench.report.csv_cells import neutral
from bench.report.four_subsets import four_subsets
from bench.report.look import Look
from bench.report.published import published
from bench.report.tables import paper_table, reported
from bench.site.data import BoardData, board_data
from bench.site.pictures import sample_pictures
from bench.site.study import Study
from bench.site.trend import trend
from bench.site.versions import Version, as_json, versions
from bench.submissions.history import events
from iph.errors import InputError
from iph.files import replacing

ASSETS = Path(__file__).with_name("assets")
FORMS = ("json", "csv")


def build(results: Path, boards: Sequence[Board], out: Path, study: Study | None = None) -> list[Path]:
    """Write the whole site into ``out``; the paths of its pages. A site that lies there becomes its next version.

    Raises InputError where nothing can be written, where something else lies, and where the data of the version before
    are damaged; then what lies there stays as it is.
    """
    if out.exists() and not (out / "data/versions.json").is_file() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"expected an empty folder or an earlier version of this site at {out}, but it is neither")
    shown = [(board, board_data(board)) for board in boards]
    history = versions(out, [data for _, data in shown])
    make_folder(out)
    with TemporaryDirectory(dir=out.absolute().parent, prefix=f".{out.name}-") as scratch:
        pages = _write(results, shown, Path(scratch), history, study)
        for made in Path(scratch).iterdir():
            old = out / made.name
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
            shutil.move(made, old)
    return [out / page for page in pages]


def _write(
    results: Path, shown: Sequence[tuple[Board, BoardData]], out: Path, history: list[Version], study: Study | None
) -> list[str]:
    """All files, into an empty folder; the pages' names."""
    for folder in ("boards", "methods", "pictures", "data"):
        make_folder(out / folder)
    pages = _Pages(out, {"versions": history, "has_study": study is not None})
    cards = _cards([data for _, data in shown])
    usual = four_subsets([board for board, _ in shown], look=Look(marks="best"))
    sample = next(((board, data) for board, data in shown if data.dataset == "sample"), None)
    pictures = sample_pictures(results, sample[0], [m.name for m in sample[1].methods], out) if sample else []
    pages.write("index.html", "index.html", boards=[data for _, data in shown], usual=usual, pictures=pictures)
    for board, data in shown:
        own = events(Store(results, data.dataset))
        source = CATALOGUE.get(data.dataset)
        pages.write(
            f"boards/{data.name}.html",
            "board.html",
            board=data,
            reported=reported(board),
            trend=trend(data),
            events=own[::-1],
            about=source,
        )
        pages.text(f"data/{data.name}.json", data.model_dump_json(by_alias=True, indent=1) + "\n")
        pages.text(f"data/{data.name}.csv", _csv(data))
    for page, rows in cards.items():
        pages.write(page, "method.html", rows=rows, card=rows[0][1])
    pages.write("iharmony4.html", "iharmony4.html", tables=usual)
    pages.write("study.html", "study.html", study=study, reported=paper_table(2))
    pages.write("pictures.html", "pictures.html", pictures=pictures, titles=_titles(shown))
    pages.write("versions.html", "versions.html")
    pages.text("data/versions.json", as_json(history))
    pages.text("data/schema.json", json.dumps(BoardData.model_json_schema(), indent=1) + "\n")
    pages.text("data/methods.bib", bibliography({m.name: m.model_dump() for _, d in shown for m in d.methods}))
    pages.text("data/reported.csv", published().to_csv(index=False, lineterminator="\n"))
    make_folder(out / "assets")
    for asset in ASSETS.iterdir():
        shutil.copyfile(asset, out / "assets" / asset.name)
    return pages.made


class _Pages:
    """Templates to files; ``root`` leads from a page back to the site, so that all links work from a disk too."""

    def __init__(self, out: Path, known: dict) -> None:
        self.out, self.known, self.made = out, known, []
        self.templates = Environment(
            loader=PackageLoader("bench.site"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self.templates.lstrip_blocks = True
        self.templates.globals |= {"METRICS": METRICS, "TABLE": (*TABLE_1, "mse", "lpips", "dists")}

    def write(self, name: str, template: str, **content: object) -> None:
        page = {"root": "../" * name.count("/"), "here": name}
        self.text(name, self.templates.get_template(template).render(self.known | page | content))
        self.made.append(name)

    def text(self, name: str, text: str) -> None:
        with replacing(self.out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _cards(boards: Sequence[BoardData]) -> dict[str, list]:
    """By method's page, the boards that it stands on with its row there."""
    found: dict[str, list] = {}
    for board in boards:
        for method in board.methods:
            found.setdefault(method.page, []).append((board, method))
    return found


def _titles(shown: Sequence[tuple[Board, BoardData]]) -> dict[str, str]:
    return {method.name: method.title for _, data in shown for method in data.methods}


def _csv(board: BoardData) -> str:
    """One row a method and metric."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    places = ("name", "dataset", "dataset_hash", "protocol", "size")
    facts, score = ("name", "title", "status", "year"), ("mean", "low", "high", "rank", "tied", "alike")
    writer.writerow(["board", *places[1:], "method", *facts[1:], "metric", *score])
    for method in board.methods:
        for metric, found in method.scores.items():
            cells = [*(getattr(board, f) for f in places), *(getattr(method, f) for f in facts), metric]
            writer.writerow(map(neutral, [*cells, *(getattr(found, f) for f in score)]))
    return buffer.getvalue()
