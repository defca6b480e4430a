"""Result rows made up so that the right answer is known, and a results folder that holds them."""

from pathlib import Path

import numpy as np

from bench.evaluation.store import Part, Store
from bench.metrics import METRICS

GAINS = {"composite": 0.0, "reinhard-background": 3.0, "xiao-background": 3.0, "histogram-background": -4.0}
IMAGES, PHOTOS = 48, 24
RNG = np.random.default_rng(4)
DIFFICULTY = RNG.normal(28, 3, PHOTOS).repeat(IMAGES // PHOTOS) + RNG.normal(0, 1, IMAGES)


def made_rows(dataset: str = "portrait-open", hash_: str = "h1", methods=GAINS, images: int = IMAGES) -> list[dict]:
    """Rows whose PSNR is the image's difficulty plus the method's gain plus noise; all else follows from it."""
    rng = np.random.default_rng(9)
    rows = []
    for method in methods:
        for n in range(images):
            psnr = DIFFICULTY[n] + GAINS.get(method, 1.0) + rng.normal(0, 0.2)
            mse = 255**2 / 10 ** (psnr / 10)
            rows.append(
                {
                    "dataset": dataset,
                    "dataset_hash": hash_,
                    "id": f"image{n:02}",
                    "photo": f"photo{n // (IMAGES // PHOTOS)}",
                    "subset": "hue" if n % 3 else "gamma",
                    "method": method,
                    "weights_hash": "",
                    "protocol": "strict",
                    "size": "256",
                    "code": "1.0+abc",
                    "computed": "2026-01-01T00:00:00+00:00",
                    "width": 256,
                    "height": 256,
                    "foreground_share": 0.02 + 0.4 * n / IMAGES,
                    "composite_fmse": float(1000 - DIFFICULTY[n] * 10),
                    "seconds": 0.1,
                    "peak_mb": 100.0,
                }
                | {name: (0.6 if name[0] == "f" else 0.5) * mse**0.5 for name in METRICS if "delta_e" in name}
                | {"mse": mse, "fmse": mse * 10**0.3, "cie_delta_sq76": 0.5 * mse}
                | {"psnr": psnr, "fpsnr": psnr - 3, "ssim": 1 - mse / 1e4, "fssim": 1 - mse / 1e3}
            )
    return rows


def fill(results: Path, rows: list[dict], **meta) -> Store:
    store = Store(results, rows[0]["dataset"])
    with Part(store) as part:
        part.add(rows)
    store.merge()
    store.write_meta(
        {"dataset": store.folder.name, "title": "Portrait-Open", "dataset_hash": "h1", "images": IMAGES} | meta
    )
    return store
