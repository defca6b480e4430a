"""How long the dashboard's pages take with 20 methods × 959 images × every metric and 1,000,000 votes, all made up.

    python demo/dashboard/page_speed.py [--votes 1000000]

Goals: the first page within 2 s, later interactions within 300 ms. Times are of whole script runs in Streamlit's own
test runner, in this process, from a cold cache; a browser adds its drawing. CPU time stands beside wall time, because a
busy machine stretches only the latter. Results and votes lie in a temporary folder that is removed at the end.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

METHODS, IMAGES, RATERS = 20, 959, 2000
GOAL_FIRST, GOAL_LATER = 2.0, 0.3


def make_results(folder: Path) -> None:
    """One data set in the store's own form."""
    from bench.evaluation.store import SCHEMA, Store
    from bench.metrics import METRICS

    rng = np.random.default_rng(0)
    names = ["composite", *(f"method-{k:02d}" for k in range(1, METHODS))]
    difficulty = rng.lognormal(0, 0.6, IMAGES)
    rows = pd.DataFrame(
        {
            "id": [f"image-{k:04d}" for k in range(IMAGES)] * METHODS,
            "photo": [f"photo-{k // 2:04d}" for k in range(IMAGES)] * METHODS,
            "method": np.repeat(names, IMAGES),
            "foreground_share": np.tile(rng.uniform(0.01, 0.6, IMAGES), METHODS),
            "composite_fmse": np.tile(1000 * difficulty, METHODS),
        }
    )
    skill = np.repeat(rng.uniform(0.4, 1.2, METHODS), IMAGES)
    for name, metric in METRICS.items():
        error = np.tile(difficulty, METHODS) * skill * rng.lognormal(0, 0.3, len(rows))
        rows[name] = 40 - 8 * np.log1p(error) if metric.direction == "higher" else 100 * error
    texts = dict(dataset="speed", dataset_hash="0" * 16, protocol="strict", size="256", subset="", weights_hash="")
    rows = rows.assign(**texts, code="speed", computed="2026-01-01T00:00:00+00:00", width=256, height=256)
    rows = rows.assign(seconds=rng.uniform(0.01, 0.5, len(rows)), peak_mb=300.0)[SCHEMA.names]
    store = Store(folder, "speed")
    store.write_meta({"dataset": "speed", "title": "Made up", "images": IMAGES, "methods": {}})
    rows.to_parquet(store.rows_file, index=False)


def make_pictures(folder: Path) -> None:
    """A kept output of every method on every image: links to a few files, because only their reading is timed."""
    rng = np.random.default_rng(2)
    few = []
    for k in range(8):
        coarse = rng.integers(256, size=(12, 12, 3), dtype=np.uint8)
        few.append(folder / f"picture-{k}.png")
        cv2.imwrite(str(few[-1]), cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC))
    for at, name in enumerate(["composite", *(f"method-{k:02d}" for k in range(1, METHODS))]):
        place = folder / "speed" / "pictures" / name
        place.mkdir(parents=True)
        for k in range(IMAGES):
            link(few[(at + k) % len(few)], place / f"image-{k:04d}.png")


def link(file: Path, place: Path) -> None:
    try:
        os.link(file, place)
    except OSError:
        shutil.copy(file, place)


def make_votes(path: Path, count: int) -> None:
    """A file of raw votes, marked simulated."""
    rng = np.random.default_rng(1)
    names = np.array(["composite", *(f"method-{k:02d}" for k in range(1, METHODS))], dtype=object)
    taste = rng.normal(0, 0.7, METHODS)
    left = rng.integers(METHODS, size=count)
    right = (left + rng.integers(1, METHODS, size=count)) % METHODS
    won = taste[left] - taste[right] + rng.normal(size=count) > 0
    shown = np.array([[f'["{a}", "{b}"]' for b in names] for a in names], dtype=object)
    per_rater = count // RATERS
    frame = pd.DataFrame(
        {
            "rater": np.repeat([f"r{k:04d}" for k in range(RATERS)], per_rater),
            "origin": "simulated",
            "simulated": True,
            "excluded": None,
            "trial": np.tile(np.arange(per_rater), RATERS),
            "revision": 1,
            "task": "pair",
            "kind": "normal",
            "item": [f"image-{k:04d}" for k in rng.integers(IMAGES, size=count)],
            "left": names[left],
            "right": names[right],
            "shown": shown[left, right],
            "choice": np.where(won, "left", "right"),
            "ranks": None,
            "expected": None,
            "seconds": rng.lognormal(1, 0.5, count).round(2),
            "timestamp": pd.date_range("2026-01-01", periods=count, freq="s", tz="UTC").astype(str),
            "request_id": [f"q{k}" for k in range(count)],
        }
    )
    frame.to_parquet(path, index=False)


