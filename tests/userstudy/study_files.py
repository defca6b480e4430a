"""Writes small studies for tests: real pictures, a real study file."""

from pathlib import Path

import numpy as np
from PIL import Image

METHODS = ("DoveNet", "RainNet", "BargainNet", "IPH")
TEXT = """\
name = "{name}"
title = "Which picture looks more natural?"
consent = "You will compare pictures. We store your answers under a random number."
instructions = "Look at the whole picture."

[pictures]
folder = "methods"
"""
PAIRS = '\n[pairs]\nper_rater = 6\nanswers = ["tie", "both_bad", "skip"]\n'
RATERS = "\n[raters]\nnumber = 30\nmin_seconds = 0\n"


def write_pictures(folder: Path, methods=METHODS, items=5, size=(48, 32), suffix=".png") -> None:
    """``folder/<method>/photo-1.png`` …: every method gives the same scene another tint."""
    rng = np.random.default_rng(7)
    for item in range(1, items + 1):
        scene = rng.integers(60, 200, (size[1], size[0], 3))
        for number, method in enumerate((*methods, "composite")):
            (folder / method).mkdir(parents=True, exist_ok=True)
            tint = np.clip(scene + np.array([9 * number, 0, -9 * number]), 0, 255).astype(np.uint8)
            Image.fromarray(tint).save(folder / method / f"photo-{item}{suffix}")


def write_study(folder: Path, rest: str = PAIRS + RATERS, name: str = "trial", **pictures) -> Path:
    """A study file in ``folder`` with its pictures beside it. ``rest`` is everything after [pictures]."""
    write_pictures(folder / "methods", **pictures)
    path = folder / f"{name}.toml"
    path.write_text(TEXT.format(name=name) + rest)
    return path
