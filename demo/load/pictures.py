"""Pictures as visitors bring them: a photo of 12 MP, somebody cut out, and their mask."""

import io
import time
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

QUALITY = 92  # of a photo's JPEG


@dataclass(frozen=True)
class Pictures:
    """Files: a JPEG photo, a PNG cut-out of a person, and the mask of a person in the photo as PNG."""

    photo: bytes
    person: bytes
    mask: bytes


def make_pictures(width: int = 4000, height: int = 3000) -> Pictures:
    """Soft shapes with a little noise, so that files weigh what photos do."""
    rng = np.random.default_rng(0)

    def picture(w: int, h: int) -> np.ndarray:
        coarse = rng.integers(40, 215, (max(2, h // 50), max(2, w // 50), 3), np.uint8)
        smooth = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC)
        return cv2.add(smooth, rng.integers(0, 12, smooth.shape, np.uint8))

    def ellipse(w: int, h: int, middle: float) -> np.ndarray:
        mask = np.zeros((h, w), np.uint8)
        cv2.ellipse(mask, (int(middle * w), h // 2), (w // 6, int(h * 0.42)), 0, 0, 360, 255, -1)
        return cv2.GaussianBlur(mask, (0, 0), max(1, w / 800))

    side = max(64, height // 3)
    person = np.dstack([picture(side, side), ellipse(side, side, 0.5)])
    return Pictures(
        cv2.imencode(".jpg", picture(width, height), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes(),
        cv2.imencode(".png", person)[1].tobytes(),
        cv2.imencode(".png", ellipse(width, height, 0.66))[1].tobytes(),
    )


def read_and_written(photo: bytes, times: int = 5) -> float:
    """Seconds in which Pillow alone decodes a JPEG and encodes it again, the median: what waits may be compared with on
    another machine, or on one that is busy."""
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        with Image.open(io.BytesIO(photo)) as image:
            image.save(io.BytesIO(), "JPEG", quality=QUALITY)
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds))
