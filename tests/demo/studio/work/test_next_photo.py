"""The next photo: a recipe taken over as one step, and a look given to other photos, in files and in the page."""

import json
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from studio_pictures import disc, scene, write
from visitor_hands import PATIENCE, arrived, download, files, hurry, project, put, quiet, shown, studio, visit

from demo.studio.events import handle
from demo.studio.project import Project
from demo.studio.prompts import Prompt
from demo.studio.saving import recipe_of, save
from demo.studio.visitor_session import VisitorSession
from demo.studio.work.history import Amounts, Transfer
from demo.studio.work.next_photo import give_look
from demo.studio.work.taken_recipe import take_recipe
from demo.studio.work.work_copy import bring_back, copy_of
from iph.adjustments import Adjustments
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.mapping import ColorMapping
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import Placement
from iph.recipe import Recipe

__all__ = ["files", "studio", "visit"]  # fixtures
EDGE = EdgeAdjustment(expand=-1.0, clean=True)


@pytest.fixture
def opened(tmp_path):
    """``opened(folder, background, person, seed)`` makes a project with a person of 60 x 80 on 160 x 120."""

    def make(folder, background="beach.png", person="me.png", seed=1):
        (tmp_path / folder).mkdir()
        made = Project(tmp_path / folder)
        made.open("background", write(tmp_path / background, scene(seed=seed)), background, id="1" * 32)
        me = write(tmp_path / person, scene(80, 60, seed + 1), disc(80, 60))
        made.open("person", me, person, Placement(0.7, 0.6, 0.5), id="2" * 32)
        return made

    return make


@pytest.fixture
def recipe(opened, tmp_path):
    """A recipe in which everything was changed, and the photo that came of it."""
    made = opened("first")
    made.place(Placement(0.6, 0.55, 0.6))
    made.prompt("reference", Prompt("box", ((0.05, 0.05), (0.3, 0.5))))
    made.adjust_edge(EDGE)
    made.transfer(Transfer(r2=0.4))
    made.correct(Adjustments(exposure=0.4))
    made.adjust(Amounts(0.8, 1.1, 0.9))
    return Recipe.load(save(made, "recipe", tmp_path)), save(made, "photo", tmp_path)


def test_on_its_own_photos_a_recipe_is_the_work_again(opened, recipe, tmp_path):
    made, (loaded, photo) = opened("again"), recipe
    assert take_recipe(made, loaded, "look.json") == ()
    now = made.choices
    assert now.placement == Placement(0.6, 0.55, 0.6) and now.edge == EDGE and now.transfer == Transfer(r2=0.4)
    assert now.amounts == Amounts(0.8, 1.1, 0.9) and now.look is None and now.region[30, 20] == 1
    again = read_photo(save(made, "photo", tmp_path)).pixels.astype(int)
    assert np.abs(again - read_photo(photo).pixels).max() <= 2
    assert [step.name for step in made.history.steps] == ["Opened me.png", "Recipe look.json"]
    made.transfer(Transfer())  # it goes on from there


def test_on_other_photos_the_look_and_the_numbers_are_taken_and_the_rest_is_said(opened, recipe, tmp_path):
    made, loaded = opened("other", "sea.png", "you.png", 5), recipe[0]
    before = made.choices
    (said,) = take_recipe(made, loaded, "look.json")
    assert said == "look.json fits in part: its look and its numbers were taken, not its cut-out, place and reference."
    now = made.choices
    assert now.placement == before.placement and now.foreground is before.foreground and now.edge == EDGE
    np.testing.assert_array_equal(made.change.change, loaded.change.change)
    assert made.change.adjustments == Adjustments(exposure=0.4) and recipe_of(made).reference is None
    saved = read_photo(save(made, "photo", tmp_path)).pixels
    composite, mask = recipe_of(made).composite(made.base.photo(), made.pictures["person"].photo())
    np.testing.assert_array_equal(saved, loaded.change.apply(composite.pixels, mask))
    with pytest.raises(InputError, match="the look is a recipe's"):
        made.transfer(Transfer())
    copied, back = tmp_path / "work.json", opened("back", "sea.png", "you.png", 5)
    copied.write_text(json.dumps(copy_of(made)))
    bring_back(back, copied)
    np.testing.assert_array_equal(back.change.change, loaded.change.change)
    made.take("photo", 0)  # any reference takes the look's place
    assert made.choices.look is None and np.abs(made.change.change - loaded.change.change).max() > 1e-3
    made.undo()
    made.undo()
    assert made.choices is before


