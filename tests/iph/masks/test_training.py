"""Training of the segmentation network: what is packed, what a sample holds, the losses, a short run that resumes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from iph.checkpoint import load_tensors
from iph.errors import InputError
from iph.masks import windows
from iph.masks.network import PROMPTS, PromptNet, load, segmenter
from iph.masks.prompted_people import PromptedPeople
from iph.masks.selfie import network as selfie
from iph.semantics import encoder
from iph.training.evaluate_segmentation import deepest, iou, measure, table
from iph.training.segmentation_data import PROMPTS_A_PHOTO, Photos, colours_of, pack, sample
from iph.training.segmentation_users import simulate
from iph.training.train_segmentation import begin, export, losses, take_up, train


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven photos of overlapping discs, the first disc a person; the last two are not for training, one is alone."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    rng = np.random.default_rng(0)
    rows, ys, xs = [], *np.mgrid[:96, :128]
    for i in range(7):
        discs = [(ys - 50) ** 2 + (xs - x) ** 2 < 28**2 for x in (40, 75)][: 1 if i == 0 else 2]
        image = rng.integers(0, 255, 3) * np.ones((96, 128, 1))
        for k, disc in enumerate(discs):
            image[disc] = rng.integers(0, 255, 3)
            cv2.imwrite(str(folder / "masks" / f"p{i}_{k}.png"), disc.astype(np.uint8) * 255)
        cv2.imwrite(str(folder / "images" / f"p{i}.jpg"), image.astype(np.uint8))
        rows.append(
            {
                "id": f"p{i}",
                "source": "drawn",
                "mask_kind": "human",
                "person_flags": "10"[: len(discs)],
                "n_instances": len(discs),
                "labels": "person|ball" if len(discs) > 1 else "person",
            }
        )
    pd.DataFrame(rows).to_csv(folder / "index.csv", index=False)
    splits = ["train"] * 5 + ["test", "sample"]
    pd.DataFrame({"id": [r["id"] for r in rows], "split": splits}).to_csv(folder / "split.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def packed(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "photos.npz"
    pack([photos], path)
    return path


def test_only_the_train_split_is_packed(packed: Path) -> None:
    with np.load(packed) as file:
        assert file["id"].tolist() == ["p0", "p1", "p2", "p3", "p4"]


def test_overlapping_instances_stay_whole(photos: Path, packed: Path) -> None:
    bits = Photos(packed, held_out=False).bits(1)
    for k in range(2):
        truth = cv2.imread(str(photos / "masks" / f"p1_{k}.png"), 0) > 0
        np.testing.assert_array_equal((bits >> k) & 1, truth)
    assert (bits == 3).any()


def test_a_sample_asks_for_what_it_shows(packed: Path) -> None:
    data = Photos(packed, held_out=False)
    for seed in range(20):
        one = sample(np.random.default_rng(seed), data, 64)
        assert one["image"].shape == (3, 64, 64) and one["image"].dtype == np.uint8
        assert one["prompts"].shape == (PROMPTS_A_PHOTO, len(PROMPTS), 64, 64)
        assert one["target"].shape == one["weight"].shape == (PROMPTS_A_PHOTO, 3, 32, 32)
        assert not one["prompts"][0].any()
        assert one["prompts"][1:].any((1, 2, 3)).all()
        assert one["target"][1:, 0].any((1, 2)).all()
        np.testing.assert_array_equal(one["target"][1:, 1:], one["target"][:1, 1:].repeat(PROMPTS_A_PHOTO - 1, 0))


def test_people_alone_are_asked_for_where_that_is_wanted(packed: Path) -> None:
    data = Photos(packed, held_out=False)
    for seed in range(20):
        one = sample(np.random.default_rng(seed), data, 64, people_only=True)
        asked, people = one["target"][1:, 0], one["target"][1:, 1]
        assert asked.any((1, 2)).all() and not (asked > people).any()


@pytest.fixture(scope="module")
def with_regions(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same photos without people: of two discs the first is a wall, and only the second a thing."""
    folder = tmp_path_factory.mktemp("regions") / "photos"
    shutil.copytree(photos, folder)
    table = pd.read_csv(folder / "index.csv", dtype={"person_flags": str})
    table["person_flags"] = table["person_flags"].str.replace("1", "0")
    table["labels"] = table["labels"].str.replace("person", "stuff:wall-brick")
    table.to_csv(folder / "index.csv", index=False)
    return folder


def test_a_region_is_no_subject(with_regions: Path, tmp_path: Path) -> None:
    pack([with_regions], tmp_path / "photos.npz")
    data = Photos(tmp_path / "photos.npz", held_out=False)
    assert set(data.things) == {(i, 1) for i in range(1, 5)}
    data.things = []  # nothing is pasted
    for photo, shown in ((0, False), (1, True)):  # a wall alone; a wall and a ball
        data.chosen, data.probability = np.array([photo]), np.ones(1)
        target = sample(np.random.default_rng(0), data, 64)["target"]
        assert target[0, 0].any() == target[0, 2].any() == shown and target[1, 0].any()
    assert measure(with_regions, "test")["kind"].tolist() == ["region", "object", "automatic, objects"]


