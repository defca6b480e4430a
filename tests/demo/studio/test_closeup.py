"""Close to the pixels: zoom and pan, true pixels of the full-size result, and hands that are right at every zoom."""

import base64

import cv2
import numpy as np
import pytest
from studio_pictures import disc, scene, write
from visitor_hands import download, hurry, point, project, put, quiet, studio, visit

from demo.studio.project import Project
from demo.studio.work.full_size import Window, crop
from demo.studio.work.history import Amounts
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.placement import Placement

__all__ = ["studio", "visit"]  # fixtures

SHEET = """() => {
    const s = document.querySelector('.sheet').getBoundingClientRect();
    return [s.left, s.top, s.width, s.height];
}"""
SHARP = """() => {
    const c = document.querySelector('canvas.sharp.after');
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    let text = '';
    for (const value of d) text += String.fromCharCode(value);
    return [c.dataset.window.split(' ').map(Number), c.width, c.height, btoa(text)];
}"""


@pytest.fixture
def large(tmp_path):
    """A background of 2000 x 1400, finely grained, and a cut-out of 1200 x 900."""
    grain = np.random.default_rng(3).integers(-20, 20, (1400, 2000, 3))
    pixels = np.clip(scene(1400, 2000).astype(int) + grain, 0, 255).astype(np.uint8)
    return {
        "background": write(tmp_path / "large.png", pixels),
        "person": write(tmp_path / "me.png", scene(900, 1200, 2), disc(900, 1200)),
    }


@pytest.fixture
def placed(large, tmp_path):
    (tmp_path / "originals").mkdir()
    made = Project(tmp_path / "originals")
    made.open("background", large["background"], "large.png")
    made.open("person", large["person"], "me.png", Placement(0.9, 0.6, 0.3))  # half of it beside the picture
    return made


@pytest.mark.parametrize("window", [Window(1600, 700, 400, 300, 400), Window(0, 0, 300, 200, 300)])
def test_a_window_is_the_saved_photos_own_pixels(placed, window, tmp_path):
    from demo.studio.saving import save

    placed.adjust(Amounts(0.7, 1.0, 1.2))
    saved = read_photo(save(placed, "photo", tmp_path)).pixels
    part = saved[window.y : window.y + window.height, window.x : window.x + window.width].astype(int)
    was, _, full, now = crop(placed, "photo", window)
    difference = np.abs(now - part)
    assert difference.max() <= 2 and difference.mean() < 1e-3  # a rounding of the resampled person, at most
    assert window.x == 0 or np.abs(full.astype(int) - was).max() > 5


def test_a_window_shown_smaller_is_the_mean_of_the_saved_pixels(placed, tmp_path):
    from demo.studio.saving import save

    saved = read_photo(save(placed, "photo", tmp_path)).pixels
    shown = crop(placed, "photo", Window(400, 200, 1500, 900, 500))[-1]
    expected = cv2.resize(saved[200:1100, 400:1900], (500, 300), interpolation=cv2.INTER_AREA)
    shown, expected = (cv2.blur(one.astype(np.float32), (9, 9)) for one in (shown, expected))  # the grain differs
    assert np.abs(shown - expected).max() < 8 and np.abs(shown - expected).mean() < 0.7


@pytest.mark.parametrize("window", [Window(1900, 0, 200, 100, 200), Window(0, 0, 100, 100, 200), Window(5, 5, 0, 9, 1)])
def test_windows_beside_the_picture_or_enlarged_are_refused(placed, window):
    with pytest.raises(InputError, match="expected a window"):
        crop(placed, "photo", window)
    with pytest.raises(InputError, match="got none"):
        crop(placed, "other", Window(0, 0, 1, 1, 1))


def test_a_panorama_is_worked_on_at_a_useful_size(tmp_path):
    (tmp_path / "originals").mkdir()
    made = Project(tmp_path / "originals")
    made.open("background", write(tmp_path / "wide.jpg", scene(300, 2400)), "wide.jpg")
    assert made.base.pixels.shape == (300, 2400, 3)  # not the 128 rows of a copy that is 1024 wide


