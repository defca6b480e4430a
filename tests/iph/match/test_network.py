"""The network that starts from the match: its two paths, its weight files, its samples and its training."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from photo_folder import make_folder

from iph.checkpoint import load_network, save_network
from iph.data.lights import ColourStatistics, random_light
from iph.data.match_samples import MatchRules, MatchSampler, same_kind, unlike_region
from iph.data.pack import pack
from iph.data.samples import SampleRules
from iph.errors import InputError
from iph.match.closed_form import SIDE, attend, see, widened
from iph.match.network import BLEND, MatchConfig, MatchNetwork, is_match, load_match_network, start_network
from iph.network import Config
from iph.training.belief import BASELINE, belief_samples
from iph.training.evaluate_match import (
    composite_alone,
    foreground_errors,
    hue_error,
    local_deviation,
    match_network,
    recoloured,
    run,
    structure_term,
)
from iph.training.interpolate_weights import between
from iph.training.match_between import part_of_the_way
from iph.training.match_objective import MatchWeights, match_objective
from iph.training.show_match import rows
from iph.training.train_match import MatchTraining, train_match
from iph.training.validate import stack

SMALL = MatchConfig(Config(widths=(8, 8, 12, 16), style_widths=(8, 8), code=8), width=8, semantic=8, cell=12)
RULES = MatchRules(base=SampleRules(size=32), pasted=0.3, transfer=0.2, clean=0.5)
ALWAYS = {"pasted": 1.0, "transfer": 0.0}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = make_folder(tmp_path_factory.mktemp("match") / "photos", [2 + n % 3 for n in range(40)])
    return pack(folder, None, 48, tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def batch(photos) -> dict[str, torch.Tensor]:
    sampler = MatchSampler(photos, RULES)
    return stack([sampler.draw((1, n)) for n in range(12)])


@pytest.fixture
def start(tmp_path):
    """A small network's weights, in place of ``general``."""
    torch.manual_seed(0)
    path = tmp_path / "start.safetensors"
    save_network(path, MatchNetwork(SMALL))
    return path


def seen(batch) -> tuple:
    """The picture of the foreground, and that of the reference."""
    return see(batch["composite"], batch["photo"]), see(batch["reference_image"], batch["reference_photo"])


def answer(network, batch, pasted: float):
    picture, other = seen(batch)
    told = torch.full((len(batch["composite"]),), pasted)
    with torch.no_grad():
        return network.parts(picture, batch["foreground"], other, batch["reference"], batch["scene"], told)


def alone(network, batch) -> torch.Tensor:
    """A network without the match, shown the reference as widened as the other's own path sees it."""
    picture, other = seen(batch)
    foreground, reference = picture.region(batch["foreground"]), other.region(batch["reference"])
    alike = attend(foreground, reference)[1]
    wide = widened(foreground, alike, batch["reference"], batch["scene"], torch.ones(12))
    return network(batch["composite"], batch["foreground"], batch["reference_image"], wide)


def test_untrained_and_not_pasted_it_answers_as_the_network_that_it_grew_from(batch):
    grown, general = start_network("small"), load_network("small")
    assert (answer(grown, batch, 0.0)[0] - alone(general, batch)).abs().max() < 1e-5
    result, parts = answer(grown, batch, 1.0)
    own = general(batch["composite"], batch["foreground"], batch["reference_image"], batch["reference"])
    assert not torch.allclose(result, own, atol=1e-3)
    assert torch.allclose(parts.own, own, atol=1e-5)
    assert torch.allclose(parts.lightness, torch.full_like(parts.lightness, 0.9))
    assert 0 < BLEND < 1 and parts.chroma.shape == (12, 256)


