"""``iph harmonize`` on one photo: every way to say what and towards what, and every way in which it can go wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from networks import lively
from photo_files import pixels
from PIL import Image

from iph.checkpoint import save_network
from iph.commands.app import main
from iph.cube import read_cube
from iph.imagefile import read_photo
from iph.mapping import ColorMapping
from iph.metadata import is_marked_edited
from iph.placement import Placement
from iph.recipe import Recipe

SHAPE = (80, 120)
BOX = ("60", "10", "110", "70")


def mask(y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
    plane = np.zeros(SHAPE, np.uint8)
    plane[y0:y1, x0:x1] = 255
    return plane


FOREGROUND, REFERENCE, OTHER = mask(20, 70, 10, 50), mask(10, 70, 60, 110), mask(0, 8, 0, 120)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("model") / "lively.safetensors"
    save_network(path, lively(change=0.1))
    return str(path)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A working folder with a composite and its masks."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(pixels(height=SHAPE[0], width=SHAPE[1])).save("photo.png")
    for name, plane in {"fg": FOREGROUND, "ref": REFERENCE, "other": OTHER}.items():
        cv2.imwrite(f"{name}.png", plane)
    two = np.dstack([REFERENCE, np.zeros_like(REFERENCE), FOREGROUND])  # BGR: the foreground is red
    cv2.imwrite("two.png", two)
    Image.fromarray(pixels(height=60, width=60)[::-1].copy()).save("sunset.jpg", quality=95)
    return tmp_path


@pytest.fixture
def run(here, model, capsys):
    """``iph harmonize`` with the test's own weights: exit code, stdout, stderr."""

    def run(*arguments: str, command: str = "harmonize", weights: bool = True) -> tuple[int, str, str]:
        asked = weights and command == "harmonize" and "--recipe" not in arguments
        more = ["--model", model] if asked else []
        with pytest.raises(SystemExit) as ended:
            main([command, *map(str, arguments), *more])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


def result(path: str = "out.png") -> np.ndarray:
    return read_photo(path).pixels


def changed(path: str = "out.png") -> np.ndarray:
    return (result(path) != result("photo.png")).any(-1)


def test_a_mask_and_a_reference(run, here):
    code, out, err = run("photo.png", "--foreground", "fg.png", "--reference", "ref.png", "-o", "out.png")
    assert (code, err) == (0, "") and "out.png: 120 x 80" in out
    assert not changed()[FOREGROUND == 0].any() and changed()[FOREGROUND > 0].mean() > 0.5
    assert is_marked_edited(read_photo("out.png").xmp)
    assert sorted(p.name for p in here.iterdir() if p.name.startswith(".")) == []


REFERENCES = {
    "mask": ("--reference", "ref.png"),
    "box": ("--reference-box", *BOX),
    "click": ("--reference-click", "80", "40"),
    "auto": ("--auto",),
    "picture": ("--reference-image", "sunset.jpg"),
    "region of a picture": ("--reference-image", "sunset.jpg", "--reference-box", "5", "5", "30", "40"),
    "several": ("--reference", "ref.png", "--reference", "other.png", "--weight", "3", "--weight", "1"),
}


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES)
def test_every_form_of_reference(run, reference):
    code, out, err = run("photo.png", "--foreground", "fg.png", *reference, "-o", "out.png", "--json")
    assert (code, err) == (0, "")
    done = json.loads(out)
    assert not changed()[FOREGROUND == 0].any() and changed().any()
    assert sum(one["weight"] for one in done["references"]) > 0
    assert all(0 < one["share"] <= 1 for one in done["references"])


def test_a_box_and_its_mask_mean_the_same(run):
    run("photo.png", "--foreground", "fg.png", "--reference", "ref.png", "-o", "mask.png")
    run("photo.png", "--foreground", "fg.png", "--reference-box", *BOX, "-o", "box.png")
    run("photo.png", "--two-color", "two.png", "-o", "two-out.png")
    assert (result("mask.png") == result("box.png")).all() and (result("mask.png") == result("two-out.png")).all()


def test_weights_go_with_their_references(run):
    several = ("--reference", "ref.png", "--reference", "other.png", "--reference-box", "0", "72", "120", "80")
    for name, weights in {"first": "100", "second": "010", "box": "001"}.items():
        options = [part for weight in weights for part in ("--weight", weight)]
        assert run("photo.png", "--foreground", "fg.png", *several, *options, "-o", f"{name}.png")[0] == 0
    run("photo.png", "--foreground", "fg.png", "--reference", "ref.png", "-o", "ref-out.png")
    run("photo.png", "--foreground", "fg.png", "--reference", "other.png", "-o", "other-out.png")
    assert (result("first.png") == result("ref-out.png")).all()
    assert (result("second.png") == result("other-out.png")).all()
    assert (result("box.png") != result("ref-out.png")).any()


