"""Everybody in a photo: split where they stand apart, soft, and nobody where there is nobody."""

from pathlib import Path

import numpy as np
import pytest

from iph.masks import everybody, main_subject, segment_subjects, subjects
from iph.masks import people as module
from iph.masks.people import is_somebody, people_apart
from iph.masks.subjects import Subject


def planes(monkeypatch: pytest.MonkeyPatch, *boxes: tuple[int, int]) -> np.ndarray:
    """A picture in which the network is made to see a person, soft at the edge, in each span of columns."""
    probability = np.zeros((100, 200), np.float32)
    for start, end in boxes:
        probability[20:, start - 2 : end + 2] = 0.3
        probability[20:, start:end] = 0.95
    picture = np.zeros((100, 200, 3), np.uint8)  # each pixel says where it is, so that a part of it is known
    picture[..., 0], picture[..., 1] = np.arange(100)[:, None], np.arange(200)
    monkeypatch.setattr(module, "people", lambda part: probability[part[..., 0], part[..., 1]])
    module._apart.cache_clear()  # the same picture shows others now
    return picture


def test_who_stands_apart_is_apart_and_the_largest_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    found = people_apart(planes(monkeypatch, (20, 60), (100, 180)))
    assert [(mask > 0.5).sum() for mask in found] == [80 * 80, 80 * 40]
    assert (found[0] > 0.2).sum() == 80 * 84  # with its own soft edge, and no other's
    assert not ((found[0] > 0) & (found[1] > 0)).any()


def test_who_touches_stays_one_and_specks_are_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(people_apart(planes(monkeypatch, (20, 60), (62, 100)))) == 1
    assert len(people_apart(planes(monkeypatch, (20, 60), (150, 151)))) == 1
    assert people_apart(planes(monkeypatch)) == []


@pytest.mark.parametrize(("columns", "kept"), [(1, 0), (4, 4)])
def test_a_speck_near_somebody_is_none_of_them(monkeypatch: pytest.MonkeyPatch, columns: int, kept: int) -> None:
    (found,) = people_apart(planes(monkeypatch, (5, 125), (129, 129 + columns)))
    assert (found > 0.5).sum() == 80 * (120 + kept)
    assert found[50, 4] > 0.2 and (found[50, 130 + columns] > 0.2) == (kept > 0)  # with its soft edge, or all gone


def test_who_stands_apart_is_looked_at_from_near(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = planes(monkeypatch, (20, 60), (120, 180))
    near = module.people

    def blind_from_afar(part: np.ndarray) -> np.ndarray:
        found = near(part)
        if part.shape[1] > 150:  # heads and feet are lost
            found = np.where((part[..., 0] > 30) & (part[..., 0] < 90), found, 0)
        return found

    module._apart.cache_clear()
    monkeypatch.setattr(module, "people", blind_from_afar)
    assert [(mask > 0.5).sum() for mask in people_apart(picture)] == [80 * 60, 80 * 40]


def test_somebody_is_seen_from_near(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = planes(monkeypatch, (20, 60))
    mask = np.zeros((100, 200), np.float32)
    assert not is_somebody(picture, mask)
    mask[40:60, 100:140] = 1
    assert not is_somebody(picture, mask)  # the person beside it is not under it
    mask[40:60, 58:62] = 1
    assert is_somebody(picture, mask)


def shaded(across: int, down: int) -> np.ndarray:
    """A wall, lit from one side."""
    level = 125 + across * np.linspace(-95, 95, 400)[None] + down * np.linspace(-95, 95, 300)[:, None]
    return np.repeat(np.clip(level, 0, 255)[..., None], 3, 2).astype(np.uint8)


@pytest.mark.parametrize(("across", "down"), [(1, 0), (-1, 0), (0, 1), (1, 1)])
def test_a_shaded_wall_is_nobody(across: int, down: int) -> None:
    assert everybody(shaded(across, down)) is None
    found = main_subject(shaded(across, down))
    assert found is None or found.note == "nobody was found in the photo: what stands out most was taken"


def test_a_spot_of_light_is_nobody() -> None:
    rows, columns = np.mgrid[:300, :400]
    spot = np.repeat((230 - 0.8 * np.hypot(rows - 150, columns - 200))[..., None], 3, 2).astype(np.uint8)
    assert everybody(spot) is None and not any(subject.person for subject in segment_subjects(spot))


def test_nobody_is_none() -> None:
    assert everybody(np.full((64, 64, 3), 120, np.uint8)) is None
    assert everybody(np.full((8, 8, 3), 120, np.uint8)) is None


def test_everybody_is_also_who_the_other_network_alone_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (60, 90, 3)).astype(np.uint8)
    masks = np.zeros((3, 60, 90), np.float32)
    masks[0, 10:50, 5:25] = masks[1, 10:50, 40:60] = masks[2, 30:50, 70:85] = 1
    found = [Subject(mask, (0, 0, 1, 1), 0.5, person) for mask, person in zip(masks, (True, True, False), strict=True)]
    monkeypatch.setattr(subjects, "people_apart", lambda copy: [])
    monkeypatch.setattr(subjects, "_subjects", lambda image: iter(found))
    np.testing.assert_array_equal(everybody(picture), masks[:2].max(0))
    monkeypatch.setattr(subjects, "_subjects", lambda image: iter(found[2:]))
    assert everybody(picture) is None


def test_a_portrait_is_one_person_of_the_pictures_own_size() -> None:
    golden = np.load(Path(__file__).parent / "golden" / "selfie.npz")
    portrait = golden["portrait_input"]
    first = segment_subjects(portrait)[0]
    assert first.person and first.mask.shape == portrait.shape[:2]
    assert ((first.mask > 0.05) & (first.mask < 0.95)).any()
    np.testing.assert_allclose(everybody(portrait), first.mask, atol=1e-6)
