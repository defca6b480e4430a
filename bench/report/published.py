"""Numbers that other people published, always marked *reported*: never measured here, never mixed with measured rows.

``reported/*.csv``: one value a row with its source. An empty value is a cell of the paper's table that is not on record
here; it is shown as such.
"""

from functools import lru_cache
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parents[1] / "reported"
COLUMNS = ["table", "dataset", "method", "title", "kind", "venue", "metric", "value", "source"]


@lru_cache(maxsize=1)
def published() -> pd.DataFrame:
    """Every published value, ``file`` naming the table's file; ``value`` is NaN where it is not on record."""
    frames = [pd.read_csv(path, dtype={"table": str}).assign(file=path.stem) for path in sorted(FOLDER.glob("*.csv"))]
    frame = pd.concat(frames, ignore_index=True)
    texts = [column for column in COLUMNS if column != "value"]
    return frame.fillna(dict.fromkeys(texts, ""))


def for_dataset(name: str) -> pd.DataFrame:
    """The values on the data set ``name``, whole set only (subsets are named ``name/subset``)."""
    frame = published()
    return frame[frame["dataset"] == name]
