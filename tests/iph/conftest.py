"""Fixtures of the command line's tests: weights of their own, a folder with a composite, the program itself."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_photos import FOREGROUND, OTHER, REFERENCE, SHAPE
from networks import lively
from photo_files import pixels
from PIL import Image

from iph.checkpoint import save_network
from iph.commands.app import main


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