def test_a_region_of_another_picture_is_not_the_whole_of_it(run):
    for name, more in {"whole": (), "part": ("--reference-box", "0", "0", "10", "60")}.items():
        run("photo.png", "--foreground", "fg.png", "--reference-image", "sunset.jpg", *more, "-o", f"{name}.png")
    assert (result("whole.png") != result("part.png")).any()


FOREGROUNDS = {"box": ("--foreground-box", "8", "15", "55", "75"), "click": ("--foreground-click", "30", "45")}


@pytest.mark.parametrize("foreground", FOREGROUNDS.values(), ids=FOREGROUNDS)
def test_a_subject_is_found_where_it_is_pointed_at(run, foreground):
    code, out, err = run(
        "photo.png", *foreground, "--reference-box", "115", "0", "120", "80", "-o", "out.png", "--json"
    )
    assert (code, err) == (0, "")
    assert 0 < json.loads(out)["foreground_share"] < 1
    if "--foreground-box" in foreground:
        outside = np.ones(SHAPE, bool)
        outside[11:80, 4:60] = False
        assert not changed()[outside].any()


def test_the_alpha_channel_is_a_foreground_and_is_kept(run):
    rgba = np.dstack([result("photo.png"), FOREGROUND])
    Image.fromarray(rgba).save("cutout.png")
    code, _, err = run("cutout.png", "--reference-image", "sunset.jpg", "-o", "out.png")
    assert (code, err) == (0, "")
    photo = read_photo("out.png")
    assert (photo.alpha == FOREGROUND).all() and not changed()[FOREGROUND == 0].any() and changed().any()


def test_transparent_parts_of_a_reference_picture_have_no_look(run):
    """Two cut-outs that look alike, with different colours under what is clear."""
    inside = np.zeros((60, 60), np.uint8)
    inside[10:50, 10:50] = 255
    for name, hidden in (("dark", 0), ("bright", 255)):
        colours = np.where(inside[..., None] > 0, read_photo("sunset.jpg").pixels, np.uint8(hidden))
        Image.fromarray(np.dstack([colours, inside])).save(f"{name}.png")
    point = ("photo.png", "--foreground", "fg.png", "--reference-image")
    for region in ((), ("--reference-box", "5", "5", "40", "40")):
        for name in ("dark", "bright"):
            assert run(*point, f"{name}.png", *region, "-o", f"{name}-out.png", "--overwrite")[0] == 0
        assert (result("dark-out.png") == result("bright-out.png")).all()
    code, _, err = run(*point, "dark.png", "--reference-box", "0", "0", "8", "8", "-o", "none.png")
    assert code == 2 and "expected something visible to read the look from, but dark.png is clear" in err


def test_strength_luminance_and_chroma(run):
    point = ("photo.png", "--foreground", "fg.png", "--reference", "ref.png")
    for name, more in {
        "full": (),
        "none": ("--strength", "0"),
        "luminance": ("--chroma", "0"),
        "half": ("--strength", "0.5"),
    }.items():
        assert run(*point, *more, "-o", f"{name}.png")[0] == 0
    assert not changed("none.png").any()
    moved = {name: np.abs(result(f"{name}.png").astype(int) - result("photo.png")) for name in ("full", "half")}
    assert 0.35 < moved["half"].sum() / moved["full"].sum() < 0.65
    difference = (result("luminance.png").astype(int) - result("photo.png"))[FOREGROUND > 0]
    unclipped = (result("luminance.png")[FOREGROUND > 0] % 255 != 0).all(-1)
    assert np.ptp(difference[unclipped], axis=1).max() <= 1  # the same in every channel


def test_the_shipped_models_and_eq_7(run):
    point = ("photo.png", "--foreground", "fg.png", "--reference", "ref.png")
    assert run(*point, "-o", "a.png", weights=False)[0] == 0
    assert run(*point, "--model", "general", "-o", "b.png", weights=False)[0] == 0
    assert run(*point, "--colour-transfer", "0.5", "--harmony", "0.5", "-o", "c.png", weights=False)[0] == 0
    code, _, err = run(*point, "--colour-transfer", "0.5", "-o", "d.png")
    assert code == 2 and "colour-transfer encoder" in err


