"""Where torch is not installed: the commands, the library and the studio run, and what needs torch says so.

The place without torch is a folder with a link to everything that is installed but torch and what goes with it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from iph.images.imagefile import read_photo, write_photo
from iph.images.photo import Photo

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "bench" / "sample"
LEFT_OUT = re.compile(r"torch|functorch|accelerate|efficientnet|onnx(-|$)|onnxscript|__pycache__|.*\.pth$")


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """``python(*arguments)``: a Python without torch, in a folder of its own; its exit code, stdout and stderr."""
    packages, folder = (tmp_path_factory.mktemp(name) for name in ("packages", "work"))
    places = [Path(place) for place in sys.path if Path(place).name == "site-packages"]
    for path in (entry for place in places for entry in place.iterdir()):
        link = packages / path.name
        if not LEFT_OUT.match(path.name) and not link.is_symlink():  # the first place's, where there are several
            link.symlink_to(path)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(packages)])}

    def python(*arguments: object) -> tuple[int, str, str]:
        command = [sys.executable, "-S", *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout, done.stderr

    python.folder = folder
    assert python("-c", "import onnxruntime")[0] == 0 and "No module named 'torch'" in python("-c", "import torch")[2]
    return python


def sample(kind: str, name: str = "") -> Path:
    return sorted((SAMPLE / kind).glob(f"{name}*"))[0]


def test_a_photo_is_harmonized(python):
    composite = sample("composites")
    mask = sample("foregrounds", composite.stem)
    arguments = ("harmonize", composite, "--foreground", mask, "--auto", "--save-recipe", "look.json", "-o", "out.png")
    code, out, err = python("-m", "iph", *arguments)
    assert (code, err) == (0, "") and out.startswith("out.png and look.json: ")
    before, after = read_photo(composite).pixels, read_photo(python.folder / "out.png").pixels
    inside = cv2.imread(str(mask), 0) > 127
    assert np.abs(after.astype(int) - before)[inside].mean() > 1


def test_a_person_is_cut_out(python):
    photo = Photo(np.load(ROOT / "tests" / "iph" / "masks" / "golden" / "selfie.npz")["portrait_input"])
    write_photo(photo, python.folder / "photo.png", edited=False)
    for way in ((), ("--click", 80, 120)):
        code, out, err = python("-m", "iph", "cutout", "photo.png", "-o", "person.png", "--overwrite", *way)
        assert (code, err) == (0, "") and out.startswith("person.png: ")
        alpha = read_photo(python.folder / "person.png").alpha
        assert 0.4 < (alpha > 127).mean() < 0.7


def test_what_needs_torch_says_so(python):
    composite = sample("composites")
    mask = sample("foregrounds", composite.stem)
    small = ("harmonize", composite, "--foreground", mask, "--auto", "-o", "no.png", "--model", "small")
    train = ("train", "--photos", ".", "--minutes", "1", "--out", "runs")
    for arguments, what in ((small, "the model 'small'"), (train, "iph train"), (("export",), "iph export")):
        code, out, err = python("-m", "iph", *arguments)
        assert (code, out) == (2, "")
        assert err == f"iph: expected torch, which {what} runs on, found it not; run: pip install '.[torch]'\n"
    code, out, _ = python("-m", "iph", "info")
    assert code == 0 and "torch not installed" in out


def test_the_studio_gets_ready(python):
    code, out, err = python("-c", STUDIO)
    assert (code, out.splitlines()[-1:]) == (0, ["ready"]), err


STUDIO = """
import time
from fastapi import FastAPI
from demo.settings import Settings
from demo.studio.page import mount_studio
studio = mount_studio(FastAPI(), Settings.from_environment())
while studio.unready and "cannot" not in studio.unready:
    time.sleep(0.1)
studio.close()
print(studio.unready or "ready")
"""
