"""Training samples for the subject-segmentation network: photos, pasted people and simulated users.

Photos come packed in one file. An instance map holds one bit an instance, so that overlapping instances stay whole.
Only the `train` split is ever packed; every 33rd photo of it, by checksum of its id, is held out for choosing.

How far a photo's masks are trusted depends on who drew them (see `docs/segmentation.md`): some sources mark every
person, some only one thing, some are machine-made.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.random import Generator

from iph.data.photos import is_region, read_index
from iph.errors import InputError
from iph.masks.forms import bounds
from iph.masks.network import OUTPUTS, PROMPTS
from iph.training.segmentation_users import simulate

PASTE = 0.6  # that somebody more is pasted
MOST_PASTED = 4
THING = 0.2  # of what is pasted is a thing
BEHIND = 0.4  # of the pasted people stand behind those who are there
LIKE = 0.6  # of the pasted people have the colours of who is beside them: told apart by their form alone
ALIKE_IN_SIZE = 0.7  # of those pasted beside somebody are about as large
ZOOM = 0.5
PROMPTS_A_PHOTO = 3


@dataclass(frozen=True)
class Trust:
    """How much a source counts: how often it is drawn, and how far its subjects, people and single masks hold."""

    drawn: float
    subjects: float
    people: float
    single: float


HUMAN = Trust(drawn=1.0, subjects=1.0, people=1.0, single=1.0)
PORTRAIT = Trust(drawn=0.4, subjects=1.0, people=1.0, single=1.0)  # mostly one large person: easy, and to be pasted
TRUST = {
    "Obmutescence/COCO-MINI": Trust(3.0, 1.0, 1.0, 1.0),
    "lightly-ai/coco128_yolo": Trust(3.0, 1.0, 1.0, 1.0),
    "lightly-ai/coco128_yolo + Goodccccl labels": Trust(3.0, 1.0, 1.0, 1.0),
    "enginbozaba/tiny_coco": Trust(3.0, 1.0, 1.0, 1.0),
    "Julito22/Mask-R-CNN-PFG": Trust(2.0, 1.0, 1.0, 1.0),
    "minto5z/coco_yolo": Trust(1.6, 1.0, 1.0, 1.0),
    "wonghan/coco-datasets-balloon": Trust(0.6, 0.0, 0.0, 1.0),
    "swallan/PennFudanPed": Trust(2.0, 0.0, 0.3, 1.0),
    "lightly-ai/dataset_examples_purple": Trust(3.0, 1.0, 1.0, 1.0),
    "lizhogn/tiny_coco_dataset": Trust(3.0, 1.0, 1.0, 1.0),
    "WaLittleMoon/Learning-Rich-Features-for-Image-Manipulation-Detection": Trust(3.0, 1.0, 1.0, 1.0),
    "MathLee/EOR-VOS": Trust(0.4, 0.3, 0.0, 1.0),
    "manaleks/picsart-contest": PORTRAIT,
    "bio-punk/AutoPortraitMatting": PORTRAIT,
    "BIDS/BSDS500": Trust(0.5, 0.0, 0.0, 0.7),
    "bcmi/Image-Harmonization-Dataset-iHarmony4 (Lalonde&Efros onlineDb)": Trust(0.6, 0.2, 0.0, 1.0),
}
PSEUDO = Trust(drawn=0.4, subjects=0.4, people=0.4, single=0.4)


def _regions(labels: str) -> str:
    """One flag an instance of a row's labels: whether it is a region."""
    return "".join("01"[is_region(label)] for label in labels.split("|"))


def trained_on(folders: Sequence[Path]) -> pd.DataFrame:
    """A row a photo of the `train` splits of folders, each with its ``folder``."""
    tables = [read_index(folder).query("split == 'train'").assign(folder=folder) for folder in folders]
    return pd.concat(tables, ignore_index=True)


