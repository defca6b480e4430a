"""The studio in a real browser: composite, point, harmonize, download; by mouse, keyboard and touch."""

import re
import time
from dataclasses import replace

import numpy as np
import pytest
from studio_pictures import disc, write
from visitor_hands import canvas, download, drag, files, project, put, quiet, shown, studio, visit

from demo.studio.scene import Scene
from iph.images.imagefile import read_photo
from iph.mapping import ColorMapping
from iph.polynomial import TERMS
from iph.recipe import Recipe

__all__ = ["files", "studio", "visit"]  # fixtures

pytestmark = pytest.mark.browser


def test_composite_point_harmonize_download(visit, studio, files, tmp_path):
    opened = visit()
    put(opened, files)
    before = project(studio).choices.placement
    x0, y0, x1, y1 = before.box((240, 320), (160, 120))
    middle = ((x0 + x1) / 640, (y0 + y1) / 480)
    drag(opened, middle, (middle[0] + 0.05, middle[1] + 0.1))
    opened.wait_for_selector("[data-do=undo]:not([disabled])")
    quiet(opened)
    after = project(studio).choices.placement
    assert after.x == pytest.approx(before.x + 0.05, abs=0.02) and after.y == pytest.approx(before.y + 0.1, abs=0.02)

    opened.click("[data-tool=point]")
    drag(opened, (0.02, 0.02), (0.22, 0.4))
    opened.wait_for_function("document.querySelector('.frame').ariaLabel.includes('Your choice')")
    quiet(opened)
    rows, columns = np.nonzero(project(studio).choices.region)
    assert abs(columns.max() - 0.22 * 320) <= 3 and abs(rows.max() - 0.4 * 240) <= 3
    assert opened.get_attribute(".lines .reference path", "d") and opened.get_attribute(".lines .foreground path", "d")

    opened.focus("[data-amount=strength]")
    opened.keyboard.press("ArrowLeft")
    opened.wait_for_function("document.querySelector('[data-amount=strength]').value === '99'")
    photo, recipe, cube = (download(opened, what, tmp_path) for what in ("photo", "recipe", "cube"))
    assert photo.name == "beach-harmonized.png" and cube.name == "beach-harmonized.cube"
    loaded = Recipe.load(recipe)
    assert loaded.strength == 0.99
    again = loaded.replay(read_photo(files["background"]), read_photo(files["person"]))
    np.testing.assert_array_equal(read_photo(photo).pixels, again.pixels)
    shown(opened, again.pixels)  # what is seen is what was saved
    opened.reload()
    opened.wait_for_selector(".split:not([hidden])")
    shown(opened, again.pixels)
    assert opened.input_value("[data-amount=strength]") == "99"


def test_the_sliders_preview_is_the_mapping_and_needs_no_server(visit, studio, files, monkeypatch):
    change = np.zeros((len(TERMS), 3))
    change[TERMS.index("1")] = (0.1, -0.06, 0.02)
    change[TERMS.index("g")] = (-0.1, 0.05, 0.12)
    look = ColorMapping(change, np.zeros(3), np.ones(3))
    monkeypatch.setattr(Scene, "look", lambda self, region, other=None, transfer=None: look)
    opened = visit()
    put(opened, files)
    sent = []
    opened.on("request", lambda request: sent.append(request.url))
    for name, value in (("strength", 60), ("luminance", 40), ("chroma", 130)):
        opened.evaluate(
            "([name, value]) => { const s = document.querySelector(`[data-amount=${name}]`); s.value = value;"
            " s.dispatchEvent(new Event('input', { bubbles: true })); }",
            [name, value],
        )
    now = project(studio).scene
    expected = look.blended(0.6, 0.4, 1.3).apply(now.pixels, now.mask)
    assert np.abs(canvas(opened).astype(int) - expected).max() <= 2
    assert np.abs(expected.astype(int) - now.pixels).max() > 8 and not sent
    opened.evaluate("document.querySelector('[data-amount=chroma]').dispatchEvent(new Event('change'))")
    shown(opened, expected)


