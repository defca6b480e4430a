"""Studies on one server, and the hands of a rater in a browser, for the tests of the voting page."""

import json
import re
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from study_files import write_study

from demo.gate_routes import study_routes
from demo.server import close
from demo.settings import Settings
from demo.vote.page import mount_study
from userstudy.design.study_file import load_study
from userstudy.votes.reading import votes_table

RATERS = '\n[raters]\nnumber = 50\nlabs = ["127.0.0.1"]\nmin_seconds = {}\n'
CODES = '\n[completion]\ncomplete = "C-DONE"\nfailed_checks = "C-FAIL"\nscreened_out = "C-OUT"\nno_consent = "C-NO"\n'
REDIRECT = 'redirect = "https://app.prolific.com/submissions/complete?cc={code}&session={SESSION_ID}"\n'
PAIRS = '\n[pairs]\nper_rater = {}\nanswers = ["tie", "both_bad", "skip"]\n'
STUDIES = {
    "both": PAIRS.format(5) + "[ranking]\nper_rater = 2\nshow_composite = true\n" + RATERS.format(0.2) + CODES,
    "short": PAIRS.format(3) + RATERS.format(0) + CODES + REDIRECT,
    "slow": PAIRS.format(3) + RATERS.format(1.5),
    "checked": PAIRS.format(4) + "attention = 3\n" + RATERS.format(0) + "max_failed = 1\n" + CODES,
    "gated": PAIRS.format(3) + RATERS.format(0) + "min_width = 700\nbrightness_check = true\n" + CODES,
    "gone": PAIRS.format(3) + RATERS.format(0) + CODES,
    "full": PAIRS.format(3) + RATERS.format(0).replace("50", "1") + CODES,
}


@pytest.fixture(scope="module")
def studies(request, serve, tmp_path_factory):
    """The module's ``STUDIES_SERVED`` on one server; each test is a rater of its own, or has a study of its own."""
    app, opened = FastAPI(), {}
    for name in request.module.STUDIES_SERVED:
        folder = tmp_path_factory.mktemp(name)
        study = load_study(write_study(folder, STUDIES[name], name, size=(300, 200)))
        sessions = mount_study(app, study, prefix=f"/{name}")
        opened[name] = SimpleNamespace(sessions=sessions, store=sessions.store, row=sessions.row, study=study)
    close(app, Settings(), [route for name in opened for route in study_routes(f"/{name}")])
    address = serve(app)
    for name, one in opened.items():
        one.url = f"{address}/{name}/"
    yield SimpleNamespace(**opened)
    for one in opened.values():
        one.store.close()


def at(page, stage):
    page.wait_for_function("wanted => document.querySelector('[data-at]')?.dataset.at === wanted", arg=stage)


def ready(page, number=None):
    """Waits until trial ``number`` (from 1) is on screen and takes answers."""
    if number is not None:
        page.wait_for_function(
            "n => document.querySelector('#vote-count')?.textContent.startsWith(n + ' ')", arg=str(number)
        )
    page.wait_for_selector(".answers button:not([disabled])")


def begin(page, url):
    if page.url != url:
        page.goto(url)
    at(page, "consent")
    page.click("[data-do=agree]")
    at(page, "instructions")
    page.click("[data-do=start]")
    ready(page)


def rater_of(page) -> str:
    token = page.evaluate("Object.entries(localStorage).find(([name]) => name.endsWith(':token'))[1]")
    return json.loads(token).split(".")[1]


def choices(study, rater) -> list[tuple[int, str]]:
    table = votes_table(study.store, study.row)
    return [(row.trial, row.choice) for row in table[table["rater"] == rater].sort_values("trial").itertuples()]


def unsaved(page, count: int) -> None:
    """Waits until so many answers are on their way. The page goes on before the server has answered."""
    kept = "Object.entries(localStorage).find(([name]) => name.endsWith(':outbox'))?.[1] ?? '[]'"
    page.wait_for_function(f"count => JSON.parse({kept}).length === count", arg=count)


def saved_choices(study, page) -> list[tuple[int, str]]:
    """The choices of the rater on a page, once all are saved."""
    unsaved(page, 0)
    return choices(study, rater_of(page))


def names_on_screen(page) -> list[str]:
    return [
        re.search(r"picture/(\w+)\.png", image.get_attribute("src"))[1]
        for image in page.query_selector_all(".pane img")
    ]