def test_a_file_without_regions_is_refused(packed: Path, tmp_path: Path) -> None:
    with np.load(packed) as file:
        np.savez(tmp_path / "old.npz", **{name: file[name] for name in file if name != "region"})
    with pytest.raises(InputError, match=r"old\.npz does not say which masks are regions"):
        Photos(tmp_path / "old.npz", held_out=False)


def test_some_ask_again_where_the_first_answer_was_wrong() -> None:
    mask, others = np.zeros((2, 64, 64), np.uint8)
    mask[10:50, 5:30], others[10:50, 30:55] = 1, 1
    maps = [simulate(np.random.default_rng(seed), mask, others, box_only=False) for seed in range(200)]
    again = [add for add, remove, box, prior in maps if (prior > 0.5)[others > 0].mean() > 0.5 and not remove.any()]
    assert 5 < len(again) < 60 and all(add[mask > 0].any() for add in again)


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_a_cut_out_can_take_the_colours_that_are_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cut = np.clip(rng.normal(rng.uniform(40, 210, 3), 15, (24, 24, 3)), 0, 255).astype(np.uint8)
    there = np.clip(rng.normal(rng.uniform(40, 210, 3), 25, (300, 3)), 0, 255).astype(np.uint8)
    inside = np.ones((24, 24), bool)
    mean = lambda image: cv2.cvtColor(image.reshape(1, -1, 3), cv2.COLOR_RGB2LAB).astype(float).mean((0, 1))  # noqa: E731
    moved = colours_of(rng, cut, inside, there)
    assert moved.shape == cut.shape and moved.dtype == np.uint8
    before, after = (np.abs(mean(image) - mean(there)).sum() for image in (cut, moved))
    assert after < 0.5 * before + 25  # at least 0.6 of the way, but for chance and what sRGB cannot show


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.booleans())
def test_simulated_users_point_at_the_instance(seed: int, box_only: bool) -> None:
    ys, xs = np.mgrid[:64, :64]
    mask = ((ys - 30) ** 2 + (xs - 22) ** 2 < 150).astype(np.uint8)
    others = ((ys - 30) ** 2 + (xs - 46) ** 2 < 140).astype(np.uint8)
    add, remove, box, prior = simulate(np.random.default_rng(seed), mask, others, box_only)
    reach = cv2.dilate(mask, np.ones((5, 5))) > 0
    assert not add[~reach].any()
    assert not remove[cv2.erode(mask, np.ones((7, 7))) > 0].any() or prior.any()
    if box_only:
        assert box.any() and not (add.any() or remove.any() or prior.any())
        assert iou(box > 0, mask > 0) > 0.5


def test_losses_against_numpy() -> None:
    rng = np.random.default_rng(3)
    logits, target = rng.normal(0, 2, (2, 3, 3, 4, 4)), rng.uniform(0, 1, (2, 3, 3, 4, 4))
    weight = rng.choice([0.0, 1.0], (2, 3, 3, 4, 4))
    p = 1 / (1 + np.exp(-logits))
    cross = -(target * np.log(p) + (1 - target) * np.log(1 - p)) * weight
    cross = cross.sum((3, 4)) / (weight.sum((3, 4)) + 1)
    held = weight[:, :, 0]
    both = (p * target)[:, :, 0] * held
    dice = 1 - (2 * both.sum((2, 3)) + 1) / (((p + target)[:, :, 0] * held).sum((2, 3)) + 1)
    share = weight.mean((3, 4))
    wanted = {
        "mask": ((cross[:, :, 0] + dice) * share[:, :, 0]).sum() / (share[:, :, 0].sum() + 1e-3),
        "person": (cross[:, 0, 1] * share[:, 0, 1]).sum() / (share[:, 0, 1].sum() + 1e-3),
        "centre": (cross[:, 0, 2] * share[:, 0, 2]).sum() / (share[:, 0, 2].sum() + 1e-3),
    }
    found = losses(*(torch.from_numpy(a) for a in (logits, target, weight)))
    assert {name: pytest.approx(float(value)) for name, value in found.items()} == wanted


