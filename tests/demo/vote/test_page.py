"""The voting page in a real Chromium: a rater's whole session, by keyboard, by touch and by ear."""

import base64
import io
import re

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image
from rater_hands import at, begin, choices, names_on_screen, rater_of, ready, saved_choices, studies, unsaved
from study_files import METHODS

from userstudy.design.pictures import picture_id
from userstudy.votes.reading import rankings_table, raw_votes, votes_table
from userstudy.votes.tables import raters, trials

__all__ = ["studies"]  # a fixture

pytestmark = pytest.mark.browser
STUDIES_SERVED = ("both", "short", "slow")


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
    unsaved(rater_page, 0)
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
    assert saved_choices(studies.slow, rater_page) == [(0, "left")]


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
    assert saved_choices(studies.short, rater_page) == [(0, "left"), (1, "right")]


def test_a_clicked_button_does_not_take_the_next_space(page, studies):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    rater_page.click(".answers button[data-choice=left]")
    ready(rater_page, 2)
    rater_page.keyboard.press("Space")
    ready(rater_page, 3)
    assert saved_choices(studies.short, rater_page) == [(0, "left"), (1, "skip")]


def test_going_through_the_buttons_by_keyboard(page, studies):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    rater_page.focus(".answers button[data-choice=both_bad]")
    rater_page.keyboard.press("Space")
    ready(rater_page, 2)
    assert saved_choices(studies.short, rater_page) == [(0, "both_bad")]


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
