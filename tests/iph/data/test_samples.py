"""Training samples: what every one of them promises, whatever they are drawn from."""

import cv2
import numpy as np
import pytest
from photo_folder import draw_photo, make_folder

from iph.data.build import BuildSettings, build
from iph.data.manifest import Entry, write_manifest
from iph.data.manifest_samples import Composites, CompositeSampler, read_composites, sampler_of
from iph.data.pack import pack
from iph.data.regions import MIN_SHARE, background_region, random_region
from iph.data.samples import Sampler, SampleRules
from iph.data.sources import read_photos
from iph.errors import InputError
from iph.views import shrink_mask

SHAPES = {
    "composite": (3, 32, 32),
    "target": (3, 32, 32),
    "reference_image": (3, 32, 32),
    "foreground": (1, 32, 32),
    "reference": (1, 32, 32),
    "paired": (),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("samples") / "photos", [3, 4, 2, 3, 5, 2])


@pytest.fixture(scope="module")
def packed(folder, tmp_path_factory):
    return pack(folder, None, 48, tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def composites(folder, tmp_path_factory) -> Composites:
    out = tmp_path_factory.mktemp("built") / "set"
    build(read_photos(folder), BuildSettings(out, workers=1))
    return read_composites([out])


def rules(**changes) -> SampleRules:
    return SampleRules(**{"size": 32, "whole_look": 0.0, "unchanged": 0.0} | changes)


@pytest.mark.parametrize("stage", [1, 2, 3])
@pytest.mark.parametrize("source", ["packed", "composites"])
def test_every_sample_keeps_the_form(source, stage, request):
    sampler = sampler_of(request.getfixturevalue(source), rules(stage=stage))
    assert isinstance(sampler, Sampler if source == "packed" else CompositeSampler)
    for seed in range(30):
        sample = sampler.draw(seed)
        assert {name: value.shape for name, value in sample.items()} == SHAPES
        assert all(value.dtype == np.float32 and value.min() >= 0 and value.max() <= 1 for value in sample.values())
        foreground, reference = sample["foreground"], sample["reference"]
        assert set(np.unique(foreground)) == set(np.unique(reference)) == {0, 1}
        assert not (foreground * reference).any()
        assert foreground.mean() >= MIN_SHARE and sample["paired"] == 1
        if stage == 1:
            assert (reference + foreground).mean() > 0.7  # the rest are mixed pixels, which belong to neither


@pytest.mark.parametrize("source", ["packed", "composites"])
def test_a_seed_gives_one_sample_every_time(source, request):
    sampler = sampler_of(request.getfixturevalue(source), rules(whole_look=0.5, unchanged=0.2))
    for seed in [(0, 5), (1, 5), 77]:
        first, second = sampler.draw(seed), sampler.draw(seed)
        assert all((first[name] == second[name]).all() for name in SHAPES)
    different = [sampler.draw((0, number))["composite"] for number in range(6)]
    assert len({one.tobytes() for one in different}) == 6


def test_composite_and_target_differ_in_the_foreground_only(packed):
    sampler = Sampler(packed, rules())
    changes = []
    for seed in range(40):
        sample = sampler.draw(seed)
        rim = cv2.dilate(sample["foreground"][0], np.ones((5, 5))) > 0
        outside = np.broadcast_to(~rim, (3, 32, 32))
        assert (sample["composite"][outside] == sample["target"][outside]).all()
        inside = np.broadcast_to(sample["foreground"] > 0, (3, 32, 32))
        assert (sample["reference_image"] == sample["composite"]).all()
        changes.append(np.abs(sample["composite"] - sample["target"])[inside].mean())
    assert np.median(changes) > 0.03


def test_built_composites_keep_their_background(composites):
    sampler = CompositeSampler(composites, rules())
    for seed in range(20):
        sample = sampler.draw(seed)
        difference = np.abs(sample["composite"] - sample["target"])
        far = np.broadcast_to(sample["foreground"] == 0, difference.shape)
        assert np.median(difference[far]) < 0.01  # the median leaves out JPEG blocks that the foreground touches
        assert difference[~far].mean() > 0.01


@pytest.mark.parametrize("source", ["packed", "composites"])
def test_an_unchanged_sample_is_its_target(source, request):
    sample = sampler_of(request.getfixturevalue(source), rules(unchanged=1.0)).draw(3)
    assert (sample["composite"] == sample["target"]).all()


@pytest.mark.parametrize("source", ["packed", "composites"])
def test_a_look_of_the_whole_photo_changes_target_and_composite(source, request):
    data = request.getfixturevalue(source)
    plain = sampler_of(data, rules(unchanged=1.0)).draw(2)
    looks = [sampler_of(data, rules(unchanged=1.0, whole_look=1.0)).draw(2) for _ in range(2)]
    assert (looks[0]["target"] == looks[1]["target"]).all()
    assert np.abs(looks[0]["target"] - plain["target"]).mean() > 0.01
    assert (looks[0]["target"] == looks[0]["composite"]).all()


@pytest.fixture
def own_folder(tmp_path):
    return make_folder(tmp_path / "photos", [2, 2, 2])


def test_photos_are_packed_anew_when_a_file_or_a_flag_changes(own_folder, tmp_path):
    first = pack(own_folder, None, 48, tmp_path / "pack")
    described = (tmp_path / "pack/pack.json").stat().st_mtime_ns
    assert np.array_equal(pack(own_folder, None, 48, tmp_path / "pack").images, first.images)
    assert (tmp_path / "pack/pack.json").stat().st_mtime_ns == described
    cv2.imwrite(str(own_folder / "images/p01.jpg"), np.full((48, 64, 3), 90, np.uint8))
    table = (own_folder / "instances.csv").read_text()
    (own_folder / "instances.csv").write_text(table.replace("p00,1,0,", "p00,1,1,"))
    again = pack(own_folder, None, 48, tmp_path / "pack")
    assert (again.images[1] == 90).all() and again.persons[0] == [True, True]
    assert not (first.images[1] == 90).all(), "who trains on the old ones keeps them"


def test_photos_of_another_folder_of_the_same_name_are_others(own_folder, tmp_path):
    other = make_folder(tmp_path / "elsewhere/photos", [3, 3, 3])
    first = pack(own_folder, None, 48, tmp_path / "pack")
    assert not np.array_equal(pack(other, None, 48, tmp_path / "pack").images, first.images)


def test_a_photo_that_is_missing_is_named(own_folder, tmp_path):
    (own_folder / "masks/p01_0.png").unlink()
    with pytest.raises(InputError, match="expected a file of the photo p01 at .*p01_0.png: No such file"):
        pack(own_folder, None, 48, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_a_small_reference_in_a_corner_never_becomes_the_whole_window(own_folder, tmp_path):
    """A crop without any of it has no reference, and falls back to the frame."""
    build(read_photos(own_folder), BuildSettings(tmp_path / "set", workers=1))
    for path in (tmp_path / "set/references").glob("*.png"):
        mask = np.zeros((48, 64), np.uint8)
        mask[:7, :9] = 255
        cv2.imwrite(str(path), mask)
    sampler = sampler_of(read_composites([tmp_path / "set"]), rules(stage=2, crop=(0.5, 0.7)))
    assert max(sampler.draw((0, n))["reference"].mean() for n in range(60)) < 0.4


def test_an_unpaired_sample_is_a_person_beside_a_person(packed):
    sampler = Sampler(packed, rules(stage=3, unpaired=1.0))
    unpaired = [sample for sample in map(sampler.draw, range(40)) if sample["paired"] == 0]
    assert len(unpaired) > 20
    for sample in unpaired:
        assert (sample["target"] == sample["composite"]).all()
        assert not (sample["foreground"] * sample["reference"]).any()
        assert sample["reference"].mean() >= MIN_SHARE and sample["foreground"].mean() >= MIN_SHARE


def test_the_third_stage_takes_people_only(packed):
    sampler = Sampler(packed, rules(stage=3, arbitrary=0.0))
    crops = []
    original = sampler._crop

    def remember(rng, number):
        image, layers = original(rng, number)
        crops.append([layer for layer, person in layers if person])
        return image, layers

    sampler._crop = remember
    among_people = 0
    for seed in range(40):
        foreground = sampler.draw(seed)["foreground"][0].astype(bool)
        among_people += any((foreground == shrink_mask(layer, 32)).all() for layer in crops[-1])
    assert among_people >= 38  # a crop may hold no person that is large enough


def test_packed_photos_are_the_folders(folder, packed, tmp_path):
    assert packed.ids == [f"p{n:02d}" for n in range(6)] and packed.images.shape == (6, 48, 48, 3)
    for number, persons in enumerate(packed.persons):
        image, masks = draw_photo(number, [3, 4, 2, 3, 5, 2][number])
        assert len(persons) == len(masks)
        assert abs(float(packed.images[number].mean()) - image.mean()) < 2
        shares = sorted((float((packed.instances[number] >> k & 1).mean()) for k in range(len(masks))), reverse=True)
        assert np.allclose(shares, sorted((mask.mean() for mask in masks), reverse=True), atol=0.03)
    again = pack(folder, None, 48, tmp_path)
    written = (tmp_path / "images.npy").stat().st_mtime_ns
    assert (pack(folder, None, 48, tmp_path).images == again.images).all()
    assert (tmp_path / "images.npy").stat().st_mtime_ns == written  # opened, not made again
    assert pack(folder, None, 32, tmp_path).images.shape[1] == 32


def test_regions_lie_in_the_frame_and_background_regions_outside_the_foreground():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        region = random_region(rng, (40, 60))
        assert region.shape == (40, 60) and 0.005 < region.mean() < 0.6
        background = background_region(rng, region)
        assert background.any() and not (background & region).any()


def test_composites_of_several_sets_are_drawn_together(composites, tmp_path):
    (folder, first), *_ = composites.entries
    both = read_composites([folder, folder])
    assert len(both) == 2 * len(composites) and both.ids[: len(composites)] == composites.ids
    assert both.subset([0]).entries == [(folder, first)]


def test_a_set_without_targets_cannot_be_trained_on(tmp_path):
    write_manifest(tmp_path, [Entry("a", "a.png", "b.png")])
    with pytest.raises(InputError, match="a target for every composite to train on, a in .* has none"):
        read_composites([tmp_path])


def test_one_mask_for_both_regions_cannot_be_trained_on(tmp_path):
    write_manifest(tmp_path, [Entry("a", "a.png", "b.png", reference="b.png", target="c.png")])
    with pytest.raises(InputError, match="a mask for each region to train on, a in .* has one for both"):
        read_composites([tmp_path])


def test_broken_pictures_are_named(composites, tmp_path):
    write_manifest(tmp_path, [Entry("a", "a.png", "b.png", target="c.png")])
    with pytest.raises(InputError, match="expected a readable picture at .*a.png, found none"):
        CompositeSampler(read_composites([tmp_path]), rules()).draw(0)
