"""Who and what is in a picture, and which of it may serve as a reference (the paper's Appendix).

The paper takes a saliency model (Pang et al. 2020) for this; here it is the segmentation network of our own.

People are the selfie segmenter's wherever it finds any. Of the rest, and where it finds nobody, the project's network
says where subjects are and where each one's middle lies; every middle is then clicked, as a person would. Whom it takes
for a person where the segmenter found nobody, that is asked about once more, closely: a shaded wall is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from iph.errors import InputError
from iph.masks.forms import HALF, bounds, top_of
from iph.masks.matting import finished, sizes
from iph.masks.people import is_somebody, people_apart
from iph.masks.refine import grabcut
from iph.masks.select import closer, connected, discs
from iph.masks.windows import look
from iph.runtime.memory import give_back_copies

MIDDLE = 0.15  # a middle is at least this probable
MOST = 12  # clicks a picture
MOST_SUBJECTS = 6
SMALLEST = 0.002  # of the picture
SAME = 0.5  # two masks that overlap more than this are one
PERSON = 0.5
NOBODY = "nobody was found in the photo"
ROWS = 64
CONTRAST = 8  # levels of 255 between the darkest and the lightest value, below which nothing stands out


@dataclass(frozen=True)
class Subject:
    """One person or object. mask: (H, W) float32; box: x0, y0, x1, y1; score: how much it stands out, 0 to 1."""

    mask: np.ndarray
    box: tuple[int, int, int, int]
    score: float
    person: bool

    @property
    def note(self) -> str | None:
        """What is worth saying where this was taken for want of a person; None for a person."""
        return None if self.person else f"{NOBODY}: what stands out most was taken"


def segment_subjects(image: np.ndarray) -> list[Subject]:
    """Up to six people and objects of a picture (H, W, 3), the most salient first; none where nothing stands out."""
    return list(_subjects(image))


def main_subject(image: np.ndarray) -> Subject | None:
    """The person who stands out most in a picture (H, W, 3); of nobody, whatever does; None where nothing does."""
    best = None
    for subject in _subjects(image):  # one at a time: who is not asked for is never made large
        if subject.person:
            return subject
        best = best or subject
    return best


def everybody(image: np.ndarray) -> np.ndarray | None:
    """One soft mask (H, W) float32 of all people of a picture (H, W, 3) of any depth; None where nobody is found."""
    picture = sizes(image)
    found = people_apart(picture.copy)
    if found:
        return finished(picture, np.maximum.reduce(found), soft=True)
    whole = None
    for subject in _subjects(image):  # one at a time: at 60 MP a mask takes 240 MB
        if subject.person:
            whole = subject.mask if whole is None else np.maximum(whole, subject.mask, out=whole)
    return whole


def suggest_references(image: np.ndarray, foreground: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Up to six regions outside a foreground (H, W) that may serve as its reference, the best first.

    Each is (label, mask): "person", or "person 1", "person 2" ... where there are several, and objects likewise, in
    order of saliency; last "background", all that is not foreground. Raises InputError where the foreground leaves
    nothing.
    """
    _check_rest(image, foreground)
    people, objects = [], []
    for subject in segment_subjects(image):
        mask = _outside(subject, foreground)
        if mask is not None:
            (people if subject.person else objects).append((subject.score, mask))
    named = [
        (score, f"{kind} {i}" if len(group) > 1 else kind, mask)
        for kind, group in (("person", people), ("object", objects))
        for i, (score, mask) in enumerate(group, 1)
    ]
    named.sort(key=lambda entry: -entry[0])
    return [(label, mask) for _, label, mask in named[: MOST_SUBJECTS - 1]] + [
        ("background", _rest(foreground, top_of(foreground)))
    ]