def test_everything_by_keyboard_and_another_photo(visit, studio, files):
    opened = visit(dark=True)
    put(opened, files)
    before = project(studio).choices.placement
    opened.focus(".frame")
    for key in ("ArrowUp", "ArrowUp", "-"):
        opened.keyboard.press(key)
    opened.wait_for_selector("[data-do=undo]:not([disabled])")
    quiet(opened)
    after = project(studio).choices.placement
    assert after.height == pytest.approx(before.height / 1.05) and after.y != before.y
    opened.keyboard.press("p")
    away = ["ArrowUp"] * 22  # from the middle of the picture, where the person may stand
    for key in (*away, "ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowDown", "Shift+ArrowDown", "Enter"):
        opened.keyboard.press(key)
    opened.wait_for_function("document.querySelector('.frame').ariaLabel.includes('Your choice')")
    quiet(opened)
    opened.focus(".split")
    left = int(opened.get_attribute(".split", "aria-valuenow"))
    opened.keyboard.press("ArrowRight")
    assert int(opened.get_attribute(".split", "aria-valuenow")) == left + 2
    opened.set_input_files("[data-kind=other] input", files["other"])
    opened.wait_for_selector("[data-tab=other][aria-pressed=true]:not([hidden])")
    quiet(opened)
    assert project(studio).choices.elsewhere
    opened.keyboard.press("Control+z")
    opened.wait_for_function("document.querySelector('.frame').ariaLabel.includes('Your choice')")
    assert not project(studio).choices.elsewhere
    quiet(opened)
    assert opened.is_hidden("[data-tab=other]")  # it is gone with the step that opened it
    assert opened.inner_text(".from") == "your choice"
    opened.keyboard.press("Control+y")
    opened.wait_for_selector("[data-tab=other][aria-pressed=true]:not([hidden])")
    quiet(opened)
    opened.click(".card >> nth=0")  # of the other photo, all of it
    opened.keyboard.press("r")
    assert opened.inner_text(".from") == "the other photo"  # no card says it: the photo is on the canvas


def test_a_refused_other_photo_changes_nothing(visit, studio, files, tmp_path):
    fake = tmp_path / "fake.jpg"
    fake.write_text("hello")
    opened = visit()
    opened.click(".example")
    opened.wait_for_selector(".split:not([hidden])")
    quiet(opened)
    opened.set_input_files("[data-kind=other] input", files["other"])
    opened.wait_for_selector("[data-tab=other][aria-pressed=true]:not([hidden])")
    opened.click("[data-tab=person]")
    opened.set_input_files("[data-kind=other] input", fake)
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    assert opened.get_attribute("[data-tab=person]", "aria-pressed") == "true"
    toast = opened.query_selector(".toast").bounding_box()  # it covers nothing that is needed
    below = opened.query_selector(".below").bounding_box()
    assert below["y"] + below["height"] <= toast["y"]
    assert toast["x"] + toast["width"] <= opened.query_selector(".panel").bounding_box()["x"]
    opened.click("[data-tool=erase]")
    opened.click(".card")  # which leads to the other photo's references, where nothing is to be erased
    assert opened.get_attribute("[data-tab=reference]", "aria-pressed") == "true"
    assert opened.get_attribute("[data-tool=erase]", "aria-pressed") == "false"
    quiet(opened)
    opened.click("[data-tab=person]")
    opened.click("[data-tab=reference]")
    assert opened.get_attribute("[data-tool=move]", "aria-pressed") == "true"  # as the tab was left
    opened.click(".fold.edge summary")
    opened.check("[data-edge=clean]")
    box = "getComputedStyle(document.querySelector('[data-edge=clean]')).backgroundColor"
    assert opened.evaluate(box) != "rgba(0, 0, 0, 0)"  # a white tick is not seen on white
    opened.click(".adjustments summary")
    opened.evaluate("scrollTo(0, 9999)")  # to what is at the end of the panel: the picture stays in sight
    assert opened.evaluate("scrollY") > 100 and opened.query_selector(".frame").bounding_box()["y"] >= 0
    opened.dblclick("[data-do=restart]")
    opened.wait_for_selector(".start:not([hidden])")
    assert opened.is_hidden(".toast")


