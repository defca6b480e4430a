"""The pictures behind the rows: inputs of a data set, kept outputs, difference maps, and thumbnails.

An image is found by its id among the data set's own entries, an output by a method and an id that the board has; no
other text leads to a file. Thumbnails are made when they are first looked at, once, into the cache folder.
"""

import base64
import hashlib
import mimetypes
import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import streamlit as st
from numpy.typing import NDArray

from bench.datasets.catalogue import CATALOGUE, read_folder
from bench.datasets.manifest import Dataset
from bench.datasets.pictures import Picture, load, read_image
from bench.evaluation.store import Store
from bench.report.boards import Board
from bench.report.dashboard_data import difference_map, picture_file
from demo.dashboard.prepared import cache_folder
from demo.dashboard.source import data_set_names, results_folder
from iph.errors import InputError
from iph.files import replacing

Image = NDArray[np.uint8]
THUMB = 168  # pixels, the longer side
BROWSERS = (".png", ".jpg", ".jpeg", ".webp")  # file types that every browser shows
LIMIT = 1024  # pixels, the longer side of a picture that is sent to the browser


def dataset_of(board: Board) -> Dataset | None:
    """The data set that the board was measured on, None where its pictures are not on this machine."""
    root = _root(board.dataset)
    return None if root is None else _dataset(root, board.dataset)


def first_here() -> str | None:
    """The first data set with results whose pictures, given or kept, are on this machine."""
    names = data_set_names()
    return next((name for name in names if _root(name) or (results_folder() / name / "pictures").is_dir()), None)


def _root(name: str) -> Path | None:
    source = CATALOGUE.get(name)
    root = source.root if source and source.root else None
    if root is None and os.environ.get("IPH_DATA"):
        root = Path(os.environ["IPH_DATA"]) / name
    return root if root is not None and root.is_dir() else None


@st.cache_resource(max_entries=8, show_spinner=False)
def _dataset(root: Path, name: str) -> Dataset:
    return read_folder(root, name)


def inputs(board: Board, image: str) -> Picture | None:
    """Composite, masks and target as the methods got them; None where they are not here, InputError where broken."""
    dataset = dataset_of(board)
    entries = {} if dataset is None else {entry.id: entry for entry in dataset.entries}
    if image not in entries:
        return None
    return _inputs(entries[image], None if board.size == "original" else int(board.size))


_inputs = lru_cache(maxsize=64)(load)


def shape_of(board: Board, image: str) -> tuple[int, int] | None:
    """Width and height of the photo itself, whose proportions a square picture has lost."""
    dataset = dataset_of(board)
    entry = next((e for e in dataset.entries if e.id == image), None) if dataset else None
    return entry and _size(entry.composite)


def output(board: Board, method: str, image: str) -> Image | None:
    """(H, W, 3) uint8, what a method answered; None where no picture was kept, or a broken one."""
    path = picture_file(results_folder(), board, method, image)
    return None if path is None else _readable(path)


def _readable(path: Path) -> Image | None:
    try:
        return read_image(path)
    except InputError:
        return None


def kept(board: Board, methods: list[str], image: str) -> list[str]:
    """Those of ``methods`` whose picture of this image was kept."""
    if not (Store(results_folder(), board.dataset).folder / "pictures").is_dir():
        return []
    return [m for m in methods if picture_file(results_folder(), board, m, image) is not None]


def packed_with_loss(board: Board, method: str, image: str) -> bool:
    """Whether the kept picture is a JPEG, whose pixels are no longer quite the method's."""
    path = picture_file(results_folder(), board, method, image)
    return path is not None and path.suffix.lower() in (".jpg", ".jpeg")


@lru_cache(maxsize=256)
def source_of(path: Path, changed: int) -> str:
    """A kept picture for ``<img src>``, the file's own bytes: nothing is packed again."""
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    return f"data:{kind};base64," + base64.b64encode(path.read_bytes()).decode()


def output_source(board: Board, method: str, image: str) -> str | None:
    path = picture_file(results_folder(), board, method, image)
    size = path and _size(path)
    if size is None:
        return None
    if path.suffix.lower() in BROWSERS and max(size) <= LIMIT:
        return source_of(path, path.stat().st_mtime_ns)
    picture = _readable(path)
    return None if picture is None else png_source(picture)


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height from the file's head, without unpacking it; None where there is no picture in it."""
    try:
        with PIL.Image.open(path) as picture:
            return picture.size
    except (OSError, ValueError, PIL.Image.DecompressionBombError):
        return None


def png_source(picture: Image) -> str:
    """Any (H, W, 3) uint8 picture for ``<img src>``, lossless, at most LIMIT pixels."""
    scale = LIMIT / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_PNG_COMPRESSION, 1))
    return "data:image/png;base64," + base64.b64encode(packed).decode()


def difference_source(output: Image, target: Image, top: float) -> str | None:
    """The ΔE00 map in false colours from 0 to ``top``; None for pictures of unequal size."""
    try:
        levels = difference_map(output, target) * (255 / top)
    except InputError:
        return None
    colored = cv2.applyColorMap(np.clip(np.rint(levels), 0, 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return png_source(cv2.cvtColor(colored, cv2.COLOR_BGR2RGB))


def thumbnail(board: Board, method: str, image: str) -> str | None:
    """A small picture of a method's answer, of the composite where none was kept; None without a readable one."""
    path = picture_file(results_folder(), board, method, image)
    if path is None:
        dataset = dataset_of(board)
        entry = next((e for e in dataset.entries if e.id == image), None) if dataset else None
        path = entry and entry.composite
    if path is None or not path.is_file():
        return None
    return _thumbnail(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4096)
def _thumbnail(path: Path, changed: int) -> str | None:
    folder = cache_folder() / "thumbnails"
    folder.mkdir(exist_ok=True)
    name = hashlib.sha256(repr((str(path), changed, THUMB)).encode()).hexdigest()[:32]
    small = folder / f"{name}.jpg"
    if not small.is_file():
        picture = _readable(path)
        if picture is None:
            return None
        scale = THUMB / max(picture.shape[:2])
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        with replacing(small) as temporary:
            temporary.write_bytes(
                cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, 85))[1]
            )
    return "data:image/jpeg;base64," + base64.b64encode(small.read_bytes()).decode()
