"""How the segmentation networks see a picture: small copies, windows of them, and prompts drawn on a window."""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np

from iph.pixels import small_copy
from iph.runtime.graphs import Function, Graph

WORK = 512  # longest side of the copy on which everything happens
SIDE = 256  # longest side of what the network sees at once
STRIDE = 32  # of the network's deepest features: its sides are multiples
PROMPTS = ("add", "remove", "box", "prior")
FEATURES = {"sixteenth": 16, "eighth": 8, "quarter": 4, "half": 2}  # strides of what the network makes of a picture
MARK = 1 / 48  # radius of a click, of the side of the network's input: as in training
KEPT = 2  # windows whose features are remembered: the whole copy's, and that of the last click
OTHERS_SAY = 0.5  # of an answer about a person is that of the network which knows people alone
SOME_PERSON = 0.5  # what is less of a person than this is a thing
_weights: list[tuple[str | Path, str | Path]] = []  # of both networks, the last ones answer


@dataclass(frozen=True)
class Segmenter:
    """The networks that take prompts, the first in two parts.

    ``encode``: a picture ``image`` (1, 3, h, w) in [0, 1] to its ``FEATURES``. ``decode``: the picture, these by name,
    and ``prompts`` (1, P, 4, h, w), to probabilities (1, P, 3, h/2, w/2) of the mask asked for, people, and the middles
    of instances. ``people``: picture and prompts to probabilities (1, P, 1, h/2, w/2) of the person asked for.
    """

    encode: Function
    decode: Function
    people: Function


@cache
def network() -> Segmenter:
    """The networks that answer: the shipped ones, unless ``answer_with`` named others."""
    if not _weights:
        return Segmenter(Graph("segmentation-encode"), Graph("segmentation-decode"), Graph("prompted-people"))
    from iph.masks.network import segmenter  # here, because what ships needs no torch

    return segmenter(*_weights[-1])


def answer_with(weights: str | Path, people: str | Path) -> None:
    """Have other networks' weights answer in this process, to measure them."""
    _weights.append((weights, people))
    network.cache_clear()
    _looked_at.cache_clear()


def read_networks() -> None:
    """Ask every network of prompts once: it is read when it is first asked. Raises InputError where one is missing."""
    picture = np.zeros((1, 3, STRIDE, STRIDE), np.float32)
    asked = np.zeros((1, 1, len(PROMPTS), STRIDE, STRIDE), np.float32)
    networks = network()
    features = dict(zip(FEATURES, networks.encode(image=picture), strict=True))
    networks.decode(image=picture, **features, prompts=asked)
    networks.people(image=picture, prompts=asked)


def working_copy(image: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) as uint8 with a longest side of at most ``WORK``: what everything is found on."""
    return small_copy(image, WORK)


def shrunk(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A full-size mask or stroke at the size of a small copy, float32. Thin strokes stay visible."""
    mask = mask.astype(np.float32)
    return mask if mask.shape == tuple(shape[:2]) else cv2.resize(mask, shape[1::-1], interpolation=cv2.INTER_AREA)