@pytest.mark.parametrize(
    ("kind", "network", "large"),
    [("segmentation", PromptNet, 8_000_000), ("prompted-people", PromptedPeople, 3_000_000)],
)
def test_training_goes_on_where_it_stopped(kind: str, network: type, large: int, photos: Path, tmp_path: Path) -> None:
    torch_threads = torch.get_num_threads()
    try:
        weights = train([photos], tmp_path / "run", 0.01, kind=kind)
        first = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
        train([photos], tmp_path / "run", first["spent"] / 60 + 0.01, kind=kind)
        second = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
        minutes, small = second["spent"] / 60 + 0.01, tmp_path / "run" / "resume.safetensors"
        train([photos], tmp_path / "other", minutes, resume=small, kind=kind)
        other = torch.load(tmp_path / "other" / "checkpoint.pt", weights_only=True)
    finally:
        torch.set_num_threads(torch_threads)
    table = pd.read_csv(photos / "split.csv")
    fewer = shutil.copytree(photos, tmp_path / "fewer")
    table[table["id"] != "p0"].to_csv(fewer / "split.csv", index=False)
    with pytest.raises(InputError, match="photos.npz holds other photos than"):
        train([fewer], tmp_path / "run", 9, kind=kind)
    assert 0 < first["step"] < second["step"]
    assert first["spent"] < second["spent"]
    assert second["step"] < other["step"] and small.stat().st_size < large
    missing, unexpected = network().load_state_dict(load_file(weights), strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    assert weights.stat().st_size < 4_000_000


def test_weights_of_another_network_are_a_sentence() -> None:
    for read in (load, lambda name: take_up(name, PromptNet(), PromptNet())):
        with pytest.raises(InputError, match="expected people to hold weights of PromptNet, got None"):
            read("people")
    with pytest.raises(InputError, match="expected segmentation to hold weights of PromptedPeople, got PromptNet"):
        load("segmentation", PromptedPeople)


def test_a_network_of_people_is_not_trained_without_any(photos: Path, tmp_path: Path) -> None:
    table = pd.read_csv(photos / "index.csv", dtype={"person_flags": str})
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    table.assign(person_flags=[len(flags) * "0" for flags in table["person_flags"]]).to_csv(
        folder / "index.csv", index=False
    )
    with pytest.raises(InputError, match="expected photos of people to train on in .*, found none"):
        train([folder], tmp_path / "run", 0.01, kind="prompted-people")


def test_it_starts_from_the_segmenter_that_knows_people_and_leaves_the_encoder_alone() -> None:
    network = begin(PromptNet)
    for name, value in load_tensors("people")[0].items():
        torch.testing.assert_close(network.people.state_dict()[name], value)
    network(torch.rand(1, 3, 64, 64), torch.rand(1, 1, 4, 64, 64)).mean().backward()
    assert all(p.grad is not None for n, p in network.named_parameters() if "last" not in n)
    assert not any(p.requires_grad for p in encoder().parameters())


def test_untrained_a_prompt_changes_nothing_of_what_finds_people() -> None:
    network, picture = begin(PromptedPeople).eval(), torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        found = network(picture, torch.rand(2, 3, 4, 64, 96))
        everybody = torch.nn.functional.avg_pool2d(selfie("people")(picture), 2)
    assert found.shape == (2, 3, 1, 32, 48)
    torch.testing.assert_close(found, everybody[:, None].expand_as(found), rtol=1e-4, atol=1e-4)


@pytest.fixture
def shipped_again() -> Iterator[None]:
    """Afterwards what ships answers, and nothing is remembered of others."""
    yield
    windows.network.cache_clear()
    windows._looked_at.cache_clear()


def test_other_weights_answer_when_they_are_to_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped_again: None
) -> None:
    torch.manual_seed(0)
    export({"": begin(PromptNet)}, tmp_path / "new.safetensors")
    export({"": begin(PromptedPeople)}, tmp_path / "people.safetensors")
    monkeypatch.setattr(windows, "_weights", [])
    picture = np.full((64, 96, 3), 90, np.uint8)
    windows.answer_with(tmp_path / "new.safetensors", tmp_path / "people.safetensors")
    monkeypatch.setattr(windows, "SOME_PERSON", -1)  # both are asked
    window = windows.look(picture)
    prompt = window.prompt([(48, 32)])
    networks = segmenter(tmp_path / "new.safetensors", tmp_path / "people.safetensors")
    features = dict(zip(windows.FEATURES, window.features, strict=True))
    asked = {"image": window.seen, "prompts": prompt[None, None]}
    (answer,), (second,) = networks.decode(**asked, **features), networks.people(**asked)
    sure = (answer[0, 0, 0] * answer[0, 0, 1]).sum() / answer[0, 0, 0].sum()
    mixed = answer[0, 0, 0] + windows.OTHERS_SAY * sure * (second[0, 0, 0] - answer[0, 0, 0])
    np.testing.assert_allclose(window.ask([prompt])[0, 0], mixed, atol=1e-5)


def test_the_network_answers_at_half_the_size() -> None:
    net = PromptNet().eval()
    assert sum(p.numel() for p in net.parameters()) < 2_000_000
    with torch.inference_mode():
        assert net(torch.zeros(1, 3, 64, 96), torch.zeros(1, 2, 4, 64, 96)).shape == (1, 2, 3, 32, 48)


def test_measuring_fills_every_part_of_the_table(photos: Path) -> None:
    results = measure(photos, "test")
    assert results["kind"].tolist() == ["person", "object", "automatic, people"]
    assert results["box"].dropna().between(0.6, 1).all()
    text = table(results)
    assert "| person masks | 1 |" in text and "| photos with people | 1 |" in text


def test_deepest_place_and_overlap() -> None:
    mask = np.zeros((20, 30), bool)
    mask[5:14, 10:19] = True
    assert deepest(mask) == (14, 9)
    assert iou(mask, mask) == 1 and iou(mask, ~mask) == 0 and iou(~mask & mask, mask & ~mask) == 0