def test_a_phone_by_touch(visit, studio, tmp_path):
    opened = visit(width=390, height=844, has_touch=True, is_mobile=True)
    fake = tmp_path / "fake.jpg"
    fake.write_text("hello")
    opened.set_input_files(".drop[data-kind=background] input", fake)
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    assert "fake.jpg" in opened.inner_text(".toast") and "Traceback" not in opened.inner_text("body")
    opened.tap(".example")
    opened.wait_for_selector(".split:not([hidden])")
    quiet(opened)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    places = set()  # of the picture, which stays where it is, whatever the tool
    for control in (
        "[data-tool=point]",
        "[data-tool=brush]",
        "[data-tab=person]",
        "[data-tool=hint]",
        "[data-tab=reference]",
    ):
        opened.tap(control)
        places.add(opened.query_selector(".frame").bounding_box()["y"])
        said = opened.inner_text(".hint")
        assert "lick" not in said and "Alt" not in said  # help is the device's
    assert len(places) == 1
    cards = opened.query_selector_all(".card")
    cards[-1].tap()
    opened.wait_for_function("document.querySelector('.card:last-child').ariaPressed === 'true'")
    for control in opened.query_selector_all("#studio button, #studio input, #studio [role]"):
        if control.is_visible():
            named = control.evaluate(
                "e => e.ariaLabel || e.innerText || e.title || (e.labels && e.labels[0] && e.labels[0].innerText)"
                " || e.getAttribute('aria-labelledby')"
            )
            assert named, control.evaluate("e => e.outerHTML")
    opened.tap(".adjustments summary")
    held = """(kind) => {
        const slider = document.querySelector('[data-number=saturation]');
        if (kind === 'pointerdown') slider.scrollIntoView({ block: 'end' });
        slider.dispatchEvent(new PointerEvent(kind, { bubbles: true, clientY: slider.getBoundingClientRect().top }));
        return document.querySelector('.frame').getBoundingClientRect().top;
    }"""
    assert opened.evaluate(held, "pointerdown") >= 0 > opened.evaluate(held, "pointerup")  # it comes along
    small = opened.query_selector_all("#studio button:visible, #studio .button:visible")
    assert all(control.bounding_box()["height"] >= 28 for control in small)


def test_a_finished_composite_with_its_mask(visit, studio, files, tmp_path, monkeypatch):
    mask = write(tmp_path / "mask.png", np.repeat(disc(240, 320, 0.7)[..., None], 3, 2))
    opened = visit()
    opened.click(".finished summary")
    opened.set_input_files(".drop[data-kind=composite] input", files["background"])
    opened.wait_for_selector(".work:not([hidden])")
    assert re.search("Who was pasted", opened.inner_text(".hint"))
    opened.set_input_files(".bar .file input", mask)
    opened.wait_for_selector(".split:not([hidden])")
    quiet(opened)
    assert project(studio).scene.mask.max() == 1 and opened.is_hidden("[data-tool=move]")
    opened.dblclick("[data-do=restart]")
    opened.wait_for_selector(".start:not([hidden])")
    assert project(studio).base is None
    opened.click(".example")
    opened.wait_for_selector(".split:not([hidden])")
    folder = project(studio).folder
    monkeypatch.setattr(studio.store, "settings", replace(studio.store.settings, left_seconds=0.5))
    opened.close()
    deadline = time.monotonic() + 60
    while folder.exists():  # a closed tab leaves nothing behind
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_gradios_own_messages_stand_in_a_corner_of_the_picture(visit):
    """They had covered the looks at the upper right for ten seconds."""
    opened = visit()
    box, leaves = opened.evaluate(
        """() => {
            const list = document.querySelector('.toast-wrap'), one = document.createElement('div');
            one.className = 'toast-body';
            list.append(one);
            const { animationName, animationDelay } = getComputedStyle(one), box = list.getBoundingClientRect();
            one.remove();
            return [[box.left, box.right, innerHeight - box.bottom], [animationName, animationDelay]];
        }"""
    )
    assert box[0] < 10 and box[1] < 330 and box[2] < 10
    assert leaves == ["toast-leaves", "4s"]
