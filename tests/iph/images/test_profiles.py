"""The same colours in different RGB profiles get the same look, and keep their profile."""

import cv2
import numpy as np
import pytest
from colour.difference import delta_E_CIE2000
from PIL import Image
from rgb_profiles import PROFILES, as_seen, stored

import iph
from demo.studio.gallery import FOLDER
from iph.commands.app import main
from iph.cube import apply_cube, read_cube
from iph.images.imagefile import read_photo, write_photo
from iph.images.photo import Photo

SIDE = 320
SHAPE = (SIDE, SIDE)
SAME = 0.5  # ΔE00, mean: what a person does not see


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A real photo with a bluish ellipse as the pasted subject, (H, W, 3) uint8."""
    photo = Image.open(FOLDER / "wall-background.jpg").convert("RGB").resize(SHAPE)
    tinted = np.where(foreground()[..., None] > 0, np.asarray(photo) * [0.75, 0.9, 1.1], photo)
    return np.clip(np.rint(tinted), 0, 255).astype(np.uint8)


def foreground() -> np.ndarray:
    return cv2.ellipse(np.zeros(SHAPE, np.uint8), (100, 160), (50, 100), 0, 0, 360, 255, -1)


@pytest.fixture(scope="module")
def results(picture, tmp_path_factory) -> dict[str, Photo]:
    """What the command makes of the picture in each profile, subject and reference found by a box and unasked."""
    folder = tmp_path_factory.mktemp("profiles")
    Image.fromarray(foreground()).save(folder / "fg.png")
    options = ["--foreground", str(folder / "fg.png"), "--reference-click", "250", "200"]
    found = {}
    for name, icc in PROFILES.items():
        path = folder / f"{name}.tif"
        write_photo(Photo(stored(picture, icc), icc=icc, format="TIFF"), path, edited=False)
        with pytest.raises(SystemExit) as ended:
            out = path.with_suffix(".out.tif")
            main(["harmonize", str(path), *options, "-o", str(out), "--cube", str(path.with_suffix(".cube"))])
        assert ended.value.code == 0
        found[name] = read_photo(out)
    found["folder"] = folder
    return found


def test_the_same_colours_get_the_same_look(picture, results):
    inside = foreground() > 0
    seen = {name: as_seen(results[name].pixels, icc) for name, icc in PROFILES.items()}
    changed = delta_E_CIE2000(as_seen(picture, None)[inside], seen["Display P3"][inside])
    assert changed.mean() > 4 * SAME  # there is a look to compare
    names = list(PROFILES)
    for index, one in enumerate(names):
        for other in names[:index]:
            apart = delta_E_CIE2000(seen[one][inside], seen[other][inside])
            assert apart.mean() <= SAME, f"{one} and {other} are {apart.mean():.2f} apart"


def test_profile_depth_and_all_around_stay(picture, results):
    for name, icc in PROFILES.items():
        assert results[name].icc == icc and results[name].pixels.dtype == np.uint16
        around = foreground() == 0
        np.testing.assert_array_equal(results[name].pixels[around], stored(picture, icc)[around])


def test_a_cube_is_for_the_profile_of_its_photo_and_says_so(picture, results):
    for name in ("Display P3", "Adobe RGB"):
        path = results["folder"] / f"{name}.cube"
        assert path.read_text().startswith("# For pictures in RGB built-in: ")
        applied = apply_cube(stored(picture, PROFILES[name]) / np.float32(65535), read_cube(path))
        inside = foreground() == 255
        assert np.abs(applied - results[name].pixels / 65535)[inside].mean() < 1 / 255


def test_a_look_is_kept_in_srgb(tmp_path):
    mapping = iph.ColorMapping(np.full((11, 3), 0.01), np.zeros(3), np.ones(3))
    mapping.save_cube(tmp_path / "look.cube", 17, "Look")
    assert (tmp_path / "look.cube").read_text().splitlines()[:2] == [
        "# For pictures in sRGB: its numbers as they are stored, in and out",
        'TITLE "Look (sRGB)"',
    ]


def test_no_change_is_no_change_in_any_profile(picture):
    """In all depths: what is not asked for does not go there and back."""
    identity = iph.ColorMapping.identity()
    for icc in PROFILES.values():
        pixels = stored(picture, icc)
        np.testing.assert_array_equal(identity.apply(pixels, icc=icc), pixels)
