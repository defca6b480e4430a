"""The voting page in a real Chromium: whole sessions, by keyboard and by touch, through reloads and outages."""

import base64
import io
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from PIL import Image
from study_files import METHODS, write_study

from demo.vote import mount_study
from userstudy.pictures import picture_id
from userstudy.reading import rankings_table, raw_votes, votes_table
from userstudy.study import load_study
from userstudy.tables import raters, trials
from userstudy.tokens import admin_token

pytestmark = pytest.mark.browser

RATERS = "\n[raters]\nnumber = 50\nmin_seconds = {}\n"
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
def studies(serve, tmp_path_factory):
    """Every study of ``STUDIES`` on one server; each test is a rater of its own, or has a study of its own."""
    app, opened = FastAPI(), {}
    for name, rest in STUDIES.items():
        folder = tmp_path_factory.mktemp(name)
        study = load_study(write_study(folder, rest, name, size=(300, 200)))
        sessions = mount_study(app, study, prefix=f"/{name}")
        opened[name] = SimpleNamespace(sessions=sessions, store=sessions.store, row=sessions.row, study=study)
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


def names_on_screen(page) -> list[str]:
    return [
        re.search(r"picture/(\w+)\.png", image.get_attribute("src"))[1]
        for image in page.query_selector_all(".pane img")
    ]


def test_a_whole_session_by_keyboard_with_a_reload_in_between(page, studies):
    study = studies.both
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater = rater_of(rater_page)
    for number, key in enumerate(("ArrowLeft", "ArrowDown", "ArrowRight"), 1):
        ready(rater_page, number)
        rater_page.keyboard.press(key)
    ready(rater_page, 4)
    shown = names_on_screen(rater_page)
    rater_page.reload()
    ready(rater_page, 4)
    assert names_on_screen(rater_page) == shown
    rater_page.keyboard.press("0")
    ready(rater_page, 5)
    rater_page.keyboard.press("Space")
    ready(rater_page, 6)
    assert "Rank" in rater_page.inner_text("#vote-question") and rater_page.locator(".pane").count() == 5
    for key in ("3", "1", "4", "1", "2", "Enter"):  # 1 is taken back; 2 gets the third rank
        rater_page.keyboard.press(key)
    ready(rater_page, 7)
    rater_page.locator(".pane.rankable").nth(1).click()
    rater_page.click("[data-do=rank]")
    at(rater_page, "end")
    assert rater_page.inner_text(".code output") == "C-DONE"
    assert choices(study, rater) == [(0, "left"), (1, "tie"), (2, "right"), (3, "both_bad"), (4, "skip")]
    ranks = rankings_table(study.store, study.row)
    ranks = ranks[ranks["rater"] == rater]
    with study.store.read() as connection:
        query = sa.select(trials.c.trial, trials.c.shown).join(raters, raters.c.id == trials.c.rater_id)
        shown = dict(connection.execute(query.where(raters.c.rater == rater, trials.c.task == "ranking")).all())
    given = {(row.trial, row.method): row.rank for row in ranks.dropna().itertuples()}
    assert given == {
        (5, shown[5][2]): 1,
        (5, shown[5][3]): 2,
        (5, shown[5][1]): 3,
        (6, shown[6][1]): 1,
    }


def test_seconds_are_measured_from_the_pictures_on(page, studies):
    rater_page = page(studies.slow.url)
    begin(rater_page, studies.slow.url)
    rater_page.wait_for_timeout(700)
    rater_page.keyboard.press("ArrowLeft")
    ready(rater_page, 2)
    table = votes_table(studies.slow.store, studies.slow.row)
    (seconds,) = table[table["rater"] == rater_of(rater_page)]["seconds"]
    assert 2.1 <= seconds < 12


def test_answers_wait_for_the_viewing_time(page, studies):
    rater_page = page(studies.slow.url)
    begin(rater_page, studies.slow.url)
    rater_page.keyboard.press("ArrowLeft")
    rater_page.wait_for_selector(".pane:not(.loading)")
    assert rater_page.locator(".answers button:not([disabled])").count() == 0
    rater_page.keyboard.press("ArrowLeft")  # too early
    ready(rater_page, 2)
    assert choices(studies.slow, rater_of(rater_page)) == [(0, "left")]


