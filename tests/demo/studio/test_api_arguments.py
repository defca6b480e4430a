"""Arguments of the wrong kind at the API's functions, and at ``iph`` itself: one sentence each, never a fault."""

import functools
from collections.abc import Callable

import numpy as np
import pytest
from networks import lively
from studio_pictures import disc, scene, write

from demo.studio import api
from iph.errors import InputError
from iph.harmonizer import Harmonizer
from iph.mapping import ColorMapping
from iph.recipe import Recipe
from iph.reference import Reference

NO_AMOUNTS = ["1", None, [1], True, float("nan"), float("inf"), -0.1, 2.1, {}]
NO_FILES = [5, "photo.png", {}, [], {"path": 5}, {"path": None}]
NO_LISTS = [5, "photo.png", {"path": "a"}, [5], [{}], [None]]
NO_BOXES = [5, "abcd", [0, 0, 1], [0, 0, "a", 1], [0, 0, None, 1], {"a": 1}, [[0, 0], [1, 1]], True]


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("given")
    write(folder / "photo.png", scene())
    write(folder / "mask.png", np.repeat(disc(120, 160, 0.7)[..., None], 3, 2))
    write(folder / "person.png", scene(80, 60, 2), disc(80, 60))
    Recipe(ColorMapping.identity(), disc(120, 160, 0.7) / np.float32(255)).save(folder / "recipe.json")
    names = {"photo": "photo.png", "mask": "mask.png", "person": "person.png", "recipe": "recipe.json"}
    return {name: {"path": str(folder / file), "orig_name": file} for name, file in names.items()}


WRONG = {
    "harmonize": {name: NO_AMOUNTS for name in ("strength", "luminance", "chroma", "r1", "r2")}
    | {"photo": [*NO_FILES, None], "foreground": [*NO_FILES, None], "reference": NO_FILES}
    | {"reference_photo": NO_FILES, "reference_box": NO_BOXES, "pasted": ["yes", 1, None, []]},
    "paste": {"background": NO_FILES, "person": NO_FILES, "mirrored": ["no", 1, None, []]}
    | {"x": ["0.5", [0.5], float("nan"), 1e9], "y": ["0.5", {}], "height": [0, 0.0, "1", -1, [1], float("nan"), 1e9]}
    | {"angle": ["1", None, [1], 200.0, float("nan"), True]},
    "cut_out": {"photo": NO_FILES, "box": NO_BOXES, "x": ["0.5", [1], float("nan"), 9, True], "y": ["0.5", {}]}
    | {"everybody": ["yes", 1, None, []], "expand": ["1", None, 200, float("nan"), True], "feather": [-1, "a"]}
    | {"smooth": [[1], -0.5]},
    "suggest_references": {"photo": NO_FILES, "foreground": NO_FILES},
    "export_cube": {"recipe": NO_FILES, "size": ["33", None, [33], 33.5, 0, float("nan")]},
    "export_layers": {"recipe": NO_FILES, "photo": NO_FILES, "person": NO_FILES, "above": NO_LISTS},
    "replay": {"recipe": NO_FILES, "photo": NO_FILES, "person": NO_FILES, "foreground": NO_FILES, "above": NO_LISTS},
}
RIGHT = {
    "harmonize": {"photo": "photo", "foreground": "mask"},
    "paste": {"background": "photo", "person": "person"},
    "cut_out": {"photo": "photo"},
    "suggest_references": {"photo": "photo", "foreground": "mask"},
    "export_cube": {"recipe": "recipe"},
    "export_layers": {"recipe": "recipe", "photo": "photo"},
    "replay": {"recipe": "recipe", "photo": "photo"},
}


@pytest.mark.parametrize("function", WRONG)
def test_a_wrong_argument_is_one_sentence(given, function):
    right = {name: given[file] for name, file in RIGHT[function].items()}
    for name, values in WRONG[function].items():
        for value in values:
            with pytest.raises(InputError) as error:
                getattr(api, function)(**right | {name: value})
            said = str(error.value)
            assert 10 < len(said) < 200 and "\n" not in said, f"{name}={value!r}: {said}"


def test_a_size_may_come_as_json_writes_it(given):
    assert api.export_cube(given["recipe"], 17.0)["orig_name"] == "recipe.cube"


@functools.cache
def session():
    return Harmonizer(lively(change=0.1)).open(scene(), disc(120, 160, 0.7))


REGION = np.zeros((120, 160), bool)
REGION[:, :40] = True


@pytest.mark.parametrize(
    "call",
    [
        *[functools.partial(lambda v: session().harmonize(REGION, strength=v), value) for value in NO_AMOUNTS],
        *[functools.partial(lambda v: session().fit_mapping(REGION, r1=v), value) for value in NO_AMOUNTS],
        *[functools.partial(lambda v: session().fit_mapping(v), value) for value in (5, "mask", [REGION], {}, [None])],
        *[
            functools.partial(lambda v: session().fit_mapping(Reference(REGION, weight=v)), value)
            for value in ("1", None, [1], float("nan"))
        ],
        lambda: session().fit_mapping(Reference(REGION, image=5)),
        lambda: session().fit_mapping(Reference(None, image=scene(), alpha=5)),
        lambda: session().fit_mapping(Reference(None, image=scene(), icc="sRGB")),
        lambda: session().harmonizer.open(scene(), "mask"),
        lambda: session().harmonizer.open(scene(), disc(120, 160), alpha=np.ones(3)),
        lambda: session().harmonizer.open(scene(), disc(120, 160), alpha=np.zeros((120, 160), np.uint8)),
        lambda: session().harmonizer.open([1], disc(120, 160)),
    ],
)
def test_of_the_library_too(call: Callable):
    with pytest.raises(InputError) as error:
        call()
    assert "\n" not in str(error.value)