def test_the_look_as_a_cube(run):
    point = ("photo.png", "--foreground", "fg.png", "--reference", "ref.png")
    assert run(*point, "--cube", "look.cube", "--cube-size", "17")[0] == 0
    assert read_cube("look.cube").table.shape == (17, 17, 17, 3) and not Path("out.png").exists()
    code, _, err = run(*point, "--cube", "b.cube", "--cube-size", "20")
    assert code == 2 and "a cube size of 17, 33, 65, got 20" in err


def test_a_recipe_replays_bit_for_bit_and_on_another_photo(run):
    point = ("photo.png", "--foreground", "fg.png", "--reference", "ref.png", "--strength", "0.8")
    run(*point, "-o", "out.png", "--save-recipe", "look.json")
    assert run("photo.png", "--recipe", "look.json", "-o", "again.png")[0] == 0
    assert (result("again.png") == result("out.png")).all()
    assert run("photo.png", "--recipe", "look.json", "--strength", "0", "-o", "none.png")[0] == 0
    assert not changed("none.png").any()
    Image.fromarray(pixels(height=60, width=60)).save("next.png")
    cv2.imwrite("next-fg.png", np.pad(np.full((30, 60), 255, np.uint8), ((0, 30), (0, 0))))
    assert run("next.png", "--recipe", "look.json", "--foreground", "next-fg.png", "-o", "next-out.png")[0] == 0
    touched = (result("next-out.png") != result("next.png")).any(-1)
    assert touched[:30].mean() > 0.5 and not touched[30:].any()
    code, _, err = run("photo.png", "--recipe", "look.json", "--auto", "-o", "x.png")
    assert code == 2 and "the recipe holds the look already" in err
    for option in (("--model", "general"), ("--harmony", "0"), ("--colour-transfer", "1")):
        code, _, err = run("photo.png", "--recipe", "look.json", *option, "-o", "x.png")
        assert code == 2 and "beside --recipe: it has the look" in err
    assert run("next.png", "--recipe", "look.json", "--foreground", "next-fg.png", "--save-recipe", "n.json")[0] == 0
    assert json.loads(Path("n.json").read_text())["names"]["image"] == "next.png"


def test_a_recipe_of_the_studio_pastes_its_person(run):
    Image.fromarray(np.dstack([pixels(height=40, width=40), np.full((40, 40), 255, np.uint8)])).save("person.png")
    placed = Recipe(ColorMapping.identity(), np.ones((40, 40), np.float32), placement=Placement(0.75, 0.5, 0.5))
    placed.save("studio.json")
    assert run("photo.png", "--recipe", "studio.json", "--person", "person.png", "-o", "out.png")[0] == 0
    assert changed()[25:55, 75:105].mean() > 0.9 and not changed()[:, :60].any()
    code, _, err = run("photo.png", "--recipe", "studio.json", "-o", "b.png")
    assert code == 2 and "pastes a person" in err
    code, _, err = run("photo.png", "--recipe", "studio.json", *F, "--person", "person.png", "-o", "b.png")
    assert code == 2 and "expected --person or another foreground beside --recipe, got both" in err
    code, _, err = run("photo.png", *F, *R, "--person", "person.png", "-o", "b.png")
    assert code == 2 and "expected --recipe beside --person" in err


def test_sixteen_bits_stay_sixteen_bits(run):
    deep = pixels(np.uint16, *SHAPE)
    cv2.imwrite("deep.png", deep[..., ::-1])
    code, out, _ = run("deep.png", "--foreground", "fg.png", "--reference", "ref.png", "-o", "deep.tif", "--json")
    assert code == 0 and json.loads(out)["bits"] == 16
    photo = read_photo("deep.tif")
    assert photo.pixels.dtype == np.uint16 and (photo.pixels[FOREGROUND == 0] == deep[FOREGROUND == 0]).all()


@pytest.mark.parametrize("mode", ["L", "CMYK", "P"])
def test_pictures_of_other_kinds_are_read(run, mode):
    Image.open("photo.png").convert(mode).save("kind.tif" if mode == "CMYK" else "kind.png")
    source = "kind.tif" if mode == "CMYK" else "kind.png"
    assert run(source, "--foreground", "fg.png", "--reference", "ref.png", "-o", "out.png")[0] == 0
    assert result().shape == (*SHAPE, 3)


