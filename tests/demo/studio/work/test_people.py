"""Who is pasted: replaced, added, listed as layers, each with a look of their own; nothing of it is lost anywhere."""

import json

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from psd_tools import PSDImage
from studio_pictures import disc, scene, write
from visitor_hands import arrived, files, kept, point, project, put, quiet, shown, studio, visit

from demo.studio.project import Project
from demo.studio.prompts import Prompt
from demo.studio.saving import recipe_of, save
from demo.studio.work.full_size import Window, crop
from demo.studio.work.history import Amounts
from demo.studio.work.taken_recipe import take_recipe
from demo.studio.work.work_copy import bring_back, copy_of
from iph.adjustments import Adjustments
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.placement import Placement
from iph.recipe import Recipe

__all__ = ["files", "studio", "visit"]  # fixtures
SPOT, ASIDE = Placement(0.7, 0.6, 0.5), Placement(0.62, 0.55, 0.6, True, 30.0)


@pytest.fixture
def opened(tmp_path):
    """``opened(project, kind, pixels, alpha, **how)`` gives a project a picture, in a file named after its kind."""
    number = iter(range(100))

    def give(made, kind, pixels, alpha=None, **how):
        name = f"{kind}{next(number)}.png"
        return made.open(kind, write(tmp_path / name, pixels, alpha), name, **how)

    return give


@pytest.fixture
def placed(tmp_path, opened):
    (tmp_path / "work").mkdir()
    made = Project(tmp_path / "work")
    opened(made, "background", scene(), id="a" * 32)
    opened(made, "person", scene(80, 60, 2), disc(80, 60), placement=SPOT, id="b" * 32)
    return made


@pytest.fixture
def two(placed, opened):
    """A second person above the first, turned and mirrored, with a look of their own."""
    opened(placed, "added", scene(60, 60, 5), disc(60, 60), placement=ASIDE, id="c" * 32)
    placed.prompt("reference", Prompt("box", ((0.02, 0.02), (0.2, 0.4))))
    placed.correct(Adjustments(exposure=0.4))
    return placed


def seen_box(made):
    rows, columns = np.nonzero(made.scene.mask >= 0.5)
    return np.array([columns.min(), rows.min(), columns.max(), rows.max()])


def test_another_background_keeps_person_place_and_look(placed, opened):
    placed.adjust(Amounts(0.8))
    placed.prompt("person", Prompt("erase", ((0.5, 0.5),), 0.1))
    before, steps = placed.choices, len(placed.history.steps)
    opened(placed, "background", scene(120, 160, 9))
    now = placed.choices
    assert now.placement == before.placement and now.foreground is before.foreground and now.amounts == before.amounts
    assert now.region is placed.suggestions["photo"][0].region  # chosen anew by the automatic rule
    assert placed.history.steps[-1].name.startswith("Background: ") and len(placed.history.steps) == steps + 1
    np.testing.assert_array_equal(placed.base.pixels, scene(120, 160, 9))
    placed.undo()
    np.testing.assert_array_equal(placed.base.pixels, scene())
    assert placed.choices is before
    placed.redo()
    assert recipe_of(placed).names["image"].startswith("background2")


def test_on_a_narrow_background_the_person_stays_inside(placed, opened):
    placed.place(Placement(0.8, 0.5, 0.9))
    opened(placed, "background", scene(160, 60, 9))
    x0, y0, x1, y1 = seen_box(placed)
    assert x0 >= 0 and x1 <= 59 and y1 < 159 and y1 - y0 > 60
    opened(placed, "background", scene(160, 20, 3))  # too narrow for their size
    x0, _, x1, y1 = seen_box(placed)
    assert x0 >= 0 and x1 <= 19 and x1 - x0 >= 15


def test_another_person_keeps_place_size_and_reference(placed, opened):
    placed.prompt("reference", Prompt("box", ((0.05, 0.05), (0.3, 0.5))))
    before, region = seen_box(placed), placed.choices.region
    opened(
        placed, "person", scene(200, 90, 6), disc(200, 90, 0.4, 0.7, 0.15)
    )  # smaller, and elsewhere in their picture
    after = seen_box(placed)
    assert abs(after[3] - before[3]) <= 1 and abs(after[1] - before[1]) <= 2  # as tall, on the same ground
    assert abs(after[0] + after[2] - before[0] - before[2]) <= 2
    assert placed.choices.region is region and placed.history.steps[-1].name.startswith("Person: ")
    placed.undo()
    np.testing.assert_array_equal(seen_box(placed), before)


