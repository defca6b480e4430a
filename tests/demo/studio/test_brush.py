"""The brush on the page: its ring and keys, Alt, the mask view, the fold of the edge, and one history of all of it."""

import pytest
from visitor_hands import drag, files, point, project, put, quiet, studio, visit

__all__ = ["files", "studio", "visit"]  # fixtures

pytestmark = pytest.mark.browser
STEPS = "() => [...document.querySelectorAll('.history li button')].map(b => b.textContent).reverse()"


def steps(opened, count):
    """The names of the history's steps, once there are so many."""
    opened.wait_for_function(f"document.querySelectorAll('.history li').length === {count}")
    quiet(opened)
    return opened.evaluate(STEPS)


def test_paint_looks_at_it_and_take_it_all_back(visit, studio, files):
    opened = visit()
    put(opened, files)
    first = project(studio).choices
    opened.keyboard.press("c")
    opened.click("[data-tool=erase]")
    opened.mouse.move(*point(opened, 0.5, 0.5))
    opened.wait_for_selector(".ring:not([hidden])")
    ring = opened.query_selector(".ring").bounding_box()
    frame = opened.query_selector(".frame").bounding_box()
    assert ring["width"] == pytest.approx(0.04 * frame["height"], abs=3)  # 4 % of the longer side: a portrait
    assert ring["x"] + ring["width"] / 2 == pytest.approx(point(opened, 0.5, 0.5)[0], abs=2)
    for key, larger in (("]", True), ("[", False)):
        before = float(opened.input_value("[data-brush=size]"))
        opened.keyboard.press(key)
        assert (float(opened.input_value("[data-brush=size]")) > before) == larger
    drag(opened, (0.45, 0.5), (0.55, 0.5))
    assert steps(opened, 2)[1] == "Eraser: person"
    erased = project(studio).choices.foreground
    rows, columns = erased.shape
    assert erased[rows // 2, columns // 2] == 0
    assert (erased != first.foreground).sum() < 0.02 * erased.size
    opened.keyboard.down("Alt")
    drag(opened, (0.5, 0.5), (0.5, 0.5))
    opened.keyboard.up("Alt")
    assert steps(opened, 3)[2] == "Brush: person"
    assert project(studio).choices.foreground[rows // 2, columns // 2] == 1

    opened.select_option(".mask-view select", "grey")
    opened.wait_for_selector("canvas.seen-mask:not([hidden])")
    pixel = "(c, share) => [...c.getContext('2d').getImageData(c.width * share, c.height * share, 1, 1).data]"
    for way, inside, outside in (
        ("grey", [255, 255], [0, 255]),
        ("red", [0, 0], [220, 140]),
        ("white", [0, 0], [255, 255]),
    ):
        opened.select_option(".mask-view select", way)
        opened.wait_for_function(f"({pixel})(document.querySelector('canvas.seen-mask'), 0)[0] === {outside[0]}")
        red, _, _, alpha = opened.eval_on_selector("canvas.seen-mask", f"c => ({pixel})(c, 0)")
        assert [red, alpha] == outside
        red, _, _, alpha = opened.eval_on_selector("canvas.seen-mask", f"c => ({pixel})(c, 0.5)")
        assert [red, alpha] == inside

    opened.click(".fold.edge summary")
    opened.focus("[data-edge=expand]")
    opened.keyboard.press("ArrowLeft")
    assert steps(opened, 4)[3] == "Edge"
    now = project(studio)
    assert now.choices.edge.expand == -1 and now.cutout.sum() < now.choices.foreground.sum()
    opened.focus("[data-amount=strength]")
    opened.keyboard.press("Home")
    assert steps(opened, 5)[4] == "Strength 0 %"
    opened.keyboard.press("Control+z")
    opened.wait_for_function("document.querySelector('[data-amount=strength]').value === '100'")
    opened.reload()
    opened.wait_for_selector(".split:not([hidden])")
    assert opened.evaluate(STEPS)[1:] == ["Eraser: person", "Brush: person", "Edge", "Strength 0 %"]
    opened.keyboard.press("Control+Shift+z")
    opened.wait_for_function("document.querySelector('[data-amount=strength]').value === '0'")
    opened.click(".history summary")
    opened.click(".history li:last-child button")
    opened.wait_for_function("document.querySelector('[data-amount=strength]').value === '100'")
    quiet(opened)
    assert project(studio).choices is first and opened.is_disabled("[data-do=undo]")
    opened.keyboard.press("Control+y")
    opened.wait_for_selector("[data-do=undo]:not([disabled])")
    quiet(opened)
    assert project(studio).choices.foreground is erased


def test_a_drag_of_a_slider_is_one_step(visit, studio, files):
    opened = visit()
    put(opened, files)
    box = opened.query_selector("[data-amount=strength]").bounding_box()
    middle = box["y"] + box["height"] / 2
    opened.mouse.move(box["x"] + box["width"] * 2 / 3, middle)
    opened.mouse.down()
    for share in (0.5, 0.4, 0.3):
        opened.mouse.move(box["x"] + box["width"] * share, middle, steps=3)
    opened.mouse.up()
    assert steps(opened, 2)[1].startswith("Strength")
