"""Numbers that other people published, always marked *reported*: never measured here, never mixed with measured rows.

``reported/*.csv``: one value a row with its source; of the IPH paper all cells of Tables 1 to 3 and the parameter
counts.
"""

import re
from functools import lru_cache
from pathlib import Path

import pandas as pd

from bench.metrics import METRICS
from bench.metrics.quantity import Quantity

REPORTED = {  # columns of papers that are no metrics of ours
    quantity.name: quantity
    for quantity in (
        Quantity("ranking_score", "Ranking Score", "higher"),
        Quantity("preference", "Preference", "higher", digits=3),
        Quantity("bt_score", "BT score", "higher", digits=4),
        Quantity("cie_delta", "CIE", "lower"),
        Quantity("parameters", "Parameters, M", "lower", digits=0),
    )
}
# The paper's column, and ours that it resembles on PortraitTest (log-log slope to MSE 0.91); on IntHarmony it does not.
REPORTED_AS = {"cie_delta": "cie_delta_sq76"}
QUANTITIES: dict[str, Quantity] = METRICS | REPORTED
FOLDER = Path(__file__).parents[1] / "reported"
PAPER_PARAMETERS = 26_955_331  # counted of iph.network.build("paper"), which needs torch
COLUMNS = ["table", "dataset", "method", "title", "kind", "venue", "metric", "value", "source"]


@lru_cache(maxsize=1)
def published() -> pd.DataFrame:
    """Every published value, ``file`` naming the table's file."""
    frames = [pd.read_csv(path, dtype={"table": str}).assign(file=path.stem) for path in sorted(FOLDER.glob("*.csv"))]
    frame = pd.concat(frames, ignore_index=True)
    texts = [column for column in COLUMNS if column != "value"]
    return frame.fillna(dict.fromkeys(texts, ""))


def for_dataset(name: str) -> pd.DataFrame:
    """The values on the data set ``name``, whole set only (subsets are named ``name/subset``)."""
    frame = published()
    return frame[frame["dataset"] == name]


def protocol_of(source: str) -> str:
    """The protocol that a value's source names, "" where it names none."""
    return found[1] if (found := re.search(r"\bprotocol ([a-z0-9-]+)", source)) else ""


def heading(name: str) -> str:
    """The title of a metric, or of a paper's column, with the arrow that says which way is better."""
    return QUANTITIES[name].heading
