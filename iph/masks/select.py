"""A subject where a person points: a box around it, a click on it, or strokes that add and remove.

Everything is found on a copy of at most 512 pixels, then drawn along the picture's edges. Pictures are (H, W, 3)
uint8, uint16 or float32 in [0, 1]; points and boxes are x, y in pixels of the picture; masks (H, W) float32 in [0, 1].
"""

import cv2
import numpy as np

from iph.errors import InputError
from iph.masks.forms import HALF, as_box, as_unit, bounds, from_box_region
from iph.masks.matting import Sizes, finished, sizes
from iph.masks.people import GAP, people_apart
from iph.masks.refine import grabcut
from iph.masks.windows import look, shrunk

Point = tuple[float, float]
ASKED = 2  # times that a box is asked about, the second time with the first answer as the earlier mask
STROKE = 0.05  # a pixel of the small copy belongs to a stroke that covers this share of it
SAME_PERSON = 0.85  # of what two masks cover together lies in both: they are of one person
REACH = 0.5  # how far around it a stroke takes away, of its longer side


def from_box(image: np.ndarray, box: tuple[float, float, float, float], click: Point | None = None) -> np.ndarray:
    """The subject inside a box x0, y0, x1, y1, and under a click where there is one.

    Raises InputError if the box holds no pixel of the picture, or the click lies outside the box.
    """
    box = as_box(box, image.shape)
    picture = sizes(image)
    copy = picture.copy
    small = _small_box(box, image, copy)
    window = look(copy, small)
    inside, add = from_box_region(copy.shape, small), []
    if click is not None:
        x, y = click
        if not (box[0] <= x < box[2] and box[1] <= y < box[3]):
            raise InputError(f"expected the point ({x:g}, {y:g}) inside the box {', '.join(f'{n:g}' for n in box)}")
        add = [_inside(click, image, copy)]
    probability = None
    for _ in range(ASKED):
        probability = window.outside(window.ask([window.prompt(add, box=small, prior=probability)])[0, 0]) * inside
        if not (probability >= HALF).any():
            break
    if not (probability >= HALF).any():  # nothing there for the network: let the colours decide
        probability = inside * np.float32(0.6)
    cut = grabcut(copy, probability, add=discs(add, copy.shape))
    return _best_of(picture, cut, people_apart(copy)) * from_box_region(image.shape, box)


def from_click(image: np.ndarray, point: Point, remove: tuple[Point, ...] = ()) -> np.ndarray:
    """The person or object under a click, less what lies under the clicks to remove.

    Looks twice: at the whole picture, then closely at what the first look found.
    """
    picture = sizes(image)
    copy = picture.copy
    add = [_inside(point, image, copy)]
    remove = [_inside(p, image, copy) for p in remove]
    first = look(copy)
    marks = [discs(points, copy.shape) for points in (add, remove)]
    probability = first.find(add, remove)
    probability = closer(copy, connected(probability, marks[0]), add, remove)
    cut = grabcut(copy, connected(probability, marks[0]), add=marks[0], remove=marks[1])
    people = [] if remove else [one for one in people_apart(copy) if (one[marks[0]] > HALF).any()]
    return _best_of(picture, connected(cut, marks[0]), people)


def from_strokes(
    image: np.ndarray, add: np.ndarray | None, remove: np.ndarray | None, start: np.ndarray | None = None
) -> np.ndarray:
    """A mask by strokes, or an earlier mask mended by them.

    add, remove: (H, W) strokes, start: (H, W) mask, or None: bool, 0/255 or [0, 1]. Strokes mark where above half, and
    always win over what is found. Those that only remove reach half as far around as they are long: nothing marked
    says what to keep, and the network may take the whole subject under a stroke for what has to go.
    Raises InputError where there is neither a stroke to add nor a start, or where sizes differ.
    """
    named = {"strokes to add": add, "strokes to remove": remove, "mask to start from": start}
    *strokes, start = (None if plane is None else _plane(plane, image.shape, name) for name, plane in named.items())
    picture = sizes(image)
    copy = picture.copy
    marked = [None if plane is None else plane > HALF for plane in strokes]
    strokes = [np.zeros(copy.shape[:2], bool) if m is None else shrunk(m, copy.shape) > STROKE for m in marked]
    if start is None and not strokes[0].any():
        raise InputError("a stroke on what to keep was expected, but nothing is marked")
    prior = None if start is None else shrunk(start, copy.shape)
    around = strokes[0] if prior is None else strokes[0] | (prior > HALF)
    window = look(copy) if prior is None else look(copy, bounds(around))
    probability = window.find(*strokes, prior)
    if prior is None:
        probability = closer(copy, connected(probability, strokes[0]), *strokes)
    elif not strokes[0].any():
        probability = np.where(_near(strokes[1]), probability, prior)
    mask = finished(picture, grabcut(copy, probability, add=strokes[0], remove=strokes[1]))
    for stroke, value in zip(marked, (1, 0), strict=True):
        if stroke is not None:
            mask[stroke] = value
    return mask


