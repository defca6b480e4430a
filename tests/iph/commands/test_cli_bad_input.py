"""What ``iph harmonize`` says to a photo, a mask, an option or a model that it cannot use."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_photos import FOREGROUND, OUT, SHAPE, F, R, mask


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


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("photo.png", "--foreground", "empty.png", *R, *OUT), "foreground is empty"),
        (("photo.png", "--foreground", "full.png", *R, *OUT), "covers the whole picture"),
        (("photo.png", "--foreground", "tall.png", *R, *OUT), "another aspect"),
        (("photo.png", *F, "--reference", "empty.png", *OUT), "reference is empty"),
        (("photo.png", *F, "--reference", "inside.png", *OUT), "reference lies on the person"),
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
        (("photo.png", *F, *R, "--strength", "nan", *OUT), "--strength"),
        (("photo.png", *F, *R, "--chroma", "inf", *OUT), "--chroma"),
        (("photo.png", *F, *R, "--luminance", "-0.1", *OUT), "--luminance"),
        (("photo.png", *F, *R, "--r1", "nan", *OUT), "--r1"),
        (("photo.png", *F, *R, "--r1", "-inf", *OUT), "--r1"),
        (("photo.png", *F, *R, "--r2", "2.5", *OUT), "--r2"),
        (("photo.png", *F, *R, "--weight", "nan", *OUT), "--weight"),
        (("photo.png", *F, *R, "--weight", "inf", *OUT), "expected a finite number as --weight, got inf"),
        (("photo.png", "--foreground-click", "nan", "5", *R, *OUT), "a finite number as --foreground-click, got nan"),
        (
            ("photo.png", *F, "--reference-box", "0", "0", "inf", "9", *OUT),
            "a finite number as --reference-box",
        ),
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
        ("psi-small", "holds a StyleEncoder"),
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

    monkeypatch.setattr("iph.commands.harmonize_photos.read_photo", fail)
    code, _, err = run("photo.png", *F, *R, *OUT)
    assert code == 3 and "a fault of the program, please report it (RuntimeError: the unexpected)" in err
    assert "Traceback" not in err
    monkeypatch.setenv("IPH_DEBUG", "1")
    _, _, err = run("photo.png", *F, *R, *OUT)
    assert "Traceback" in err and "the unexpected" in err
