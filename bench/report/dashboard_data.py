"""What the dashboard shows of a results folder, prepared: quick aggregates of all metrics, slow ones of one at a time.

The numbers are those of ``bench.report.boards`` and ``bench.report.statistics``, the same seeds included, so that a
chart never disagrees with ``python -m bench table``. Everything is a function of a ``Board``, and ``digest`` names its
content.
"""

import hashlib
import os
import weakref
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.evaluation.kept_pictures import rows_shown
from bench.evaluation.store import Store
from bench.metrics import METRICS
from bench.metrics.color_difference import delta_e00, lab
from bench.report.boards import BREAKDOWNS, Board, available, boards_of, finite
from bench.report.published import REPORTED_AS, published
from bench.report.statistics import bootstrap_means, group_sums, holm, interval, sign_flip_p
from iph.data.parallel_folders import IMAGE_SUFFIXES
from iph.errors import InputError, unknown

Key = tuple[str, str]  # protocol, size
SAME = ("composite", "dovenet", "bargainnet", "rainnet")  # published weights: what the paper's rows of that name are of
OURS = {  # measured configurations that get rows of their own beside the paper's tables
    1: (
        *("dovenet-retrained", "rainnet-retrained", "bargainnet-retrained"),
        *("bargainnet-guide", "bargainnet-r", "bargainnet-r-pp", "bargainnet-r-retrained", "bargainnet-r-pp-retrained"),
        *("rainnet-guide", "rainnet-r-retrained"),
        *("iph-match", "iph-match-pasted", "iph", "iph-pp"),
    ),
    3: ("h-net", "h-net-se", "h-net-se-mid", "h-net-se-shadow", "h-net-se-highlight", "h-net-se-all"),
}
OWN = " (ours)"
_known: dict[int, dict[tuple[str, str], tuple[str, str]]] = {}


def digest(results: str | os.PathLike, dataset: str) -> str:
    """16 hex digits over the content of a data set's result files; "" where there are none."""
    store = Store(results, dataset)
    files = [store.rows_file, store.meta_file, *sorted(store.parts.glob("*.jsonl"))]
    stats = [(path, path.stat()) for path in files if path.is_file()]
    return _digest(tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats))


