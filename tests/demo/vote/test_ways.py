"""Ways into a study and out of it, in a real Chromium: panels, gates, codes, other devices, the admin page."""

import json
import re

import pytest
import sqlalchemy as sa
from rater_hands import at, begin, names_on_screen, rater_of, ready, saved_choices, studies

from userstudy.votes.tables import raters
from userstudy.votes.tokens import admin_token

__all__ = ["studies"]  # a fixture

pytestmark = pytest.mark.browser
STUDIES_SERVED = ("both", "short", "checked", "gated", "gone", "full")


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
    assert saved_choices(studies.short, first) == [(0, "left"), (1, "right")]
    third = page(studies.short.url)
    at(third, "consent")
    third.goto(link)  # the page stays: only what follows # is new
    ready(third, 3)
    assert "resume" not in third.url and rater_of(third) == rater_of(first)


def test_the_link_to_another_device_can_be_copied_and_does_not_take_the_next_key(page, studies):
    rater_page = page(studies.short.url, permissions=["clipboard-read"])
    begin(rater_page, studies.short.url)
    rater_page.click("[data-do=elsewhere]")
    link = rater_page.input_value(".elsewhere input")
    rater_page.keyboard.press("Control+c")
    assert "#resume=" in link and rater_page.evaluate("navigator.clipboard.readText()") == link
    rater_page.keyboard.press("ArrowLeft")
    ready(rater_page, 2)
    assert rater_page.is_hidden(".elsewhere")
    rater_page.click("[data-do=elsewhere]")
    rater_page.click("[data-do=elsewhere]")
    assert rater_page.is_hidden(".elsewhere")
    rater_page.keyboard.press("Space")
    ready(rater_page, 3)
    assert saved_choices(studies.short, rater_page) == [(0, "left"), (1, "skip")]


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
    assert saved_choices(study, rater_page) == [(0, "left")]
    study.store.set_state(study.row.id, "close")
    ready(rater_page, 2)
    rater_page.keyboard.press("ArrowLeft")
    at(rater_page, "end")
    assert "closed" in rater_page.inner_text("[data-stage=end] h2")
    assert re.search(r"is saved \(1 of \d+\).*whoever invited you", rater_page.inner_text(".reason"))
    newcomer.reload()
    at(newcomer, "end")
    assert newcomer.inner_text(".reason") == "Thank you for your interest."
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
    assert "opens no session of this study" in other.inner_text(".missed")


def test_the_next_person_on_a_shared_device(page, studies):
    rater_page = page(studies.short.url)
    begin(rater_page, studies.short.url)
    first = rater_of(rater_page)
    rater_page.click("[data-do=elsewhere]")
    for number in (1, 2, 3):
        ready(rater_page, number)
        rater_page.click("[data-choice=left]")
    at(rater_page, "end")
    rater_page.click("[data-do=next-person]")
    begin(rater_page, studies.short.url)
    assert rater_of(rater_page) != first
    assert rater_page.is_hidden(".elsewhere") and not rater_page.input_value(".elsewhere input")  # the first one's link


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
