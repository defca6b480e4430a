"""Background and person exchange their photos: one step that lasts, and a sentence where a photo cannot be one."""

import json

import numpy as np
import pytest
from studio_pictures import disc, scene, write
from visitor_hands import arrived, files, kept, project, put, quiet, shown, studio, visit

from demo.studio.events import handle
from demo.studio.project import Project
from demo.studio.prompts import Prompt
from demo.studio.saving import save
from demo.studio.visitor_session import VisitorSession
from demo.studio.work.history import Amounts
from demo.studio.work.work_copy import bring_back, copy_of
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.masks import main_subject
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import Placement
from iph.recipe import Recipe

__all__ = ["files", "studio", "visit"]  # fixtures
SAME = 2  # levels: a mask is kept in 255 steps
NOBODY = "Nobody was found in the photo: what stands out most was taken."


@pytest.fixture
def opened(tmp_path):
    """``opened(project, kind, name, pixels, alpha, **how)`` gives a project a picture in a file of that name."""
    return lambda made, kind, name, *planes, **how: made.open(kind, write(tmp_path / name, *planes), name, **how)


@pytest.fixture
def whole(tmp_path, opened):
    """A background, and a person whose photo has surroundings, cut out, moved and changed by hand."""
    (tmp_path / "work").mkdir()
    made = Project(tmp_path / "work")
    opened(made, "background", "beach.png", scene(), id="a" * 32)
    opened(made, "person", "me.png", scene(150, 110, 2), id="b" * 32)
    made.prompt("reference", Prompt("box", ((0.02, 0.02), (0.2, 0.4))))
    made.adjust_edge(EdgeAdjustment(expand=-1))
    made.adjust(Amounts(0.8))
    return made


def test_background_and_person_exchange_their_photos_in_one_step(whole, tmp_path):
    before, steps = whole.work, len(whole.history.steps)
    assert whole.swap() == (NOBODY,)
    now = whole.choices
    assert [whole.base.path.name, now.picture.path.name] == ["me.png", "beach.png"]
    np.testing.assert_array_equal(whole.base.pixels, scene(150, 110, 2))
    np.testing.assert_array_equal(now.foreground, main_subject(scene()).mask)  # as of a photo that is opened
    assert now.found and now.edge == EdgeAdjustment(clean=True) and now.amounts == Amounts(0.8)
    assert now.region is whole.suggestions["photo"][0].region and now.placement.shows((150, 110), now.foreground)
    larger = now.placement.height * 150 / 120
    whole_of_them = (now.foreground >= 0.5).sum() * larger**2
    assert (whole.scene.mask >= 0.5).sum() > 0.9 * whole_of_them  # a place of its own, inside
    assert len(whole.history.steps) == steps + 1 and whole.history.steps[-1].name == "Swapped background and person"
    recipe = Recipe.load(save(whole, "recipe", tmp_path))
    assert recipe.names["image"] == "me.png" and recipe.names["person"] == "beach.png"
    again = recipe.replay(whole.base.photo(), now.picture.photo()).pixels.astype(int)
    assert np.abs(again - read_photo(save(whole, "photo", tmp_path)).pixels).max() <= SAME
    whole.swap()
    assert whole.swap() == (NOBODY,)  # said once, however often
    for _ in range(3):
        whole.undo()
    assert whole.work is before
    assert len(list(whole.folder.iterdir())) == 2


def test_a_swap_comes_back_with_the_copy_that_a_browser_keeps(whole, tmp_path):
    whole.swap()
    (tmp_path / "work.json").write_text(json.dumps(copy_of(whole)))
    (tmp_path / "again").mkdir()
    again = Project(tmp_path / "again")
    for original in whole.history.originals.values():
        again.put_on_shelf(write(tmp_path / "copy.png", original.photo().pixels), original.path.name, original.id)
    bring_back(again, tmp_path / "work.json")
    for _ in range(2):
        one, other = (read_photo(save(made, "photo", tmp_path)).pixels.astype(int) for made in (again, whole))
        assert np.abs(one - other).max() <= SAME
        again.undo()
        whole.undo()


def test_with_several_the_active_one_is_exchanged_and_the_others_stay(whole, opened):
    opened(whole, "added", "friend.png", scene(60, 60, 5), disc(60, 60), placement=Placement(0.7, 0.6, 0.5))
    whole.select(0)
    friend, order = whole.work.people[1], [person.picture.path.name for person in whole.work.people]
    whole.swap()
    assert order == ["me.png", "friend.png"] and whole.base.path.name == "me.png" and whole.work.active == 0
    assert [person.picture.path.name for person in whole.work.people] == ["beach.png", "friend.png"]
    now = whole.work.people[1]
    assert now.foreground is friend.foreground and now.edge is friend.edge
    assert now.region is not friend.region and len(whole.shown) == 2  # their reference was in the photo that left


def test_what_cannot_be_a_background_is_said_and_nothing_changes(whole, opened):
    opened(whole, "person", "me-cut.png", scene(80, 60, 2), disc(80, 60))
    before, steps = whole.work, whole.history
    with pytest.raises(InputError, match="'me-cut.png' is cut out, with nothing around the person: a whole photo"):
        whole.swap()
    whole.undo()
    before, steps = whole.work, whole.history
    opened(whole, "background", "grey.png", np.full((120, 160, 3), 90, np.uint8))
    grey = whole.work
    with pytest.raises(InputError, match="nobody was found in 'grey.png'"):
        whole.swap()
    assert whole.work is grey
    whole.undo()
    assert (whole.work, whole.history.steps[: steps.at + 1]) == (before, steps.past + (steps.steps[steps.at],))


def test_there_must_be_something_to_swap():
    session = VisitorSession("10.0.0.1")
    said = handle(session, "swap", {}, "one")["message"]
    session.close()
    assert said == {"text": "Expected a background and a person's photo to swap.", "error": True}


@pytest.mark.browser
def test_the_page_swaps_and_a_restarted_server_has_it_again(visit, studio, files, tmp_path):
    opened = visit()
    put(opened, files | {"person": write(tmp_path / "whole.png", scene(160, 120, 2))})
    work = project(studio)
    opened.click("[data-do=swap]")
    opened.wait_for_selector(".layers .ground:has-text('whole.png')")
    quiet(opened)
    assert opened.inner_text(".layers li") == "beach.png" and NOBODY in opened.inner_text(".toast")
    shown(opened, work.laid(work.shown, [work.change])[0], 1)
    kept(opened, 2, 2)
    studio.store.close()  # as a restart does
    opened.reload()
    opened.wait_for_selector(".layers .ground:has-text('whole.png')")
    quiet(opened)
    assert opened.inner_text(".layers li") == "beach.png"
    opened.click("[data-do=undo]")
    arrived(lambda: project(studio).base.path.name == "beach.png")
    quiet(opened)
    opened.set_input_files(".layers [data-kind=person] input", files["person"])
    arrived(lambda: project(studio).pictures["person"].alpha is not None)
    quiet(opened)
    opened.click("[data-do=swap]")
    opened.wait_for_selector(".toast[role=alert]:not([hidden])")
    assert "is cut out, with nothing around the person" in opened.inner_text(".toast")
    assert project(studio).base.path.name == "beach.png"
