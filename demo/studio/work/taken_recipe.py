"""A recipe's settings for the work at hand: on its own photos all of it, on others its look and its numbers."""

from dataclasses import replace

import numpy as np

from demo.studio.project import Project
from demo.studio.suggestions import Suggestion
from demo.studio.uploaded_picture import UploadedPicture
from demo.studio.work.history import Amounts, Look, Transfer, Work
from iph.adjustments import NEUTRAL
from iph.errors import InputError
from iph.masks import as_mask
from iph.recipe import Recipe

SAME = 2  # levels of 255 that two looks may lie apart: masks are kept in 8 bits


def take_recipe(project: Project, recipe: Recipe, name: str) -> tuple[str, ...]:
    """Give the active person what a recipe of that name says, as one step: of several people's what it says of them,
    else of the lowest. Returns what did not fit, in a sentence.

    Raises InputError where there is no work yet, or where nothing comes of it; then nothing was changed.
    """
    if project.scene is None:
        raise InputError("expected a photo with a person in it first, to take a recipe's settings")
    before, steps, left = project.work, project.history, []
    recipes = [replace(recipe, above=()), *recipe.above]
    whose = _whose(recipes, before)
    if not whose:  # whom the tools are for gets their own, else the lowest one's
        left = ["other people"] * bool(recipe.above)
        own = (one for one in recipes if _own(project.holder, one, "person") is not None)
        recipes, whose = [next(own, recipes[0])], (before.active,)
    try:
        for one, at in zip(recipes, whose, strict=True):
            project.work = replace(project.work, active=at)
            left = list(dict.fromkeys([*_take(project, one, name), *left]))
    except InputError:
        project.work, project.history = before, steps
        raise
    if len(recipes) > 1:  # they lie as they lay
        people = tuple(project.work.people[at] for at in whose)
        project.work = replace(project.work, people=people, active=whose.index(before.active))
    project.history = steps.added(f"Recipe {name}", project.work)
    if not left:
        return ()
    listed = " and ".join(filter(None, [", ".join(left[:-1]), left[-1]]))
    return (f"{name} fits in part: its look and its numbers were taken, not its {listed}.",)


def _whose(recipes: list[Recipe], work: Work) -> tuple[int, ...]:
    """Which of the people each recipe is of, if they are all those of the work, by the names of their pictures; else
    nothing."""
    left, found = list(range(len(work.people))), []
    for recipe in recipes:
        name = recipe.names.get("person")
        at = next((at for at in left if work.people[at].picture and work.people[at].picture.path.name == name), None)
        if at is None:
            return ()
        left.remove(at)
        found.append(at)
    return () if left else tuple(found)


def _take(project: Project, recipe: Recipe, name: str) -> list[str]:
    """Give the active person what a recipe of one person says. Returns what did not fit."""
    changes, left = _fitting(recipe, project)
    look = Look(name, recipe.mapping.adjusted(NEUTRAL))
    if "region" in changes and _comes_of(project, changes, look):
        look = None  # and it goes on from there as it did
    project.settle(f"Recipe {name}", fresh="foreground" in changes, **changes, look=look)
    return left


def _fitting(recipe: Recipe, project: Project) -> tuple[dict, list[str]]:
    """The choices that the work may take, and what else the recipe says, named.

    A photo is the recipe's own if it has the name that the recipe gives and the shape of its mask.
    """
    now, left = project.choices, []
    changes = {
        "amounts": Amounts(recipe.strength, recipe.luminance, recipe.chroma),
        "transfer": Transfer(recipe.r1, recipe.r2),
        "adjustments": recipe.mapping.adjustments,
        "edge": recipe.edge,
    }
    placed = recipe.placement is not None
    holder = _own(project.holder, recipe, "person" if placed else "image")
    mask = _mask_in(holder, recipe.foreground)
    if placed != (now.placement is not None) or holder is None:
        left.append("cut-out")
    elif mask is not None:
        changes |= {"foreground": mask if holder.alpha is None else np.minimum(mask, holder.alpha), "found": True}
    elif recipe.foreground is None and holder.alpha is not None:
        changes |= {"foreground": holder.alpha, "found": False}
    else:
        left.append("cut-out")
    if placed and "cut-out" not in left and recipe.placement.shows(project.base.pixels.shape, changes["foreground"]):
        changes["placement"] = recipe.placement
    elif placed:
        left.append("place")
    elsewhere = "reference_image" in recipe.names
    picture = project.pictures.get("other") if elsewhere else project.base
    region = _mask_in(_own(picture, recipe, "reference_image" if elsewhere else "image"), recipe.reference)
    if region is not None:
        same = (one for one in project.suggestions["other" if elsewhere else "photo"] if _alike(one.region, region))
        known = next(same, Suggestion("Your choice", region))
        changes |= {"region": known.region, "elsewhere": elsewhere, "label": known.label}
    elif recipe.reference is not None:
        left.append("reference")
    return changes, left


def _own(picture: UploadedPicture | None, recipe: Recipe, role: str) -> UploadedPicture | None:
    """The picture, if it has the name that the recipe has for that role."""
    return picture if picture is not None and recipe.names.get(role) == picture.path.name else None


def _mask_in(picture: UploadedPicture | None, mask: np.ndarray | None) -> np.ndarray | None:
    """A recipe's mask on a picture's proxy; None where there is none or it is another picture's."""
    try:
        return None if mask is None or picture is None else as_mask(mask, picture.pixels.shape, allow_full=True)
    except InputError:
        return None


def _alike(mask: np.ndarray, kept: np.ndarray) -> bool:
    """Whether a mask is what was kept, in 8 bits."""
    return mask.shape == kept.shape and np.abs(mask - kept).max() < 1 / 255


def _comes_of(project: Project, changes: dict, look: Look) -> bool:
    """Whether these choices give that look of themselves."""
    before = project.work
    try:
        project.work = before.having(replace(before.person, **changes, look=None))
        scene = project.scene
        mine, theirs = (one.apply(scene.pixels, scene.mask).astype(int) for one in (project.mapping, look.mapping))
        return np.abs(mine - theirs).max() <= SAME
    except InputError:
        return False
    finally:
        project.work = before