@pytest.mark.browser
def test_zoom_shows_true_pixels_and_hands_stay_right(visit, studio, large, tmp_path):
    opened = visit()
    put(opened, large)
    placement = project(studio).choices.placement
    opened.focus(".frame")
    opened.keyboard.press("1")
    opened.wait_for_selector(".frame[data-sharp]")
    assert opened.inner_text(".zoom output") == "100 %"
    assert opened.is_hidden(".keys")  # a key is no question for help
    left, top, width, _ = opened.evaluate(SHEET)
    assert width == pytest.approx(2000)
    box = opened.query_selector(".frame").bounding_box()  # what is seen is the person, and of one so tall the head
    x, y, w, h = cv2.boundingRect((project(studio).scene.mask > 0).astype(np.uint8))
    rows, columns = project(studio).scene.mask.shape
    assert left + 2000 * (x + w / 2) / columns == pytest.approx(box["x"] + box["width"] / 2, abs=3)
    assert top + 1400 * y / rows == pytest.approx(box["y"] + 0.05 * box["height"], abs=3)
    (x, y, w, h), columns, rows, data = opened.evaluate(SHARP)
    assert (w, h) == (columns, rows)
    sharp = np.frombuffer(base64.b64decode(data), np.uint8).reshape(rows, columns, 4)[..., :3]
    saved = read_photo(download(opened, "photo", tmp_path)).pixels
    difference = np.abs(saved[y : y + h, x : x + w].astype(int) - sharp)
    assert difference.max() <= 2 and difference.mean() < 0.01  # the enlarged person's interpolation, rounded elsewhere

    opened.evaluate("window.scrollTo(0, 0)")  # the button that was clicked lies below
    box = opened.query_selector(".frame").bounding_box()
    at = box["x"] + 300, box["y"] + 200
    before = (at[0] - left) / width
    opened.mouse.move(*at)
    opened.mouse.wheel(0, -100)
    left, _, width, _ = opened.evaluate(SHEET)
    assert width == pytest.approx(2200, abs=1) and (at[0] - left) / width == pytest.approx(before, abs=1e-3)
    opened.focus(".frame")
    opened.keyboard.down(" ")
    opened.mouse.down()
    opened.mouse.move(at[0] - 80, at[1], steps=2)
    opened.mouse.up()
    opened.keyboard.up(" ")
    assert opened.evaluate(SHEET)[0] == pytest.approx(left - 80, abs=1)
    opened.mouse.move(*at)
    opened.mouse.down(button="middle")
    opened.mouse.move(at[0] + 30, at[1], steps=2)
    opened.mouse.up(button="middle")
    assert opened.evaluate(SHEET)[0] == pytest.approx(left - 50, abs=1)
    steps = len(project(studio).history.steps)
    opened.mouse.dblclick(box["x"] + 20, box["y"] + 20)
    assert opened.evaluate(SHEET)[2] == pytest.approx(box["width"], abs=2)  # all of it
    opened.keyboard.press("1")  # with the pointer on the picture: what lies there
    assert (box["x"] + 20 - opened.evaluate(SHEET)[0]) / 2000 == pytest.approx(20 / box["width"], abs=0.01)
    opened.keyboard.press("0")
    opened.mouse.dblclick(*at)
    left, _, width, _ = opened.evaluate(SHEET)
    assert width == pytest.approx(2000) and (at[0] - left) / width == pytest.approx(300 / box["width"], abs=0.01)
    opened.wait_for_timeout(500)
    assert project(studio).choices.placement == placement  # nobody was moved, nobody's look taken
    assert len(project(studio).history.steps) == steps

    opened.click("[data-tool=point]")
    left, top, width, height = opened.evaluate(SHEET)
    ends = [(box["x"] + 40, box["y"] + 40), (box["x"] + 240, box["y"] + 190)]
    opened.mouse.move(*ends[0])
    opened.mouse.down()
    opened.mouse.move(*ends[1], steps=3)
    opened.mouse.up()
    opened.wait_for_function("document.querySelector('.frame').ariaLabel.includes('Your choice')")
    region = project(studio).choices.region
    columns = np.flatnonzero(region.any(0)) / region.shape[1]
    expected = [(ends[0][0] - left) / width, (ends[1][0] - left) / width]
    assert columns[[0, -1]] == pytest.approx(expected, abs=2 / region.shape[1])


@pytest.mark.browser
def test_a_preview_never_passes_for_the_photo(visit, studio, large):
    opened = visit()
    put(opened, large)
    hurry(opened)
    opened.route("**/crop?*", lambda route: route.abort())
    opened.click("[data-do=actual]")
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    assert opened.inner_text(".zoom output") == "100 %, preview" and opened.is_hidden("canvas.sharp.after")
    opened.unroute_all()
    opened.click("[data-do=act]")
    opened.wait_for_selector(".frame[data-sharp]")
    assert opened.inner_text(".zoom output") == "100 %" and opened.is_visible("canvas.sharp.after")
    opened.route("**/crop?*", lambda route: route.abort())
    opened.click("[data-do=fit]")
    opened.click("[data-do=actual]")
    opened.click("[data-do=larger]")
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    assert "preview" in opened.inner_text(".zoom output")