def test_pictures_are_shown_pixel_for_pixel_and_the_next_ones_are_there_before_the_vote(page, studies):
    study = studies.short
    rater_page = page()
    asked = []
    rater_page.on("request", lambda request: asked.append(request.url))
    rater_page.goto(study.url)
    begin(rater_page, study.url)
    rater_page.wait_for_timeout(300)
    before = {url for url in asked if "/picture/" in url}
    code = """image => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      canvas.getContext('2d').drawImage(image, 0, 0);
      return canvas.toDataURL();
    }"""
    names = {picture_id(study.row.secret, item, method): path for (item, method), path in study.study.pictures.items()}
    for _ in range(2):
        for name, image in zip(names_on_screen(rater_page), rater_page.query_selector_all(".pane img"), strict=True):
            data = base64.b64decode(image.evaluate(code).split(",")[1])
            pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
            assert np.array_equal(pixels, np.asarray(Image.open(names[name])))
            assert image.get_attribute("alt") in ("Picture A", "Picture B")
        rater_page.keyboard.press("ArrowLeft")
        ready(rater_page)
    assert {url for url in asked if "/picture/" in url} == before  # three trials' pictures, asked for before any vote
    assert not any(method in url for url in asked for method in METHODS)


def test_one_key_is_one_vote(page, studies):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    rater_page.evaluate("""() => {
      for (const repeat of [false, false, true])
        document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', repeat, bubbles: true}));
    }""")
    ready(rater_page, 2)
    rater_page.evaluate(
        "for (const _ of [1, 2, 3]) document.querySelector('.answers button[data-choice=right]').click()"
    )
    ready(rater_page, 3)
    assert choices(studies.short, rater_of(rater_page)) == [(0, "left"), (1, "right")]


def test_a_clicked_button_does_not_take_the_next_space(page, studies):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    rater_page.click(".answers button[data-choice=left]")
    ready(rater_page, 2)
    rater_page.keyboard.press("Space")
    ready(rater_page, 3)
    assert choices(studies.short, rater_of(rater_page)) == [(0, "left"), (1, "skip")]


def test_going_through_the_buttons_by_keyboard(page, studies):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    rater_page.focus(".answers button[data-choice=both_bad]")
    rater_page.keyboard.press("Space")
    ready(rater_page, 2)
    assert choices(studies.short, rater_of(rater_page)) == [(0, "both_bad")]


def test_undo_shows_the_pair_again_and_adds_a_row(page, studies):
    study = studies.short
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater, first = rater_of(rater_page), names_on_screen(rater_page)
    assert rater_page.is_disabled(".tools [data-do=undo]")
    rater_page.keyboard.press("ArrowLeft")
    ready(rater_page, 2)
    rater_page.keyboard.press("u")
    ready(rater_page, 1)
    assert names_on_screen(rater_page) == first
    for number in (1, 2, 3):
        ready(rater_page, number)
        rater_page.keyboard.press("ArrowRight")
    at(rater_page, "end")
    rater_page.click("[data-stage=end] [data-do=undo]")
    ready(rater_page, 3)
    rater_page.keyboard.press("ArrowDown")
    at(rater_page, "end")
    assert choices(study, rater) == [(0, "right"), (1, "right"), (2, "tie")]
    raw = raw_votes(study.store, study.row)
    assert raw[raw["rater"] == rater]["choice"].tolist() == [
        "left",
        "undone",
        "right",
        "right",
        "right",
        "undone",
        "tie",
    ]


def test_an_outage_loses_nothing(page, studies):
    study = studies.short
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater = rater_of(rater_page)
    rater_page.context.set_offline(True)
    for number in (1, 2):  # the next pairs are already here
        ready(rater_page, number)
        rater_page.keyboard.press("ArrowLeft")
    rater_page.wait_for_selector(".banner:not([hidden])")
    assert "2 answers are not saved yet" in rater_page.inner_text(".banner")
    assert choices(study, rater) == []
    rater_page.context.set_offline(False)
    rater_page.wait_for_selector(".banner", state="hidden")
    assert choices(study, rater) == [(0, "left"), (1, "left")]


