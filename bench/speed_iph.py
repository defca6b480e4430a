"""Speed and memory of ``iph``, as ratios measured in one run (``make bench-speed``).

A 24 MP photo is harmonized against decoding and encoding the same JPEG with Pillow, a 9 MP one against the default
before the match; an open session at 1024 px tries a new reference, one in another photo, and a new strength; and the
whole call is set beside ``cv2.seamlessClone`` and a Reinhard transfer at 1, 8 and 24 MP. A time is that of the quickest
of several calls, which other work on the machine disturbs least (as ``timeit`` advises). The row of memory is a fresh
process's peak above what it held before the call.
"""

import io
import multiprocessing
import os
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

THREADS = 2
os.environ["OMP_NUM_THREADS"] = str(THREADS)  # of the networks and of numpy, read when they are imported
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as app.py and the command line do

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

import iph  # noqa: E402
from bench.evaluation.memory import held_bytes, peak_bytes, reset_peak  # noqa: E402
from bench.methods import resolve  # noqa: E402
from bench.speed import quickest  # noqa: E402
from iph.images.confined import read_photo_confined  # noqa: E402
from iph.images.imagefile import read_photo  # noqa: E402
from iph.masks import marks_from_photo  # noqa: E402

SIZES = {"1 MP": (820, 1220), "8 MP": (2310, 3464), "24 MP": (4000, 6000)}
BESIDE = 2448, 3672  # 9 MP, for the default beside the one before it
BEFORE = "small-portrait"
SHARE = 0.30  # of the frame that the foreground covers


def photo(height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A noisy, smoothly coloured picture (H, W, 3) uint8, a foreground of 30 % and a reference, (H, W) uint8 0/255."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(20, 235, (24, 36, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(-6, 7, (height, width, 1), dtype=np.int16)
    image = np.clip(image + grain, 0, 255).astype(np.uint8)
    foreground = np.zeros((height, width), np.uint8)
    foreground[height // 10 : height * 9 // 10, width // 12 : width // 12 + int(width * SHARE / 0.8)] = 255
    reference = np.zeros_like(foreground)
    reference[height // 5 : height * 4 // 5, width * 6 // 10 : width * 9 // 10] = 255
    return image, foreground, reference


def jpeg_round_trip(image: np.ndarray) -> tuple[float, float]:
    """Milliseconds to decode and to encode a picture as JPEG (quality 95) with Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=95)
    data = buffer.getvalue()
    decode = quickest(lambda: Image.open(io.BytesIO(data)).load())
    return decode, quickest(lambda: Image.fromarray(image).save(io.BytesIO(), "JPEG", quality=95))


def peak_above(size: tuple[int, int]) -> float:
    """Peak memory of ``iph.harmonize`` above what was held before the call, in sizes of the decoded image."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (size,))


def _peak(size: tuple[int, int]) -> float:
    image, foreground, reference = photo(*size)
    small = tuple(np.ascontiguousarray(array[::16, ::16]) for array in (image, foreground, reference))
    iph.harmonize(*small)  # loads the model and warms every library
    reset_peak()
    before = held_bytes()
    iph.harmonize(image, foreground, reference)
    return (peak_bytes() - before) / image.nbytes


def main() -> None:
    cv2.setNumThreads(THREADS)
    others = {"cv2.seamlessClone": "poisson", "Reinhard transfer": "reinhard-reference"}
    others = {name: method.make() for name, method in zip(others, resolve(list(others.values())), strict=True)}
    print(f"{THREADS} threads; ratios are ours over theirs, in the same run\n")
    for name, size in SIZES.items():
        image, foreground, reference = photo(*size)
        ours = quickest(partial(iph.harmonize, image, foreground, reference))
        _row(f"iph.harmonize, {name}", f"{ours:.0f} ms")
        jpeg = sum(jpeg_round_trip(image))
        goal = "goal 1.00" if name == "24 MP" else ""
        _row(f"  Pillow decode and encode, {name}", f"{jpeg:.0f} ms", f"{ours / jpeg:.2f}", goal)
        for other, method in others.items():
            theirs = quickest(partial(method, image, foreground, reference))
            _row(f"  {other}, {name}", f"{theirs:.0f} ms", f"{ours / theirs:.2f}")
    whole = photo(*BESIDE)
    ours, before = (quickest(partial(iph.harmonize, *whole, model=model)) for model in ("portrait", BEFORE))
    _row("iph.harmonize, 9 MP", f"{ours:.0f} ms")
    _row(f"  {BEFORE}, 9 MP", f"{before:.0f} ms", f"{ours / before:.2f}", "goal 1.30")
    image, foreground, reference = photo(683, 1024)
    session = iph.load("portrait").open(image, foreground)
    tried = quickest(partial(session.harmonize, reference))
    _row("open session, new reference, 1024 px", f"{tried:.1f} ms", "", "goal 60")
    other = np.ascontiguousarray(image[::-1, ::-1])
    tried = quickest(partial(session.harmonize, reference, reference_image=other))
    _row("open session, another photo's, 1024 px", f"{tried:.1f} ms", "", "goal 60")
    render = partial(session.render, session.fit_mapping(reference), strength=0.7)
    _row("open session, new strength, 1024 px", f"{quickest(render):.1f} ms", "", "goal 20")
    with TemporaryDirectory() as folder:
        _read_files(Path(folder))
    _row("peak memory above the call, 24 MP", f"{peak_above(SIZES['24 MP']):.2f} images", "", "goal 6")


def _read_files(folder: Path) -> None:
    """A 12 MP mask beside Pillow's decoding of it, and a photo in the confined reader beside the plain one."""
    image, foreground, _ = photo(3000, 4000)
    cv2.imwrite(str(folder / "mask.png"), np.repeat(foreground[..., None], 3, 2), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    cv2.imwrite(str(folder / "photo.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    mask = read_photo(folder / "mask.png")
    told = quickest(partial(marks_from_photo, mask, foreground.shape))
    decoded = quickest(lambda: np.asarray(Image.open(folder / "mask.png")))
    _row("a 12 MP mask, once decoded", f"{told:.0f} ms", "", "goal 60")
    _row("  Pillow decode", f"{decoded:.0f} ms", f"{told / decoded:.2f}")
    plain = quickest(partial(read_photo, folder / "photo.jpg"))
    confined = quickest(partial(read_photo_confined, folder / "photo.jpg"))
    _row("a 12 MP photo, read here", f"{plain:.0f} ms")
    _row("  in the confined reader", f"{confined:.0f} ms", f"+{confined - plain:.0f} ms", "goal +50 ms")


def _row(what: str, value: str, ratio: str = "", goal: str = "") -> None:
    print(f"{what:<40} {value:>12} {ratio:>8} {goal:>12}", flush=True)


if __name__ == "__main__":
    main()
