"""A visitor's project: what the page shows is what iph answers, and what is saved is that at full size."""

import json

import numpy as np
import pytest
from studio_pictures import disc, scene, write

import iph
from demo.studio.project import Project
from demo.studio.prompts import Prompt
from demo.studio.saving import recipe_of, save
from demo.studio.work.history import Amounts
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.images.metadata import is_marked_edited
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import Placement, compose
from iph.recipe import Recipe

BOX = Prompt("box", ((0.05, 0.05), (0.3, 0.5)))
SPOT = Placement(0.7, 0.6, 0.5)


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "originals"
    folder.mkdir()
    return Project(folder)


@pytest.fixture
def upload(tmp_path):
    """``upload(name, pixels, alpha)`` makes a file as if it had been uploaded."""

    def make(name, pixels, alpha=None):
        (tmp_path / "uploads").mkdir(exist_ok=True)
        return write(tmp_path / "uploads" / name, pixels, alpha)

    return make


@pytest.fixture
def placed(project, upload):
    """A project with a background of 160 x 120 and a cut-out of 60 x 80 on it."""
    project.open("background", upload("beach.png", scene()), "beach.png")
    project.open("person", upload("me.png", scene(80, 60, 2), disc(80, 60)), "me.png", SPOT)
    return project


def test_a_background_and_a_cut_out_give_a_first_result_at_once(placed):
    assert placed.mapping is not None and placed.choices.placement == SPOT
    assert placed.suggestions["photo"][-1].label == "Background"
    expected, mask = compose(scene(), scene(80, 60, 2), disc(80, 60) / np.float32(255), SPOT)
    np.testing.assert_array_equal(placed.scene.pixels, expected)
    np.testing.assert_allclose(placed.scene.mask, mask, atol=1e-6)
    assert not placed.choices.edge.clean  # a cut-out stays as it was made


def test_it_is_said_that_nobody_was_found_and_what_was_taken(project, upload):
    assert "Nobody was found in the photo: what stands out most was taken." in project.open(
        "person", upload("ball.png", scene()), "ball.png"
    )
    assert project.choices.foreground.max() > 0.5


def test_either_picture_may_come_first(project, upload):
    project.open("person", upload("me.png", scene(80, 60, 2), disc(80, 60)), "me.png")
    assert project.mapping is None
    project.open("background", upload("beach.png", scene()), "beach.png")
    assert project.mapping is not None and project.scene.mask.max() > 0.9


def test_the_saved_photo_is_what_iph_answers_and_its_background_is_untouched(placed, tmp_path):
    placed.prompt("reference", BOX)
    placed.adjust(Amounts(0.8, 1.2, 0.5))
    saved = read_photo(save(placed, "photo", tmp_path))
    composite, mask = placed.scene.pixels, placed.scene.mask
    region = np.zeros((120, 160), np.float32)
    region[6:60, 8:48] = 1
    expected = iph.harmonize(composite, mask, region, strength=0.8, luminance=1.2, chroma=0.5)
    np.testing.assert_array_equal(saved.pixels, expected.image)
    np.testing.assert_array_equal(saved.pixels[mask == 0], scene()[mask == 0])
    assert is_marked_edited(saved.xmp)


def test_the_original_is_harmonized_at_its_own_size_depth_and_format(project, upload, tmp_path):
    deep = scene(900, 1200, dtype=np.uint16)
    project.open("composite", upload("large.tif", deep), "large.tif")
    mask = disc(900, 1200, 0.6)
    project.open("mask", upload("mask.png", np.repeat(mask[..., None], 3, 2)), "mask.png")
    assert max(project.scene.pixels.shape) == 1024 and project.scene.pixels.dtype == np.uint8
    path = save(project, "photo", tmp_path)
    assert path.name == "large-harmonized.tif"
    saved = read_photo(path)
    assert saved.pixels.dtype == np.uint16 and saved.pixels.shape == deep.shape
    np.testing.assert_array_equal(saved.pixels[mask == 0], deep[mask == 0])
    assert recipe_of(project).foreground.shape == (900, 1200)  # the mask file, not its proxy


def test_a_recipe_replays_the_saved_photo(placed, tmp_path):
    placed.prompt("reference", BOX)
    placed.adjust(Amounts(0.6, 1.0, 1.3))
    saved, recipe = save(placed, "photo", tmp_path), Recipe.load(save(placed, "recipe", tmp_path))
    assert recipe.names == {"image": "beach.png", "person": "me.png"}
    again = recipe.replay(placed.pictures["background"].photo(), placed.pictures["person"].photo())
    np.testing.assert_array_equal(again.pixels, read_photo(saved).pixels)
    assert save(placed, "cube", tmp_path).read_text().count("\n") > 33**3


