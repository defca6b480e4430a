"""What is taken home: every form at full size, opened again, and a sum that is the photo."""

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Resource
from studio_pictures import disc, scene, write
from visitor_hands import download, files, project, put, studio, visit

from demo.studio.project import Project
from demo.studio.saving import recipe_of, save
from iph.adjustments import Adjustments
from iph.errors import InputError
from iph.images.imagefile import read_photo, write_photo
from iph.images.metadata import is_marked_edited
from iph.images.photo import Photo
from iph.placement import Placement

__all__ = ["files", "studio", "visit"]  # fixtures


@pytest.fixture(params=["placed", "composite"])
def made(request, tmp_path):
    """A person on a background, or a finished composite with its mask; both changed by a stop, too."""
    (tmp_path / "originals").mkdir()
    project = Project(tmp_path / "originals")
    if request.param == "placed":
        project.open("background", write(tmp_path / "beach.png", scene()), "beach.png")
        me = write(tmp_path / "me.png", scene(80, 60, 2), disc(80, 60))
        project.open("person", me, "me.png", Placement(0.9, 0.6, 0.7))
    else:
        project.open("composite", write(tmp_path / "beach.png", scene()), "beach.png")
        project.open("mask", write(tmp_path / "mask.png", disc(120, 160)[..., None].repeat(3, 2)), "mask.png")
    project.correct(Adjustments(exposure=0.5))
    return project


def test_the_photo_in_every_format(made, tmp_path):
    own = read_photo(save(made, "photo", tmp_path))
    png = read_photo(save(made, "photo", tmp_path, "png"))
    np.testing.assert_array_equal(own.pixels, png.pixels)
    deep = read_photo(save(made, "photo", tmp_path, "tiff16"))
    assert deep.pixels.dtype == np.uint16 and deep.format == "TIFF" and is_marked_edited(deep.xmp)
    assert np.abs(deep.pixels / 257 - own.pixels).max() < 2 and (deep.pixels % 257 != 0).any()  # rounded in 16 bits
    sizes = {quality: save(made, "photo", tmp_path, "jpeg", quality).stat().st_size for quality in (30, 95)}
    assert sizes[30] < 0.7 * sizes[95]
    webp = read_photo(save(made, "photo", tmp_path, "webp", 90))
    assert webp.format == "WEBP" and np.abs(webp.pixels.astype(int) - own.pixels).mean() < 4
    with pytest.raises(InputError, match="expected one of the formats own, jpeg"):
        save(made, "photo", tmp_path, "gif")
    with pytest.raises(InputError, match="quality from 1 to 100"):
        save(made, "photo", tmp_path, "jpeg", 200)


def test_the_person_and_the_mask_lie_over_the_background(made, tmp_path):
    saved = read_photo(save(made, "photo", tmp_path)).pixels.astype(float)
    person = read_photo(save(made, "person", tmp_path))
    mask = read_photo(save(made, "mask", tmp_path)).pixels[..., 0]
    np.testing.assert_array_equal(mask, person.alpha)
    share = (mask / 255.0)[..., None]
    over = scene() * (1 - share) + person.pixels * share
    assert np.abs(over - saved)[share[..., 0] == 1].max() <= 2
    assert (over == saved)[mask == 0].all()


def test_layers_open_elsewhere(made, tmp_path):
    path = save(made, "layers", tmp_path)
    document = PSDImage.open(path)
    assert [layer.name for layer in document] == ["Background", "Person as pasted", "Person harmonized"]
    assert [layer.visible for layer in document] == [True, False, True]
    np.testing.assert_allclose(document[0].numpy("color") * 255, scene(), atol=0.01)
    top, person = document[2], read_photo(save(made, "person", tmp_path))
    x0, y0, x1, y1 = top.bbox
    np.testing.assert_allclose(top.mask.topil(), person.alpha[y0:y1, x0:x1], atol=1)
    inside = person.alpha[y0:y1, x0:x1] > 0
    np.testing.assert_allclose((top.numpy("color") * 255)[inside], person.pixels[y0:y1, x0:x1][inside], atol=0.01)
    saved = read_photo(save(made, "photo", tmp_path)).pixels.astype(int)
    with Image.open(path) as other:  # another reader: the merged picture
        merged = np.asarray(other.convert("RGB")).astype(int)
    assert np.abs(merged - saved)[person.alpha == 255].max() <= 2
    np.testing.assert_array_equal(merged[person.alpha == 0], scene()[person.alpha == 0])


def test_layers_keep_16_bits_and_the_profile(tmp_path):
    (tmp_path / "originals").mkdir()
    project, icc = Project(tmp_path / "originals"), _display_p3()
    deep = scene(dtype=np.uint16)
    write_photo(Photo(deep, icc=icc), tmp_path / "deep.tif", edited=False)
    project.open("background", tmp_path / "deep.tif", "deep.tif")
    project.open(
        "person", write(tmp_path / "me.png", scene(80, 60, 2), disc(80, 60)), "me.png", Placement(0.6, 0.6, 0.7)
    )
    assert project.base.bits == 16 and project.base.profile not in ("", "sRGB")
    document = PSDImage.open(save(project, "layers", tmp_path))
    assert document.depth == 16
    np.testing.assert_allclose(document[0].numpy("color") * 65535, deep, atol=0.5)
    assert document.image_resources[Resource.ICC_PROFILE].data == icc


def _display_p3() -> bytes:
    primaries = [0.68, 0.32, 1, 0.265, 0.69, 1, 0.15, 0.06, 1]
    return imagecodecs.cms_profile("rgb", whitepoint=[0.3127, 0.329, 1], primaries=primaries, gamma=2.2)


def test_before_and_after_for_a_client(made, tmp_path):
    path = save(made, "both", tmp_path)
    both = read_photo(path)
    assert path.suffix == ".jpg" and both.pixels.shape == (252, 160, 3)  # a wide photo: one above the other
    before, after = both.pixels[60:120].astype(int), both.pixels[192:].astype(int)
    composite = recipe_of(made).composite(
        made.base.photo(), made.pictures["person"].photo() if made.choices.placement else None
    )[0]
    assert np.abs(before - composite.pixels[60:]).mean() < 4 and np.abs(after - before).max() > 15


@pytest.mark.browser
def test_the_page_offers_them(visit, studio, files, tmp_path):
    (tmp_path / "originals").mkdir()
    opened = visit()
    put(opened, files)
    assert "320 × 240, 8 bits, sRGB" in opened.inner_text(".what")
    opened.select_option("[data-format]", "tiff16")
    assert "16 bits of 8" in opened.inner_text(".what") and opened.is_hidden(".quality")
    assert read_photo(download(opened, "photo", tmp_path)).pixels.dtype == np.uint16
    opened.select_option("[data-format]", "jpeg")
    opened.fill("[data-quality]", "50")
    small = download(opened, "photo", tmp_path)
    assert (
        small.suffix == ".jpg"
        and small.stat().st_size < save(project(studio), "photo", tmp_path, "jpeg", 98).stat().st_size
    )
    assert PSDImage.open(download(opened, "layers", tmp_path))[2].name == "Person harmonized"
