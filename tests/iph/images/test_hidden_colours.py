"""Colours under transparent pixels have no say: the same visible pixels give the same bytes."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from gradio.utils import get_upload_folder
from networks import lively
from PIL import Image

from bench.datasets.pictures import read_image
from demo.studio import api
from demo.studio.gallery import FOLDER
from demo.studio.uploaded_picture import open_picture
from iph.commands.app import main
from iph.harmonizer import Harmonizer
from iph.images.appearance import appearance, small_appearance
from iph.images.imagefile import read_photo
from iph.mapping import ColorMapping
from iph.masks.cutout import cutout
from iph.placement import Placement, paste
from iph.reference import Reference

SIDE = 360
HIDDEN = {"black": (0, 0, 0), "white": (255, 255, 255), "green": (0, 255, 0)}
DTYPES = {np.uint8: 255, np.uint16: 65535, np.float32: 1}


def soft(x: int, y: int, size: int = 100, side: int = SIDE) -> np.ndarray:
    """A soft disc (side, side) uint8; clear beyond its rim."""
    disc = cv2.circle(np.zeros((side, side), np.uint8), (x, y), size, 255, -1)
    return np.where(cv2.blur(disc, (5, 5)) > 30, cv2.blur(disc, (5, 5)), 0)


def colours(name: str = "wall", side: int = SIDE) -> np.ndarray:
    return np.asarray(Image.open(FOLDER / f"{name}-background.jpg").convert("RGB").resize((side, side)))


def over(hidden: tuple[int, ...], pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(H, W, 4): the pixels, and where they are clear other ones."""
    return np.dstack([np.where(alpha[..., None] > 0, pixels, np.uint8(hidden)), alpha])


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """For each hidden colour a folder with a cut-out, a photo with clear parts, and a small reference of the kind."""
    found = {}
    for name, hidden in HIDDEN.items():
        folder = found[name] = tmp_path_factory.mktemp(name)
        tinted = np.clip(colours() * [0.8, 0.95, 1.1], 0, 255).astype(np.uint8)
        pictures = {
            "cutout": over(hidden, tinted, soft(150, 180)),
            "photo": over(hidden, colours("sea"), 255 - soft(300, 60, 50)),
            "large": over(hidden, colours("sea", 1500), 255 - soft(1200, 300, 250, 1500)),
            "small": over(hidden, colours("orange", 60), soft(30, 30, 20, 60)),
        }
        for picture, pixels in pictures.items():
            Image.fromarray(pixels).save(folder / f"{picture}.png")
        for mask, disc in {"fg": soft(120, 200, 70), "fg-large": soft(500, 800, 300, 1500)}.items():
            Image.fromarray(disc).save(folder / f"{mask}.png")
    return found


def alike(results: list[np.ndarray], alpha: np.ndarray) -> bool:
    return all((one[alpha > 0] == results[0][alpha > 0]).all() for one in results)