@pytest.mark.browser
def test_one_key_hides_everything_and_outlines_off_hides_box_and_handles(visit, studio, large):
    opened = visit()
    put(opened, large)
    assert opened.is_visible(".handles") and opened.is_visible(".split")
    opened.focus(".frame")
    opened.keyboard.down("h")
    for part in (".lines", ".handles", ".split", "canvas.before"):
        assert opened.is_hidden(part)
    opened.keyboard.up("h")
    assert opened.is_visible(".handles") and opened.is_visible(".split")
    opened.keyboard.press("o")
    assert opened.is_hidden(".lines") and opened.is_hidden(".handles") and opened.is_visible(".split")


@pytest.mark.browser
def test_a_panorama_fills_its_frame_and_its_divider_is_beside_the_person(visit, studio, tmp_path):
    opened = visit()
    wide = write(tmp_path / "wide.jpg", scene(375, 3000))
    put(opened, {"background": wide, "person": write(tmp_path / "me.png", scene(160, 120, 2), disc(160, 120))})
    frame, (left, _, width, height) = opened.query_selector(".frame").bounding_box(), opened.evaluate(SHEET)
    assert height == pytest.approx(frame["height"], abs=2) and height > 300 and width > 2 * frame["width"]
    x0, _, x1, _ = project(studio).choices.placement.box((375, 3000), (160, 120))
    divider = opened.query_selector(".split").bounding_box()["x"] + 1
    person = [left + edge / 3000 * width for edge in (x0, x1)]
    assert not person[0] < divider < person[1]
    assert frame["x"] <= (person[0] + person[1]) / 2 <= frame["x"] + frame["width"]  # the person is in sight
    opened.keyboard.press("0")
    assert opened.evaluate(SHEET)[2] == pytest.approx(frame["width"], abs=2)


@pytest.mark.browser
def test_two_fingers_zoom_and_one_paints(visit, studio, large):
    opened = visit(width=390, height=844, has_touch=True, is_mobile=True)
    put(opened, large)
    opened.tap("[data-tool=brush]")
    opened.evaluate("document.querySelector('.frame').scrollIntoView({ block: 'center' })")
    before, width = project(studio).choices.region, opened.evaluate(SHEET)[2]
    touch = opened.context.new_cdp_session(opened)
    x, y = point(opened, 0.5, 0.5)

    def send(kind, *places):
        points = [{"x": px, "y": py, "id": n} for n, (px, py) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", (x - 20, y))
    send("touchStart", (x - 20, y), (x + 20, y))
    for apart in (30, 50, 80):
        send("touchMove", (x - apart, y), (x + apart, y))
    send("touchEnd")
    assert opened.evaluate(SHEET)[2] == pytest.approx(4 * width, rel=0.1)
    assert project(studio).choices.region is before  # the first finger painted nothing
    send("touchStart", (x - 60, y - 30))
    send("touchMove", (x - 40, y - 30))
    send("touchEnd")
    opened.wait_for_function("document.querySelector('.frame').ariaLabel.includes('Your choice')")
    quiet(opened)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_fast_hands_and_cut_answers_still_end_in_true_pixels(visit, large):
    opened = visit()
    put(opened, large)
    answers = []

    def cut_off_twice(route):
        answers.append(route)
        if len(answers) > 2:
            return route.continue_()
        return route.fulfill(status=200, headers={"Content-Length": "99999"}, body=b"half")

    opened.route("**/crop?*", cut_off_twice)
    hurry(opened)
    for pause in range(10):
        opened.click("[data-do=fit]")
        opened.click("[data-do=actual]")
        opened.wait_for_timeout(40 * (pause % 4))
    opened.wait_for_selector(".frame[data-sharp]")
    assert opened.is_hidden(".toast.error")
    opened.click("[data-do=fit]")
    opened.click("[data-do=actual]")
    opened.click("[data-do=fit]")  # what was asked for meanwhile is not shown any more
    opened.wait_for_timeout(800)
    assert opened.is_hidden("canvas.sharp.after")