@lru_cache(maxsize=64)
def _digest(files: tuple[tuple[str, int, int], ...]) -> str:
    whole = hashlib.sha256()
    for path, _, _ in files:
        with open(path, "rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:16] if files else ""


def open_boards(results: str | os.PathLike, dataset: str) -> dict[Key, Board]:
    """Every board of one data set by protocol and size. Raises InputError where the files are damaged or empty."""
    store = Store(results, dataset)
    found = {(board.protocol, board.size): board for board in boards_of(store)}
    if not found:
        raise InputError(f"expected rows of {dataset} in {store.folder}, found none yet; 'python -m bench run' goes on")
    return found


def overview(board: Board) -> pd.DataFrame:
    """``method, metric, mean, low, high`` of every metric: means over images, intervals over photos (95 %)."""
    metrics, methods = available(board), board.methods
    wide = finite(board.rows.pivot(index="id", columns="method", values=metrics))
    columns = [(metric, method) for metric in metrics for method in methods]
    values = wide[columns].to_numpy()
    low, high = interval(bootstrap_means(*group_sums(values, _photos(board, wide.index))))
    names = pd.DataFrame(columns, columns=["metric", "method"])
    return names.assign(mean=values.mean(axis=0), low=low, high=high)[["method", "metric", "mean", "low", "high"]]


def versus(board: Board, metric: str, rival: str) -> pd.DataFrame:
    """``method, difference, low, high, p``: every other method minus ``rival``, paired; p by Holm over all of them."""
    wide = per_image(board, metric)
    others = [method for method in board.methods if method != rival]
    differences = wide[others].to_numpy() - wide[[rival]].to_numpy()  # (N, M - 1)
    sums, counts = group_sums(differences, wide["photo"].to_numpy())
    low, high = interval(bootstrap_means(sums, counts))
    p = holm(sign_flip_p(sums))
    return pd.DataFrame({"method": others, "difference": differences.mean(axis=0), "low": low, "high": high, "p": p})


def per_image(board: Board, metric: str) -> pd.DataFrame:
    """One row an image: a column a method, then ``photo, subset, foreground_share, composite_fmse``, the ``spread`` of
    the methods (standard deviation), and ``gain`` of the image's best method over the composite, more being better."""
    wide = finite(board.rows.pivot(index="id", columns="method", values=metric)[board.methods])
    facts = board.rows.drop_duplicates("id").set_index("id").reindex(wide.index)
    spread = wide.std(axis=1, ddof=0)
    sign = METRICS[metric].sign
    best = sign * (sign * wide).max(axis=1)
    start = wide["composite"] if "composite" in wide else best
    kept = ["photo", "subset", "foreground_share", "composite_fmse"]
    return wide.assign(**facts[kept], spread=spread, gain=sign * (best - start))


def facts(board: Board) -> pd.DataFrame:
    """One row a compared method: what it is, its weights, its size, and the median seconds and peak memory of a run."""
    cost = board.rows.groupby("method").agg(seconds=("seconds", "median"), peak_mb=("peak_mb", "max"))
    rows = []
    for method in board.methods:
        about = board.about(method)
        rows.append(
            {
                "method": method,
                "title": about.get("title") or method,
                "kind": about.get("kind") or "",
                "looks_at": about.get("looks_at") or "",
                "venue": " ".join(str(about.get(key) or "") for key in ("venue", "year")).strip(),
                "weights": _weights(about),
                "parameters": about.get("parameters"),
                "licence": about.get("licence") or "",
                "citation": about.get("citation") or "",
                "note": about.get("note") or "",
            }
        )
    return pd.DataFrame(rows).join(cost, on="method").astype({"parameters": "float64"})


def groups(board: Board, by: str, metric: str) -> pd.DataFrame:
    """``method, group, images, mean, low, high``: ``bench.report.boards.breakdown`` with intervals over photos."""
    if by not in BREAKDOWNS:
        raise unknown("breakdown", by, BREAKDOWNS)
    frames = []
    for group, rows in board.rows.groupby(BREAKDOWNS[by](board.rows), observed=True):
        wide = finite(rows.pivot(index="id", columns="method", values=metric)[board.methods])
        low, high = interval(bootstrap_means(*group_sums(wide.to_numpy(), _photos(board, wide.index))))
        facts = {"group": str(group), "images": len(wide), "mean": wide.mean().to_numpy(), "low": low, "high": high}
        frames.append(pd.DataFrame({"method": board.methods, **facts}))
    if not frames:
        raise InputError(f"expected images that can be grouped by {by}, but the rows of {board.dataset} do not say it")
    return pd.concat(frames, ignore_index=True)


def frontier(cost: pd.Series, quality: pd.Series, higher_is_better: bool) -> list[str]:
    """Names of what nothing else is both cheaper and better than (Pareto's front), the cheapest first."""
    order = cost.sort_values().index
    gained = quality[order] if higher_is_better else -quality[order]
    return [
        name for name, value, before in zip(order, gained, gained.cummax().shift(), strict=True) if not before >= value
    ]


def gains(board: Board, metric: str) -> pd.DataFrame:
    """``method, gain, gain_low, gain_high``: each method's metric minus the composite's, paired by image (95 %)."""
    wide = per_image(board, metric)
    others = [method for method in board.methods if method != "composite"]
    if "composite" not in wide or not others:
        return pd.DataFrame(columns=["method", "gain", "gain_low", "gain_high"])
    differences = wide[others].to_numpy() - wide[["composite"]].to_numpy()  # (N, M - 1)
    low, high = interval(bootstrap_means(*group_sums(differences, wide["photo"].to_numpy())))
    return pd.DataFrame({"method": others, "gain": differences.mean(axis=0), "gain_low": low, "gain_high": high})


def beside_paper(table: int, found: Mapping[str, Board]) -> pd.DataFrame:
    """A table of the paper with ours beside it: ``dataset, method, title, kind, venue, metric, reported, source``, and
    from the board of the open counterpart in ``found``, ``measured, low, high``; ``reported_gain`` and ``gain``,
    ``gain_low, gain_high`` are the same minus the composite's. Missing where nothing was measured."""
    frame = published()
    frame = frame[frame["file"] == f"iph_table{table}"].rename(columns={"value": "reported"})
    start = frame[frame["method"] == "composite"][["dataset", "metric", "reported"]]
    frame = frame.merge(start, on=["dataset", "metric"], how="left", suffixes=("", "_start"))
    frame["reported_gain"] = (frame["reported"] - frame.pop("reported_start")).where(frame["method"] != "composite")
    frame = frame.drop(columns=["file", "table"])
    columns = ["dataset", "method", "title", "metric", "measured", "low", "high", "gain", "gain_low", "gain_high"]
    measured = [pd.DataFrame(columns=columns)]
    for name, open_set in found.items():
        wanted = {REPORTED_AS.get(metric, metric): metric for metric in frame["metric"].unique()}
        metrics = [metric for metric in available(open_set) if metric in wanted]
        gained = pd.concat([gains(open_set, metric).assign(metric=metric) for metric in metrics or ["psnr"]])
        ours = overview(open_set).rename(columns={"mean": "measured"})
        ours = ours.merge(gained, on=["method", "metric"], how="left")
        ours = ours[ours["metric"].isin(metrics) & ours["method"].isin([*SAME, *OURS.get(table, ())])]
        titles = ours["method"].map(lambda method, board=open_set: board.about(method)["title"])
        measured.append(ours.assign(dataset=name, title=titles, metric=ours["metric"].map(wanted))[columns])
    return laid_beside(frame, pd.concat([one for one in measured if len(one)] or measured))


def laid_beside(reported: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """``measured`` values in the rows of ``reported`` where both are the same network and weights (``SAME``).

    What was measured of others has rows of its own below, ``method`` marked as ours, without a reported value.
    """
    same = measured["method"].isin(SAME)
    keys = ["dataset", "method", "metric"]
    joined = reported.merge(measured[same].drop(columns="title"), on=keys, how="left")
    others = measured[~same].assign(method=lambda rows: rows["method"] + OWN, kind="ours", venue="", source="")
    return pd.concat([joined, others], ignore_index=True) if len(others) else joined


def difference_map(output: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(H, W) ΔE00 between two (H, W, 3) uint8 sRGB pictures, pixel by pixel."""
    if output.shape != target.shape:
        raise InputError(f"expected two pictures of one size, but got {output.shape[:2]} and {target.shape[:2]}")
    found = np.zeros(output.shape[0] * output.shape[1])
    changed = np.flatnonzero((output != target).any(axis=2))
    pixels = (picture.reshape(-1, 3)[changed] for picture in (output, target))  # (H, W, 3) → (K, 3)
    found[changed] = delta_e00(*map(lab, pixels))
    return found.reshape(output.shape[:2])  # (K,) → (H, W)


def picture_file(results: str | os.PathLike, board: Board, method: str, image: str) -> Path | None:
    """The kept output of a method, None where there is none or it shows other rows than the board's.

    Only names that the board has lead to a file.
    """
    if (method, image) not in (names := _names(board.rows)):
        return None
    folder = (Store(results, board.dataset).folder / "pictures").resolve()
    data, weights = names[method, image]
    rows = {"dataset_hash": data, "protocol": board.protocol, "size": board.size, "weights_hash": weights}
    if rows_shown(folder / method) not in (None, rows):
        return None
    paths = ((folder / method / f"{image}{suffix}").resolve() for suffix in IMAGE_SUFFIXES)
    return next((path for path in paths if path.is_relative_to(folder) and path.is_file()), None)


def _names(rows: pd.DataFrame) -> dict[tuple[str, str], tuple[str, str]]:
    """Method and id to the hashes of data and weights, made once for a table: a page asks for dozens of pictures."""
    if id(rows) not in _known:
        pairs = (zip(rows[a], rows[b], strict=True) for a, b in (("method", "id"), ("dataset_hash", "weights_hash")))
        _known[id(rows)] = dict(zip(*pairs, strict=True))
        weakref.finalize(rows, _known.pop, id(rows), None)
    return _known[id(rows)]


def _weights(about: dict) -> str:
    if about.get("weights_hash"):
        return about["weights_hash"][:8]
    return "missing" if about.get("missing") else "none needed"


def _photos(board: Board, ids: pd.Index) -> NDArray:
    return board.rows.drop_duplicates("id").set_index("id")["photo"].reindex(ids).to_numpy()
