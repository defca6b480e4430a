"""The studio without a mouse and without eyes: axe-core finds nothing, and the main path goes by keyboard alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from visitor_hands import PATIENCE, files, project, put, quiet, studio, visit

__all__ = ["files", "studio", "visit"]  # fixtures

pytestmark = pytest.mark.browser
FOCUS = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    const mark = one.matches('input.unseen, .split') ? one.closest('label, .split') : one;
    const seen = getComputedStyle(mark.matches('.split') ? mark.querySelector('b') : mark);
    return [one.outerHTML.slice(0, 90), seen.outlineStyle !== 'none' && parseFloat(seen.outlineWidth) > 0];
}"""


def violations(opened):
    found = Axe().run(opened, context="#studio").response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("screen", [{}, {"dark": True}, {"width": 390, "height": 844, "has_touch": True}])
def test_axe_finds_nothing(visit, studio, files, tmp_path, screen):
    opened = visit(**screen)
    assert violations(opened) == []
    fake = tmp_path / "fake.jpg"
    fake.write_text("hello")
    put(opened, files)
    opened.focus("[data-amount=strength]")
    opened.keyboard.press("ArrowLeft")
    opened.wait_for_function("document.querySelectorAll('.history li').length === 2")
    quiet(opened)
    for fold in (".edge", ".history", ".adjustments", ".next"):
        opened.click(f"{fold} summary")
    with opened.expect_download(timeout=PATIENCE):
        opened.set_input_files(".next input[multiple]", [files["person"], fake])
    opened.keyboard.press("b")
    opened.set_input_files("[data-kind=other] input", fake)
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    assert violations(opened) == []
    opened.keyboard.press("c")
    opened.wait_for_selector("[data-tab=person][aria-pressed=true]")
    assert violations(opened) == []


def test_the_main_path_by_keyboard_alone_with_focus_in_sight(visit, studio, files, tmp_path):
    opened = visit()

    def tab_to(selector, most=60):
        for _ in range(most):
            opened.keyboard.press("Tab")
            html, visible = opened.evaluate(FOCUS)
            assert visible, f"focus is not in sight on {html}"
            if opened.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached")

    for kind in ("background", "person"):
        tab_to(f".drop[data-kind={kind}] input")
        with opened.expect_file_chooser() as chooser:
            opened.keyboard.press("Space")
        chooser.value.set_files(files[kind])
        opened.wait_for_selector(f".drop[data-kind={kind}].filled" if kind == "background" else ".split:not([hidden])")
        opened.wait_for_function("!document.querySelector('.drop.waiting')")
    quiet(opened)
    assert opened.evaluate("document.activeElement.matches('.frame')")  # where the work goes on
    assert opened.is_visible(".keys")
    assert "Look taken from: " in opened.inner_text(".said")
    before = project(studio).choices
    opened.keyboard.press("ArrowLeft")
    opened.wait_for_selector("[data-do=undo]:not([disabled])")
    quiet(opened)
    assert project(studio).choices.placement.x < before.placement.x
    assert "Moved" in opened.inner_text(".said")
    tab_to(".card[aria-pressed=false]")
    opened.keyboard.press("Enter")
    opened.wait_for_function("document.querySelectorAll('.history li').length === 3")
    quiet(opened)
    assert opened.evaluate("document.activeElement.matches('.card[aria-pressed=true]')")  # focus stays on it
    tab_to("[data-amount=strength]")
    opened.keyboard.press("ArrowLeft")
    opened.wait_for_function("document.querySelectorAll('.history li').length === 4")
    tab_to("[data-save=photo]")
    with opened.expect_download(timeout=PATIENCE) as started:
        opened.keyboard.press("Enter")
    assert started.value.suggested_filename == "beach-harmonized.png"
