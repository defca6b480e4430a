"""``iph harmonize`` on folders: same-named masks, one bad file among good ones, and what scripts read."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from networks import lively
from photo_files import pixels
from PIL import Image

from iph.checkpoint import save_network
from iph.commands import harmonize_photos
from iph.commands.app import main
from iph.images.imagefile import read_photo

NAMES = {"a": ".png", "b": ".jpg", "c": ".PNG"}


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Three photos of different sizes in ``photos``, with masks of the same names in ``masks`` and ``references``."""
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "masks", "references"):
        Path(folder).mkdir()
    for number, (name, ending) in enumerate(NAMES.items()):
        height, width = 50 + 10 * number, 80
        Image.fromarray(pixels(height=height, width=width)).save(f"photos/{name}{ending}")
        for folder, columns in (("masks", slice(5, 35)), ("references", slice(45, 75))):
            plane = np.zeros((height, width), np.uint8)
            plane[10:40, columns] = 255
            cv2.imwrite(f"{folder}/{name}.png", plane)
    save_network("model.safetensors", lively(change=0.1))
    return tmp_path


@pytest.fixture
def run(here, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["harmonize", "photos", *arguments, "--model", "model.safetensors"])
        return ended.value.code, *capsys.readouterr()

    return run


MASKS = ("--foreground", "masks", "--reference", "references")


def test_every_photo_gets_its_own_masks_and_its_own_name(run):
    code, out, err = run(*MASKS, "-o", "out", "--cube", "looks", "--save-recipe", "recipes")
    assert (code, err) == (0, "") and out == "3 of 3 photos harmonized\n"
    assert sorted(p.name for p in Path("out").iterdir()) == ["a.png", "b.jpg", "c.PNG"]
    assert sorted(p.name for p in Path("looks").iterdir()) == ["a.cube", "b.cube", "c.cube"]
    assert sorted(p.name for p in Path("recipes").iterdir()) == ["a.json", "b.json", "c.json"]
    for name in ("a.png", "c.PNG"):
        before, after = (read_photo(f"{folder}/{name}").pixels for folder in ("photos", "out"))
        touched = (before != after).any(-1)
        inside = cv2.imread(f"masks/{Path(name).stem}.png", 0) > 0
        assert not touched[~inside].any() and touched[inside].mean() > 0.5


def test_one_picture_serves_for_all(run):
    Image.fromarray(pixels(height=30, width=30)).save("sunset.png")
    assert run("--foreground", "masks", "--reference-image", "sunset.png", "-o", "out")[0] == 0
    Path("pictures").mkdir()
    for name in NAMES:
        Image.fromarray(pixels(height=30, width=30)).save(f"pictures/{name}.webp", lossless=True)
    assert run("--foreground", "masks", "--reference-image", "pictures", "-o", "out2")[0] == 0
    assert (read_photo("out/a.png").pixels == read_photo("out2/a.png").pixels).all()


def test_two_colour_masks_of_a_folder(run):
    Path("two").mkdir()
    for name in NAMES:
        red, blue = (cv2.imread(f"{folder}/{name}.png", 0) for folder in ("masks", "references"))
        cv2.imwrite(f"two/{name}.png", np.dstack([blue, np.zeros_like(red), red]))
    assert run(*MASKS, "-o", "out")[0] == 0 and run("--two-color", "two", "-o", "out2")[0] == 0
    assert (read_photo("out/c.PNG").pixels == read_photo("out2/c.PNG").pixels).all()


def test_bad_files_are_reported_and_the_rest_is_done(run):
    Path("photos/b.jpg").write_text("not a photo")
    Path("masks/c.png").unlink()
    code, out, err = run(*MASKS, "-o", "out")
    assert code == 1 and out == "1 of 3 photos harmonized\n"
    lines = err.strip().splitlines()
    assert len(lines) == 2 and lines[0].startswith("iph: b.jpg: expected a JPEG, PNG")
    assert lines[1] == "iph: c.PNG: expected one picture named c.* in masks, found none"
    assert [p.name for p in Path("out").iterdir()] == ["a.png"]


