"""The paper's pairs: two instances of one photo, two people in stage 3, one augmentation; and a run's shares."""

import numpy as np
import pytest
from photo_folder import make_folder

from iph.data.build import BuildSettings, build
from iph.data.instance_pairs import InstancePairSampler
from iph.data.manifest_samples import read_composites, sampler_of
from iph.data.pack import pack
from iph.data.regions import MIN_SHARE
from iph.data.samples import Sampler, SampleRules, paper_rules
from iph.data.sources import read_photos
from iph.errors import InputError
from iph.training.shares import shares_of, shares_text
from iph.views import shrink, shrink_mask

SIZE = 48  # that of the packed photos, so that a sample's masks are theirs
COUNTS = [1, 2, 3, 4, 1, 3, 5, 2, 3]  # every second instance is a person


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("pairs") / "photos", COUNTS)


@pytest.fixture(scope="module")
def packed(folder, tmp_path_factory):
    return pack(folder, None, SIZE, tmp_path_factory.mktemp("pack"))


def layers(packed, number: int, people: bool) -> list[np.ndarray]:
    flags = packed.persons[number]
    bits = packed.instances[number]
    return [(bits >> k & 1).astype(bool) for k, person in enumerate(flags) if person or not people]


@pytest.mark.parametrize("stage", [2, 3])
def test_foreground_and_reference_are_two_instances_of_one_photo(packed, stage):
    sampler = sampler_of(packed, paper_rules(SIZE, stage))
    assert isinstance(sampler, InstancePairSampler)
    drawn = set()
    for seed in range(60):
        sample = sampler.draw(seed)
        foreground, reference = sample["foreground"][0] > 0, sample["reference"][0] > 0
        (number,) = [
            n for n in range(len(packed)) if np.allclose(sample["target"], planes(packed.images[n]), atol=1e-5)
        ]
        drawn.add(number)
        found = layers(packed, number, people=stage == 3)
        (k,) = [k for k, layer in enumerate(found) if (layer == foreground).all()]
        clear = [layer & ~foreground for j, layer in enumerate(found) if j != k]
        assert any((layer == reference).all() for layer in clear) and reference.mean() >= MIN_SHARE
        changed = np.abs(sample["composite"] - sample["target"]).max(0) > 1e-6
        assert not changed[~foreground].any() and changed[foreground].any()
        assert sample["paired"] == 1 and (sample["reference_image"] == sample["composite"]).all()
    expected = {n for n, count in enumerate(COUNTS) if count >= (3 if stage == 3 else 2)}
    assert drawn == expected  # whole photos, all that have a pair and no other


def planes(image: np.ndarray) -> np.ndarray:
    return shrink(image.astype(np.float32) / 255, SIZE).transpose(2, 0, 1)


def test_the_first_stage_has_the_background_as_reference(packed):
    sampler = sampler_of(packed, paper_rules(SIZE, 1))
    for seed in range(20):
        sample = sampler.draw(seed)
        assert (sample["foreground"] + sample["reference"] == 1).all()
    assert set(shares_of(sampler, 40)) == {"person + background", "thing + background"}


def test_small_masks_are_mostly_inside(packed):
    sample = sampler_of(packed, paper_rules(32, 2)).draw(4)
    assert sample["composite"].shape == (3, 32, 32) and not (sample["foreground"] * sample["reference"]).any()
    assert shrink_mask(np.ones((SIZE, SIZE), bool), 32).all()


def test_shares_are_those_of_the_rules(packed):
    """Reference included: the paper's are instances alone, ours are not."""
    second = shares_of(sampler_of(packed, paper_rules(SIZE, 2)), 200)
    assert set(second) == {f"{a} + {b}" for a in ("person", "thing") for b in ("person", "thing")}
    assert shares_of(sampler_of(packed, paper_rules(SIZE, 3)), 50) == {"person + person": 1.0}
    ours = shares_of(Sampler(packed, SampleRules(size=SIZE, stage=3)), 300)
    assert ours.get("person + person", 0) < 0.5 and ours["person + region"] > 0.1 and "region + background" in ours
    pasted = shares_of(Sampler(packed, SampleRules(size=SIZE, stage=3, unpaired=1.0)), 30)
    assert pasted["person + person of another photo"] > 0.5
    assert sum(ours.values()) == pytest.approx(1)
    text = shares_text({"person + person": 0.9, "thing + region": 0.1})
    assert text == "samples, foreground + reference: person + person 90 %, thing + region 10 %"


def test_built_composites_without_a_second_instance_are_left_out(folder, tmp_path):
    build(read_photos(folder), BuildSettings(tmp_path / "set", workers=1))
    composites = read_composites([tmp_path / "set"])
    assert shares_of(sampler_of(composites, paper_rules(32, 2)), 40) == {"instance + instance": 1.0}
    assert shares_of(sampler_of(composites, paper_rules(32, 1)), 40) == {"foreground + background": 1.0}
    ours = shares_of(sampler_of(composites, SampleRules(size=32)), 60)
    assert set(ours) == {"instance + instance", "instance + region"}
    single = composites.subset([n for n, (_, entry) in enumerate(composites.entries) if entry.subset == "background"])
    with pytest.raises(InputError, match="whose reference is another instance, found none"):
        sampler_of(single, paper_rules(32, 2))


def test_photos_without_a_pair_and_unknown_rules_are_said_so(packed):
    with pytest.raises(InputError, match="photos with two people of at least 1% of the frame, found none"):
        sampler_of(packed.subset([0, 1, 4]), paper_rules(SIZE, 3))
    with pytest.raises(InputError, match="expected a rule of pairs among any region, paper, but got 'papers'"):
        sampler_of(packed, SampleRules(pairs="papers"))
