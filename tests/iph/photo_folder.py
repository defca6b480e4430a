"""A folder of photos with instance masks, drawn for tests: people are discs, things are boxes."""

import csv
from pathlib import Path

import cv2
import numpy as np


def draw_photo(seed: int, instances: int = 3, shape: tuple[int, int] = (48, 64)) -> tuple[np.ndarray, list[np.ndarray]]:
    """A smooth background with textured instances, (H, W, 3) uint8, and their masks (H, W) bool."""
    rng = np.random.default_rng(seed)
    height, width = shape
    image = cv2.resize(rng.uniform(0.2, 0.8, (3, 3, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    yy, xx = np.mgrid[:height, :width]
    masks = []
    for k in range(instances):
        cx, cy = (k + 0.5) * width / max(instances, 1), rng.uniform(0.35, 0.65) * height
        radius = 0.4 * width / max(instances, 2)
        dx, dy = np.abs(xx - cx), np.abs(yy - cy)
        mask = np.hypot(dx, dy) < radius if k % 2 == 0 else np.maximum(dx, dy) < 0.8 * radius
        texture = rng.uniform(0.1, 0.9, 3) + rng.normal(0, 0.1, (*shape, 3))
        image = np.where(mask[..., None], texture, image)
        masks.append(mask)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8), masks


def make_folder(folder: Path, counts: list[int], splits: dict[str, str] | None = None) -> Path:
    """Photos ``p00``, ``p01``, … with so many instances each; every even instance is a person."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    rows = []
    for number, count in enumerate(counts):
        name = f"p{number:02d}"
        image, masks = draw_photo(number, count)
        cv2.imwrite(str(folder / "images" / f"{name}.jpg"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        for k, mask in enumerate(masks):
            cv2.imwrite(str(folder / "masks" / f"{name}_{k}.png"), mask.astype(np.uint8) * 255)
            rows.append({"id": name, "k": k, "person": int(k % 2 == 0), "label": "", "area_frac": mask.mean()})
    with open(folder / "instances.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "k", "person", "label", "area_frac"])
        writer.writeheader()
        writer.writerows(rows)
    if splits:
        (folder / "split.csv").write_text("id,split\n" + "".join(f"{n},{s}\n" for n, s in splits.items()))
    return folder
