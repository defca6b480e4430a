"""Cutting out and pasting by the API's functions, called as Python: what comes back of every kind of picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageCms
from studio_pictures import scene, write

import iph
from demo.studio import api
from iph.errors import InputError
from iph.images.imagefile import read_photo, write_photo
from iph.images.photo import Photo
from iph.placement import Placement, paste


@pytest.mark.parametrize("transparency", ["none", "opaque", "slight"])
def test_a_person_to_paste_is_cut_out_with_clean_colours(transparency, tmp_path):
    """As iph.cutout cuts them out, whether the photo has no alpha, or one that hides nothing."""
    portrait = np.load(Path(__file__).parents[2] / "iph" / "masks" / "golden" / "selfie.npz")["portrait_input"]
    alpha = None if transparency == "none" else np.full(portrait.shape[:2], 255, np.uint8)
    if transparency == "slight":
        alpha[:4, :4] = 200
    write(tmp_path / "me.png", portrait, alpha)
    under = {"path": str(write(tmp_path / "beach.png", scene())), "orig_name": "beach.png"}
    person = {"path": str(tmp_path / "me.png"), "orig_name": "me.png"}
    composite, mask, note = api.paste(under, person, 0.5, 0.5, 0.8)
    found = iph.cutout(portrait, alpha=alpha)
    cut = Photo(found.pixels)
    expected, where = paste(Photo(scene()), cut, found.alpha / np.float32(255), Placement(0.5, 0.5, 0.8))
    np.testing.assert_array_equal(read_photo(composite["path"]).pixels, expected.pixels)
    np.testing.assert_allclose(read_photo(mask["path"]).pixels[..., 0] / 255, where, atol=0.6 / 255)
    assert note == ""


@pytest.mark.parametrize("shape", [(8, 8), (8, 300)])
def test_a_tiny_photo_is_cut_out_or_refused_by_api(shape, tmp_path):
    busy = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    for name, pixels in (("busy", busy), ("plain", np.full_like(busy, 90))):
        write(tmp_path / f"{name}.png", pixels)
        try:
            person, _, _ = api.cut_out({"path": str(tmp_path / f"{name}.png"), "orig_name": f"{name}.png"})
        except InputError as error:
            assert "nobody was found in the photo" in str(error)
        else:
            assert read_photo(person["path"]).alpha.shape == shape


def test_a_cut_out_by_api_keeps_depth_profile_and_what_was_hidden(tmp_path):
    deep, hidden = scene().astype(np.uint16) * 257, np.full((120, 160), 65535, np.uint16)
    hidden[:, 120:] = 0
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = Photo(deep, hidden, profile)
    write_photo(photo, tmp_path / "deep.png")
    person, mask, _ = api.cut_out(
        {"path": str(tmp_path / "deep.png"), "orig_name": "deep.png"}, box=[0.1, 0.1, 0.95, 0.95]
    )
    found = read_photo(person["path"])
    assert found.pixels.dtype == found.alpha.dtype == np.uint16 and found.icc == profile
    assert not found.alpha[:, 120:].any() and not read_photo(mask["path"]).pixels[:, 120:].any()
    assert found.alpha.max() > 60000