def test_who_is_not_there_takes_nobodys_place(placed, opened):
    before = placed.work, placed.history
    for kind in ("person", "added"):
        with pytest.raises(InputError, match=r"nobody was found in '.*', expected|a photo with a person in it"):
            opened(placed, kind, np.full((40, 40, 3), 90, np.uint8))
    assert (placed.work, placed.history) == before and len(list(placed.folder.iterdir())) == 2
    assert "Nobody was found in the photo: what stands out most was taken." in opened(placed, "person", scene())


def test_originals_stay_as_long_as_a_step_needs_them(placed, opened, monkeypatch):
    monkeypatch.setattr("demo.studio.work.history.MOST_PICTURES", 4)
    for seed in range(5):
        opened(placed, "background", scene(60, 80, seed))
    assert len(list(placed.folder.iterdir())) == 4 == len(placed.history.originals)
    while placed.history.past:
        placed.undo()
    assert placed.base.photo().pixels.shape == (60, 80, 3) and placed.base.path.exists()


def test_each_of_several_is_harmonized_alone_on_the_photo_and_laid_over_those_below(two, tmp_path):
    lower, upper = two.work.people
    looks = [two.change_of(person) for person in (lower, upper)]
    assert np.abs(looks[0].change - looks[1].change).max() > 1e-3
    below = looks[0].apply(two.scene_of(lower).pixels, two.scene_of(lower).mask)
    pixels, mask = two.scene_of(upper).paste((0, 0), below, None)
    expected = looks[1].apply(pixels, mask)
    saved = read_photo(save(two, "photo", tmp_path)).pixels
    np.testing.assert_array_equal(saved, expected)
    np.testing.assert_array_equal(crop(two, "photo", Window(0, 0, 160, 120, 160))[-1], expected)
    recipe = Recipe.load(save(two, "recipe", tmp_path))
    photos = [person.picture.photo() for person in two.work.people]
    np.testing.assert_array_equal(recipe.replay(two.base.photo(), photos).pixels, expected)
    two.select(0)
    two.place(Placement(0.2, 0.6, 0.5))  # nobody's look hangs on where another stands
    np.testing.assert_array_equal(two.change_of(two.work.people[1]).change, looks[1].change)


def test_nobodys_look_is_taken_from_who_was_pasted(two):
    rows, columns = np.nonzero(two.scene_of(two.work.people[0]).mask > 0.9)
    free = np.nonzero(two.scene.mask[rows, columns] == 0)[0][0]
    at = (columns[free] + 0.5) / 160, (rows[free] + 0.5) / 120
    with pytest.raises(InputError, match="somebody pasted stands there"):
        two.prompt("reference", Prompt("click", (at,)))


def test_layers_of_everybody(two, tmp_path):
    document = PSDImage.open(save(two, "layers", tmp_path))
    assert [layer.name for layer in document] == ["Background"] + [
        f"Person {number} {state}" for number in (1, 2) for state in ("as pasted", "harmonized")
    ]
    saved = read_photo(save(two, "photo", tmp_path)).pixels.astype(int)
    merged = np.asarray(document.topil().convert("RGB")).astype(int)
    hard = np.ones((120, 160), bool)
    for person in two.work.people:
        hard &= np.isin(two.scene_of(person).mask, (0, 1))
    assert np.abs(merged - saved)[hard].max() <= 2
    both = read_photo(save(two, "both", tmp_path)).pixels
    assert np.abs(both[:120].astype(int) - both[132:]).max() > 20
    person = read_photo(save(two, "person", tmp_path))
    np.testing.assert_allclose(person.alpha / 255, two.scene.mask, atol=1 / 255)  # the active one's