def test_of_several_people_the_active_one_gets_their_own(opened, recipe, tmp_path):
    made, (loaded, _) = opened("several"), recipe
    other = replace(loaded, strength=0.3, names=loaded.names | {"person": "somebody.png"})
    (said,) = take_recipe(made, replace(other, above=(loaded,)), "look.json")
    assert said.endswith("not its other people.") and made.choices.amounts == Amounts(0.8, 1.1, 0.9)
    assert made.choices.placement == loaded.placement and len(made.work.people) == 1


def test_a_recipe_needs_work_to_be_taken_for(recipe, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected a photo with a person in it first"):
        take_recipe(Project(tmp_path / "empty"), recipe[0], "look.json")


@pytest.mark.parametrize("way", ["transparent", "mask"])
def test_the_person_of_another_photo_gets_the_look_and_nothing_else(recipe, tmp_path, way):
    look, pixels, who = recipe[0].change, scene(90, 70, 8), disc(90, 70)
    mask = None
    if way == "mask":
        mask = write(tmp_path / "sea-mask.png", who[..., None].repeat(3, 2))
        path = write(tmp_path / "sea.png", pixels)
    else:
        path = write(tmp_path / "sea.png", pixels, who)
    (tmp_path / "out").mkdir()
    made = give_look(look, path, mask, tmp_path / "out")
    assert made.name == "sea-harmonized.png"
    expected = look.apply(pixels, who / np.float32(255))
    np.testing.assert_array_equal(read_photo(made).pixels[who > 0], expected[who > 0])
    assert np.abs(expected.astype(int) - pixels).max() > 10


def test_a_photo_with_nobody_in_it_is_not_touched(recipe, tmp_path):
    with pytest.raises(InputError, match="nobody was found in the photo: a mask beside it, of its name with -mask"):
        give_look(recipe[0].change, write(tmp_path / "sky.png", scene()), None, tmp_path)


@pytest.fixture
def session():
    session = VisitorSession("10.0.0.1")
    yield session
    session.close()


def given(session, path):
    """An upload of that file, by its name."""
    upload = session.new_upload()
    shutil.copy(path, upload)
    return upload.name


LOOK = ColorMapping.identity().to_dict()


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (None, "Expected a colour mapping of kind"),
        (LOOK | {"change": [[10**400] * 3] * 11}, "Expected numbers of shape"),
        (LOOK | {"change": [[float("nan")] * 3] * 11}, "Expected (11, 3) finite numbers"),
        (LOOK | {"adjustments": {"exposure": 99}}, "Expected exposure from -3 to 3"),
        (LOOK, "whose content is none of these or is damaged"),
    ],
)
def test_what_is_no_look_or_no_photo_is_said_and_leaves_nothing(session, tmp_path, look, said):
    (tmp_path / "broken.jpg").write_text("hello")
    upload = given(session, tmp_path / "broken.jpg")
    answer = handle(session, "next", {"upload": upload, "name": "broken.jpg", "look": look}, "a request")
    assert answer["message"]["error"] and said in answer["message"]["text"] and answer["file"] is None
    assert {path.name for path in session.folder.iterdir()} == {"originals", "pictures", "uploads"}
    again = handle(session, "next", {"upload": upload, "name": "broken.jpg", "look": LOOK}, "another")
    assert ("uploaded" in again["message"]["text"]) == (look == LOOK)  # a file is read once


def test_a_recipe_is_called_by_its_own_name(session, tmp_path):
    (tmp_path / "x.json").write_text("no")
    answer = handle(
        session, "recipe", {"upload": given(session, tmp_path / "x.json"), "name": "../my look.json"}, "one"
    )
    assert answer["message"] == {
        "text": "Expected a recipe in JSON, got 'my look.json', which is not JSON.",
        "error": True,
    }


