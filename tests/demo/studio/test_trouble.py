"""The studio's page in trouble: refused requests, lost sessions and pictures, answers that come amid a gesture."""

import re
import time

import numpy as np
import pytest
from visitor_hands import (
    KEEP_ALIVE,
    PATIENCE,
    arrived,
    download,
    files,
    hurry,
    point,
    project,
    put,
    quiet,
    shown,
    studio,
    visit,
)

from demo.places import FULL
from demo.studio.project import Project
from iph.images.imagefile import read_photo
from iph.recipe import Recipe

__all__ = ["files", "studio", "visit"]  # fixtures

pytestmark = pytest.mark.browser
OTHER_CARD = ".card[aria-pressed=false]"
REFUSALS = {
    "queue": {"status": 503, "json": {"code": "busy", "message": FULL}},
    "proxy": {"status": 502, "body": "<html>Bad gateway</html>", "content_type": "text/html"},
}

SAID = {"rate limit": "please wait 4 seconds", "queue": "Too many people", "proxy": "does not answer"}


def take(opened):
    """Take a look that is not taken yet, by its card, and wait until it is."""
    name = opened.inner_text(f"{OTHER_CARD} >> nth=0")
    opened.click(f"{OTHER_CARD} >> nth=0")
    opened.wait_for_selector(f".card[aria-pressed=true] >> text={name}")
    quiet(opened)


def result(studio) -> np.ndarray:
    """The picture that the canvas should show."""
    now = project(studio)
    return now.mapping.blended(**vars(now.amounts)).apply(now.scene.pixels, now.scene.mask)


def slowly(monkeypatch, name, seconds=0.4):
    """Let the server take its time for something, as it does on a busy machine."""
    quick = getattr(Project, name)
    monkeypatch.setattr(Project, name, lambda *args: (time.sleep(seconds), quick(*args))[1])


@pytest.mark.parametrize("refusal", ["rate limit", *REFUSALS])
def test_after_a_refused_request_the_page_goes_on(visit, studio, files, monkeypatch, refusal):
    opened = visit()
    put(opened, files)
    with monkeypatch.context() as patch:
        if refusal == "rate limit":
            patch.setattr(studio.limits.requests, "wait", lambda *args: 4)
        else:
            opened.route("**/event", lambda route: route.fulfill(**REFUSALS[refusal]))
        hurry(opened)
        opened.click(f"{OTHER_CARD} >> nth=0")
        opened.wait_for_selector(".toast[role=alert]:not([hidden])")
        assert re.search(SAID[refusal], opened.inner_text(".toast"))
        quiet(opened)
        opened.focus("[data-amount=strength]")
        opened.keyboard.press("ArrowLeft")  # was shown at once, but is not what the server has
        opened.wait_for_function("document.querySelector('[data-amount=strength]').value === '100'")
    opened.unroute_all()
    take(opened)
    shown(opened, result(studio))


def test_each_download_is_a_file_of_its_own(visit, studio, files, tmp_path):
    opened = visit()
    put(opened, files)
    first = download(opened, "photo", tmp_path)
    before = read_photo(first).pixels
    opened.focus("[data-amount=strength]")
    opened.keyboard.press("Home")
    again = download(opened, "photo", tmp_path)
    assert first.name == again.name == "beach-harmonized.png"
    np.testing.assert_array_equal(read_photo(again).pixels, project(studio).scene.pixels)
    assert (read_photo(again).pixels != before).any()
    np.testing.assert_array_equal(read_photo(download(opened, "photo", tmp_path)).pixels, read_photo(again).pixels)


def test_no_nudge_is_lost_while_answers_come(visit, studio, files, monkeypatch):
    slowly(monkeypatch, "place")
    opened = visit()
    put(opened, files)
    before = project(studio).choices.placement
    opened.focus(".frame")
    places = []
    for _ in range(8):
        opened.keyboard.press("ArrowLeft")
        places.append(float(opened.eval_on_selector(".handles", "handles => parseFloat(handles.style.left)")))
        time.sleep(0.55)  # longer than a nudge waits to be sent, so that answers come between two
    np.testing.assert_allclose(np.diff(places), -1, atol=1e-6)
    arrived(lambda: project(studio).choices.placement.x == pytest.approx(before.x - 0.08))
    quiet(opened)
    shown(opened, result(studio))