def test_hidden_ordered_and_removed_are_steps(two, tmp_path):
    both = read_photo(save(two, "photo", tmp_path)).pixels
    names = [person.picture.path.name for person in two.work.people]
    two.show(1, False)
    alone = read_photo(save(two, "photo", tmp_path)).pixels
    lower = two.work.people[0]
    np.testing.assert_array_equal(
        alone, two.change_of(lower).apply(two.scene_of(lower).pixels, two.scene_of(lower).mask)
    )
    two.show(0, False)
    with pytest.raises(InputError, match="everybody is hidden"):
        save(two, "photo", tmp_path)
    two.undo()
    two.undo()
    two.reorder(1, 0)
    assert two.work.active == 0 and two.choices.picture.path.name == names[1]
    other = read_photo(save(two, "photo", tmp_path)).pixels
    crossing = np.minimum(two.scene_of(two.work.people[0]).mask, two.scene_of(two.work.people[1]).mask)
    assert crossing.max() > 0.9 and (both != other)[crossing > 0.9].any()
    two.remove(1)
    assert len(two.work.people) == 1
    assert [step.name for step in two.history.steps][-2:] == ["Order", f"Removed: {names[0]}"]
    with pytest.raises(InputError, match="expected somebody else before the last"):
        two.remove(0)
    two.undo()
    two.select(1)
    assert two.history.steps[-2].work.active == 1 and len(two.history.steps) == 6
    for wrong in (-1, 2, "0", None, True):
        for ask in (two.select, two.remove, lambda at: two.show(at, False), lambda at: two.reorder(0, at)):
            with pytest.raises(InputError, match="expected the number of one of 2 people"):
                ask(wrong)


def test_no_more_people_than_a_photo_holds(placed, opened, monkeypatch):
    monkeypatch.setattr("demo.studio.work.opening.MOST_PEOPLE", 2)
    opened(placed, "added", scene(30, 30), disc(30, 30))
    with pytest.raises(InputError, match="at most 2 people"):
        opened(placed, "added", scene(30, 30), disc(30, 30))


def test_a_copy_brings_back_everybody_and_every_background(two, opened, tmp_path):
    opened(two, "background", scene(90, 160, 4), id="d" * 32)
    two.show(0, False)
    (tmp_path / "work.json").write_text(json.dumps(copy_of(two)))
    (tmp_path / "again").mkdir()
    again = Project(tmp_path / "again")
    for original in two.history.originals.values():
        copied = write(tmp_path / "copy.png", original.photo().pixels, original.photo().alpha)
        again.put_on_shelf(copied, original.path.name, original.id)
    bring_back(again, tmp_path / "work.json")
    assert [step.name for step in again.history.steps] == [step.name for step in two.history.steps]
    assert [person.shown for person in again.work.people] == [False, True] and again.shelf == {}
    for _ in range(3):
        np.testing.assert_array_equal(
            *(read_photo(save(made, "photo", tmp_path)).pixels for made in (again, two)),
        )
        two.undo()
        again.undo()
    assert copy_of(again) == copy_of(two) and len(list(again.folder.iterdir())) == 4


def test_a_recipe_of_several_is_the_work_again_where_the_same_people_are(two, opened, tmp_path):
    recipe = Recipe.load(save(two, "recipe", tmp_path))
    (tmp_path / "next").mkdir()
    again = Project(tmp_path / "next")
    names = [person.picture.path.name for person in two.work.people]
    for kind, name, pixels, alpha in (
        ("background", two.base.path.name, scene(), None),
        ("person", names[1], scene(60, 60, 5), disc(60, 60)),  # in the other order
        ("added", names[0], scene(80, 60, 2), disc(80, 60)),
    ):
        again.open(kind, write(tmp_path / "copy.png", pixels, alpha), name)
    steps = len(again.history.steps)
    assert take_recipe(again, recipe, "look.json") == () and len(again.history.steps) == steps + 1
    assert [person.picture.path.name for person in again.work.people] == names
    saved = [read_photo(save(made, "photo", tmp_path)).pixels.astype(int) for made in (two, again)]
    assert np.abs(saved[0] - saved[1]).max() <= 2  # a mask is kept in 255 steps
    again.remove(0)
    (said,) = take_recipe(again, recipe, "look.json")
    assert said.endswith("not its other people.")  # the one who is left gets their own
    assert again.work.active == 0 and len(again.work.people) == 1


