"""What is corrected by hand: colour transfer and a photographer's own numbers, in history, recipe, copy and page."""

import json

import numpy as np
import pytest
from studio_pictures import disc, scene, write
from visitor_hands import arrived, canvas, files, project, put, quiet, shown, studio, visit

import iph
from demo.studio.project import Project
from demo.studio.saving import recipe_of, save
from demo.studio.work.full_size import Window, crop
from demo.studio.work.history import Amounts, Transfer
from demo.studio.work.work_copy import bring_back, copy_of
from iph.adjustments import Adjustments
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.placement import Placement
from iph.recipe import Recipe

__all__ = ["files", "studio", "visit"]  # fixtures
BY_HAND = Adjustments(exposure=0.4, shadows=20, temperature=-15, saturation=10)


@pytest.fixture
def opened(tmp_path):
    """``opened(name)`` makes a project with a person of 60 x 80 on a background of 160 x 120."""

    def make(name):
        (tmp_path / name).mkdir()
        made = Project(tmp_path / name)
        me = write(tmp_path / "me.png", scene(80, 60, 2), disc(80, 60))
        made.open("background", write(tmp_path / "beach.png", scene()), "beach.png", id="1" * 32)
        made.open("person", me, "me.png", Placement(0.7, 0.6, 0.5), id="2" * 32)
        return made

    return make


def test_transfer_and_adjustments_are_steps_and_reach_every_file(opened, tmp_path):
    made = opened("first")
    plain = made.change
    made.transfer(Transfer(r2=0.3))
    made.correct(BY_HAND)
    made.adjust(Amounts(strength=2.0))
    assert [step.name for step in made.history.steps[1:]] == [
        "Reference's own colours 70 %",
        "Adjusted by hand",
        "Strength 200 %",
    ]
    now = made.choices
    expected = iph.harmonize(
        made.scene.pixels, made.scene.mask, now.region, strength=2.0, r2=0.3, adjustments=BY_HAND, model="portrait"
    )
    saved = read_photo(save(made, "photo", tmp_path))
    np.testing.assert_array_equal(saved.pixels, expected.image)
    np.testing.assert_array_equal(crop(made, "photo", Window(0, 0, 160, 120, 160))[-1], expected.image)
    loaded = Recipe.load(save(made, "recipe", tmp_path))
    assert loaded.mapping.adjustments == BY_HAND and (loaded.r1, loaded.r2) == (1.0, 0.3)
    assert recipe_of(made).change.adjustments == BY_HAND
    copied, again = tmp_path / "work.json", opened("second")
    copied.write_text(json.dumps(copy_of(made)))
    bring_back(again, copied)
    assert again.choices.transfer == now.transfer and again.choices.adjustments == BY_HAND
    for _ in range(3):
        made.undo()
    np.testing.assert_array_equal(made.change.change, plain.change)
    assert made.is_plain


def test_a_grey_photo_stays_grey(tmp_path):
    (tmp_path / "work").mkdir()
    made = Project(tmp_path / "work")
    grey = scene().mean(2, keepdims=True).repeat(3, 2).astype(np.uint8)
    made.open("composite", write(tmp_path / "grey.png", grey), "grey.png")
    made.open("mask", write(tmp_path / "mask.png", disc(120, 160)[..., None].repeat(3, 2)), "mask.png")
    made.correct(Adjustments(exposure=0.5, temperature=80, saturation=50))
    saved = read_photo(save(made, "photo", tmp_path)).pixels
    assert np.ptp(saved, axis=2).max() == 0 and np.abs(saved.astype(int) - grey).max() > 10


def test_what_cannot_be_asked(opened):
    made = opened("first")
    for wrong in ({"r1": 3.0}, {"r2": float("nan")}):
        with pytest.raises(InputError, match="from 0 to 2"):
            made.transfer(Transfer(**wrong))
    assert len(made.history.steps) == 1


def test_where_the_look_ends_far_from_the_reference_it_is_said(tmp_path):
    from demo.studio.page_state import _far

    (tmp_path / "work").mkdir()
    made = Project(tmp_path / "work")
    made.open("background", write(tmp_path / "bright.png", scene() // 5 + 200), "bright.png")
    made.open(
        "person", write(tmp_path / "me.png", scene(80, 60, 2) // 3, disc(80, 60)), "me.png", Placement(0.7, 0.6, 0.5)
    )
    assert _far(made) == "darker"
    made.adjust(Amounts(strength=0.5))
    assert _far(made) == ""  # it was weakened on purpose
    made.adjust(Amounts())
    made.correct(Adjustments(exposure=3, shadows=100))
    assert _far(made) == ""


@pytest.mark.browser
def test_sliders_typed_numbers_and_double_clicks(visit, studio, files):
    opened = visit()
    put(opened, files)
    work = project(studio)
    opened.click(".adjustments summary")
    opened.fill("[data-typed=exposure]", "0.5")
    opened.press("[data-typed=exposure]", "Enter")
    live = canvas(opened)
    quiet(opened)
    opened.wait_for_function("document.querySelector('[data-number=exposure]').value === '0.5'")
    expected = work.change.apply(work.scene.pixels, work.scene.mask)
    shown(opened, expected)
    assert work.choices.adjustments.exposure == 0.5
    assert np.abs(live.astype(int) - expected).max() <= 2  # what the page does at once is what the server does
    opened.fill("[data-typed=temperature]", "900")  # beyond its range: to its end
    opened.press("[data-typed=temperature]", "Enter")
    quiet(opened)
    arrived(lambda: work.choices.adjustments.temperature == 100)
    opened.dblclick("[data-number=temperature]")
    quiet(opened)
    arrived(lambda: work.choices.adjustments == Adjustments(exposure=0.5))
    opened.focus("[data-number=share]")
    opened.keyboard.press("End")
    quiet(opened)
    assert work.choices.transfer == Transfer(r2=0.0)
    shown(opened, work.change.apply(work.scene.pixels, work.scene.mask))
    opened.press(".frame", "Control+z")
    quiet(opened)
    assert work.choices.transfer == Transfer()
    opened.wait_for_function("document.querySelector('[data-number=share]').value === '0'")


@pytest.mark.browser
def test_what_was_matched_is_shown_on_demand(visit, studio, files):
    opened = visit()
    put(opened, files)
    assert opened.is_hidden("img.matched.person") and opened.is_hidden(".matching")
    opened.click("[data-do=matched]")
    opened.wait_for_selector("img.matched.person:not([hidden])")
    quiet(opened)
    work = project(studio)
    marked = work.scene.mask, np.minimum(work.choices.region, 1 - work.scene.mask)
    for overlay, inside in zip(work.scene.matched(work.choices.region), marked, strict=True):
        assert overlay.shape == (240, 320, 4) and overlay[inside >= 0.5][:, 3].mean() > 20
        assert not overlay[inside == 0].any()
    opened.wait_for_function("document.querySelector('img.matched.reference').naturalWidth === 320")
    opened.click("[data-tab=person]")
    opened.wait_for_selector("img.matched.person", state="hidden")
    opened.click("[data-tab=reference]")
    opened.click("[data-do=matched]")
    opened.wait_for_selector("img.matched.reference", state="hidden")