@pytest.mark.parametrize("pasted", [0.0, 1.0])
def test_nothing_changes_outside_the_foreground(batch, pasted):
    torch.manual_seed(1)
    network = MatchNetwork(SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    result = answer(network, batch, pasted)[0]
    outside = 1 - batch["foreground"]
    assert torch.equal(result * outside, batch["composite"] * outside)


def test_weights_come_back_and_others_are_refused(start, tmp_path, batch):
    network = load_match_network(start)
    assert network.config == SMALL and not network.training
    again = tmp_path / "again.safetensors"
    save_network(again, network)
    assert torch.equal(answer(load_match_network(again), batch, 1.0)[0], answer(network, batch, 1.0)[0])
    with pytest.raises(InputError, match="expected the weights of a MatchNetwork, got those of a Network"):
        load_match_network("small")
    with pytest.raises(InputError, match="expected a weight file at .*nowhere"):
        load_match_network(tmp_path / "nowhere.safetensors")


def test_part_of_the_way_goes_from_the_start_to_the_end(batch):
    torch.manual_seed(2)
    trained = start_network("small")
    for parameter in trained.parameters():
        parameter.data += torch.randn_like(parameter) * 0.01
    general = load_network("small")
    own = alone(general, batch)
    assert torch.allclose(answer(part_of_the_way(trained, general, 0.0), batch, 0.0)[0], own, atol=1e-5)
    assert torch.equal(answer(part_of_the_way(trained, general, 1.0), batch, 1.0)[0], answer(trained, batch, 1.0)[0])
    half = part_of_the_way(trained, general, 0.5)
    for name, value in part_of_the_way(half, general, 2.0).state_dict().items():
        torch.testing.assert_close(value, trained.state_dict()[name], rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="expected a share from 0 to 2, got 2.1"):
        part_of_the_way(trained, general, 2.1)
    with pytest.raises(InputError, match="expected the network that training began with"):
        part_of_the_way(MatchNetwork(SMALL), general, 0.5)


def test_between_two_runs_is_that_share_of_every_weight(start):
    one, other = load_match_network(start), MatchNetwork(SMALL)
    ways = [between(one, other, share).state_dict() for share in (0.0, 0.25, 1.0)]
    for name, value in one.state_dict().items():
        goal = other.state_dict()[name]
        torch.testing.assert_close(ways[0][name], value)
        torch.testing.assert_close(ways[1][name], 0.75 * value + 0.25 * goal)
        torch.testing.assert_close(ways[2][name], goal)
    assert is_match(start) and not is_match("small")
    with pytest.raises(InputError, match="expected networks of one configuration"):
        between(one, MatchNetwork(), 0.5)


def test_samples_keep_their_form_and_depend_on_their_seed_alone(photos):
    sampler = MatchSampler(photos, RULES, portraits=photos)
    kinds = set()
    for seed in range(40):
        sample = sampler.draw(seed)
        assert {name: value.shape for name, value in sample.items()} == {
            "composite": (3, 32, 32),
            "foreground": (1, 32, 32),
            "reference": (1, 32, 32),
            "target": (3, 32, 32),
            "photo": (3, SIDE, SIDE),
            "reference_image": (3, 32, 32),
            "reference_photo": (3, SIDE, SIDE),
            "scene": (1, 32, 32),
            "paired": (),
            "pasted": (),
            "transfer": (),
        }
        assert all(value.dtype == np.float32 and value.min() >= 0 and value.max() <= 1 for value in sample.values())
        assert sample["paired"] == 1 - sample["pasted"]
        outside = sample["foreground"] == 0
        if not sample["pasted"]:
            assert np.abs(sample["composite"] - sample["target"])[:, outside[0]].mean() < 0.03
        kinds.add((float(sample["pasted"]), float(sample["transfer"])))
    assert kinds == {(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)}
    assert all(np.array_equal(value, sampler.draw(39)[name]) for name, value in sample.items())


def test_clean_pastes_need_no_portraits(photos):
    sampler = MatchSampler(photos, replace(RULES, clean=1.0, **ALWAYS))
    assert sum(sampler.draw(seed)["pasted"] for seed in range(10)) > 5


def test_the_peer_sees_the_same_composites_and_the_whole_scene_alone(photos, start):
    sampler, peer = (MatchSampler(photos, replace(RULES, scene_only=only)) for only in (False, True))
    for seed in range(20):
        one, other = sampler.draw(seed), peer.draw(seed)
        assert all(np.array_equal(one[name], other[name]) for name in ("composite", "foreground", "target", "photo"))
        assert (other["reference"] != one["scene"]).mean() < 0.1  # pixels of the small copy that lie on the edge
    torch.manual_seed(3)
    network = MatchNetwork(SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    save_network(start, network)
    whole_pictures = MatchSampler(photos, replace(RULES, margin=None))
    batch = stack([whole_pictures.draw((1, n)) for n in range(12)])
    elsewhere = torch.arange(len(batch["composite"])).roll(1)
    ours, peers = (match_network(start, peer=only) for only in (False, True))
    assert not torch.allclose(run(ours, batch), run(ours, batch, elsewhere), atol=1e-3)
    assert torch.equal(run(peers, batch), run(peers, batch, elsewhere))
    whole = batch | {"reference": 1 - batch["foreground"]}
    assert torch.equal(run(peers, batch), run(ours, whole))


def test_a_foreground_is_seen_from_near_and_its_reference_in_the_whole_photo(photos):
    near, far = (MatchSampler(photos, replace(RULES, margin=(share, share))) for share in (1.5, 100.0))
    nearer = 0
    for seed in range(20):
        window, whole = near.draw((6, seed)), far.draw((6, seed))
        for name in ("reference_image", "reference_photo", "reference", "scene"):
            assert np.array_equal(window[name], whole[name])
        assert np.array_equal(whole["composite"], whole["reference_image"])
        assert np.array_equal(whole["photo"], whole["reference_photo"])
        assert window["foreground"].mean() >= whole["foreground"].mean()
        nearer += window["foreground"].mean() > 1.2 * whole["foreground"].mean()
        inside = window["foreground"][0] > 0
        assert min(inside.any(1).mean(), inside.any(0).mean()) >= 0.5  # its box: two thirds, less what is thin
    assert nearer > 5


def test_people_of_a_group_are_shown_one_another(photos):
    rules = replace(RULES, base=SampleRules(size=48, arbitrary=0.0, crop=(1.0, 1.0), mirrored=0.0), margin=None)
    always = replace(rules, pasted=0.0, people=1.0, together=1.0, pairs=1.0, inexact=0.0)
    sampler = MatchSampler(photos, always)
    people = [[(bits >> k & 1).astype(bool) for k in np.flatnonzero(flags)]
              for bits, flags in zip(photos.instances, photos.persons, strict=True)]  # fmt: skip
    for seed in range(12):
        drawn = sampler.draw((4, seed))
        foreground, reference = (drawn[name][0] > 0.5 for name in ("foreground", "reference"))
        mine = [group for group in people if any(np.array_equal(one, foreground) for one in group)]
        assert any(
            len(group) > 1 and np.array_equal(other & ~foreground, reference) for group in mine for other in group
        )


def test_of_the_same_kind_is_what_is_seen_of_another_instance():
    one, two, three = (np.zeros((48, 48), bool) for _ in range(3))
    one[:20], two[10:30], three[30:] = True, True, True
    (seen,) = same_kind(one, [(one, True), (two, True), (three, False)])
    assert np.array_equal(seen, two & ~one)
    assert not same_kind(three, [(one, True), (two, True), (three, False)])
    assert not same_kind(one & two, [(one, True), (two, True)])  # a region, not an instance


def test_an_unlike_reference_is_the_saturated_one():
    image = np.full((48, 48, 3), 0.5, np.float32)
    image[:, 24:] = (0.9, 0.1, 0.1)
    foreground = np.zeros((48, 48), bool)
    foreground[:8, :8] = True
    regions = [unlike_region(np.random.default_rng(seed), image, foreground, []) for seed in range(20)]
    assert np.mean([np.ptp(image, axis=-1)[region].mean() for region in regions]) > 0.5
    assert not any((region & foreground).any() for region in regions)


def test_light_and_transferred_colours_stay_in_range(photos):
    image = photos.images[0].astype(np.float32) / 255
    for seed in range(10):
        changed = random_light(np.random.default_rng(seed)).apply(image)
        assert changed.min() >= 0 and changed.max() <= 1 and not np.allclose(changed, image)
    statistics = ColourStatistics.of(photos)
    mask = (photos.instances[0] & 1).astype(bool)
    moved = statistics.transferred(np.random.default_rng(0), image, mask, True, 1.0)
    assert np.abs(moved - image)[~mask].max() < 0.01 < np.abs(moved - image)[mask].max()


def test_the_objective_teaches_both_cases(batch):
    torch.manual_seed(0)
    network = start_network("small")
    loss, parts = match_objective(network, load_network("small"), batch, MatchWeights(), bfloat16=False)
    loss.backward()
    assert {"recoloured l1", "recoloured squared", "chroma", "pasted l1"} <= set(parts)
    still = {name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()}
    behind_zeros = ("cells.", "own.0", "correction.0", "shares.0", "norm.")  # they learn from the second step on
    assert {name for name in still if not name.startswith(behind_zeros)} == set()


def settings(out, start, **changes) -> MatchTraining:
    usual = {"batch": 4, "warm_up": 2, "report_every": 2, "sizes": (32, 48), "bfloat16": False, "rules": RULES}
    return MatchTraining(out, start=str(start), **usual | changes)


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(photos, start, tmp_path, monkeypatch):
    whole = train_match(photos, settings(tmp_path / "whole", start, steps=6))
    stopped = tmp_path / "stopped"
    real = MatchSampler.draw

    def until(self, seed):
        if seed[1] >= 12:  # the fourth batch
            raise KeyboardInterrupt
        return real(self, seed)

    monkeypatch.setattr(MatchSampler, "draw", until)
    with pytest.raises(KeyboardInterrupt):
        train_match(photos, settings(stopped, start, steps=6, save_every=0.0))
    monkeypatch.setattr(MatchSampler, "draw", real)
    again = train_match(photos, settings(stopped, start, steps=6))
    for name, value in whole.state_dict().items():
        assert torch.allclose(value, again.state_dict()[name], atol=1e-6), name
    with open(stopped / "log.csv", newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [2, 4, 6]
    assert json.loads((stopped / "settings.json").read_text())["steps"] == 6


def test_the_small_file_alone_takes_a_run_up_elsewhere(photos, start, tmp_path):
    first = train_match(photos, settings(tmp_path / "first", start, steps=3))
    small = tmp_path / "first" / "resume.safetensors"
    stopped = train_match(photos, settings(tmp_path / "second", start, steps=3, resume=small))
    for name, value in first.state_dict().items():
        assert torch.allclose(value, stopped.state_dict()[name], atol=2e-3), name  # float16
    longer = train_match(photos, settings(tmp_path / "third", start, steps=5, resume=small))
    assert not torch.allclose(longer.hint.weight, first.hint.weight, atol=1e-5)
    assert load_match_network(tmp_path / "third" / "average.safetensors").config == SMALL


def test_what_cannot_be_trained_is_said(photos, start, tmp_path):
    with pytest.raises(InputError, match="expected either minutes or steps"):
        train_match(photos, settings(tmp_path / "none", start))
    train_match(photos, settings(tmp_path / "small", start, steps=1))
    with pytest.raises(InputError, match="expected the seed with which the run in .* was begun, got others"):
        train_match(photos, settings(tmp_path / "small", start, steps=2, seed=1))
    assert json.loads((tmp_path / "small" / "settings.json").read_text())["seed"] == 0
    with pytest.raises(InputError, match="expected .*resume.safetensors to hold a run of this very network"):
        train_match(
            photos,
            settings(tmp_path / "other", "small", steps=1, resume=tmp_path / "small" / "resume.safetensors"),
        )


def test_the_measures_know_the_truth(batch):
    assert float(foreground_errors(batch["target"], batch).max()) == 0
    right, wrong = recoloured(composite_alone, {name: value for name, value in batch.items()})
    assert right == wrong == pytest.approx(1)
    mask = batch["foreground"]
    grey = batch["composite"][:, :1]
    assert torch.allclose(structure_term(grey * 100, grey * 100, mask), torch.ones(12), atol=1e-4)
    assert structure_term(grey * 100, 100 - grey * 100, mask).mean() < 0.5
    assert torch.allclose(local_deviation(grey * 50), local_deviation(grey * 100) / 2, atol=0.05)
    alone = grey[:1, :, :7, :7] * 100
    assert float(local_deviation(alone)[0, 0, 3, 3]) == pytest.approx(float(alone.std(correction=0)), rel=1e-3)
    turned = batch["composite"].roll(1, 1)
    assert hue_error(turned, batch["composite"], torch.ones_like(mask)).median() > 20
    assert hue_error(turned, batch["composite"], torch.zeros_like(mask)).isnan().all()


def test_belief_open_is_the_same_each_time_and_starts_with_the_background(tmp_path):
    folder = make_folder(tmp_path / "photos", [3, 4, 3], {f"p{n:02d}": "test" for n in range(3)})
    one, other = (list(belief_samples(folder, 32)) for _ in range(2))
    kinds = [kind for kind, _ in one]
    assert kinds[0] == BASELINE and kinds.count(BASELINE) == 3 and "thing" in kinds
    for (kind, sample), (same, again) in zip(one, other, strict=True):
        assert kind == same and all(np.array_equal(value, again[name]) for name, value in sample.items())
        assert sample["photo"].shape == (3, SIDE, SIDE)
        assert not (sample["reference"] * sample["foreground"]).any()


def test_a_pair_that_cannot_be_shown_is_named(tmp_path):
    folder = make_folder(tmp_path / "photos", [3], {"p00": "test"})
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "somebody.jpg").touch()
    with pytest.raises(InputError, match="got 'nobody=p00'"):
        next(rows(tmp_path, folder, ["nobody=p00"], count=1, seed=0))