@pytest.mark.browser
def test_a_page_with_layers(visit, studio, files, tmp_path):
    opened = visit()
    put(opened, files)
    work = project(studio)
    second = write(tmp_path / "friend.png", scene(120, 120, 5), disc(120, 120))
    opened.set_input_files("[data-kind=added] input", second)
    opened.wait_for_function("document.querySelectorAll('.layers li').length === 2")
    quiet(opened)
    assert opened.inner_text(".layers li:first-child") == "friend.png" and work.work.active == 1
    opened.focus(".frame")
    opened.keyboard.press("Shift+Period")
    opened.wait_for_function("document.querySelector('[data-angle]').value === '15'")
    quiet(opened)
    assert work.choices.placement.angle == 15
    opened.fill("[data-angle]", "-20.5")
    opened.press("[data-angle]", "Enter")
    arrived(lambda: work.choices.placement.angle == -20.5)
    quiet(opened)
    everybody = [work.change_of(person) for person in work.work.people]
    shown(opened, work.laid(list(work.work.people), everybody)[0], 1)
    rows, columns = np.nonzero((work.scene_of(work.work.people[0]).mask > 0.9) & (work.scene.mask == 0))
    opened.mouse.click(*point(opened, (columns[0] + 2) / 320, (rows[0] + 2) / 240))  # the other one, on the picture
    opened.wait_for_selector(".layers li:nth-child(2) [aria-pressed=true]")
    assert work.work.active == 0 and work.choices.placement.angle == 0
    opened.focus("[data-amount=strength]")
    opened.keyboard.press("ArrowLeft")
    arrived(lambda: [person.amounts.strength for person in work.work.people] == [0.99, 1.0])
    quiet(opened)
    opened.click(".layers li:first-child [data-does=shown]")
    opened.wait_for_selector(".layers li.off")
    quiet(opened)
    assert Axe().run(opened, context="#studio").response["violations"] == []
    lower = work.work.people[0]
    shown(opened, work.laid([lower], [work.change_of(lower)])[0], 1)
    opened.set_input_files(".layers [data-kind=background] input", write(tmp_path / "wood.png", scene(240, 320, 8)))
    opened.wait_for_function("document.querySelector('.layers .ground').innerText.includes('wood.png')")
    quiet(opened)
    shown(opened, work.laid([work.work.people[0]], [work.change])[0], 1)
    kept(opened, 4, len(work.history.steps))
    studio.store.close()  # as a restart does
    opened.reload()
    opened.wait_for_selector(".layers li.off")
    quiet(opened)
    assert len(project(studio).history.steps) == len(work.history.steps) and len(project(studio).work.people) == 2


@pytest.mark.browser
def test_a_phone_turns_the_person_and_says_that_another_is_nobody(visit, studio, files, tmp_path):
    opened = visit(width=390, height=844, has_touch=True, is_mobile=True)
    put(opened, files)
    assert opened.is_hidden(".layers ol") and opened.query_selector(".strip").bounding_box()["y"] < 844
    opened.tap(".layers summary")
    knob, frame = (opened.query_selector(one).bounding_box() for one in (".handles .turn", ".handles"))
    middle = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    opened.mouse.move(knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(middle[0] + 60, middle[1] - 5)  # to the right: a quarter turn or a little less
    opened.keyboard.down("Shift")
    opened.mouse.move(middle[0] + 60, middle[1])
    opened.keyboard.up("Shift")
    opened.mouse.up()
    opened.wait_for_selector("[data-do=undo]:not([disabled])")
    quiet(opened)
    assert abs(project(studio).choices.placement.angle) == pytest.approx(90, abs=16)
    assert project(studio).choices.placement.angle % 15 == 0
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    opened.set_input_files(".layers [data-kind=person] input", write(tmp_path / "ball.png", scene(120, 160)))
    opened.wait_for_selector(".toast:not([hidden])")
    assert "Nobody was found in the photo: what stands out most was taken." in opened.inner_text(".toast")
    quiet(opened)
    assert project(studio).choices.placement.angle % 15 == 0 and opened.inner_text(".layers li") == "ball.png"