def test_a_cut_out_never_shows_what_its_transparent_pixels_hide(placed):
    with pytest.raises(InputError, match="is transparent"):
        placed.prompt("person", Prompt("brush", ((0.02, 0.02),), 0.02))
    placed.prompt("person", Prompt("erase", ((0.5, 0.5),), 0.3))
    placed.prompt("person", Prompt("brush", ((0.05, 0.05), (0.95, 0.95)), 0.3))
    assert (placed.choices.foreground <= disc(80, 60) / np.float32(255) + 1e-6).all() and placed.choices.found


def test_a_photo_in_which_nobody_is_found_says_so(project, upload):
    project.open("background", upload("beach.png", scene()), "beach.png")
    project.open("person", upload("wall.png", np.full((80, 60, 3), 120, np.uint8)), "wall.png", SPOT)
    assert project.choices.foreground is None
    assert any("Nobody was found in the photo, nor anything" in note for note in project.pictures["person"].notes)


def test_a_two_color_mask_marks_person_and_reference(project, upload):
    project.open("composite", upload("photo.png", scene()), "photo.png")
    assert project.scene is None
    mask = np.zeros((120, 160, 3), np.uint8)
    mask[30:90, 20:60, 0] = 255
    mask[40:80, 100:150, 2] = 255
    project.open("mask", upload("mask.png", mask), "mask.png")
    np.testing.assert_array_equal(project.scene.mask, mask[..., 0] / 255)
    np.testing.assert_array_equal(project.choices.region, mask[..., 2] / 255)
    assert project.mapping is not None


def test_the_look_may_come_from_another_photo(placed, upload):
    other = scene(90, 90, 7)
    placed.open("other", upload("sunset.png", other), "sunset.png")
    expected = iph.load("portrait").open(placed.scene.pixels, placed.scene.mask).fit_mapping(reference_image=other)
    np.testing.assert_allclose(placed.mapping.change, expected.change, atol=1e-9)
    placed.prompt("other", BOX)
    assert placed.choices.elsewhere and recipe_of(placed).names["reference_image"] == "sunset.png"
    placed.take("photo", len(placed.suggestions["photo"]) - 1)
    assert not placed.choices.elsewhere and placed.choices.label == "Background"


def test_moving_over_the_reference_takes_the_next_best(placed):
    placed.prompt("reference", Prompt("box", ((0.1, 0.3), (0.2, 0.5))))
    placed.place(Placement(0.15, 0.4, 1.2))
    assert placed.choices.label != "Your choice" and placed.mapping is not None
    placed.undo()
    assert placed.choices.label == "Your choice" and placed.choices.placement == SPOT


def test_what_cannot_be_done_changes_nothing(placed, upload, tmp_path):
    before, past = placed.choices, placed.history
    fake = tmp_path / "fake.jpg"
    fake.write_text("not a picture")
    attempts = {
        "outside the background": lambda: placed.place(Placement(9, 9, 0.5)),
        "reference lies on the person": lambda: placed.prompt("reference", Prompt("box", ((0.69, 0.59), (0.71, 0.61)))),
        "expected one of": lambda: placed.take("photo", 40),
        "another photo first": lambda: placed.prompt("other", BOX),
        "a target out of": lambda: placed.prompt("sky", BOX),
        "strength from 0 to 2": lambda: placed.adjust(Amounts(strength=3)),
        "got 'holiday.jpg'": lambda: placed.open("background", fake, "holiday.jpg"),
        "belongs to a finished composite": lambda: placed.open("mask", upload("m.png", scene()), "m.png"),
        "expected one of background": lambda: placed.open("video", upload("v.png", scene()), "v.png"),
        "expected one of photo": lambda: save(placed, "film", tmp_path),
    }
    for sentence, attempt in attempts.items():
        with pytest.raises(InputError, match=sentence):
            attempt()
        assert placed.choices is before and placed.history is past and placed.mapping is not None
    assert len(list(placed.folder.iterdir())) == 2  # the two pictures that are in use


def test_a_mask_that_does_not_fit_leaves_the_project_as_it_was(project, upload):
    project.open("composite", upload("photo.png", scene()), "photo.png")
    with pytest.raises(InputError, match="another aspect"):
        project.open("mask", upload("mask.png", np.repeat(disc(90, 90)[..., None], 3, 2)), "mask.png")
    assert set(project.pictures) == {"composite"} and project.choices.foreground is None
    with pytest.raises(InputError, match="no result yet"):
        recipe_of(project)
    with pytest.raises(InputError, match="nothing to undo"):
        project.undo()


def test_starting_over_deletes_the_originals(placed):
    assert len(list(placed.folder.iterdir())) == 2
    placed.start_over()
    assert not list(placed.folder.iterdir()) and placed.base is None and placed.mapping is None


def test_the_upload_itself_is_moved_not_copied(project, upload):
    file = upload("beach.png", scene())
    project.open("background", file, "beach.png")
    assert not file.exists()


