"""The static site: the project's own is built, every link leads somewhere, its data keep their schema."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import numpy as np
import pytest
from bench_rows import GAINS, fill, made_rows
from typer.testing import CliRunner

from bench.commands.app import app
from bench.report.boards import boards, scores
from bench.site.build import build
from bench.site.data import board_data, slug
from bench.site.trend import trend
from iph.errors import InputError
from userstudy.cli import app as study_app

ROOT = Path(__file__).resolve().parents[3]
EVIL = {"title": "<script>alert(1)</script>", "kind": "generic", "note": '"><img src=x onerror=alert(1)>', "year": 2021}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this repository's results, as the command makes it."""
    out = tmp_path_factory.mktemp("own") / "site"
    done = CliRunner().invoke(app, ["site", str(ROOT / "results"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture
def results(tmp_path: Path) -> Path:
    store = fill(tmp_path / "results", made_rows(methods=[*GAINS, "a=b.st"]))
    store.write_meta(store.read_meta() | {"methods": {"a=b.st": EVIL}})
    return tmp_path / "results"


class Links(HTMLParser):
    """What a page leads to, and the tags that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]


def test_every_link_of_our_own_site_leads_to_a_file(own: Path) -> None:
    pages = list(own.rglob("*.html"))
    assert len(pages) > 20
    reached = set()
    for page in pages:
        for link in Links(page.read_text()).links:
            if link.startswith("https://"):
                continue
            assert not link.startswith(("/", "http:", "javascript:")), "a page is moved with its folder"
            target = (page.parent / unquote(link.partition("#")[0])).resolve() if link[0] != "#" else page
            assert target.is_file() and target.is_relative_to(own), f"{page.name}: {link}"
            reached.add(target)
    kept = {path for path in own.rglob("*") if path.is_file()}
    assert {path.name for path in kept - reached - set(pages)} == set(), "nothing lies there that nobody is led to"


def test_data_keep_their_schema_and_say_what_the_board_says(own: Path) -> None:
    schema = json.loads((own / "data/schema.json").read_text())
    for board in boards(ROOT / "results", dataset="portrait-open"):
        name = f"{board.dataset}-{board.protocol}-{board.size}"
        data = json.loads((own / f"data/{name}.json").read_text())
        jsonschema.validate(data, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(data | {"extra": 1}, schema)
        expected = scores(board, ["psnr"]).set_index("method")
        rows = list(csv.DictReader((own / f"data/{name}.csv").open()))
        for method in data["methods"]:
            mean = expected.loc[method["name"], "mean"]
            assert (
                method["scores"]["psnr"]["mean"] == mean
                and method["scores"]["psnr"]["rank"] == expected.loc[method["name"], "rank"]
            )
            (row,) = [r for r in rows if r["method"] == method["name"] and r["metric"] == "psnr"]
            assert float(row["mean"]) == mean and row["status"] == "measured"
        page = (own / f"boards/{name}.html").read_text()
        assert all(f"{expected.loc[m['name'], 'mean']:.2f}</td>" in page for m in data["methods"])


def test_a_method_s_text_is_text_and_its_name_a_file(results: Path, tmp_path: Path) -> None:
    pages = build(results, boards(results), tmp_path / "site")
    assert f"methods/{slug('a=b.st')}.html" in {path.relative_to(tmp_path / "site").as_posix() for path in pages}
    for page in pages:
        found = Links(page.read_text())
        assert found.tags.count("script") == 1 and "img" not in found.tags
    assert len({slug(name) for name in ("a=b", "a-b", "a b", "=", "..", "a/b")}) == 6
    assert all("/" not in slug(name) and not slug(name).startswith(".") for name in ("..", "/", "a/../b"))


def test_versions_say_what_changed(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"

    def versions() -> list[dict]:
        build(results, boards(results), out)
        return json.loads((out / "data/versions.json").read_text())

    assert [v["changes"] for v in versions()] == [["first version: portrait-open-strict-256"]]
    assert len(versions()) == 1, "the same data are no new version"
    (other := made_rows(methods=["composite"]))[0]["psnr"] += 48
    fill(results, [row | {"computed": "2026-02-02T00:00:00+00:00"} for row in other])
    newest, first = versions()
    assert newest["number"] == 2 and newest["computed"] == "2026-02-02T00:00:00+00:00"
    assert len(newest["changes"]) == 1 and "Direct composite has PSNR" in newest["changes"][0]
    fill(results, made_rows(methods=["idt-background"]))
    fill(results, made_rows(dataset="more"))
    other[0]["fmse"] += 900
    fill(results, [row | {"computed": "2026-03-03T00:00:00+00:00"} for row in other])
    changes = versions()[0]["changes"]
    assert any(change.startswith("portrait-open-strict-256: Direct composite has fMSE ") for change in changes)
    assert "more-strict-256: new" in changes and "portrait-open-strict-256: IDT, background came, measured" in changes
    assert "PSNR" in (out / "versions.html").read_text()


def test_a_learned_distance_has_its_column_where_it_was_measured(results: Path, tmp_path: Path) -> None:
    page = tmp_path / "site/boards/portrait-open-strict-256.html"
    build(results, boards(results), tmp_path / "site")
    assert "DISTS" not in page.read_text()
    rows = [row | {"dists": 0.1234} for row in made_rows(methods=[*GAINS, "a=b.st"])]
    fill(results, [row | {"computed": "2026-02-02T00:00:00+00:00"} for row in rows])
    build(results, boards(results), tmp_path / "site")
    assert '<th scope="col">DISTS ↓</th>' in page.read_text() and ">0.1234</td>" in page.read_text()
    assert "portrait-open-strict-256: DISTS came" in (tmp_path / "site/versions.html").read_text()


def test_what_is_gone_leaves_no_page_and_what_is_not_ours_stays(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(results, boards(results), out)
    (out / "CNAME").write_text("board.example.org")
    fewer = tmp_path / "fewer"
    fill(fewer, made_rows(methods=["composite", "xiao-background"]))
    build(fewer, boards(fewer), out)
    assert sorted(p.name for p in (out / "methods").iterdir()) == ["composite.html", "xiao-background.html"]
    assert (out / "CNAME").exists()
    mine = tmp_path / "mine"
    (mine / "pictures").mkdir(parents=True)
    (mine / "pictures/holiday.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="expected an empty folder or an earlier version of this site"):
        build(results, boards(results), mine)
    (out / "data/versions.json").write_text("{")
    with pytest.raises(InputError, match="but they are damaged"):
        build(results, boards(results), out)
    assert (mine / "pictures/holiday.jpg").exists() and (out / "index.html").exists()


def test_submitted_rows_wear_their_badge_and_no_rank(tmp_path: Path) -> None:
    rows = made_rows() + [row | {"code": "submitted"} for row in made_rows(methods=["sent"])]
    fill(tmp_path / "results", rows)
    (board,) = boards(tmp_path / "results")
    data = board_data(board)
    last = data.methods[-1]
    assert (last.name, last.status, last.scores["psnr"].rank) == ("sent", "submitted", None)
    build(tmp_path / "results", [board], tmp_path / "site")
    page = (tmp_path / "site/boards/portrait-open-strict-256.html").read_text()
    assert '<span class="badge submitted">submitted</span></td>' in page
    assert '<span class="badge reported">reported</span>' in page


def test_the_trend_is_the_best_so_far(results: Path) -> None:
    (board,) = boards(results)
    found = trend(board_data(board))
    years = [point.year for point in found.points]
    assert years == sorted(years) and {2001, 2006} <= set(years)
    assert "Direct composite" not in {p.title for p in found.points}, "it has no year"
    heights = [y for _, y in found.line]
    assert heights == sorted(heights, reverse=True), "higher PSNR is higher up, and the best so far never falls"
    assert trend(board_data(board).model_copy(update={"methods": []})) is None


def test_scores_of_a_study_as_userstudy_prints_them(results: Path, tmp_path: Path) -> None:
    strength, rng = {"composite": 1, "poisson": 2, "iph": 4}, np.random.default_rng(1)
    votes = []
    for number in range(120):
        a, b = rng.permutation(list(strength))[:2]
        first = rng.random() < strength[a] / (strength[a] + strength[b])
        votes.append({"question_id": number % 7, "judge": f"r{number % 9}", "tstamp": 1.7e9 + number})
        votes[-1] |= {"model_a": a, "model_b": b, "winner": "model_a" if first else "model_b"}
    (tmp_path / "arena.json").write_text(json.dumps(votes))
    kept, file = str(tmp_path / "votes.csv"), tmp_path / "study.json"
    assert CliRunner().invoke(study_app, ["import", str(tmp_path / "arena.json"), "-o", kept]).exit_code == 0
    file.write_text(CliRunner().invoke(study_app, ["score", kept, "--json"]).stdout)
    command = ["site", str(results), "--out", str(tmp_path / "s"), "--study", str(file)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    page = (tmp_path / "s/study.html").read_text()
    places = [page.index(f'<th scope="row">{name}</th>') for name in ("iph", "poisson", "composite")]
    assert places == sorted(places) and "Table 2" in page and "Simulated votes" not in page
    worth = {row["method"]: row["worth"] for row in json.loads(file.read_text())["pairs"]["methods"]}
    assert f"{worth['iph']:.4f}" in page
    file.write_text(file.read_text().replace('"simulated": false', '"simulated": true'))
    assert CliRunner().invoke(app, command).exit_code == 0
    assert "Simulated votes" in (tmp_path / "s/study.html").read_text()
    file.write_text("[]")
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2 and "expected scores of pairs" in done.stderr
