"""Small made-up composites on disk, for tests of everything that reads data sets."""

from pathlib import Path

import cv2
import numpy as np

from bench.datasets.manifest import Dataset, Entry, write_manifest


def picture(seed: int, height: int = 40, width: int = 48) -> np.ndarray:
    """A smooth random photo, (H, W, 3) uint8."""
    noise = np.random.default_rng(seed).uniform(0, 255, (5, 6, 3)).astype(np.float32)
    return np.clip(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def region(left: int, height: int = 40, width: int = 48) -> np.ndarray:
    """A box from column ``left``, (H, W) uint8 0/255."""
    mask = np.zeros((height, width), np.uint8)
    mask[8:30, left : left + 14] = 255
    return mask


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels if pixels.ndim == 2 else pixels[..., ::-1])
    return path


def make_dataset(folder: Path, images: int = 4, composites_a_photo: int = 1) -> Dataset:
    """A folder in the manifest's form: the foreground of each photo is made brighter and warmer."""
    entries = []
    for number in range(images):
        target = picture(number // composites_a_photo)
        gain = 1 + 0.1 * (1 + number % 5)
        composite = np.where(region(4)[..., None] > 0, np.clip(target * gain + [12, 0, -9], 0, 255), target)
        entries.append(
            Entry(
                id=f"image{number}",
                composite=save(folder / f"composites/{number}.png", composite.astype(np.uint8)),
                foreground=save(folder / f"masks/{number}.png", region(4)),
                reference=save(folder / f"references/{number}.png", region(26)),
                target=save(folder / f"targets/{number}.png", target),
                subset="odd" if number % 2 else "even",
                photo=f"photo{number // composites_a_photo}",
            )
        )
    write_manifest(folder, entries)
    return Dataset(folder.name, folder, tuple(entries))


def iharmony4(root: Path) -> Path:
    """Two subsets; the root's name has '_' and a day2night name has '-', which naive name splitting breaks on."""
    for subset, real, masks in (
        ("HAdobe5k", "a0002", {"a0002_1": ["a0002_1_4", "a0002_1_5"]}),
        ("Hday2night", "d90000012-181", {"d90000012-181_1": ["d90000012-181_1_7"]}),
    ):
        folder = root / subset
        save(folder / f"real_images/{real}.jpg", picture(0))
        for mask, composites in masks.items():
            save(folder / f"masks/{mask}.png", np.repeat(region(4)[..., None], 3, axis=2))
            for composite in composites:
                save(folder / f"composite_images/{composite}.jpg", picture(1))
    (root / "HAdobe5k/HAdobe5k_test.txt").write_text("a0002_1_4.jpg\n")
    (root / "HAdobe5k/HAdobe5k_train.txt").write_text("a0002_1_5.jpg\n")
    (root / "IHD_test.txt").write_text("Hday2night/composite_images/d90000012-181_1_7.jpg\n")
    return root
