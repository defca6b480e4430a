"""Pictures on their way to a browser: lossless PNG files in Gradio's cache, in a folder whose name cannot be guessed.

A picture is made again only if what it is made of is another object now, and deleted some answers after its last use.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from gradio.utils import get_upload_folder

from demo.visitor_folders import OwnFolder

KEPT_TURNS = 3  # a slow browser may still be loading the pictures of an earlier answer
LEVEL = 1  # of PNG compression: a fifth of the usual time


class Pictures:
    """The files of one project's page. A file is told to Gradio as a dict, which gets its address on the way out."""

    def __init__(self) -> None:
        self._own = OwnFolder(Path(get_upload_folder()))
        self.folder = self._own.path
        self.turn = 0
        self._shown: dict[str, tuple[tuple, dict]] = {}
        self._old: list[tuple[int, Path]] = []
        self.handed: dict | None = None  # the newest file that the visitor was given to keep
        self._tray: Path | None = None

    def next_turn(self) -> int:
        """Count one more answer, and delete what was replaced long enough ago."""
        self.turn += 1
        gone = [path for turn, path in self._old if turn < self.turn - KEPT_TURNS]
        self._old = self._old[len(gone) :]
        for path in gone:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return self.turn

    def find(self, name: str, *made_of: object) -> dict | None:
        """The picture of that name, if it was made of these very objects."""
        objects, file = self._shown.get(name, ((), None))
        same = len(objects) == len(made_of) and all(a is b for a, b in zip(objects, made_of, strict=True))
        return file if same else None

    def show(self, name: str, pixels: Callable[[], np.ndarray], *made_of: object) -> dict:
        """The picture of that name; ``pixels`` makes it, RGB or RGBA (h, w, 3 or 4) uint8, where it is not there."""
        file = self.find(name, *made_of)
        if file is None:
            self.drop(name)
            path = self.folder / f"{name}-{self.turn}.png"
            write_png(path, pixels())
            file = as_file(path)
            self._shown[name] = made_of, file
        return file

    def drop(self, name: str) -> None:
        """The picture of that name is out of use."""
        _, file = self._shown.pop(name, (None, None))
        if file is not None:
            self._old.append((self.turn, Path(file["path"])))

    def hand_over(self, make: Callable[[Path], Path]) -> None:
        """Give the visitor the file that ``make`` puts into a folder of its own, so that its address is a new one."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            made = as_file(make(folder))
        except BaseException:
            shutil.rmtree(folder)
            raise
        self.take_back()
        self.handed, self._tray = made, folder

    def take_back(self) -> None:
        """What was handed over is out of use."""
        if self._tray is not None:
            self._old.append((self.turn, self._tray))
        self.handed, self._tray = None, None

    def close(self) -> None:
        """Delete all of it."""
        self._own.close()


def as_file(path: Path) -> dict:
    """A file as Gradio hands it out."""
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write RGB or RGBA (h, w, 3 or 4) uint8."""
    code = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    cv2.imwrite(str(path), cv2.cvtColor(pixels, code), [cv2.IMWRITE_PNG_COMPRESSION, LEVEL])
