"""``iph harmonize`` on one photo: every way to say what and towards what."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_photos import BOX, FOREGROUND, OUT, REFERENCE, SHAPE, F, R
from photo_files import pixels, png16
from PIL import Image
from rgb_profiles import PROFILES

from iph.adjustments import Adjustments
from iph.commands.app import main
from iph.cube import read_cube
from iph.images.imagefile import read_photo, write_photo
from iph.images.metadata import is_marked_edited
from iph.images.photo import Photo
from iph.mapping import ColorMapping
from iph.placement import Placement
from iph.recipe import Recipe


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
    assert code == 2 and "expected something visible to read the look from, but that region is transparent" in err


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


def test_adjustments_by_hand_go_along_with_recipe_and_cube(run):
    point = ("photo.png", "--foreground", "fg.png", "--reference", "ref.png")
    by_hand = ("--exposure", "0.5", "--saturation", "-40")
    assert run(*point, *by_hand, "-o", "a.png", "--save-recipe", "look.json", "--cube", "look.cube")[0] == 0
    recipe = Recipe.load("look.json")
    assert recipe.mapping.adjustments == Adjustments(exposure=0.5, saturation=-40)
    assert run(*point, "-o", "plain.png")[0] == 0
    assert result("a.png")[FOREGROUND > 0].mean() > result("plain.png")[FOREGROUND > 0].mean() + 8
    assert run("photo.png", "--recipe", "look.json", "-o", "b.png")[0] == 0
    assert (result("b.png") == result("a.png")).all()
    assert (
        run("photo.png", "--recipe", "look.json", "--exposure", "0", "-o", "c.png", "--save-recipe", "c.json")[0] == 0
    )
    assert Recipe.load("c.json").mapping.adjustments == Adjustments(saturation=-40)
    code, _, err = run(*point, "--exposure", "4", "-o", "d.png")
    assert code == 2 and "exposure" in err and "3" in err


def test_the_shipped_models_and_eq_7(run):
    point = ("photo.png", "--foreground", "fg.png", "--reference", "ref.png")
    assert run(*point, "-o", "a.png", weights=False)[0] == 0
    assert run(*point, "--model", "general", "-o", "b.png", weights=False)[0] == 0
    assert run(*point, "--r2", "0.5", "--r1", "0.5", "-o", "c.png", weights=False)[0] == 0
    code, _, err = run(*point, "--r2", "0.5", "-o", "d.png")
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
    for option in (("--model", "general"), ("--r1", "0"), ("--r2", "0")):
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
    replace(placed, above=(replace(placed, placement=Placement(0.25, 0.5, 0.5, angle=45)),)).save("two.json")
    twice = "--person", "person.png", "--person", "person.png"
    assert run("photo.png", "--recipe", "two.json", *twice, "-o", "out.png", "--overwrite")[0] == 0
    assert changed()[25:55, 75:105].mean() > 0.9 and changed()[30:50, 20:40].mean() > 0.9
    assert not changed()[21:25, 11:15].any() and changed()[15, 30]  # where a corner of who was turned would be, and is
    code, _, err = run("photo.png", "--recipe", "two.json", *twice[:2], "-o", "b.png")
    assert code == 2 and "pastes 2 people" in err
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


def test_a_link_stays_and_what_it_names_is_replaced(run):
    Path("album").mkdir()
    Path("photo.png").rename("album/photo.png")
    Path("photo.png").symlink_to("album/photo.png")
    before = result("album/photo.png")
    assert run("photo.png", *F, *R, "--overwrite", "-o", "photo.png")[0] == 0
    assert Path("photo.png").is_symlink() and (result("album/photo.png") != before).any()


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


@pytest.mark.parametrize("kind", ["L", "I;16", "LA", "P", "RGB"])
def test_a_grey_photo_stays_grey(run, here, kind):
    """In every form, with a reference full of colours; its brightness does change."""
    grey = np.rint(read_photo("photo.png").pixels.mean(-1)).astype(np.uint8)
    if kind == "I;16":
        Path("grey.png").write_bytes(png16(grey.astype(np.uint16) * 257))
    else:
        layers = [grey, np.full_like(grey, 255)] if kind == "LA" else [grey] * (3 if kind == "RGB" else 1)
        image = Image.fromarray(np.squeeze(np.dstack(layers)), {"P": "L"}.get(kind, kind))
        (image.convert("P") if kind == "P" else image).save("grey.png")
    code, out, _ = run("grey.png", *F, "--reference-image", "sunset.jpg", "-o", "out.png", "--save-recipe", "look.json")
    after = read_photo("out.png").pixels.astype(int)
    assert code == 0 and np.ptp(after, axis=-1).max() == 0 and "It is grey, and stays so" in out
    before = read_photo("grey.png").pixels.astype(int)
    assert np.abs(after - before)[FOREGROUND > 0].mean() > 0.005 * np.iinfo(read_photo("out.png").pixels.dtype).max
    assert run("photo.png", *F, "--recipe", "look.json", "-o", "b.png")[0] == 0
    run("photo.png", *F, "--reference-image", "sunset.jpg", "-o", "c.png", "--save-recipe", "coloured.json")
    assert run("grey.png", *F, "--recipe", "coloured.json", "-o", "d.png")[0] == 0
    assert np.ptp(read_photo("d.png").pixels.astype(int), axis=-1).max() == 0


def test_a_grey_photo_of_another_profile_stays_grey(run, here):
    grey = np.repeat(np.rint(read_photo("photo.png").pixels.mean(-1, keepdims=True)).astype(np.uint8), 3, -1)
    for name, icc in PROFILES.items():
        write_photo(Photo(grey, icc=icc), "grey.png", edited=False)
        assert run("grey.png", *F, "--reference-image", "sunset.jpg", "-o", "out.png", "--overwrite")[0] == 0
        assert np.ptp(read_photo("out.png").pixels.astype(int), axis=-1).max() <= 1, name