def test_the_json_says_what_was_done(run):
    options = ("--foreground", "fg.png", "--reference", "ref.png", "--strength", "0.5")
    _, out, _ = run("photo.png", *options, "-o", "out.png", "--cube", "a.cube", "--save-recipe", "a.json", "--json")
    done = json.loads(out)
    assert out.count("\n") == 1 and done["ok"] is True and done["input"] == "photo.png"
    assert (done["out"], done["cube"], done["recipe"]) == ("out.png", "a.cube", "a.json")
    assert (done["width"], done["height"], done["bits"], done["strength"]) == (120, 80, 8, 0.5)
    assert done["foreground_share"] == pytest.approx((FOREGROUND > 0).mean(), abs=1e-3)
    assert done["references"] == [{"weight": 1.0, "share": pytest.approx((REFERENCE > 0).mean(), abs=1e-3)}]
    _, out, err = run("nothing.png", *options, "-o", "b.png", "--json")
    failed = json.loads(out)
    assert failed["ok"] is False and failed["error"] in err


def test_results_are_not_overwritten_unasked(run):
    point = ("photo.png", "--foreground", "fg.png", "--reference", "ref.png", "-o", "out.png")
    Path("out.png").write_text("precious")
    code, _, err = run(*point)
    assert code == 2 and "out.png exists already; --overwrite replaces them" in err
    assert Path("out.png").read_text() == "precious"
    assert run(*point, "--overwrite")[0] == 0 and changed().any()


def test_a_photo_may_replace_itself_when_told_to(run):
    before = result("photo.png")
    options = ("--foreground", "fg.png", "--reference", "ref.png", "--overwrite")
    assert run("photo.png", *options, "-o", "photo.png")[0] == 0
    assert (result("photo.png") != before).any()


def spoil(name: str) -> None:
    """Make the file that a case of bad input is about."""
    makers = {
        "empty.png": lambda: cv2.imwrite("empty.png", np.zeros(SHAPE, np.uint8)),
        "full.png": lambda: cv2.imwrite("full.png", np.full(SHAPE, 255, np.uint8)),
        "tall.png": lambda: cv2.imwrite("tall.png", FOREGROUND.T),
        "inside.png": lambda: cv2.imwrite("inside.png", mask(30, 40, 20, 30)),
        "zero.jpg": lambda: Path("zero.jpg").write_bytes(b""),
        "text.jpg": lambda: Path("text.jpg").write_text("not a photo"),
        "cut.png": lambda: Path("cut.png").write_bytes(Path("photo.png").read_bytes()[:2000]),
        "weights.safetensors": lambda: Path("weights.safetensors").write_text("none"),
        "recipe.json": lambda: Path("recipe.json").write_text("{}"),
        "folder": lambda: Path("folder").mkdir(),
    }
    if name in makers:
        makers[name]()


