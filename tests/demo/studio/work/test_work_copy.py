"""The copy of the work that a browser keeps: it brings back what was done, and a forged one does nothing."""

import copy
import json

import numpy as np
import pytest
from studio_pictures import disc, scene, write

from demo.studio.project import Project
from demo.studio.prompts import Prompt
from demo.studio.saving import save
from demo.studio.work.history import Amounts
from demo.studio.work.kept import Kept
from demo.studio.work.work_copy import bring_back, copy_of
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.masks.edge_adjust import EdgeAdjustment
from iph.placement import Placement


@pytest.fixture
def opened(tmp_path):
    """``opened(name)`` makes a project with the same photos, under the same ids."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        project = Project(folder)
        project.open("background", write(tmp_path / "beach.png", scene()), "beach.png", id="1" * 32)
        project.open("person", write(tmp_path / "me.png", scene(80, 60, 2), disc(80, 60)), "me.png", id="2" * 32)
        project.open("other", write(tmp_path / "sunset.png", scene(90, 70, 7)), "sunset.png", id="3" * 32)
        return project

    return make


@pytest.fixture
def worked(opened):
    project = opened("first")
    project.take("photo", len(project.suggestions["photo"]) - 1)
    project.place(Placement(0.6, 0.6, 0.5))
    project.prompt("person", Prompt("erase", ((0.5, 0.5),), 0.1))
    project.adjust(Amounts(0.8, 1.0, 1.2))
    project.adjust_edge(EdgeAdjustment(expand=-1))
    project.prompt("other", Prompt("box", ((0.1, 0.1), (0.5, 0.5))))
    project.undo()
    return project


def restored(project, data, tmp_path):
    path = tmp_path / "work.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    bring_back(project, path)
    return project


def test_the_whole_history_comes_back(worked, opened, tmp_path):
    again = restored(opened("second"), copy_of(worked), tmp_path)
    assert [step.name for step in again.history.steps] == [step.name for step in worked.history.steps]
    assert again.history.at == worked.history.at and again.amounts == worked.amounts
    for _ in range(2):
        one, other = (read_photo(save(project, "photo", tmp_path)).pixels.astype(int) for project in (worked, again))
        assert np.abs(one - other).max() <= 2  # a mask is kept in 255 steps
        worked.undo()
        again.undo()
    again.go(len(again.history.steps) - 1)
    assert again.choices.elsewhere and again.choices.label == "Your choice"
    assert copy_of(again)["steps"] == copy_of(worked)["steps"]


def test_a_copy_shares_its_masks_and_names_suggestions(worked):
    kept = copy_of(worked)
    assert len(kept["masks"]) == 2 and len(json.dumps(kept)) < 30_000
    assert kept["steps"][2]["people"][0]["region"] == [len(worked.suggestions["photo"]) - 1]


def first(data, step=0):
    return data["steps"][step]["people"][0]


FORGED = {
    "another kind": lambda data: data.update(kind="x"),
    "no steps": lambda data: data.update(steps=[]),
    "too many steps": lambda data: data.update(steps=data["steps"] * 9),
    "a mask that is none": lambda data: data.update(masks=["AAAA"] * 9),
    "masks of another picture": lambda data: first(data, 3).update(foreground=1),
    "a mask that is not there": lambda data: first(data).update(region=99),
    "a mask from behind": lambda data: first(data).update(region=-1),
    "a suggestion that is none": lambda data: first(data).update(region=[99]),
    "a place far away": lambda data: first(data).update(placement={"x": 1e9, "y": 0, "height": 1}),
    "nobody placed": lambda data: first(data).update(placement=None),
    "amounts beyond": lambda data: first(data)["amounts"].update(strength=9),
    "amounts of another name": lambda data: first(data).update(amounts={"x": 1}),
    "an edge beyond": lambda data: first(data).update(edge={"expand": 1e9}),
    "a picture of somebody else": lambda data: data["steps"][0]["pictures"].update(background="9" * 32),
    "a picture as what it is not": lambda data: data["steps"][0]["pictures"].update(sky="1" * 32),
    "nobody": lambda data: data["steps"][0].update(people=[]),
    "a crowd": lambda data: data["steps"][0].update(people=data["steps"][0]["people"] * 9),
    "seen nowhere": lambda data: data.update(at="1"),
    "a list": lambda data: data.update(steps={"a": 1}),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_copy_changes_nothing(worked, opened, tmp_path, forgery):
    data = copy.deepcopy(copy_of(worked))
    FORGED[forgery](data)
    project = opened("second")
    before = project.history, project.work
    with pytest.raises(InputError, match="expected"):
        restored(project, data, tmp_path)
    assert (project.history, project.work) == before and project.mapping is not None


@pytest.mark.parametrize("text", ["", "{", "[" * 9000, "[1," * 30_000, "null", '{"kind": "iph-work"}', "\0"])
def test_what_is_no_copy_is_a_sentence(opened, tmp_path, text):
    with pytest.raises(InputError, match="expected a copy of the work"):
        restored(opened("second"), text, tmp_path)


def test_kept_things_go_with_what_they_were_made_of_and_when_there_is_no_room():
    kept, made = Kept(most=100), []

    class Photo:
        pass

    def ask(photo, size=40):
        return kept.get("pixels", lambda: made.append(photo) or bytes(size), len, photo)

    one, two, three = Photo(), Photo(), Photo()
    assert ask(one) is ask(one) and len(made) == 1
    ask(two), ask(three)
    ask(one)
    assert len(made) == 4  # it had made room for the third
    made.clear()
    del two, three
    assert len(kept._entries) == 1