def closer(
    copy: np.ndarray, probability: np.ndarray, add: list[Point] | np.ndarray, remove: list[Point] | np.ndarray = ()
) -> np.ndarray:
    """Look again, closely, at what a first look at the whole copy found."""
    found = probability > HALF
    if not found.any():
        return probability
    window = look(copy, bounds(found))
    return window.find(add, remove, probability)


def connected(probability: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Only the parts of a probability that reach a mark, over gaps of up to GAP of the longer side.

    Without this a click on one person also takes people far away who look alike.
    """
    reach = 2 * round(GAP / 2 * max(probability.shape)) + 1
    joined = cv2.dilate((probability > HALF).astype(np.uint8), np.ones((reach, reach), np.uint8))
    _, parts = cv2.connectedComponents(joined)
    wanted = np.unique(parts[marks & (joined > 0)])
    return probability * np.isin(parts, wanted) if len(wanted) else probability


def _best_of(picture: Sizes, cut: np.ndarray, people: list[np.ndarray]) -> np.ndarray:
    """What was cut out of the small copy (h, w) 0/1 at the picture's size. Where that is one of the people whom the
    network of people finds apart, they are theirs to cut out: it knows where people end, and hair is soft there."""
    hard = cut > HALF
    for person in people:
        found = person > HALF
        if (found & hard).sum() > SAME_PERSON * (found | hard).sum():
            return finished(picture, person, soft=True)
    return finished(picture, cut)


def _near(stroke: np.ndarray) -> np.ndarray:
    """What a stroke (h, w) bool reaches. Nothing where there is none."""
    x0, y0, x1, y1 = bounds(stroke)
    away = cv2.distanceTransform((~stroke).astype(np.uint8), cv2.DIST_L2, 3)
    return stroke.any() & (away <= REACH * max(x1 - x0, y1 - y0))


def _scale(image: np.ndarray, copy: np.ndarray) -> np.ndarray:
    """What x0, y0, x1, y1 of the picture are multiplied by to lie on its copy."""
    return np.array([copy.shape[1] / image.shape[1], copy.shape[0] / image.shape[0]] * 2)


def _small_box(box: tuple[int, int, int, int], image: np.ndarray, copy: np.ndarray) -> tuple[int, int, int, int]:
    """A box of the picture on its copy, where it holds a pixel at least."""
    x0, y0, x1, y1 = np.array(box) * _scale(image, copy)
    if min(x1 - x0, y1 - y0) < 1:
        x0, y0, x1, y1 = np.floor(x0), np.floor(y0), np.ceil(x1), np.ceil(y1)
    return as_box((x0, y0, x1, y1), copy.shape)


def _inside(point: Point, image: np.ndarray, copy: np.ndarray) -> Point:
    x, y = point
    height, width = image.shape[:2]
    if not (0 <= x < width and 0 <= y < height):
        raise InputError(f"the point ({x}, {y}) lies outside the picture of {width} x {height}")
    return tuple((np.array([x, y]) + 0.5) * _scale(image, copy)[:2] - 0.5)


def discs(points: list[Point], shape: tuple[int, ...]) -> np.ndarray:
    """Small discs around points x, y, (H, W) bool."""
    plane = np.zeros(shape[:2], np.uint8)
    for x, y in points:
        cv2.circle(plane, (round(x), round(y)), 2, 1, -1)
    return plane > 0


def _plane(plane: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Strokes or a mask of a picture of ``shape``, float32 in [0, 1]. Raises InputError for another size."""
    found = getattr(plane, "shape", type(plane).__name__)
    if found != shape[:2]:
        raise InputError(f"the {name} were expected with shape {shape[:2]}, not {found}")
    return as_unit(plane, name)