def pack(folders: Sequence[Path], target: Path) -> None:
    """Pack the `train` splits of folders of photos into one .npz of encoded pictures and instance maps."""
    table = trained_on(folders)
    images, maps = [], []
    for row in table.itertuples():
        images.append(np.fromfile(row.folder / "images" / f"{row.id}.jpg", np.uint8))
        masks = [cv2.imread(str(row.folder / "masks" / f"{row.id}_{k}.png"), 0) for k in range(row.n_instances)]
        bits = sum((mask > 127).astype(np.uint16) << k for k, mask in enumerate(masks))
        maps.append(cv2.imencode(".png", bits)[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".part.npz")
    np.savez(
        beside,
        image=np.concatenate(images),
        image_end=np.cumsum([len(i) for i in images]),
        map=np.concatenate(maps),
        map_end=np.cumsum([len(m) for m in maps]),
        id=table["id"].to_numpy(str),
        person=table["person_flags"].to_numpy(str),
        region=table["labels"].map(_regions).to_numpy(str),
        source=table["source"].to_numpy(str),
        pseudo=(~table["mask_kind"].str.startswith("human")).to_numpy(),
    )
    beside.rename(target)


class Photos:
    """A packed folder: `image(i)` (H, W, 3) uint8 RGB, `bits(i)` (H, W) uint16; `person[i]` and `region[i]` one bool an
    instance. Raises InputError for a file that an earlier version packed."""

    def __init__(self, packed: Path, held_out: bool) -> None:
        with np.load(packed) as file:
            data = dict(file)
        if "region" not in data:
            raise InputError(f"{packed} does not say which masks are regions: delete it, an earlier version packed it")
        self.names = data["id"].tolist()
        self._image, self._map = data["image"], data["map"]
        self._spans = [list(zip([0, *ends[:-1]], ends, strict=True)) for ends in (data["image_end"], data["map_end"])]
        self.person, self.region = (
            [np.array(list(flags)) == "1" for flags in data[name]] for name in ("person", "region")
        )
        self.trust = [
            PSEUDO if pseudo else TRUST.get(source, HUMAN)
            for source, pseudo in zip(data["source"], data["pseudo"], strict=True)
        ]
        aside = np.array([zlib.crc32(str(i).encode()) % 33 == 0 for i in self.names])
        self.chosen = np.flatnonzero(aside if held_out else ~aside)
        drawn = np.array([self.trust[i].drawn for i in self.chosen])
        self.probability = drawn / drawn.sum()
        # People to paste: alone in a photo whose masks were drawn by hand.
        self.cutouts = np.array([i for i in self.chosen if self.person[i].tolist() == [True] and self._by_hand(i)])
        self.tall = np.array([_tall(bounds(_one(self.bits(i), 0))) for i in self.cutouts])
        by_hand = [i for i in self.chosen if self.trust[i] is not PSEUDO and self.trust[i].single == 1]
        self.things = [(i, k) for i in by_hand for k in np.flatnonzero(~self.person[i] & ~self.region[i])]

    @property
    def with_people(self) -> bool:
        """Whether anybody is in any of the chosen photos."""
        return any(self.person[i].any() for i in self.chosen)

    def _by_hand(self, i: int) -> bool:
        return self.trust[i] is not PSEUDO and self.trust[i].people == 1

    def image(self, i: int) -> np.ndarray:
        start, end = self._spans[0][i]
        return cv2.cvtColor(cv2.imdecode(self._image[start:end], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def bits(self, i: int) -> np.ndarray:
        start, end = self._spans[1][i]
        return cv2.imdecode(self._map[start:end], cv2.IMREAD_UNCHANGED)


def _tall(box: tuple[int, int, int, int]) -> float:
    """Logarithm of a box's height by its width; 0 where it is empty."""
    return float(np.log(max(1, box[3] - box[1]) / max(1, box[2] - box[0])))


def _one(bits: np.ndarray, k: int) -> np.ndarray:
    """Instance k of a map as uint8 0/1."""
    return ((bits >> k) & 1).astype(np.uint8)


def _paste(rng: Generator, photos: Photos, image: np.ndarray, bits: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Paste a person or a thing of another photo, most often against one who is there.

    Changes image and bits in place; returns ``person`` with one flag more, where there was room.
    """
    height, width = bits.shape
    near = bounds(_one(bits, int(rng.choice(np.flatnonzero(person))))) if person.any() else (0, 0, 0, 0)
    near = near if any(near) and rng.random() < 0.75 else None
    thing = rng.random() < THING and len(photos.things) > 0
    if thing:
        other, k = photos.things[rng.integers(len(photos.things))]
    else:
        # Beside a head and shoulders mostly another, beside who stands another who stands.
        alike = np.exp(-4 * np.abs(photos.tall - _tall(near))) if near else np.ones(len(photos.cutouts))
        other, k = int(rng.choice(photos.cutouts, p=alike / alike.sum())), 0
    source, mask = photos.image(other), _one(photos.bits(other), k)
    if cv2.countNonZero(mask) < 400 or len(person) >= 15:
        return person
    x0, y0, x1, y1 = bounds(mask)
    cut_below = y1 >= mask.shape[0] - 2
    among = (0.85, 1.18) if rng.random() < ALIKE_IN_SIZE else (0.6, 1.4)
    if thing:
        tall = height * rng.uniform(0.1, 0.6)
    else:
        tall = (near[3] - near[1]) * rng.uniform(*among) if near else height * rng.uniform(0.3, 0.95)
    scale = min(tall, height * 1.1) / (y1 - y0)
    if not 0.15 < scale < 3:
        return person
    size = (max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale)))
    cut = cv2.resize(source[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(mask[y0:y1, x0:x1].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        cut, alpha = cut[:, ::-1], alpha[:, ::-1]
    if rng.random() < LIKE:
        there = (bits > 0) if near else np.ones(bits.shape, bool)
        cut = colours_of(rng, cut, alpha > 0.5, image[there])
    else:
        cut = _recolor(rng, cut)
    if near:
        overlap = rng.uniform(-0.05, 0.45) * size[0]
        left = near[2] - overlap if rng.random() < 0.5 else near[0] - size[0] + overlap
        top = near[3] - size[1] + rng.normal(0, 0.08) * size[1]
    else:
        left, top = rng.uniform(-0.2, 0.9) * width, rng.uniform(0.0, 0.9) * height
    if cut_below:
        top = max(top, height - size[1])
    left, top = round(left), round(top)
    ax, ay = max(0, left), max(0, top)
    bx, by = min(width, left + size[0]), min(height, top + size[1])
    if bx - ax < 8 or by - ay < 8:
        return person
    cut, alpha = (a[ay - top : by - top, ax - left : bx - left] for a in (cut, alpha))
    place = image[ay:by, ax:bx]
    if rng.random() < BEHIND:
        there = np.zeros_like(alpha)
        for k in np.flatnonzero(person):
            there = np.maximum(there, _one(bits[ay:by, ax:bx], k))
        alpha = alpha * (1 - there)
    soft = cv2.GaussianBlur(alpha, (3, 3), 0)[..., None]
    place[:] = place * (1 - soft) + cut * soft
    hard = alpha > 0.5
    bits[ay:by, ax:bx][hard] = 1 << len(person)
    return np.append(person, not thing)


def colours_of(rng: Generator, cut: np.ndarray, inside: np.ndarray, there: np.ndarray) -> np.ndarray:
    """A cut-out with most of the CIELAB mean and spread of the colours (N, 3) that are ``there`` (Reinhard 2001)."""
    own = cv2.cvtColor(cut, cv2.COLOR_RGB2LAB).astype(np.float32)
    wanted = cv2.cvtColor(np.ascontiguousarray(there)[None], cv2.COLOR_RGB2LAB)[0].astype(np.float32)
    mean, spread = own[inside].mean(0), own[inside].std(0) + 1
    goal = wanted.mean(0), wanted.std(0) + 1
    share = rng.uniform(0.6, 1.0)
    gain = np.clip(goal[1] / spread, 0.5, 1.6) ** share
    moved = (own - mean) * gain + mean + share * (goal[0] - mean) + rng.normal(0, (4, 2, 2))
    return cv2.cvtColor(np.clip(moved, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)


def _recolor(rng: Generator, image: np.ndarray) -> np.ndarray:
    table = np.linspace(0, 1, 256) ** rng.uniform(0.65, 1.5)
    gains = rng.uniform(0.75, 1.2) * rng.uniform(0.9, 1.1, 3)
    tables = np.clip(table[:, None] * gains * 255, 0, 255).astype(np.uint8)
    image = np.stack([tables[image[..., c], c] for c in range(3)], -1)
    if rng.random() < 0.4:
        grey = image.mean(-1, keepdims=True)
        image = np.clip(grey + (image - grey) * rng.choice([0.0, rng.uniform(0.3, 1.5)], p=[0.2, 0.8]), 0, 255)
    return image.astype(np.uint8)


def _window(rng: Generator, shape: tuple[int, int], mask: np.ndarray, size: int, zoom: bool) -> np.ndarray:
    """The 2x3 affine map from the photo to a square crop of it."""
    height, width = shape
    x0, y0, x1, y1 = bounds(mask)
    if zoom:
        side = max(x1 - x0, y1 - y0, 24) * rng.uniform(1.1, 2.2)
        x = (x0 + x1) / 2 + rng.uniform(-0.12, 0.12) * side
        y = (y0 + y1) / 2 + rng.uniform(-0.12, 0.12) * side
    else:
        side = rng.uniform(0.85 * min(height, width), 1.05 * max(height, width))
        x, y = (n / 2 + rng.uniform(-0.5, 0.5) * max(0, n - side) for n in (width, height))
    matrix = cv2.getRotationMatrix2D((x, y), rng.normal(0, 6) if rng.random() < 0.3 else 0, size / side)
    matrix[:, 2] += size / 2 - np.array([x, y])
    if rng.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size
    return matrix


def sample(rng: Generator, photos: Photos, size: int, people_only: bool = False) -> dict[str, np.ndarray]:
    """One training sample.

    image (3, S, S) uint8; prompts (P, 4, S, S) in [0, 1]; target (P, 3, S/2, S/2) for mask, person and centre, and
    weight of the same shape. The first prompt is empty: its mask is that of all subjects. ``people_only``: the others
    ask for people.
    """
    i = int(rng.choice(photos.chosen, p=photos.probability))
    trust, image, bits, person = photos.trust[i], photos.image(i), photos.bits(i), photos.person[i]
    pasted = 0
    while trust.subjects and len(photos.cutouts) and pasted < MOST_PASTED and rng.random() < PASTE:
        person = _paste(rng, photos, image, bits, person)
        pasted += 1
    # Machine-made masks of several people at once cannot answer a click; a pasted person can.
    first = len(photos.person[i])
    whole = [k for k in range(len(person)) if cv2.countNonZero(_one(bits, k)) > 80]
    among = 3.0 if len(person) == first else 5.0
    pick = np.array([among if person[k] else 0.0 if people_only else 1.0 if k < first else 3.0 for k in whole])
    if not pick.sum():
        return sample(rng, photos, size, people_only)
    aim = int(rng.choice(whole, p=pick / pick.sum()))
    zoom = rng.random() < ZOOM
    matrix = _window(rng, bits.shape, _one(bits, aim), size, zoom)
    image = _recolor(rng, cv2.warpAffine(image, matrix, (size, size), borderValue=(127, 127, 127)))
    inside = cv2.warpAffine(np.ones(bits.shape, np.uint8), matrix, (size, size), flags=cv2.INTER_NEAREST)
    bits = cv2.warpAffine(bits, matrix, (size, size), flags=cv2.INTER_NEAREST)
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.2))
    masks = {k: _one(bits, k) for k in whole}
    seen = [k for k in whole if cv2.countNonZero(masks[k]) > size * size * 0.003]
    if aim not in seen:
        return sample(rng, photos, size, people_only)

    prompts = np.zeros((PROMPTS_A_PHOTO, len(PROMPTS), size, size), np.float32)
    target = np.zeros((PROMPTS_A_PHOTO, len(OUTPUTS), size // 2, size // 2), np.float32)
    weight = np.zeros_like(target)
    people, middles = np.zeros((size, size), np.uint8), np.zeros((size, size), np.float32)
    regions = np.flatnonzero(photos.region[i]).tolist()
    for k in seen:
        people |= masks[k] * person[k]
        if k not in regions:
            np.maximum(middles, _middle(masks[k]), out=middles)
    things = ((bits & ~np.uint16(sum(1 << k for k in regions))) > 0).astype(np.uint8)
    beside_people = people.any() & (things > people)
    inside_half = _halve(inside) * (0.4 if zoom else 1.0)
    target[0, 0] = _halve(people if people.any() else things)
    target[:, 1], target[:, 2] = _halve(people), _halve(middles)
    weight[0, 0] = inside_half * trust.subjects * (1 - _halve(beside_people))
    weight[:, 1:] = inside_half * trust.people
    for p in range(1, PROMPTS_A_PHOTO):
        k = aim if p == 1 or rng.random() < 0.4 else int(rng.choice([j for j in seen if person[j] or not people_only]))
        near = cv2.dilate(masks[k], np.ones((9, 9)))
        touching = [masks[j] & ~masks[k] for j in seen if j != k and (near & masks[j]).any()]
        others = np.max(touching, axis=0) if touching else np.zeros_like(near)
        trusted = k >= first or trust is not PSEUDO
        prompts[p] = simulate(rng, masks[k], others, box_only=not trusted)
        target[p, 0] = _halve(masks[k])
        weight[p, 0] = _halve(inside) * (trust.single if k < first else 1.0)
    return {
        "image": np.ascontiguousarray(image.transpose(2, 0, 1)),
        "prompts": prompts,
        "target": target,
        "weight": weight,
    }


def _halve(plane: np.ndarray) -> np.ndarray:
    """(S, S) to float32 (S/2, S/2), by the mean."""
    side = len(plane) // 2
    return cv2.resize(plane.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)


def _middle(mask: np.ndarray) -> np.ndarray:
    """A Gaussian bump on the place of a mask that lies deepest inside it."""
    depth = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(np.argmax(depth), depth.shape)
    sigma = max(2.0, 0.08 * float(mask.sum()) ** 0.5, len(mask) * 0.015)
    ys, xs = np.ogrid[: mask.shape[0], : mask.shape[1]]
    return np.exp(-((ys - y) ** 2 + (xs - x) ** 2) / (2 * sigma**2))
