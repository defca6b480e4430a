"""Titles, methods and file names that are scripts or pictures elsewhere, on the dashboard in a real Chromium: text."""

import itertools
import json

import pandas as pd
import pytest
from dashboard_data import METHODS, measure
from dashboard_hands import drawn, mounted

from userstudy.votes.transfer import raw_form, write_frame

pytestmark = pytest.mark.browser
PARTS = ("scores", "pairs", "raters", "rankings", "time", "metrics")
HOSTILE = (
    "![x](http://192.0.2.1/x.png)",
    "<img src=http://192.0.2.1/y.png onerror='window.hurt=1'>",
    "<script>window.hurt=1</script><b>bold</b>",
    "[x](javascript:window.hurt=1) **bold** `code` :red[red] $x^2$",
)


@pytest.fixture(scope="module")
def hostile_address(tmp_path_factory, serve):
    """The same dashboard, whose methods, data set and study are called by scripts and by pictures elsewhere."""
    folder = tmp_path_factory.mktemp("hostile")
    results = measure(folder / "results")
    meta = json.loads((results / "sample" / "meta.json").read_text())
    meta["title"] = HOSTILE[0]
    for name, title in zip(METHODS, HOSTILE, strict=True):
        meta.setdefault("methods", {}).setdefault(name, {})["title"] = title
    (results / "sample" / "meta.json").write_text(json.dumps(meta))
    pairs = [pair for pair in itertools.permutations(HOSTILE, 2)]
    common = dict(origin="link", simulated=False, excluded=None, revision=1, task="pair", kind="normal", ranks=None)
    rows = [
        dict(common, rater=f"r{rater}", trial=n, item=HOSTILE[0], shown=json.dumps(pair), expected=None, seconds=2.0)
        | dict(choice=("left", "right", "left")[(n + rater) % 3], timestamp="2026-01-01", request_id=f"{rater}-{n}")
        for rater in range(6)
        for n, pair in enumerate(pairs)
    ]
    write_frame(raw_form(pd.DataFrame(rows)), folder / f"{HOSTILE[3].replace('/', '')}.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPH_RESULTS", str(results))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("IPH_STUDY", str(next(folder.glob("*.jsonl"))))
        patch.setenv("IPH_STUDIO", "/")
        yield f"{serve(mounted())}/leaderboard/"


def test_scripts_in_titles_and_methods_stay_text(page, hostile_address):
    """The page fixture adds: no error of the page, and no request that left this machine."""
    tab = page()
    for place in ("", "paper", "explorer", "speed", *(f"study?part={part}" for part in PARTS)):
        tab.goto(hostile_address + place)
        drawn(tab)
        assert tab.evaluate("window.hurt") is None and tab.get_by_test_id("stException").count() == 0, place
        main = tab.get_by_test_id("stMain")
        assert main.locator("img[src*='192.0.2.1'], a[href^=javascript], .katex").count() == 0, place
        for chart in tab.locator(".js-plotly-plot").all():
            assert chart.locator("a, [style*='font-weight: bold']").count() == 0
        if place == "study?part=scores":
            assert tab.get_by_text("[x](javascript:window.hurt=1) **bold** `code` :red[red] $x^2$").count()