def test_what_is_saved_is_where_the_person_is_seen(visit, studio, files, tmp_path):
    opened = visit()
    put(opened, files)
    before = project(studio).choices.placement
    opened.focus(".frame")
    for _ in range(5):
        opened.keyboard.press("ArrowLeft")
    assert Recipe.load(download(opened, "recipe", tmp_path)).placement.x == pytest.approx(before.x - 0.05)
    x0, y0, x1, y1 = before.box((240, 320), (160, 120))
    opened.mouse.move(*point(opened, (x0 + x1) / 640 - 0.05, (y0 + y1) / 480))
    opened.keyboard.down("Alt")
    opened.mouse.wheel(0, -100)
    opened.keyboard.up("Alt")
    opened.keyboard.press("c")  # away from the picture in which they are moved
    opened.wait_for_selector("[data-tab=person][aria-pressed=true]")
    larger = pytest.approx(before.height * np.exp(1 / 6))
    assert Recipe.load(download(opened, "recipe", tmp_path)).placement.height == larger


def test_a_slider_in_the_hand_stays_there_when_an_answer_comes(visit, studio, files, monkeypatch):
    slowly(monkeypatch, "adjust")
    opened = visit()
    put(opened, files)
    box = opened.query_selector("[data-amount=strength]").bounding_box()
    middle = box["y"] + box["height"] / 2
    opened.mouse.move(box["x"] + box["width"] * 2 / 3, middle)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] / 4, middle, steps=4)
    value = opened.input_value("[data-amount=strength]")
    assert 30 < int(value) < 50
    opened.evaluate(f"document.querySelector('{OTHER_CARD}').click()")
    opened.wait_for_selector("[data-do=undo]:not([disabled])")
    opened.wait_for_function("!document.querySelector('#studio [data-busy]')")
    time.sleep(0.5)
    assert opened.input_value("[data-amount=strength]") == value
    opened.mouse.up()
    opened.evaluate(f"document.querySelector('{OTHER_CARD}').click()")  # another answer before that of the slider
    arrived(lambda: project(studio).amounts.strength == int(value) / 100)
    quiet(opened)
    assert opened.input_value("[data-amount=strength]") == value
    shown(opened, result(studio))


def test_a_picture_that_did_not_arrive_is_asked_for_again(visit, studio, files):
    opened = visit()
    opened.route(re.compile(r"/photo-\d+\.png"), lambda route: route.abort())
    opened.click(".example")
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    assert "did not arrive" in opened.inner_text(".toast")
    opened.unroute_all()
    take(opened)
    shown(opened, result(studio))


def test_starting_over_takes_two_clicks_and_a_success_ends_the_talk_of_an_error(visit, studio, files, tmp_path):
    fake = tmp_path / "fake.jpg"
    fake.write_text("hello")
    opened = visit()
    put(opened, files)
    opened.set_input_files("[data-kind=other] input", fake)
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    take(opened)
    assert opened.is_hidden(".toast")
    opened.click("[data-do=restart]")
    assert opened.inner_text("[data-do=restart]") == "Sure? Start over"
    opened.wait_for_function("document.querySelector('[data-do=restart]').textContent === 'Start over'")
    opened.click("[data-do=restart]")
    assert opened.is_visible(".work") and project(studio).base is not None
    opened.click("[data-do=restart]")
    opened.wait_for_selector(".start:not([hidden])")
    assert project(studio).base is None