def test_an_answer_that_the_browser_never_heard_back_of_is_sent_again_after_a_crash(page, studies):
    study = studies.short
    rater_page = page(study.url)
    begin(rater_page, study.url)
    rater = rater_of(rater_page)

    def swallow(route):
        if not choices(study, rater):  # its later tries go nowhere
            route.fetch()
        route.abort()

    rater_page.route("**/api/vote", swallow)
    rater_page.keyboard.press("ArrowLeft")
    rater_page.wait_for_selector(".banner:not([hidden])")
    assert choices(study, rater) == [(0, "left")]  # stored, but not acknowledged
    rater_page.goto("about:blank")  # as far as the page can tell, a crash
    rater_page.unroute_all(behavior="ignoreErrors")
    rater_page.goto(study.url)
    ready(rater_page, 2)
    raw = raw_votes(study.store, study.row)
    assert raw[raw["rater"] == rater]["choice"].tolist() == ["left"]


def test_going_on_on_another_device(page, studies):
    first = page(studies.short.url)
    begin(first, studies.short.url)
    first.keyboard.press("ArrowLeft")
    ready(first, 2)
    first.click("[data-do=elsewhere]")
    link = first.input_value(".elsewhere input")
    second = page(link)
    ready(second, 2)
    assert "resume" not in second.url and rater_of(second) == rater_of(first)
    assert names_on_screen(second) == names_on_screen(first)
    second.keyboard.press("ArrowRight")
    ready(second, 3)
    first.keyboard.press("ArrowLeft")  # the same pair, too late: refused, and the page catches up
    ready(first, 3)
    assert choices(studies.short, rater_of(first)) == [(0, "left"), (1, "right")]


def test_both_pictures_zoom_together(page, studies):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    transforms = "[...document.querySelectorAll('.pane img')].map(image => image.style.transform)"
    box = rater_page.locator(".pane").first.bounding_box()
    rater_page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    rater_page.mouse.wheel(0, -500)
    rater_page.wait_for_function(f"{transforms}[0].includes('scale(2')")
    left, right = rater_page.evaluate(transforms)
    assert left == right
    rater_page.mouse.down()
    rater_page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=3)
    rater_page.mouse.up()
    moved = rater_page.evaluate(transforms)
    assert moved[0] == moved[1] != left
    rater_page.keyboard.press("f")
    assert set(rater_page.evaluate(transforms)) == {"translate(0px, 0px) scale(1)"}
    rater_page.keyboard.press("+")
    assert "scale(1.5)" in rater_page.evaluate(transforms)[1]
    rater_page.keyboard.press("ArrowLeft")
    ready(rater_page, 2)
    assert set(rater_page.evaluate(transforms)) == {"translate(0px, 0px) scale(1)"}


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_by_touch(page, studies, dark, tmp_path):
    study = studies.both
    phone = page(study.url, width=360, height=740, dark=dark, has_touch=True, is_mobile=True)
    at(phone, "consent")
    for stage, button in (("consent", "agree"), ("instructions", "start")):
        at(phone, stage)
        assert phone.evaluate("document.querySelector('#study').scrollWidth") <= 360
        phone.tap(f"[data-do={button}]")
    for number in range(1, 6):
        ready(phone, number)
        phone.tap(".answers button[data-choice=right]")
    ready(phone, 6)
    assert phone.evaluate("document.querySelector('#study').scrollWidth") <= 360
    assert phone.evaluate("document.querySelector('#study').scrollHeight") <= 740  # all on one screen
    heights = phone.evaluate("[...document.querySelectorAll('.answers button')].map(one => one.offsetHeight)")
    assert min(heights) >= 44
    background = phone.evaluate(
        "getComputedStyle(document.querySelector('.vote').closest('[data-at]')).backgroundColor"
    )
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 200) == dark
    phone.locator(".pane.rankable").nth(2).tap()
    assert phone.inner_text(".pane .rank") == "1"
    phone.tap("[data-do=rank]")
    ready(phone, 7)


def test_a_screen_reader_is_told_what_is_there(page, studies):
    rater_page = page(studies.both.url)
    begin(rater_page, studies.both.url)
    for role, name in (
        ("button", "A is better"),
        ("button", "B is better"),
        ("button", "No difference between A and B"),
        ("button", "Both are bad"),
        ("button", "Skip this one"),
        ("button", "Zoom in"),
        ("img", "Picture A"),
        ("img", "Picture B"),
        ("progressbar", "1 of 7"),
        ("group", "Which picture looks more natural?"),
    ):
        assert rater_page.get_by_role(role, name=name, exact=True).first.is_visible(), (role, name)
    assert rater_page.inner_text("#vote-live").startswith("Which picture")
    assert rater_page.evaluate("document.documentElement.lang") == "en"
    unnamed = (
        "[...document.querySelectorAll('#study button')].filter(one => !(one.ariaLabel || one.textContent.trim()))"
    )
    assert rater_page.evaluate(f"{unnamed}.length") == 0
    assert rater_page.title() == "Which picture looks more natural?"


