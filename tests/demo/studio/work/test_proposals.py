"""Everybody, and the next proposal: what else a click may have meant, a step each."""

import numpy as np
import pytest
from studio_pictures import scene, write
from visitor_hands import arrived, files, project, quiet, studio, visit

from demo.studio.gallery import EXAMPLES
from demo.studio.project import Project
from demo.studio.prompts import Prompt
from demo.studio.work.proposals import take_everybody, take_next
from iph.errors import InputError
from iph.images.imagefile import read_photo
from iph.masks import everybody
from iph.placement import Placement, compose

__all__ = ["files", "studio", "visit"]  # fixtures
LEFT = Prompt("click", ((0.2, 0.6),))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A photo of two people who stand apart."""
    pixels = scene(480, 1400)
    for example, x in zip(EXAMPLES, (0.2, 0.8), strict=False):
        person = read_photo(example.file("person"))
        pixels, _ = compose(pixels, person.pixels, person.alpha / np.float32(255), Placement(x, 0.6, 0.8))
    return write(tmp_path_factory.mktemp("two") / "two.png", pixels)


@pytest.fixture
def opened(tmp_path, two):
    """``opened(kind)`` makes a project with that photo as a composite, or as the person's on a background."""

    def make(kind):
        (tmp_path / "work").mkdir()
        made, copy = Project(tmp_path / "work"), tmp_path / "two.png"
        copy.write_bytes(two.read_bytes())
        if kind == "person":
            made.open("background", write(tmp_path / "beach.png", scene(300, 400)), "beach.png")
        made.open(kind, copy, "two.png")
        return made

    return make


def sides(mask):
    """How much of the left and of the right half is set."""
    half = mask.shape[1] // 2
    return float((mask[:, :half] >= 0.5).mean()), float((mask[:, half:] >= 0.5).mean())


def test_everybody_is_a_step_that_undo_takes_back(opened):
    made = opened("person")
    one = made.choices.foreground
    assert min(sides(one)) < 0.02
    take_everybody(made)
    np.testing.assert_array_equal(made.choices.foreground, everybody(made.holder.pixels))
    assert min(sides(made.choices.foreground)) > 0.08 and made.history.steps[-1].name == "Everybody"
    made.undo()
    assert made.choices.foreground is one


def test_nobody_is_said_and_changes_nothing(tmp_path):
    made = Project(tmp_path)
    made.open("composite", write(tmp_path.parent / "sky.png", scene()), "sky.png")
    with pytest.raises(InputError, match="nobody was found"):
        take_everybody(made)
    assert made.choices.foreground is None


def test_a_clicks_proposals_go_round_and_all_lie_under_it(opened):
    made = opened("composite")
    made.prompt("person", LEFT)
    first, seen = made.choices.foreground, []
    for _ in range(8):
        take_next(made, "person")
        seen.append(made.choices.foreground)
        assert seen[-1][int(0.6 * seen[-1].shape[0]), int(0.2 * seen[-1].shape[1])] >= 0.5
        if np.array_equal(seen[-1], first):
            break
    assert np.array_equal(seen[-1], first) and len(seen) >= 2  # round
    assert any(min(sides(mask)) > 0.1 for mask in seen)  # both of them among it
    assert {step.name for step in made.history.steps[1:]} == {"Next proposal: person"}


def test_unclicked_it_is_who_else_stands_out(opened):
    made = opened("person")
    before = sides(made.choices.foreground)
    take_next(made, "person")
    after = sides(made.choices.foreground)
    assert (before[0] > before[1]) != (after[0] > after[1])  # the other one


def test_a_reference_has_proposals_too_and_a_card_ends_them(opened):
    made = opened("composite")
    made.prompt("person", Prompt("click", ((0.8, 0.6),)))
    made.prompt("reference", LEFT)
    region = made.choices.region
    take_next(made, "reference")
    assert not np.array_equal(made.choices.region, region) and made.clicks["reference"] == LEFT
    made.take("photo", 0)
    assert "reference" not in made.clicks
    with pytest.raises(InputError, match="expected another photo first"):
        take_next(made, "other")


@pytest.mark.browser
def test_everybody_and_the_next_proposal_by_touch(visit, studio, two):
    opened = visit(width=390, height=844, has_touch=True, is_mobile=True)
    opened.tap(".finished summary")
    opened.set_input_files(".drop[data-kind=composite] input", two)
    opened.wait_for_selector("[data-do=everybody]:not([hidden])")
    assert opened.is_hidden("[data-do=another]")
    opened.tap(".frame", position={"x": 75, "y": 80})
    arrived(lambda: project(studio).choices.foreground is not None)
    quiet(opened)
    opened.tap("[data-tab=person]")
    first = project(studio).choices.foreground
    opened.tap("[data-do=another]")
    arrived(lambda: project(studio).choices.foreground is not first)
    quiet(opened)
    opened.tap("[data-do=everybody]")
    arrived(lambda: project(studio).history.steps[-1].name == "Everybody")
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