@pytest.mark.shared
def test_a_display_p3_photo_keeps_its_profile_and_is_shown_in_srgb(shared, project, tmp_path):
    from iph.images.color_profile import profile_of_code
    from iph.images.imagefile import write_photo

    portrait = read_photo(shared / "data/portraits/images/cc0_001.jpg")
    wide = portrait.converted_to(profile_of_code(12))
    write_photo(wide, tmp_path / "wide.png", edited=False)
    project.open("composite", tmp_path / "wide.png", "wide.png")
    project.prompt("person", Prompt("box", ((0.2, 0.1), (0.8, 0.95))))
    assert read_photo(save(project, "photo", tmp_path)).icc == wide.icc
    shown = project.base.pixels
    assert np.abs(shown.astype(int) - portrait.pixels).mean() < 1.5
    assert json.loads(save(project, "recipe", tmp_path).read_text())["names"] == {"image": "wide.png"}


def test_one_history_takes_everything_back_and_does_it_again(placed):
    before = placed.choices
    placed.place(Placement(0.6, 0.6, 0.5))
    placed.adjust(Amounts(strength=0.5))
    placed.prompt("person", Prompt("erase", ((0.5, 0.5),), 0.1))
    placed.adjust_edge(EdgeAdjustment(expand=-2, clean=True))
    placed.prompt("reference", BOX)
    names = [step.name for step in placed.history.steps]
    assert names[1:] == ["Moved", "Strength 50 %", "Eraser: person", "Edge", "Box: reference"]
    last = placed.choices
    for _ in names[1:]:
        placed.undo()
    assert placed.choices is before and placed.amounts.strength == 1
    for _ in names[1:]:
        placed.redo()
    assert placed.choices is last
    placed.go(2)
    assert placed.amounts.strength == 0.5 and not placed.choices.found
    placed.adjust(Amounts(strength=0.4))  # from here on anew
    assert [step.name for step in placed.history.steps][2:] == ["Strength 50 %", "Strength 40 %"]
    with pytest.raises(InputError, match="nothing to do again"):
        placed.redo()
    for wrong in (9, -1, "2", None):
        with pytest.raises(InputError, match="expected one of 4 steps"):
            placed.go(wrong)


def test_an_adjusted_edge_is_seen_and_saved_and_goes_with_the_recipe(project, upload, tmp_path):
    project.open("background", upload("beach.png", scene()), "beach.png")
    person = np.dstack([scene(80, 60, 2), np.full((80, 60), 255, np.uint8)])[..., :3]
    project.open("person", upload("me.png", person), "me.png", SPOT)
    project.prompt("person", Prompt("box", ((0.2, 0.2), (0.8, 0.8))))
    whole = project.scene.mask.sum()
    project.adjust_edge(EdgeAdjustment(expand=-5, clean=True))
    assert project.scene.mask.sum() < 0.9 * whole
    recipe = Recipe.load(save(project, "recipe", tmp_path))
    assert recipe.edge == EdgeAdjustment(expand=-5, clean=True)
    saved = read_photo(save(project, "photo", tmp_path)).pixels
    changed = (saved != scene()).any(2)
    assert not changed[project.scene.mask == 0].any() and changed.sum() < whole


def test_somebody_else_of_the_persons_picture_gets_a_place_inside(placed, monkeypatch):
    two = np.zeros((80, 60), np.float32)
    two[10:70, 45:58] = 1  # beside whom the placement was made for
    monkeypatch.setattr("demo.studio.project.prompts.subject", lambda pixels, prompt, start: two)
    object.__setattr__(placed.pictures["person"], "alpha", None)
    far = Placement(0.95, 0.5, 1.6)
    placed.place(far)
    assert not far.shows((120, 160, 3), two) and Placement(0.5, 0.5, 1.0).shows((120, 160, 3), two)
    placed.prompt("person", Prompt("click", ((0.8, 0.5),)))
    assert placed.choices.placement != far and placed.choices.placement.shows((120, 160, 3), two)
    placed.undo()
    assert placed.choices.placement == far
    placed.place(Placement(0.4, 0.5, 0.8))
    placed.prompt("person", Prompt("click", ((0.8, 0.5),)))
    assert placed.choices.placement == Placement(0.4, 0.5, 0.8)  # it shows them too


def test_a_mask_of_another_aspect_is_told_the_photos_own_size(project, upload):
    project.open("composite", upload("large.png", scene(1500, 2400)), "large.png")
    assert project.base.pixels.shape[1] < 2400
    with pytest.raises(InputError, match="the mask is 100 x 90, but the picture is 2400 x 1500, of another aspect"):
        project.open("mask", upload("mask.png", disc(90, 100)[..., None].repeat(3, 2)), "mask.png")
    assert "mask" not in project.pictures


def test_a_box_between_two_pixels_of_the_proxy_is_refused_without_its_size(placed):
    with pytest.raises(InputError, match="^the box holds no pixel of the picture: a larger one was expected$"):
        placed.prompt("reference", Prompt("box", ((0.1001, 0.1), (0.1, 0.1002))))