def test_every_file_of_a_folder_is_taken_or_named(run):
    """Pictures by their ending in any case, or by how they begin; what is none is named, and stays what it is."""
    folder, smooth = Path("photos"), pixels(height=50, width=80)
    for photo in folder.iterdir():
        photo.unlink()
    kinds = {"a.JFIF": "JPEG", "b.jpe": "JPEG", "c.TIFF": "TIFF", "d": "JPEG", "IMG.2024": "PNG", "e.photo": "WEBP"}
    for name, kind in kinds.items():
        Image.fromarray(smooth).save(folder / name, kind)
    for name in ("notes.txt", ".DS_Store", "bad"):
        (folder / name).write_text("no photo")
    (folder / "more.png").mkdir()
    shutil.copy("masks/a.png", "mask.png")
    code, out, err = run("--foreground", "mask.png", "--reference", "references/a.png", "-o", "out")
    assert (code, out) == (0, "6 of 6 photos harmonized\n")
    assert err == "iph: left out, as no pictures: .DS_Store, bad, more.png, notes.txt\n"
    found = {path.name: Image.open(path).format for path in Path("out").iterdir()}
    written = {"a.JFIF": "JPEG", "b.jpe": "JPEG", "c.TIFF": "TIFF", "d.jpg": "JPEG", "IMG.2024.png": "PNG"}
    assert found == written | {"e.photo.webp": "WEBP"}
    Path("by-name").mkdir()
    for name in kinds:
        shutil.copy("mask.png", Path("by-name", name.rpartition(".")[0] if name[0] in "abc" else name))
    assert run("--foreground", "by-name", "--reference", "references/a.png", "-o", "out2")[0] == 0


@pytest.mark.parametrize("name", ["out.jpg", "out.PNG", "looks.cube", "recipes.json"])
def test_results_of_a_folder_go_into_a_folder(run, name):
    code, _, err = run(*MASKS, "-o", name)
    assert code == 2 and f"expected a folder for the results of a folder, got {name!r}, a file's name" in err
    assert not Path(name).exists()
    Path(name).mkdir()
    assert run(*MASKS, "-o", name)[0] == 0


def test_json_is_one_line_a_photo_failed_ones_too(run):
    Path("photos/b.jpg").write_text("not a photo")
    code, out, err = run(*MASKS, "-o", "out", "--json")
    done = [json.loads(line) for line in out.splitlines()]
    assert code == 1 and [one["input"] for one in done] == ["photos/a.png", "photos/b.jpg", "photos/c.PNG"]
    assert [one["ok"] for one in done] == [True, False, True] and done[1]["error"] in err


def test_even_a_fault_of_the_program_spares_the_other_photos(run, monkeypatch):
    original = harmonize_photos.write_photo

    def fail_for_a(photo, path):
        if path.name == "a.png":
            raise ZeroDivisionError("oh")
        original(photo, path)

    monkeypatch.setattr(harmonize_photos, "write_photo", fail_for_a)
    code, out, err = run(*MASKS, "-o", "out")
    assert code == 1 and "2 of 3" in out and "a.png: a fault of the program: ZeroDivisionError('oh')" in err


def test_nothing_is_done_when_something_would_be_overwritten(run):
    Path("out").mkdir()
    Path("out/b.jpg").write_text("precious")
    code, _, err = run(*MASKS, "-o", "out")
    assert code == 2 and "out/b.jpg exists already" in err
    assert [p.name for p in Path("out").iterdir()] == ["b.jpg"]
    assert run(*MASKS, "-o", "out", "--overwrite")[0] == 0


def test_results_that_would_take_one_name_are_refused(run):
    Image.open("photos/a.png").save("photos/a.gif")  # written as a.png
    code, _, err = run(*MASKS, "-o", "out")
    assert code == 2 and "two of them would become out/a.png" in err


def test_two_masks_of_one_name_are_not_guessed_between(run):
    Path("masks/a.jpg").write_bytes(b"")
    code, _, err = run(*MASKS, "-o", "out")
    assert code == 1 and "expected one picture named a.* in masks, found a.jpg and a.png" in err


def test_a_file_cannot_hold_the_results_of_a_folder(run):
    Path("out").write_text("a file")
    code, _, err = run(*MASKS, "-o", "out")
    assert code == 2 and "expected a folder for the results of a folder at out" in err


def test_one_photo_into_a_folder(here, capsys):
    Path("out").mkdir()
    options = ["--foreground", "masks", "--reference", "references", "-o", "out", "--model", "model.safetensors"]
    with pytest.raises(SystemExit) as ended:
        main(["harmonize", "photos/b.jpg", *options])
    assert ended.value.code == 0 and Path("out/b.jpg").is_file()
