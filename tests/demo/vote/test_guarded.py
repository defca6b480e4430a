"""What a foreign link, a foreign number and a hostile study file do to the page in a real Chromium: nothing unasked."""

import json
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from rater_hands import at, begin, rater_of, ready, saved_choices, studies
from study_files import PAIRS, RATERS, write_pictures

from demo.vote.page import mount_study
from userstudy.design.study_file import load_study
from userstudy.votes.tokens import admin_token

__all__ = ["studies"]  # a fixture

pytestmark = pytest.mark.browser
STUDIES_SERVED = ("short",)
SCRIPT = "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>![](http://192.0.2.1/x.png){{7*7}}${7*7}"
HOSTILE = f"""\
name = "hostile"
title = '''Title {SCRIPT}'''
consent = '''Consent {SCRIPT}'''
instructions = '''Instructions {SCRIPT} </textarea></script>'''
[pictures]
folder = "methods"
"""
METHODS = ("A <img src=x onerror=hurt=1>", "B ![x](http:192.0.2.1)")


def token_of(page) -> str:
    return json.loads(page.evaluate("Object.entries(localStorage).find(([name]) => name.endsWith(':token'))[1]"))


def voted(page, url, key="ArrowLeft"):
    begin(page, url)
    page.keyboard.press(key)
    ready(page, 2)
    return rater_of(page), token_of(page)


def test_a_link_asks_before_it_puts_a_session_aside_and_both_stay_in_reach(page, studies):
    url = studies.short.url
    mine, theirs = page(url), page(url)
    my_rater, my_token = voted(mine, url)
    their_rater, their_token = voted(theirs, url, "ArrowRight")
    mine.goto(f"{url}#resume={their_token}")
    at(mine, "which")
    assert "1 of 3 answers" in mine.inner_text("[data-stage=which]") and token_of(mine) == my_token
    mine.click("[data-do=keep-mine]")
    ready(mine, 2)
    assert rater_of(mine) == my_rater and "resume" not in mine.url and mine.is_hidden(".other")
    mine.goto(f"{url}#resume={their_token}")
    at(mine, "which")
    mine.click("[data-do=take-link]")
    mine.wait_for_function(
        "wanted => localStorage[Object.keys(localStorage).find((n) => n.endsWith(':token'))].includes(wanted)",
        arg=their_rater,
    )
    ready(mine, 2)
    mine.reload()  # and it is remembered that there is another one
    ready(mine, 2)
    mine.click("[data-do=swap]")
    mine.wait_for_function(
        "wanted => localStorage[Object.keys(localStorage).find((n) => n.endsWith(':token'))].includes(wanted)",
        arg=my_rater,
    )
    ready(mine, 2)
    assert saved_choices(studies.short, mine) == [(0, "left")]


@pytest.mark.parametrize("kind", ["forged", "of another study", "of nobody"])
def test_a_link_that_opens_nothing_changes_nothing(page, studies, kind):
    url = studies.short.url
    mine = page(url)
    rater, token = voted(mine, url)
    study, _, proof = token.split(".")
    forged = {
        "forged": f"{study}.{rater}.{'0' * 32}",
        "of another study": f"00000000.{rater}.{proof}",
        "of nobody": "x",
    }
    mine.goto(f"{url}#resume={forged[kind]}")
    mine.wait_for_selector(".missed >> text=opens no session of this study")
    ready(mine, 2)
    assert token_of(mine) == token and "resume" not in mine.url and mine.is_hidden("[data-stage=which]")


def test_a_link_opened_without_a_connection_is_not_lost_and_not_believed(page, studies):
    url = studies.short.url
    mine, theirs = page(url), page(url)
    _, my_token = voted(mine, url)
    their_rater, their_token = voted(theirs, url)
    mine.route("**/api/progress", lambda route: route.abort(), times=1)
    mine.goto(f"{url}#resume={their_token}")
    mine.click("[data-do=retry]")
    at(mine, "which")
    assert token_of(mine) == my_token


def test_a_panel_s_number_with_another_session_is_told_what_to_do(page, studies):
    url = studies.short.url + "?PROLIFIC_PID=5f0c-known&SESSION_ID={}"
    first = page(url.format("one"))
    rater, _ = voted(first, first.url)
    stranger = page(url.format("two"))
    at(stranger, "consent")
    stranger.click("[data-do=agree]")
    at(stranger, "end")
    assert "another session number of the panel" in stranger.inner_text(".reason")
    again = page(url.format("one"))  # the same from another device
    at(again, "consent")
    again.click("[data-do=agree]")
    at(again, "instructions")
    assert rater_of(again) == rater


def test_the_admin_page_remembers_a_token_that_was_taken_and_no_other(page, studies):
    study = studies.short
    remembered = "sessionStorage.getItem('study-admin')"
    stranger = page(f"{study.url}admin#guess")
    stranger.wait_for_selector(".error:not([hidden])")
    assert stranger.evaluate(remembered) is None and "#" not in stranger.url
    admin = page(f"{study.url}admin#{admin_token(study.row.secret)}")
    admin.wait_for_selector(".board:not([hidden])")
    assert admin.evaluate(remembered)
    study.store.renew_admin(study.row.id)
    admin.wait_for_selector(".enter:not([hidden])", timeout=30_000)
    assert admin.evaluate(remembered) is None


@pytest.fixture(scope="module")
def hostile(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    write_pictures(folder / "methods", METHODS, items=2)
    (folder / "hostile.toml").write_text(HOSTILE + PAIRS.replace("6", "2") + RATERS)
    app = FastAPI()
    sessions = mount_study(app, load_study(folder / "hostile.toml"))
    yield SimpleNamespace(sessions=sessions, url=f"{serve(app)}/study/")
    sessions.store.close()


def test_scripts_in_a_study_file_stay_text(page, hostile):
    rater = page(hostile.url)
    at(rater, "consent")
    assert rater.inner_text("h1") == f"Title {SCRIPT}" == rater.title()
    assert rater.inner_text("[data-text=consent]") == f"Consent {SCRIPT}"
    rater.click("[data-do=agree]")
    at(rater, "instructions")
    assert SCRIPT in rater.inner_text("[data-stage=instructions] [data-text=instructions]")
    row, store = hostile.sessions.row, hostile.sessions.store
    store.exclude(row.id, rater_of(rater), SCRIPT)
    admin = page(f"{hostile.url}admin#{admin_token(row.secret)}")
    admin.wait_for_selector(".board:not([hidden])")
    assert admin.inner_text(".board h1") == f"Title {SCRIPT}"
    for method in METHODS:
        assert admin.locator("#pairs th", has_text=method).count() == 2
    assert SCRIPT in admin.inner_text("#raters")
    for tab in (rater, admin):
        assert tab.evaluate("window.hurt") is None  # the fixture adds: no error, and no request that left this machine
        assert tab.locator("main img[src=x]").count() == 0