def automatic_reference(image: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """The most salient person or object outside the foreground (H, W), bool, 0/255 or [0, 1]; where there is none, the
    whole background. float32 in [0, 1]."""
    _check_rest(image, foreground)
    for subject in _subjects(image):  # one at a time: the others are never made large
        mask = _outside(subject, foreground)
        del subject  # before the next one is made large
        if mask is not None:
            return mask
    return _rest(foreground, top_of(foreground))


def _check_rest(image: np.ndarray, foreground: np.ndarray) -> None:
    """Raise InputError where a foreground is of another size than its picture, or leaves nothing of it."""
    if foreground.shape != image.shape[:2]:
        raise InputError(f"the foreground was expected with shape {image.shape[:2]}, not {foreground.shape}")
    if foreground.min() > HALF * top_of(foreground):
        raise InputError("the foreground covers the whole picture: nothing is left as a reference")


def _rest(foreground: np.ndarray, top: float) -> np.ndarray:
    """What a foreground of 0 to ``top`` leaves, float32 in [0, 1]."""
    return 1 - foreground.astype(np.float32) / np.float32(top)


def _outside(subject: Subject, foreground: np.ndarray) -> np.ndarray | None:
    """The part of a subject that the foreground leaves, unless that takes most of it; the subject's mask becomes it."""
    mask, whole, top = subject.mask, subject.mask.sum(), top_of(foreground)
    for start in range(0, len(mask), ROWS):  # some at a time, and in their place: at 12 MP a plane takes 48 MB
        rows = slice(start, start + ROWS)
        np.minimum(mask[rows], _rest(foreground[rows], top), out=mask[rows])
    return mask if mask.sum() >= 0.5 * whole and (mask >= HALF).any() else None


def _subjects(image: np.ndarray) -> Iterator[Subject]:
    picture = sizes(image)
    copy = picture.copy
    if np.ptp(copy) < CONTRAST:
        return
    people = people_apart(copy)
    everyone = np.any([mask > HALF for mask in people], axis=0)
    found = [(_score(mask), True, mask) for mask in people]
    for score, person, mask in _find(copy):
        hard = mask > HALF
        if not people or (not person and (everyone & hard).sum() <= SAME * hard.sum()):
            found.append((score, person, mask))
    found.sort(key=lambda entry: -entry[0])
    for score, person, probability in found[:MOST_SUBJECTS]:
        give_back_copies(image)  # before a mask of 48 MB at 12 MP
        soft = any(probability is mask for mask in people)  # hair is no matter of two colours: no GrabCut
        person = person and (soft or is_somebody(copy, probability))
        mask = finished(picture, probability if soft else grabcut(copy, probability), soft)
        if (mask >= HALF).any():
            subject = Subject(mask, bounds(mask >= HALF), score, person)
            del mask  # at 12 MP it takes 48 MB, which whoever asks for the next one needs no more
            yield subject
            del subject


def _score(mask: np.ndarray) -> float:
    """How much a person stands out, as in ``_find``: the surer and larger, the more."""
    hard = mask > HALF
    return float(mask[hard].mean()) * float(hard.mean()) ** 0.25


def _find(copy: np.ndarray) -> list[tuple[float, bool, np.ndarray]]:
    """(score, person, probability (h, w)) of each subject of a small copy, the most salient first."""
    window = look(copy)
    salient, people, middle = window.ask([window.prompt()])[0]
    here = np.maximum(salient, people)
    clicks = _peaks(middle, here)
    if not clicks:
        return []
    scale = np.array(copy.shape[1::-1]) / salient.shape[::-1]
    points = [tuple((np.array(c) + 0.5) * scale - 0.5) for c in clicks]
    masks = window.ask([window.prompt([p]) for p in points])[:, 0]
    found: list[tuple[float, bool, np.ndarray, tuple[float, float]]] = []
    for mask, click, point in zip(masks, clicks, points, strict=True):
        mask = connected(mask, discs([click], mask.shape))
        hard = mask > HALF
        if hard.mean() < SMALLEST:
            continue
        stands_out, sure = float(here[hard].mean()), float(mask[hard].mean())
        score = stands_out * sure * float(hard.mean()) ** 0.25
        found.append((score, float(people[hard].mean()) > PERSON, mask, point))
    found.sort(key=lambda entry: -entry[0])
    kept: list[tuple[float, bool, np.ndarray]] = []
    taken: list[np.ndarray] = []
    for score, person, mask, point in found:
        hard = mask > HALF
        if any((hard & t).sum() > SAME * min(hard.sum(), t.sum()) for t in taken):
            continue
        taken.append(hard)
        kept.append((score, person, closer(copy, window.outside(mask), [point])))
    return kept


def _peaks(middle: np.ndarray, here: np.ndarray) -> list[tuple[int, int]]:
    """x, y of the middles of instances, and the deepest places of what stands out but holds none of them."""
    smooth = cv2.GaussianBlur(middle, (0, 0), 1.5)
    top = (smooth == cv2.dilate(smooth, np.ones((9, 9), np.uint8))) & (smooth > MIDDLE) & (here > 0.3)
    ys, xs = np.nonzero(top)
    peaks = sorted(zip(xs.tolist(), ys.tolist(), strict=True), key=lambda p: -smooth[p[1], p[0]])[:MOST]
    count, labels, stats, _ = cv2.connectedComponentsWithStats((here > HALF).astype(np.uint8))
    claimed = {int(labels[y, x]) for x, y in peaks}
    for label in range(1, count):
        if label not in claimed and stats[label, cv2.CC_STAT_AREA] > SMALLEST * here.size:
            depth = cv2.distanceTransform(np.pad((labels == label).astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
            y, x = np.unravel_index(np.argmax(depth), depth.shape)
            peaks.append((int(x), int(y)))
    return peaks[:MOST]