def test_prolific_comes_back_and_is_sent_home(page, studies):
    url = studies.short.url + "?PROLIFIC_PID=5f0c1a2b3c4d&STUDY_ID=s1&SESSION_ID=abc%26d"
    rater_page = page(url)
    begin(rater_page, rater_page.url)
    rater_page.keyboard.press("ArrowLeft")
    ready(rater_page, 2)
    other = page(url)  # another browser: the same person is the same rater
    begin_again = "document.querySelector('[data-at]').dataset.at"
    at(other, "consent")
    other.click("[data-do=agree]")
    at(other, "instructions")
    assert other.evaluate(begin_again) == "instructions"
    other.click("[data-do=start]")
    for number in (2, 3):
        ready(other, number)
        other.keyboard.press("ArrowLeft")
    at(other, "end")
    expected = "https://app.prolific.com/submissions/complete?cc=C-DONE&session=abc%26d"
    assert other.get_attribute("[data-do=redirect]", "href") == expected
    assert rater_of(other) == rater_of(rater_page)
    assert other.is_hidden("[data-do=next-person]")


def test_mturk_previews_and_submits_to_mturk_alone(page, studies):
    preview = page(studies.short.url + "?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=h")
    at(preview, "preview")
    for host, submits in (("https://www.mturk.com", True), ("https://mturk.com.evil.example", False)):
        worker = page(f"{studies.short.url}?assignmentId=a1&hitId=h&workerId=W{submits}&turkSubmitTo={host}")
        begin(worker, worker.url)
        for number in (1, 2, 3):
            ready(worker, number)
            worker.keyboard.press("ArrowLeft")
        at(worker, "end")
        form = worker.locator("[data-stage=end] form")
        assert form.is_visible() == submits
        if submits:
            assert form.get_attribute("action") == "https://www.mturk.com/mturk/externalSubmit"
            assert form.locator("[name=assignmentId]").input_value() == "a1"


def test_a_small_window_and_a_dim_screen_are_gated(page, studies):
    rater_page = page(studies.gated.url, width=600)
    at(rater_page, "consent")
    rater_page.click("[data-do=agree]")
    at(rater_page, "screen")
    assert rater_page.inner_text("[data-text=have]").startswith("600")
    rater_page.set_viewport_size({"width": 900, "height": 700})
    at(rater_page, "brightness")
    squares = "[...document.querySelectorAll('.patches span')].filter(one => one.style.background).length"
    count = rater_page.evaluate(squares)
    rater_page.click(f".counts button:nth-child({(count + 1) % 10 + 1})")
    rater_page.wait_for_selector(".banner:not([hidden])")
    rater_page.click(f".counts button:nth-child({rater_page.evaluate(squares) + 1})")
    at(rater_page, "instructions")
    with studies.gated.store.read() as connection:
        (device,) = connection.scalars(sa.select(raters.c.device).where(raters.c.study_id == studies.gated.row.id))
    assert device["width"] == 900 and device["brightness"]["shown"] == device["brightness"]["counted"]
    dim = page(studies.gated.url)
    at(dim, "consent")
    dim.click("[data-do=agree]")
    for _ in range(2):
        at(dim, "brightness")
        dim.click(".counts button:nth-child(1)")
    at(dim, "end")
    assert dim.inner_text(".code output") == "C-OUT"
    small = page(studies.gated.url, width=600)
    at(small, "consent")
    small.click("[data-do=agree]")
    small.click("[data-do=too-small]")
    at(small, "end")
    assert small.inner_text(".code output") == "C-OUT"


def test_no_consent_stores_nothing(page, studies):
    study = studies.gone
    rater_page = page(study.url)
    at(rater_page, "consent")
    rater_page.click("[data-do=decline]")
    at(rater_page, "end")
    assert rater_page.inner_text(".code output") == "C-NO"
    with study.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(raters.c.study_id == study.row.id)) == 0