F, R, OUT = ("--foreground", "fg.png"), ("--reference", "ref.png"), ("-o", "out.png")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("photo.png", "--foreground", "empty.png", *R, *OUT), "foreground is empty"),
        (("photo.png", "--foreground", "full.png", *R, *OUT), "covers the whole picture"),
        (("photo.png", "--foreground", "tall.png", *R, *OUT), "another aspect"),
        (("photo.png", *F, "--reference", "empty.png", *OUT), "reference is empty"),
        (("photo.png", *F, "--reference", "inside.png", *OUT), "inside the foreground"),
        (("photo.png", *F, "--reference-box", "200", "0", "300", "50", *OUT), "holds no pixel"),
        (("photo.png", *F, "--reference-click", "500", "10", *OUT), "outside the picture"),
        (("photo.png", "--two-color", "fg.png", *OUT), "two-colour"),
        (("zero.jpg", *F, *R, *OUT), "zero bytes"),
        (("text.jpg", *F, *R, *OUT), "expected a JPEG, PNG"),
        (("cut.png", *F, *R, *OUT), "damaged or cut off"),
        (("nothing.png", *F, *R, *OUT), "No such file"),
        (("photo.png", "--foreground", "text.jpg", *R, *OUT), "expected a JPEG, PNG"),
        (("photo.png", *R, *OUT), "expected a foreground: --foreground"),
        (("photo.png", *F, *OUT), "expected a reference: --reference"),
        (("photo.png", *F, *R), "expected a result to write: -o"),
        (("photo.png", *F, "--two-color", "two.png", *OUT), "one way, got --foreground and --two-color"),
        (("photo.png", *F, "--auto", "--reference-image", "sunset.jpg", *OUT), "--reference-image and --auto"),
        (("photo.png", *F, *R, "--weight", "1", "--weight", "2", *OUT), "a --weight for each of 1 references, got 2"),
        (("photo.png", *F, *R, "--weight", "0", *OUT), "not all of them 0"),
        (("photo.png", *F, *R, "-o", "out.psd"), "expected a file ending in"),
        (("photo.png", *F, *R, "-o", "no/where/out.png"), "existing folder"),
        (("photo.png", *F, *R, "--cube", "look.jpg"), "a file ending in .cube as --cube, got 'look.jpg'"),
        (("photo.png", *F, *R, "--save-recipe", "look.png"), "a file ending in .json as --save-recipe"),
        (("photo.png", *F, *R, "-o", "n" * 300 + ".png"), "File name too long"),
        (("n" * 300 + ".png", *F, *R, *OUT), "File name too long"),
        (("photo.png", *F, *R, "--strength", "3", *OUT), "--strength"),
        (("photo.png", *F, *R, "--strength", "much", *OUT), "--strength"),
        (("photo.png", *F, "--reference-box", "1", "2", "3"), "--reference-box"),
        (("photo.png", "--forground", "fg.png", *R, *OUT), "No such option: --forground"),
        (("photo.png", "--recipe", "recipe.json", *OUT), "a recipe of kind 'iph-recipe'"),
        (("folder", *F, *R, "-o", "results"), "expected pictures"),
        ((), "PHOTO"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_leaves_nothing(run, here, arguments, sentence):
    for name in arguments:
        spoil(name)
    before = {path.name for path in here.iterdir()}
    code, out, err = run(*arguments)
    assert code == 2 and out == "" and sentence in err
    assert err.startswith("iph: ") and err.count("\n") == 1 and "Traceback" not in err
    left = {path.name for path in here.iterdir()} - before
    assert left <= {"results"}


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("protrait", "did you mean 'portrait'"),
        ("paper", "make them with: python -m iph train --config paper"),
        ("psi", "holds a StyleEncoder"),
        ("nowhere.safetensors", "expected a weight file at nowhere.safetensors, found none"),
        ("weights.safetensors", "expected a safetensors file at weights.safetensors"),
    ],
)
def test_weights_that_cannot_be_used(run, model, sentence):
    spoil(model)
    code, _, err = run("photo.png", *F, *R, *OUT, "--model", model, weights=False)
    assert code == 2 and sentence in err and not Path("out.png").exists()


def test_a_folder_that_cannot_be_written_to(run, monkeypatch):
    monkeypatch.setattr("iph.files.os.access", lambda path, mode: not mode & os.W_OK)  # root may always write
    code, _, err = run("photo.png", *F, *R, *OUT)
    assert code == 2 and "without the permission" in err


def test_a_fault_of_the_program_is_said_to_be_one(run, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("the unexpected")

    monkeypatch.setattr("iph.commands.making.read_photo", fail)
    code, _, err = run("photo.png", *F, *R, *OUT)
    assert code == 3 and "a fault of the program, please report it (RuntimeError: the unexpected)" in err
    assert "Traceback" not in err
    monkeypatch.setenv("IPH_DEBUG", "1")
    _, _, err = run("photo.png", *F, *R, *OUT)
    assert "Traceback" in err and "the unexpected" in err


def test_a_name_that_is_no_text_is_written_all_the_same(here, model):
    """As in a locale of UTF-8, where a name of another encoding cannot be printed."""
    command = [sys.executable, "-m", "iph", "harmonize", "photo.png", *F, *R, "-o", b"caf\xe9.png", "--model", model]
    package = str(Path(main.__code__.co_filename).parents[2])
    environment = {"PYTHONPATH": package, "PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"") and os.path.exists(b"caf\xe9.png")


def test_python_m_iph_is_the_same_program(here, model):
    command = [sys.executable, "-m", "iph", "harmonize", "photo.png", *F, *R, *OUT, "--model", model]
    package = str(Path(main.__code__.co_filename).parents[2])
    environment = {"PYTHONPATH": package, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "") and changed().any()
    wrong = subprocess.run([sys.executable, "-m", "iph", "harmonise"], capture_output=True, text=True, env=environment)
    assert wrong.returncode == 2 and wrong.stderr == "iph: No such command 'harmonise'. Did you mean 'harmonize'?\n"
