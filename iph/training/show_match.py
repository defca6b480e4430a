"""Draws portraits pasted beside people of test photos: composite, ``small-portrait``, the match alone, trained weights.

    python -m iph.training.show_match --portraits PORTRAITS --photos PHOTOS --weights FILE --out sheet.png

Numbers do not show what a face looks like. Each row is one composite, the reference person outlined; every method is
asked at 128 x 128 and its mapping applied to the picture, as in use. Rows depend on ``--seed`` alone; before them come
those that ``--pair PORTRAIT=PHOTO`` asks for.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from iph.data.match_samples import look_sample
from iph.data.photos import PhotoRecord, read_folder
from iph.data.pictures import read_image
from iph.data.placement import stand_beside
from iph.errors import InputError
from iph.files import replacing
from iph.mapping import ColorMapping
from iph.training.evaluate_match import SIZE, Method, composite_alone, match_alone, match_network, network_alone, run
from iph.training.validate import stack

SIDE = 512  # of a portrait and its host, both squeezed to squares while they are composed
SHOWN = (300, 260)  # width and height of a picture of the sheet
BLUE = (0, 110, 255)
TRIES = 50  # pairs drawn for one that fits


@dataclass(frozen=True)
class Row:
    """One composite (S, S, 3) float32 with its soft foreground (S, S) and its reference (S, S) bool."""

    composite: np.ndarray
    alpha: np.ndarray
    reference: np.ndarray


def rows(portraits: Path, photos: Path, pairs: Sequence[str], count: int, seed: int) -> Iterator[Row]:
    """Portraits beside people of the ``test`` split: the ``pairs`` ("PORTRAIT=PHOTO"), then ``count`` drawn ones."""
    rng = np.random.default_rng(seed)
    names = sorted(path.stem for path in (portraits / "images").glob("*.jpg"))
    hosts = {record.id: record for record in read_folder(photos, "test") if any(record.persons)}
    if not names or not hosts:
        raise InputError(f"expected portraits in {portraits} and test photos of people in {photos}, found none")
    for pair in pairs:
        name, _, host = pair.partition("=")
        row = _row(rng, portraits, name, hosts[host]) if name in names and host in hosts else None
        if row is None:
            raise InputError(f"expected a portrait and a test photo with room beside a person, got {pair!r}")
        yield row
    found, known = 0, list(hosts.values())
    for _ in range(TRIES * count):
        if found == count:
            return
        name, host = names[rng.integers(len(names))], known[rng.integers(len(known))]
        row = _row(rng, portraits, name, host)
        if row is not None:
            found += 1
            print(f"{name}={host.id}", flush=True)
            yield row
    if found < count:
        raise InputError(f"expected {count} pairs of portraits and photos with room beside a person, found {found}")


def _row(rng: np.random.Generator, portraits: Path, name: str, host: PhotoRecord) -> Row | None:
    square = (SIDE, SIDE)
    people = [layer for layer, person in zip(host.read_masks(), host.persons, strict=True) if person]
    beside = max(people, key=np.count_nonzero)
    if not 0.06 < beside.mean() < 0.45:
        return None
    beside = cv2.resize(beside.astype(np.uint8), square) > 0
    scene = cv2.resize(host.read_image(), square, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    guest = read_image(portraits / "images" / f"{name}.jpg", oriented=True)
    guest = cv2.resize(guest, square, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    alpha = cv2.imread(str(portraits / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    alpha = cv2.resize(alpha, square, interpolation=cv2.INTER_AREA)
    placed = stand_beside(rng, guest, alpha > 127, beside)
    if placed is None or not 0.05 < placed.alpha.mean() < 0.6:
        return None
    reference = beside & (placed.alpha < 0.1)
    if reference.mean() < 0.04:
        return None
    return Row(scene + placed.alpha[..., None] * (placed.image - scene), placed.alpha, reference)


def drawn(row: Row, methods: Mapping[str, Method]) -> np.ndarray:
    """The composite with its reference outlined, and each method's result, side by side (h, w, 3) uint8."""
    batch = stack([look_sample(row.composite, row.alpha, row.reference, row.composite, SIZE)])
    source = batch["composite"][0].permute(1, 2, 0).numpy()
    inside = batch["foreground"][0, 0].numpy() > 0.5
    pictures = []
    for method in methods.values():
        answer = run(method, batch, pasted=1.0)[0].permute(1, 2, 0).numpy()
        shown = ColorMapping.fit(source, answer, inside).apply(np.clip(row.composite, 0, 1), row.alpha)
        shown = cv2.resize(np.rint(shown * 255).astype(np.uint8), SHOWN, interpolation=cv2.INTER_AREA)
        pictures.append(shown)
    edge = cv2.resize(row.reference.astype(np.uint8), SHOWN, interpolation=cv2.INTER_NEAREST)
    lines, _ = cv2.findContours(edge, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(pictures[0], lines, -1, BLUE, 1)
    return np.concatenate(pictures, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--weights", type=Path, action="append", default=[])
    parser.add_argument("--pair", action="append", default=[], help="PORTRAIT=PHOTO, by their ids; may be repeated")
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    try:
        methods = {
            "composite": composite_alone,
            "small-portrait": network_alone("small-portrait"),
            "match": match_alone,
        }
        methods |= {str(path): match_network(path) for path in args.weights}
        found = rows(args.portraits, args.photos, args.pair, args.count, args.seed)
        sheet = [drawn(row, methods) for row in found]
        with replacing(args.out) as temporary:
            cv2.imwrite(str(temporary), cv2.cvtColor(np.concatenate(sheet), cv2.COLOR_RGB2BGR))
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