@pytest.mark.browser
def test_a_recipe_and_a_folder_in_the_page(visit, studio, files, tmp_path):
    opened = visit()
    put(opened, files)
    opened.focus("[data-amount=strength]")
    opened.keyboard.press("ArrowLeft")
    quiet(opened)
    recipe, look = download(opened, "recipe", tmp_path), project(studio).change
    opened.keyboard.press("End")
    quiet(opened)
    opened.set_input_files("[data-kind=recipe] input", recipe)
    opened.wait_for_function("document.querySelector('[data-amount=strength]').value === '99'")
    quiet(opened)
    shown(opened, project(studio).change.apply(project(studio).scene.pixels, project(studio).scene.mask))

    folder, who = tmp_path / "folder", disc(60, 80)
    (folder / "sub").mkdir(parents=True)
    for name, seed in (("a.png", 3), ("sub/A.png", 4)):
        write(folder / name, scene(60, 80, seed), who)
    write(folder / "b.png", scene(60, 80, 5))
    write(folder / "b-mask.png", who[..., None].repeat(3, 2))
    (folder / "broken.jpg").write_text("hello")
    (folder / "notes.txt").write_text("hello")
    opened.click(".next summary")
    with opened.expect_download(timeout=PATIENCE) as started:
        opened.set_input_files(".next .folders input", folder)
        opened.focus("[data-amount=strength]")
        opened.keyboard.press("Home")  # the page stays usable, and the look that of the moment
    started.value.save_as(tmp_path / "out.zip")
    arrived(lambda: project(studio).amounts.strength == 0)
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        assert made.testzip() is None
        assert sorted(made.namelist()) == ["A-harmonized-2.png", "a-harmonized.png", "b-harmonized.png"]
        (tmp_path / "b.png").write_bytes(made.read("b-harmonized.png"))
    expected = look.apply(scene(60, 80, 5), who / np.float32(255))
    np.testing.assert_array_equal(read_photo(tmp_path / "b.png").pixels, expected)
    said = opened.inner_text(".next")
    assert "3 of 4 photos done; not done:" in said and "broken.jpg: Expected a JPEG" in said and "notes.txt" in said

    held = []  # the second photo does not come back, and what is done comes home all the same
    opened.route(
        "**/event", lambda route: held.append(route) if "sub" in held else (held.append("sub"), route.continue_())
    )
    with opened.expect_download(timeout=PATIENCE) as started:
        opened.set_input_files(".next .folders input", folder)
        opened.wait_for_function("document.querySelector('.next .told').textContent.startsWith('2 of 4')")
        opened.click("[data-do=stop]")
    opened.unroute_all(behavior="ignoreErrors")
    started.value.save_as(tmp_path / "one.zip")
    assert zipfile.ZipFile(tmp_path / "one.zip").namelist() == ["a-harmonized.png"]
    assert "Cancelled: 1 of 4 photos done" in opened.inner_text(".next")

    hurry(opened)  # a server that does not answer, and then comes back without the work
    opened.route("**/upload", lambda route: route.abort())
    opened.set_input_files(".next .folders input", folder)
    opened.wait_for_selector("[data-do=onward]:not([hidden])")
    assert "Waiting at a.png: The server does not answer" in opened.inner_text(".next")
    opened.unroute_all(behavior="ignoreErrors")
    studio.store.close()
    with opened.expect_download(timeout=PATIENCE) as started:
        opened.click("[data-do=onward]")
    started.value.save_as(tmp_path / "again.zip")
    assert len(zipfile.ZipFile(tmp_path / "again.zip").namelist()) == 3


@pytest.mark.browser
def test_one_photo_on_a_phone_comes_as_itself(visit, files, tmp_path):
    opened = visit(width=390, height=844, has_touch=True, is_mobile=True)
    put(opened, files)
    opened.tap(".next summary")
    assert opened.is_hidden(".next .folders")  # a phone has none to choose
    with opened.expect_download(timeout=PATIENCE) as started:
        opened.set_input_files(".next input[multiple]", write(tmp_path / "next.png", scene(60, 80, 5), disc(60, 80)))
    assert started.value.suggested_filename == "next-harmonized.png"
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