COMMANDS = {
    "its own alpha": ("cutout.png", "--reference-image", "small.png"),
    "a mask, and all else": ("photo.png", "--foreground", "fg.png", "--auto"),
    "a box": ("photo.png", "--foreground-box", "40", "120", "200", "300", "--reference-box", "220", "0", "360", "360"),
    "clicks": ("photo.png", "--foreground-click", "120", "200", "--reference-click", "250", "250"),
    "more than a proxy": ("large.png", "--foreground", "fg-large.png", "--auto"),
    "a click in a picture": ("photo.png", "--foreground", "fg.png", "--reference-image", "small.png")
    + ("--reference-click", "30", "30"),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_on_the_command_line(folders, arguments, monkeypatch):
    results = []
    for folder in folders.values():
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main(["harmonize", *arguments, "-o", "out.png", "--overwrite"])
        assert ended.value.code == 0
        results.append(read_photo("out.png"))
        before = read_photo(arguments[0])
        assert (results[-1].pixels != before.pixels).any()
        np.testing.assert_array_equal(results[-1].pixels[before.alpha == 0], before.pixels[before.alpha == 0])
    assert alike([one.pixels for one in results], results[0].alpha)


def test_by_the_studios_functions(folders, monkeypatch):
    def file(folder: Path, name: str) -> dict:
        return {"path": str(folder / f"{name}.png"), "orig_name": f"{name}.png"}

    assert get_upload_folder()
    made: dict[str, list] = {"mask": [], "auto": [], "photo": [], "cut": [], "paste": []}
    for folder in folders.values():
        photo, mask, small = (file(folder, name) for name in ("photo", "fg", "small"))
        made["auto"].append(api.harmonize(photo, mask)[0])
        made["photo"].append(api.harmonize(photo, mask, reference_photo=small)[0])
        made["mask"].append(api.harmonize(file(folder, "cutout"), file(folder, "cutout"), reference_photo=photo)[0])
        made["cut"].append(api.cut_out(photo, box=[0.1, 0.3, 0.6, 0.9])[0])
        made["paste"].append(api.paste(photo, file(folder, "cutout"))[0])
    for name, files in made.items():
        photos = [read_photo(one["path"]) for one in files]
        alpha = photos[0].alpha if photos[0].alpha is not None else np.ones(photos[0].pixels.shape[:2])
        assert alike([one.pixels for one in photos], alpha), name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("side", [SIDE, 1400])
def test_in_a_session(dtype, side):
    scale = DTYPES[dtype]
    harmonizer, results = Harmonizer(lively(change=0.1)), []
    alpha, foreground = 255 - soft(side - 90, 90, 60, side), soft(side // 3, side // 2, side // 5, side)
    region = np.zeros((side, side), np.uint8)
    region[:, side // 2 :] = 255
    for hidden in HIDDEN.values():
        picture = (over(hidden, colours("wall", side), alpha)[..., :3] / 255 * scale).astype(dtype)
        other = over(hidden, colours("orange", 60), soft(30, 30, 20, 60))
        session = harmonizer.open(picture, foreground, alpha=alpha)
        reference = [Reference(region), Reference(image=other[..., :3], alpha=other[..., 3])]
        results.append(session.harmonize(reference).image)
    assert alike(results, alpha)


def test_what_a_screen_shows_and_a_bench_measures(folders):
    shown = [open_picture(folder / "photo.png", "photo").pixels for folder in folders.values()]
    measured = [read_image(folder / "photo.png") for folder in folders.values()]
    for pictures in (shown, measured):
        assert all((one == pictures[0]).all() for one in pictures)
    assert (measured[0][soft(300, 60, 50) == 255] == 0).all()


def test_cutting_out_again(folders):
    found = [
        cutout(photo.pixels, box=(40, 40, 300, 320), alpha=photo.alpha) for photo in map(_cutout, folders.values())
    ]
    assert all((one.alpha == found[0].alpha).all() for one in found)
    assert alike([one.pixels for one in found], found[0].alpha)


def _cutout(folder: Path):
    return read_photo(folder / "cutout.png")


def test_a_person_on_a_clear_background(folders):
    """Over nothing the person is visible, in their own colours up to their soft edge."""
    results = []
    for folder in folders.values():
        under, person = read_photo(folder / "small.png"), read_photo(folder / "cutout.png")
        made, mask = paste(under, person, person.alpha / np.float32(255), Placement(0.2, 0.2, 1))
        results.append(made)
        assert (made.alpha >= np.floor(mask * 255)).all() and (made.alpha >= under.alpha).all()
    assert alike([one.pixels for one in results], results[0].alpha)


def test_a_proxy_has_the_colours_that_are_visible():
    """Against a mean that is written out; a pixel that is half clear keeps its colour, unmixed."""
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:2, :2] = [[[200, 100, 50], [9, 9, 9]], [[100, 200, 50], [9, 9, 9]]]
    alpha = np.zeros((4, 4), np.uint8)
    alpha[:2, :2] = [[255, 0], [51, 0]]
    small, share = small_appearance(pixels, alpha, side=2)
    assert np.abs(small[0, 0] - np.array([183, 117, 50])).max() <= 1  # (5 · 200 + 1 · 100) / 6 and so on
    assert (small == small[0, 0]).all()  # where nothing is visible, the mean of what is
    assert share[0, 0] == pytest.approx(0.3, abs=1e-4) and not share[1].any()
    same, _ = small_appearance(pixels, alpha)
    assert (same[0, 0] == [200, 100, 50]).all() and (same[1, 0] == [100, 200, 50]).all()
    whole = appearance(pixels, alpha)
    assert np.abs(whole[1, 0] - (0.2 * pixels[1, 0] + 0.8 * whole[3, 3].astype(float))).max() <= 1


def test_a_look_leaves_what_is_hidden_alone():
    mapping = ColorMapping(np.full((11, 3), 0.05), np.zeros(3), np.ones(3))
    pixels, alpha = colours(), soft(150, 180)
    changed = mapping.apply(pixels, alpha)
    np.testing.assert_array_equal(changed[alpha == 0], pixels[alpha == 0])
