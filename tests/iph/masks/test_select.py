"""Selecting subjects with the shipped network, on pictures drawn here and on photos of the shared folder."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from iph.errors import InputError
from iph.masks import (
    automatic_reference,
    from_box,
    from_click,
    from_strokes,
    segment_subjects,
    suggest_references,
)
from iph.masks.subjects import Subject
from iph.training.evaluate_segmentation import deepest

Picture = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def two_balls() -> Picture:
    """Two balls of different colour that touch, on a rough meadow; the truth of each."""
    rng = np.random.default_rng(0)
    height, width = 240, 320
    meadow = cv2.resize(rng.uniform(0, 1, (60, 80, 1)).astype(np.float32), (width, height))[..., None]
    image = np.array([70, 120, 60]) + meadow * np.array([40, 50, 30])
    ys, xs = np.mgrid[:height, :width]
    balls = [(ys - 130) ** 2 + (xs - x) ** 2 < 60**2 for x in (100, 218)]
    for ball, colour, x in zip(balls, ((210, 50, 40), (40, 60, 200)), (100, 218), strict=True):
        shade = 1 - 0.35 * np.hypot(ys - 100, xs - x + 20)[..., None] / 100
        image = np.where(ball[..., None], np.array(colour) * shade, image)
    return np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8), *balls


def iou(found: np.ndarray, truth: np.ndarray) -> float:
    found = found > 0.5
    return (found & truth).sum() / (found | truth).sum()


def check_form(mask: np.ndarray, image: np.ndarray) -> None:
    assert mask.shape == image.shape[:2]
    assert mask.dtype == np.float32
    assert mask.min() >= 0 and mask.max() <= 1


def test_box_finds_what_it_holds(two_balls: Picture) -> None:
    image, left, right = two_balls
    for truth, box in ((left, (36, 66, 164, 194)), (right, (154, 66, 282, 194))):
        mask = from_box(image, box)
        check_form(mask, image)
        assert iou(mask, truth) > 0.85
        assert not mask[:, : box[0]].any() and not mask[:, box[2] :].any()


def test_clicks_part_two_that_touch(two_balls: Picture) -> None:
    image, left, right = two_balls
    for truth, rest, point, other in ((left, right, (100, 130), (218, 130)), (right, left, (218, 130), (100, 130))):
        mask = from_click(image, point, remove=(other,))
        check_form(mask, image)
        assert mask[truth].mean() > 0.5 and mask[rest & ~truth].mean() < 0.1


def test_click_leaves_out_what_lies_far_away(two_balls: Picture) -> None:
    image, left, _ = two_balls
    apart = np.concatenate([image[:, :160], image[:, :60], image[:, :160]], axis=1)
    mask = from_click(apart, (100, 130))
    assert mask[:, :160][left[:, :160]].mean() > 0.7
    assert not mask[:, 230:].any()


def test_strokes_take_a_neighbour_away(two_balls: Picture) -> None:
    image, left, right = two_balls
    add, remove = np.zeros(image.shape[:2], np.uint8), np.zeros(image.shape[:2], np.uint8)
    cv2.line(add, (70, 130), (120, 130), 255, 5)
    cv2.line(remove, (200, 130), (240, 130), 255, 5)
    mask = from_strokes(image, add, remove, start=(left | right).astype(np.float32))
    check_form(mask, image)
    assert iou(mask, left) > 0.85
    assert (mask[add > 0] == 1).all() and (mask[remove > 0] == 0).all()


@pytest.mark.parametrize("on_the_ball", [True, False])
def test_a_short_stroke_takes_only_what_is_near(two_balls: Picture, on_the_ball: bool) -> None:
    """From a mask of a ball and a patch of meadow: the patch that it lies on, never most of the ball."""
    image, left, _ = two_balls
    patch, remove = np.zeros((2, *image.shape[:2]), np.uint8)
    cv2.rectangle(patch, (30, 20), (70, 70), 1, -1)
    patch = (patch > 0) & ~left
    cv2.line(remove, *(((92, 130), (102, 130)) if on_the_ball else ((40, 45), (60, 45))), 255, 9)
    mask = from_strokes(image, None, remove, start=(left | patch).astype(np.float32))
    check_form(mask, image)
    assert not mask[remove > 0].any()
    assert mask[left].mean() > (0.85 if on_the_ball else 0.95)
    assert on_the_ball or mask[patch].mean() < 0.25


def test_without_strokes_a_mask_stays(two_balls: Picture) -> None:
    image, left, _ = two_balls
    assert iou(from_strokes(image, None, None, left.astype(np.float32)), left) > 0.95


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_depth_gives_the_same_mask(two_balls: Picture, dtype: type) -> None:
    image = two_balls[0]
    other = {np.uint8: image, np.uint16: image.astype(np.uint16) * 257, np.float32: image.astype(np.float32) / 255}
    masks = [from_box(i, (36, 66, 164, 194)) for i in (image, other[dtype])]
    np.testing.assert_allclose(*masks, atol=0.02)  # grey of uint8 is rounded


def test_a_large_picture_gets_a_large_mask(two_balls: Picture) -> None:
    image, left, _ = two_balls
    large = cv2.resize(image, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    mask = from_box(large, (180, 330, 820, 970))
    check_form(mask, large)
    assert iou(mask, np.kron(left, np.ones((5, 5))).astype(bool)) > 0.85


def test_suggestions_stay_outside_the_foreground(two_balls: Picture) -> None:
    image, left, _ = two_balls
    foreground = left.astype(np.float32)
    suggested = suggest_references(image, foreground)
    assert 1 <= len(suggested) <= 6
    assert suggested[-1][0] == "background"
    for _, mask in suggested:
        check_form(mask, image)
        assert (mask >= 0.5).any()
        assert not mask[left].any()
    np.testing.assert_array_equal(suggested[-1][1], 1 - foreground)
    np.testing.assert_array_equal(automatic_reference(image, foreground), suggested[0][1])
    found = [np.minimum(subject.mask, 1 - foreground) for subject in segment_subjects(image)]
    for _, mask in suggested[:-1]:  # what may be pointed at is what may be cut out
        assert any(np.array_equal(mask, one) for one in found)


def test_one_of_a_kind_needs_no_number(two_balls: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    image, left, right = two_balls
    masks = {"one": left, "other": right, "third": ~(left | right)}
    kinds = {"one": (True, 0.9), "other": (False, 0.8), "third": (True, 0.1)}
    subjects = {
        name: Subject(masks[name].astype(np.float32), (0, 0, 1, 1), score, person)
        for name, (person, score) in kinds.items()
    }
    foreground = np.zeros(image.shape[:2], np.float32)
    foreground[:5] = 1
    for there, labels in (
        (["one", "other"], ["person", "object"]),
        (["one", "other", "third"], ["person 1", "object", "person 2"]),
    ):
        monkeypatch.setattr("iph.masks.subjects.segment_subjects", lambda _, there=there: [subjects[n] for n in there])
        assert [label for label, _ in suggest_references(image, foreground)] == [*labels, "background"]


def test_nothing_stands_out_of_one_colour() -> None:
    image = np.full((96, 128, 3), 127, np.uint8)
    foreground = np.zeros((96, 128), np.float32)
    foreground[20:60, 30:70] = 1
    np.testing.assert_array_equal(automatic_reference(image, foreground), 1 - foreground)


def test_a_foreground_in_levels_is_the_same_foreground(two_balls: Picture) -> None:
    image, left, _ = two_balls
    soft = cv2.blur(left.astype(np.float32), (9, 9))
    levels = np.rint(soft * 255).astype(np.uint8)
    expected = automatic_reference(image, levels.astype(np.float32) / 255)
    np.testing.assert_allclose(automatic_reference(image, levels), expected, atol=1e-6)
    hard = levels > 127
    for foreground in (hard, hard.astype(np.uint8)):
        found = automatic_reference(image, foreground)
        np.testing.assert_array_equal(found, automatic_reference(image, hard.astype(np.float32)))


def test_bad_input_gets_a_sentence(two_balls: Picture) -> None:
    image, left, _ = two_balls
    with pytest.raises(InputError, match="outside the picture"):
        from_click(image, (400, 10))
    with pytest.raises(InputError, match="no pixel"):
        from_box(image, (-20, -20, -5, -5))
    with pytest.raises(InputError, match="stroke on what to keep"):
        from_strokes(image, np.zeros(image.shape[:2], bool), None)
    with pytest.raises(InputError, match="with shape"):
        from_strokes(image, left[:10], None)
    with pytest.raises(InputError, match="whole picture"):
        suggest_references(image, np.ones(image.shape[:2], np.float32))
    with pytest.raises(InputError, match="H, W, 3"):
        segment_subjects(image[..., 0])
    with pytest.raises(InputError, match="NaN"):
        segment_subjects(np.full((32, 32, 3), np.nan, np.float32))


def test_strokes_and_masks_are_the_same_in_every_form(two_balls: Picture) -> None:
    image, left, right = two_balls
    remove = np.zeros(left.shape, bool)
    remove[125:135, 205:215] = True
    start = (left | right).astype(np.float32)
    expected = from_strokes(image, None, remove, start)
    for stroke, mask in (
        (remove.astype(np.uint8), start > 0),
        (remove * np.uint16(65535), np.uint8(255) * (start > 0)),
    ):
        np.testing.assert_array_equal(from_strokes(image, None, stroke, mask), expected)
    faint = np.full(left.shape, 200, np.uint16)
    faint[0, 0] = 65535
    np.testing.assert_array_equal(
        from_strokes(image, None, faint, start), from_strokes(image, None, faint > 200, start)
    )


def test_a_box_of_less_than_a_pixel_of_the_copy_holds_something() -> None:
    image = np.full((1500, 2000, 3), 90, np.uint8)
    image[700:703, 1000:1003] = 250
    mask = from_box(image, (1000, 700, 1003, 703))
    assert mask.shape == image.shape[:2] and not mask[:700].any() and not mask[:, 1003:].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 2)])
def test_tiny_pictures_do_not_break(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 255, (*shape, 3), np.uint8)
    check_form(from_click(image, (0, 0)), image)
    check_form(from_box(image, (0, 0, shape[1], shape[0])), image)
    assert isinstance(segment_subjects(image), list)


@pytest.mark.shared
def test_people_of_held_out_photos(shared: Path) -> None:
    """A taste of the table in docs/segmentation.md: ten test photos of one person."""
    photos = shared / "data" / "photos"
    table = pd.read_csv(photos / "index.csv", dtype={"person_flags": str}).merge(pd.read_csv(photos / "split.csv"))
    table = table[(table["split"] == "test") & (table["person_flags"] == "1") & (table["mask_kind"] == "human")]
    boxed, automatic, whole = [], [], []
    for photo in table.sort_values("id").iloc[::20].head(10).itertuples():
        image = cv2.cvtColor(cv2.imread(str(photos / "images" / f"{photo.id}.jpg")), cv2.COLOR_BGR2RGB)
        truth = cv2.imread(str(photos / "masks" / f"{photo.id}_0.png"), 0) > 127
        x, y, width, height = cv2.boundingRect(truth.astype(np.uint8))
        boxed.append(iou(from_box(image, (x, y, x + width, y + height)), truth))
        automatic.append(max((iou(s.mask, truth) for s in segment_subjects(image)), default=0.0))
        whole.append(truth.sum() / (width * height))
    assert np.mean(boxed) > np.mean(whole) + 0.1
    assert np.mean(automatic) > 0.5


def test_a_click_on_somebody_alone_gives_the_soft_mask_of_the_network_that_knows_people() -> None:
    """And so does a box; where something is taken away, it is the other network's alone."""
    portrait = np.load(Path(__file__).parent / "golden" / "selfie.npz")["portrait_input"]
    person = segment_subjects(portrait)[0]
    height, width = portrait.shape[:2]
    x, y = deepest(person.mask > 0.5)
    np.testing.assert_array_equal(from_click(portrait, (x, y)), person.mask)
    np.testing.assert_array_equal(from_box(portrait, (0, 0, width, height)), person.mask)
    assert (from_click(portrait, (x, y), remove=((2.0, 2.0),)) != person.mask).any()
