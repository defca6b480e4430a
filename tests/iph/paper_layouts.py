"""The paper's three data sets in their own layouts, a few photos of each, drawn for tests."""

import json
from pathlib import Path

import cv2
import numpy as np
from photo_folder import draw_photo

SHAPE = (48, 64)


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image)


def make_iharmony4(folder: Path, count: int) -> Path:
    """HCOCO alone: a composite a photo, its first disc darker than it was."""
    names = []
    for number in range(count):
        photo, masks = draw_photo(number, 2, SHAPE)
        name = f"c{number:04d}"
        composite = np.where(masks[0][..., None], photo // 2, photo)
        write(folder / f"HCOCO/composite_images/{name}_1_1.jpg", composite)
        write(folder / f"HCOCO/masks/{name}_1.png", masks[0].astype(np.uint8) * 255)
        write(folder / f"HCOCO/real_images/{name}.jpg", photo)
        names.append(f"{name}_1_1.jpg")
    (folder / "HCOCO/HCOCO_train.txt").write_text("\n".join(names))
    return folder


def make_coco_pairs(folder: Path, count: int) -> Path:
    """train2017 with two boxes a photo, the last photo with one alone."""
    images, notes = [], []
    for number in range(1, count + 1):
        name = f"{number:012d}.jpg"
        write(folder / "train2017" / name, draw_photo(number, 0, SHAPE)[0])
        images.append({"id": number, "file_name": name, "height": SHAPE[0], "width": SHAPE[1]})
        boxes = [(5, 5, 25, 40), (35, 8, 60, 30)][: 1 if number == count else 2]
        for x0, y0, x1, y1 in boxes:
            polygon = [[x0, y0, x1, y0, x1, y1, x0, y1]]
            note = {"id": len(notes) + 1, "image_id": number, "category_id": 1, "iscrowd": 0, "segmentation": polygon}
            notes.append(note | {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)})
    table = folder / "annotations/instances_train2017.json"
    table.parent.mkdir(parents=True)
    table.write_text(json.dumps({"images": images, "annotations": notes, "categories": [{"id": 1}]}))
    return folder


def make_mhp(folder: Path, count: int) -> Path:
    """LV-MHP v1 with two people a photo, the last photo with one alone."""
    for number in range(1, count + 1):
        people = 1 if number == count else 2
        photo, masks = draw_photo(number, people, SHAPE)
        write(folder / f"images/{number:04d}.jpg", photo)
        for person, mask in enumerate(masks, start=1):
            write(folder / f"annotations/{number:04d}_{people:02d}_{person:02d}.png", mask.astype(np.uint8) * 3)
    (folder / "train_list.txt").write_text("\n".join(f"{number:04d}.jpg" for number in range(1, count + 1)))
    return folder
