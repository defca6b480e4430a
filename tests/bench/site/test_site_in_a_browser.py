"""The site in a real browser, from a disk: with and without scripts, on a phone, by axe-core."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from bench_pictures import picture, save
from bench_rows import GAINS, made_rows

from bench.datasets import open_dataset
from bench.evaluation.store import Part, Store
from bench.report.boards import boards
from bench.site.build import build

pytestmark = pytest.mark.browser
PAGES = (
    "index",
    "boards/sample-strict-original",
    "pictures",
    "iharmony4",
    "methods/reinhard-background",
    "study",
    "versions",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small site of the sample, with an output kept for two images."""
    folder = tmp_path_factory.mktemp("site")
    ids = [entry.id for entry in open_dataset("sample").entries]
    rows = made_rows(dataset="sample", images=40)
    for row in rows:
        row |= {"id": ids[int(row["id"].removeprefix("image"))], "size": "original"}
    store = Store(folder / "results", "sample")
    with Part(store) as part:
        part.add(rows)
    store.merge()
    for number, id_ in enumerate(ids[:2]):
        save(store.folder / f"pictures/reinhard-background/{id_}.png", picture(number))
    build(folder / "results", boards(folder / "results"), folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, site: Path):
    """``visit(page, width, **context)`` opens a page of the site from the disk; no script may fail in it."""
    contexts, errors = [], []

    def opened(name: str, width: int = 1280, **context):
        contexts.append(browser.new_context(viewport={"width": width, "height": 844}, **context))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((site / f"{name}.html").as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_and_no_page_is_too_wide(visit, site: Path, width: int, scheme: str) -> None:
    page = visit("index", width, color_scheme=scheme)
    for name in PAGES:
        page.goto((site / f"{name}.html").as_uri())
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def column(page, number: int) -> list[str]:
    return page.locator(f"table.filterable tbody tr:visible > :nth-child({number})").all_inner_texts()


def test_rows_are_sorted_filtered_and_opened(visit) -> None:
    page = visit("boards/sample-strict-original")
    before = column(page, 3)
    assert before == sorted(before, key=float, reverse=True) and len(before) == len(GAINS)
    button = page.get_by_role("button", name="PSNR")
    button.focus()
    page.keyboard.press("Enter")
    assert column(page, 3) == sorted(before, key=float)
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("PSNR")
    button.click()
    assert column(page, 3) == before
    page.get_by_label("Filter methods").fill("background reinhard")
    assert column(page, 1) == ["Reinhard, background"] and page.get_by_role("status").inner_text() == "1 of 4 methods"
    page.locator("tbody tr:visible td").first.click()
    page.wait_for_url("**/methods/reinhard-background.html")
    assert "reinhard2001color" in page.locator("pre").inner_text()


def test_a_divider_between_composite_and_result(visit) -> None:
    page = visit("pictures")
    assert page.locator("section.picture").count() == 2
    box = page.locator(".divided").first
    assert box.locator("select option").all_inner_texts()[0].startswith("Reinhard, background")
    line = box.locator("input[type=range]")
    line.focus()
    page.keyboard.press("Home")
    assert box.locator(".stack").evaluate("one => one.style.getPropertyValue('--at')") == "0%"
    box.locator("select").select_option(index=1)
    assert box.locator(".stack img").nth(1).get_attribute("alt").startswith("Target")


def test_without_scripts_all_of_it_reads(visit) -> None:
    page = visit("boards/sample-strict-original", java_script_enabled=False)
    assert page.locator("table.filterable tbody tr").count() == len(GAINS)
    assert page.locator("button, input").count() == 0, "nothing stands there that does nothing"
    page.locator("tbody th a").first.click()
    assert page.locator("dl dt").count() > 3
    pictures = visit("pictures", java_script_enabled=False)
    assert pictures.locator("section.picture").first.locator("img").count() == 3


def test_on_a_phone_the_score_is_in_sight(visit) -> None:
    page = visit("boards/sample-strict-original", 390, has_touch=True)
    box = page.locator("table.filterable tbody tr").first.locator("td").nth(1).bounding_box()
    assert box["x"] + box["width"] <= 390