def test_paused_and_closed_studies_say_so(page, studies):
    study = studies.gone
    rater_page = page(study.url)
    begin(rater_page, study.url)
    study.store.set_state(study.row.id, "pause")
    rater_page.keyboard.press("ArrowLeft")
    rater_page.wait_for_selector(".banner:not([hidden])")
    assert "the study is paused" in rater_page.inner_text(".banner")
    newcomer = page(study.url)
    at(newcomer, "end")
    assert "paused" in newcomer.inner_text("[data-stage=end] h2")
    study.store.set_state(study.row.id, "open")
    rater_page.wait_for_selector(".banner", state="hidden")  # sent by itself
    assert choices(study, rater_of(rater_page)) == [(0, "left")]
    study.store.set_state(study.row.id, "close")
    ready(rater_page, 2)
    rater_page.keyboard.press("ArrowLeft")
    at(rater_page, "end")
    assert "closed" in rater_page.inner_text("[data-stage=end] h2")
    study.store.set_state(study.row.id, "open")


def test_a_full_study_says_so(page, studies):
    first = page(studies.full.url)
    begin(first, studies.full.url)
    second = page(studies.full.url)
    at(second, "consent")
    second.click("[data-do=agree]")
    at(second, "end")
    assert "full" in second.inner_text("[data-stage=end] h2")


def test_failed_checks_end_the_session(page, studies):
    rater_page = page(studies.checked.url)
    begin(rater_page, studies.checked.url)
    ended = "document.querySelector('[data-at]').dataset.at === 'end'"
    while not rater_page.evaluate(ended):
        note = rater_page.inner_text(".note") if rater_page.is_visible(".note") else ""
        before = rater_page.inner_text("#vote-count")
        rater_page.keyboard.press("ArrowLeft" if "picture B" in note else "ArrowRight")
        changed = f"{ended} || document.querySelector('#vote-count').textContent !== old"
        open_ = f"{ended} || document.querySelector('.answers button:not([disabled])')"
        rater_page.wait_for_function(f"old => ({changed}) && ({open_})", arg=before)
    at(rater_page, "end")
    assert "ended" in rater_page.inner_text("[data-stage=end] h2")
    assert rater_page.inner_text(".code output") == "C-FAIL"
    rater_page.reload()
    at(rater_page, "end")
    assert rater_page.inner_text(".code output") == "C-FAIL"


def test_a_token_of_another_study_starts_anew(page, studies):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    token = json.loads(rater_page.evaluate("Object.entries(localStorage).find(([name]) => name.endsWith(':token'))[1]"))
    other = page(studies.both.url + "#resume=" + token)
    at(other, "consent")
    assert "cannot be continued here" in other.inner_text(".banner")


def test_the_next_person_on_a_shared_device(page, studies):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    first = rater_of(rater_page)
    for number in (1, 2, 3):
        ready(rater_page, number)
        rater_page.keyboard.press("ArrowLeft")
    at(rater_page, "end")
    rater_page.click("[data-do=next-person]")
    begin(rater_page, studies.short.url)
    assert rater_of(rater_page) != first


def test_the_admin_page(page, studies):
    study = studies.short
    rater = study.sessions.progress(study.sessions.enter()).rater
    admin = page(f"{study.url}admin#{admin_token(study.row.secret)}")
    line = admin.locator("#raters tr", has_text=rater)
    line.get_by_role("button", name=f"exclude rater {rater}").click()
    admin.fill("dialog [name=reason]", "never came back")
    admin.click("dialog .primary")
    admin.wait_for_selector("tr.excluded")
    assert study.store.excluded(study.row.id) == {rater: "never came back"}
    assert "#" not in admin.url
    with admin.expect_download() as download:
        admin.click("[data-export=jsonl]")
    assert download.value.suggested_filename == "short.jsonl"
    admin.click("[data-state=pause]")
    admin.fill("dialog [name=reason]", "lunch")
    admin.click("dialog [value=cancel]")
    assert study.store.state(study.row.id) == "open"
    stranger = page(f"{study.url}admin")
    stranger.wait_for_selector(".enter:not([hidden])")
    stranger.fill("[name=token]", "guess")
    stranger.click(".enter button")
    stranger.wait_for_selector(".error:not([hidden])")
    assert stranger.is_hidden(".board")