def timed(what: str, action: Callable[[], object], goal: float | None) -> None:
    """Runs ``action`` and prints one line of the table."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    shares = "" if goal is None else f"{goal * 1000:8.0f}{wall / goal:10.0%}{cpu / goal:10.0%}"
    print(f"{what:46}{wall * 1000:10.0f}{cpu * 1000:10.0f}{shares}", flush=True)


def ready(at, seconds: float = 300.0) -> None:
    """Runs the page until nothing is in the making."""
    end = time.monotonic() + seconds
    while any("hourglass" in caption.value for caption in at.caption) and time.monotonic() < end:
        time.sleep(0.2)
        at.run()
    assert not at.exception, at.exception[0].message


def measure() -> None:
    """The table."""
    print(f"{'':46}{'wall ms':>10}{'CPU ms':>10}{'goal':>8}{'wall/goal':>10}{'CPU/goal':>10}")

    def load() -> None:
        import plotly.graph_objects  # noqa: F401
        import streamlit  # noqa: F401

        import bench.report.boards  # noqa: F401
        import userstudy.report.study_report  # noqa: F401

    timed("imports, once a server", load, None)
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_file(str(ROOT / "demo" / "dashboard.py"), default_timeout=300)
    timed("first page (leaderboard), nothing prepared", at.run, GOAL_FIRST)
    timed("ranks and all metrics prepared behind it", lambda: _all_prepared(at), None)
    timed("leaderboard: another metric", lambda: at.selectbox(key="metric").set_value("ssim").run(), GOAL_LATER)
    timed("leaderboard: and another", lambda: at.selectbox(key="metric").set_value("delta_e00").run(), GOAL_LATER)
    timed("leaderboard: other rival", lambda: at.selectbox(key="versus").set_value("method-07").run(), GOAL_LATER)
    timed("explorer opened", lambda: at.switch_page("dashboard/explorer.py").run(), GOAL_FIRST)
    timed("explorer: next image", lambda: at.button[1].click().run(), GOAL_LATER)
    timed("explorer: all results", lambda: at.segmented_control(key="results").set_value("all").run(), GOAL_LATER)
    timed("explorer: next image, all results", lambda: at.button[1].click().run(), GOAL_LATER)
    timed("explorer: other order", lambda: at.selectbox(key="sort").set_value("disagreement").run(), GOAL_LATER)
    timed("explorer: other method", lambda: at.selectbox(key="method").set_value("method-03").run(), GOAL_LATER)
    timed("paper tables opened", lambda: at.switch_page("dashboard/paper.py").run(), GOAL_FIRST)
    timed("paper: table 2", lambda: at.segmented_control(key="table").set_value(2).run(), GOAL_LATER)
    timed("speed opened", lambda: at.switch_page("dashboard/speed.py").run(), GOAL_FIRST)
    ready(at)
    timed("speed: by difficulty", lambda: at.segmented_control(key="by").set_value("difficulty").run(), GOAL_LATER)
    timed("study opened, votes not scored yet", lambda: at.switch_page("dashboard/study.py").run(), GOAL_FIRST)
    timed("votes scored behind it", lambda: ready(at), None)
    timed("study: scores", at.run, GOAL_LATER)
    for view in ("pairs", "raters", "time"):
        timed(f"study: {view}", lambda view=view: at.segmented_control(key="part").set_value(view).run(), GOAL_LATER)
    again = AppTest.from_file(str(ROOT / "demo" / "dashboard.py"), default_timeout=300)
    timed("a second visitor's first page", again.run, GOAL_FIRST)


def _all_prepared(at) -> None:
    from demo.dashboard.prepared import idle

    ready(at)
    end = time.monotonic() + 300
    while not idle() and time.monotonic() < end:
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=1_000_000)
    count = parser.parse_args().votes // RATERS * RATERS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {
            "IPH_RESULTS": str(folder / "results"),
            "IPH_STUDY": str(folder / "votes.parquet"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        make_results(folder / "results")
        make_pictures(folder / "results")
        make_votes(folder / "votes.parquet", count)
        print(f"{METHODS} methods × {IMAGES} images, {count:,} votes of {RATERS:,} raters\n")
        measure()


if __name__ == "__main__":
    main()