@dataclass(frozen=True)
class Window:
    """A part x0, y0, x1, y1 of a small copy, as the network sees it, (1, 3, h, w), and its features of that."""

    box: tuple[int, int, int, int]
    shape: tuple[int, int]
    seen: np.ndarray
    features: tuple[np.ndarray, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what the network sees."""
        return self.seen.shape[2:]

    def inside(self, plane: np.ndarray) -> np.ndarray:
        """What a plane of the whole copy holds inside the window, at the network's size."""
        x0, y0, x1, y1 = self.box
        return cv2.resize(plane[y0:y1, x0:x1], self.size[::-1], interpolation=cv2.INTER_AREA)

    def outside(self, plane: np.ndarray) -> np.ndarray:
        """A plane of the network's, put back on the whole copy; zero outside the window."""
        x0, y0, x1, y1 = self.box
        whole = np.zeros(self.shape, np.float32)
        whole[y0:y1, x0:x1] = cv2.resize(plane, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        return whole

    def prompt(
        self,
        add: list[tuple[float, float]] | np.ndarray = (),
        remove: list[tuple[float, float]] | np.ndarray = (),
        box: tuple[int, int, int, int] | None = None,
        prior: np.ndarray | None = None,
    ) -> np.ndarray:
        """Prompt maps (4, h, w). add, remove: points x, y, or strokes (H, W), on the whole copy; prior: (H, W)."""
        maps = np.zeros((len(PROMPTS), *self.size), np.float32)
        for plane, marks in zip(maps, (add, remove), strict=False):
            self._draw(plane, marks)
        if box is not None:
            inside = np.zeros(self.shape, np.float32)
            inside[box[1] : box[3], box[0] : box[2]] = 1
            maps[2] = self.inside(inside)
        if prior is not None:
            maps[3] = self.inside(prior.astype(np.float32))
        return maps

    def _draw(self, plane: np.ndarray, marks: list[tuple[float, float]] | np.ndarray) -> None:
        radius = max(1, round(max(self.size) * MARK))
        if isinstance(marks, np.ndarray):
            strokes = (self.inside(marks.astype(np.float32)) > 0.05).astype(np.uint8)
            plane[cv2.dilate(strokes, np.ones((radius, radius), np.uint8)) > 0] = 1
            return
        x0, y0, x1, y1 = self.box
        for x, y in marks:
            at = (x - x0) * self.size[1] / (x1 - x0), (y - y0) * self.size[0] / (y1 - y0)
            cv2.circle(plane, (round(at[0]), round(at[1])), radius, 1.0, -1)

    def ask(self, prompts: list[np.ndarray]) -> np.ndarray:
        """Probabilities (P, 3, h/2, w/2) of the mask asked for, people, and the middles of instances.

        As far as what is asked for is a person, the network that knows people has its say as well.
        """
        features, asked = dict(zip(FEATURES, self.features, strict=True)), np.stack(prompts)[None]
        (answer,) = network().decode(image=self.seen, **features, prompts=asked)
        mask, people = answer[0, :, 0], answer[0, :, 1]  # (P, h/2, w/2)
        persons = (mask * people).sum((1, 2)) / (mask.sum((1, 2)) + 1e-6)
        whom = np.flatnonzero((persons > SOME_PERSON) & asked[0].any((1, 2, 3)))
        if len(whom):
            (second,) = network().people(image=self.seen, prompts=asked[:, whom])
            say = OTHERS_SAY * persons[whom, None, None]
            mask[whom] += say * (second[0, :, 0] - mask[whom])
        return answer[0]

    def find(
        self,
        add: list[tuple[float, float]] | np.ndarray,
        remove: list[tuple[float, float]] | np.ndarray = (),
        prior: np.ndarray | None = None,
    ) -> np.ndarray:
        """Probability (H, W), on the whole copy, of the subject under ``add``; arguments as in ``prompt``.

        What lies under ``remove`` is asked for too, and each place goes to the likelier of the two.
        """
        prompts = [self.prompt(add, remove, prior=prior)]
        if np.any(remove) if isinstance(remove, np.ndarray) else len(remove):
            prompts.append(self.prompt(remove, add))
        own, *rival = self.ask(prompts)[:, 0]  # each (h/2, w/2)
        return self.outside(own if not rival else own * (own >= rival[0]))


def look(
    copy: np.ndarray, box: tuple[int, int, int, int] | None = None, margin: float = 0.3, side: int = SIDE
) -> Window:
    """Look at a small copy, or at a box of it with a margin (a share of the box's longer side) around."""
    height, width = copy.shape[:2]
    x0, y0, x1, y1 = box or (0, 0, width, height)
    if box is not None:
        grow = round(margin * max(x1 - x0, y1 - y0)) + 4
        x0, y0, x1, y1 = max(0, x0 - grow), max(0, y0 - grow), min(width, x1 + grow), min(height, y1 + grow)
    scale = side / max(x1 - x0, y1 - y0)
    size = tuple(max(STRIDE, round(n * scale / STRIDE) * STRIDE) for n in (y1 - y0, x1 - x0))
    part = copy[y0:y1, x0:x1]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    seen = cv2.resize(part, size[::-1], interpolation=way)
    return Window((x0, y0, x1, y1), (height, width), *_looked_at(seen.tobytes(), size))


@lru_cache(KEPT)
def _looked_at(seen: bytes, size: tuple[int, int]) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """A window (height, width, 3) uint8 as the network sees it, and its features: a further click asks again."""
    image = np.frombuffer(seen, np.uint8).reshape(1, *size, 3).transpose(0, 3, 1, 2).astype(np.float32)
    image = np.ascontiguousarray(image) / np.float32(255)
    return image, network().encode(image=image)
