"""How a board's best changed with the years: a point a method and the best so far, as the numbers of a drawing."""

from dataclasses import dataclass

from bench.metrics import METRICS
from bench.site.data import BoardData

WIDTH, HEIGHT, EDGE = 640, 240, 46  # of the drawing, in its own units


@dataclass(frozen=True)
class Point:
    """A method in its year; ``x`` and ``y`` are places in the drawing."""

    title: str
    year: int
    value: float
    x: float
    y: float


@dataclass(frozen=True)
class Trend:
    """The points by year, and the corners of the line: the best value so far."""

    metric: str
    points: list[Point]
    line: list[tuple[float, float]]


def trend(board: BoardData) -> Trend | None:
    """The trend of the metric that ranks, over measured methods whose year is known; None below two years."""
    metric = METRICS[board.metrics[0]]
    rows = [m for m in board.methods if m.status == "measured" and m.year]
    years = sorted({m.year for m in rows})
    if len(years) < 2:
        return None
    values = [m.scores[metric.name].mean for m in rows]
    low, high = min(values), max(values)

    def place(year: int, value: float) -> tuple[float, float]:
        across = (year - years[0]) / (years[-1] - years[0])
        up = (value - low) / ((high - low) or 1)
        return round(EDGE + across * (WIDTH - 2 * EDGE), 1), round(HEIGHT - EDGE - up * (HEIGHT - 2 * EDGE), 1)

    points = [
        Point(m.title, m.year, m.scores[metric.name].mean, *place(m.year, m.scores[metric.name].mean))
        for m in sorted(rows, key=lambda m: (m.year, m.scores[metric.name].mean))
    ]
    line: list[tuple[float, float]] = []
    best = None
    for year in years:
        here = max((p.value for p in points if p.year == year), key=lambda value: metric.sign * value)
        if best is None or metric.sign * here > metric.sign * best:
            if best is not None:
                line.append(place(year, best))
            best = here
        line.append(place(year, best))
    return Trend(metric.name, points, line)
