"""Pictures on their way to a browser: lossless PNG files under addresses that cannot be guessed.

A picture is made again only if what it is made of is another object now, and deleted some answers after its last use.
"""

import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

KEPT_TURNS = 3  # a slow browser may still be loading the pictures of an earlier answer
# A fifth of the usual time, and with one filter, which suits photos, a fifth of that.
QUICKLY = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH)


class ServedPictures:
    """The files shown of one visitor's work, and the file they were last given to keep.

    An address is ``file/{self.address}/{name}``, below the studio's routes; ``file`` finds what lies there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.address = folder, secrets.token_urlsafe(16)
        self.turn = 0
        self.handed: dict | None = None  # the newest file that the visitor was given to keep
        self._files: dict[str, tuple[Path, str | None]] = {}
        self._shown: dict[str, tuple[tuple, str]] = {}  # by picture: what it was made of, and its file's name
        self._old: list[tuple[int, str]] = []
        self._kept: dict[str, str] = {}  # the folder of each kind that is handed over now

    def file(self, name: str) -> tuple[Path, str | None] | None:
        """Where the file of an address lies, and under which name it is to be kept; None if it is gone."""
        return self._files.get(name)

    def next_turn(self) -> int:
        """Count one more answer, and delete what was replaced long enough ago."""
        self.turn += 1
        gone = [name for turn, name in self._old if turn < self.turn - KEPT_TURNS]
        self._old = self._old[len(gone) :]
        for name in gone:
            path, kept_as = self._files.pop(name)
            path.unlink(missing_ok=True)
            if kept_as is not None:
                path.parent.rmdir()
        return self.turn

    def find(self, picture: str, *made_of: object) -> str | None:
        """The address of a picture, if it was made of these very objects."""
        objects, name = self._shown.get(picture, ((), ""))
        same = len(objects) == len(made_of) and all(a is b for a, b in zip(objects, made_of, strict=True))
        return self._address(name) if same and name else None

    def show(self, picture: str, pixels: Callable[[], np.ndarray], *made_of: object) -> str:
        """The address of a picture; ``pixels`` makes it, RGB or RGBA (h, w, 3 or 4) uint8, where it is not there."""
        address = self.find(picture, *made_of)
        if address is None:
            self.drop(picture)
            name = f"{picture}-{self.turn}.png"
            write_png(self.folder / name, pixels())
            self._files[name] = self.folder / name, None
            self._shown[picture] = made_of, name
            address = self._address(name)
        return address

    def drop(self, picture: str) -> None:
        """A picture is out of use."""
        _, name = self._shown.pop(picture, (None, None))
        if name is not None:
            self._old.append((self.turn, name))

    def hand_over(self, make: Callable[[Path], Path], kind: str = "saved") -> None:
        """Give the visitor the file that ``make`` puts into a folder of its own, so that its address is a new one. It
        takes the place of the one of its kind."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            made = make(folder)
        except BaseException:
            shutil.rmtree(folder)
            raise
        self.take_back(kind)
        self._kept[kind] = folder.name
        self._files[folder.name] = made, made.name
        self.handed = {"address": self._address(folder.name), "name": made.name}

    def take_back(self, *kinds: str) -> None:
        """What was handed over, of these kinds or of all, is out of use."""
        for kind in kinds or tuple(self._kept):
            if kind in self._kept:
                self._old.append((self.turn, self._kept.pop(kind)))
        self.handed = None

    def _address(self, name: str) -> str:
        return f"file/{self.address}/{name}"


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write RGB or RGBA (h, w, 3 or 4) uint8."""
    code = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    if not cv2.imwrite(str(path), cv2.cvtColor(pixels, code), QUICKLY):
        raise OSError(f"{path.name} could not be written")