def test_what_is_done_after_a_quiet_time_is_done_and_each_download_comes(visit, studio, files, tmp_path):
    opened = visit()
    put(opened, files)
    first = download(opened, "cube", tmp_path)
    time.sleep(KEEP_ALIVE + 0.5)
    take(opened)
    second = download(opened, "cube", tmp_path)
    assert first.name == second.name and project(studio).history.past
    time.sleep(KEEP_ALIVE + 0.5)
    assert download(opened, "photo", tmp_path).name == "beach-harmonized.png"


def test_an_event_whose_answer_is_lost_is_asked_for_again_and_done_once(visit, studio, files):
    opened = visit()
    put(opened, files)
    lost = []

    def lose(route):
        lost.append(route.request.post_data_json["request"])
        if len(lost) == 1:
            route.fetch()  # done, but the answer does not arrive
            route.abort()
        else:
            route.continue_()

    opened.route("**/event", lose)
    take(opened)
    assert lost[0] == lost[1] and len(project(studio).history.past) == 1 and opened.is_hidden(".toast")
    opened.unroute_all()


def test_a_sentence_is_heard_though_a_newer_answer_came_before_it(visit, studio, files):
    opened = visit()
    put(opened, files)
    crossing = []

    def hold(route):
        if route.request.post_data_json["event"] != "open":
            return route.continue_()
        refused = route.fetch()  # the server has answered; on its way the answer is overtaken
        crossing.append(lambda: route.fulfill(response=refused))

    opened.route("**/event", hold)
    fake = files["other"].with_suffix(".txt")
    fake.write_text("no picture")
    opened.set_input_files("[data-kind=other] input", fake)
    with opened.expect_response(lambda answer: '"adjust"' in (answer.request.post_data or "")):
        while not crossing:
            opened.wait_for_timeout(20)
        opened.evaluate("document.querySelector('[data-amount=chroma]').dispatchEvent(new Event('change'))")
    opened.wait_for_timeout(200)
    crossing.pop()()
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    opened.unroute_all()


def test_a_duplicated_tab_leaves_the_work_to_the_first(visit, studio, files):
    opened = visit()
    put(opened, files)
    kept = opened.evaluate("sessionStorage.getItem('iph-session')")
    twin = opened.context.new_page()
    twin.add_init_script(f"sessionStorage.setItem('iph-session', '{kept}')")
    twin.goto(studio.address)
    twin.wait_for_selector(".toast[role=alert]:not([hidden])", timeout=PATIENCE)
    assert "open on another page" in twin.inner_text(".toast") and twin.is_visible(".start")
    twin.close()
    take(opened)
    assert len(studio.store.sessions) >= 1 and project(studio).history.past


def test_an_upload_is_tried_again_and_a_lost_empty_session_replaced_without_a_word(visit, studio, files):
    opened = visit()
    failed = []

    def fail_once(route):
        failed.append(route)
        route.abort() if len(failed) == 1 else route.continue_()

    opened.route("**/upload", fail_once)
    opened.set_input_files(".drop[data-kind=background] input", files["background"])
    opened.wait_for_selector(".drop.filled")
    assert len(failed) == 2
    opened.unroute_all()
    opened.reload()
    opened.wait_for_selector(".drop.filled")
    fake = files["other"].with_suffix(".txt")
    fake.write_text("no picture")
    other = visit()
    other.set_input_files(".drop[data-kind=background] input", fake)
    other.wait_for_selector(".toast[role=alert]:not([hidden])")
    studio.store.close()  # as a restart does
    other.click(".example")
    other.wait_for_selector(".split:not([hidden])")
    assert other.is_hidden(".toast")


def test_a_page_says_so_when_its_work_went_with_the_server_and_with_the_browsers_copy(visit, studio, files):
    opened = visit()
    put(opened, files)
    opened.evaluate("sessionStorage.removeItem('iph-work')")
    studio.store.close()
    opened.reload()
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    assert "when it restarts" in opened.inner_text(".toast") and opened.is_visible(".start")
    opened.reload()
    opened.wait_for_selector(".gallery .example")
    time.sleep(1)
    assert opened.is_hidden(".toast")  # said once
