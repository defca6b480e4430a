"""The dashboard in a real Chromium, mounted below another server as ``app.py`` does: opened, clicked, photographed."""

import os
from pathlib import Path

import pytest
from dashboard_data import ask, measure
from dashboard_hands import PATIENCE, calm, mounted, opened

pytestmark = pytest.mark.browser
PAGES = ("Leaderboard", "Paper tables", "Explorer", "Speed", "User study")  # as they are called in the navigation
VIEWS = {  # of the user study, and what the address calls them
    "Pairs": "pairs",
    "Raters": "raters",
    "Rankings": "rankings",
    "Votes over time": "time",
    "Metrics against people": "metrics",
}
# A desktop in light and a phone in dark, which between them draw every width and every scheme; for people all four.
LOOKS = {1280: ("light",), 390: ("dark",)}
if "IPH_SHOTS" in os.environ:
    LOOKS = dict.fromkeys(LOOKS, ("light", "dark"))
GROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 20, 22)"}
FITS = """() => [document.documentElement, ...document.querySelectorAll('.js-plotly-plot .main-svg')]
    .every((part) => part.scrollWidth <= innerWidth)"""
HAS_GROUND = """(ground) =>
    getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === ground"""


@pytest.fixture(scope="module")
def address(tmp_path_factory, serve):
    folder = tmp_path_factory.mktemp("dashboard")
    results = measure(folder / "results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPH_RESULTS", str(results))
        patch.setenv("IPH_STUDY", str(ask(folder / "study", results)))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield f"{serve(mounted())}/leaderboard/"


def click_at(tab, number: int, x: float, y: float) -> None:
    """Clicks inside a chart, at data coordinates that plotly itself turns into pixels."""
    chart = tab.locator(".js-plotly-plot").nth(number)
    chart.scroll_into_view_if_needed()
    place = chart.evaluate(
        """(plot, [x, y]) => {
            const { xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
            return [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)];
        }""",
        [x, y],
    )
    tab.mouse.move(*place)
    tab.wait_for_timeout(300)
    tab.mouse.click(*place)


def test_every_page_draws(page, address, tmp_path):
    """Through every page and view as a visitor goes, each in light and dark, at desktop and phone width."""
    shots = Path(os.environ.get("IPH_SHOTS") or tmp_path)
    tab = opened(page, address)
    for name in PAGES:
        tab.get_by_test_id("stTopNavLink").filter(has_text=name).click()
        tab.get_by_test_id("stTopNavLink").filter(has_text=name).and_(tab.locator("[aria-current=page]")).wait_for()
        photographed(tab, shots, name)
    for name, part in VIEWS.items():
        tab.get_by_role("radio", name=name, exact=True).click()
        tab.wait_for_url(f"**part={part}*", timeout=PATIENCE)
        photographed(tab, shots, f"User study, {name}")
        assert tab.get_by_text("No person saw these pictures").is_visible()


def photographed(tab, shots: Path, name: str) -> None:
    """Every look of the page in view: no error, nothing wider than the window, and the scheme's own background."""
    for width, schemes in LOOKS.items():
        tab.set_viewport_size({"width": width, "height": 844})
        calm(tab)
        if "IPH_SHOTS" in os.environ:  # for people, the whole page
            height = tab.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
            tab.set_viewport_size({"width": width, "height": min(height + 20, 6000)})
        for scheme in schemes:
            tab.emulate_media(color_scheme=scheme)
            tab.wait_for_function(HAS_GROUND, arg=GROUNDS[scheme], timeout=PATIENCE)
            calm(tab, 100)  # nothing but the drawing changes
            assert tab.get_by_test_id("stException").count() == 0
            assert tab.evaluate(FITS), f"{name} is wider than {width} pixels"
            file = shots / f"{name.lower().replace(', ', '-').replace(' ', '-')}-{scheme}-{width}.png"
            assert len(tab.screenshot(path=file)) > 20_000
    tab.set_viewport_size({"width": next(iter(LOOKS)), "height": 844})


def test_a_phone_sees_legends_and_the_page_by_its_name(page, address):
    """Streamlit had no page of that name, and Plotly's tools lay over the legend."""
    tab = opened(page, address + "leaderboard?metric=ssim", width=390, has_touch=True)
    assert tab.get_by_role("heading", level=1).text_content() == "Leaderboard"
    assert tab.get_by_text("Page not found").count() == 0 and "metric=ssim" in tab.url
    tab.locator(".js-plotly-plot").first.tap()
    bars = tab.locator(".js-plotly-plot .modebar")
    assert bars.count() > 0 and not any(bar.is_visible() for bar in bars.all())
    wide = opened(page, address)
    wide.locator(".js-plotly-plot").first.hover()
    assert wide.locator(".js-plotly-plot .modebar").first.is_visible()


def test_a_scatter_point_opens_its_picture(page, address):
    tab = opened(page, address + "explorer?metric=psnr")
    before = tab.url
    wanted, x, y = tab.locator(".js-plotly-plot").first.evaluate(
        """plot => { const t = plot._fullData[0], at = t.customdata.length - 1;
                     return [t.customdata[at], t.x[at], t.y[at]]; }"""
    )
    click_at(tab, 0, x, y)
    tab.wait_for_url(f"**image={wanted}**", timeout=PATIENCE)
    tab.get_by_role("heading", name=f"Metrics of {wanted}").wait_for(timeout=PATIENCE)
    calm(tab)
    frames = tab.locator(".frame")
    assert frames.count() >= 4 and tab.url != before
    for picture in tab.locator(".frame img").all():
        assert picture.evaluate("img => img.complete && img.naturalWidth > 100")

    frames.first.dblclick()  # every panel follows
    moved = [move.evaluate("move => move.style.transform") for move in tab.locator(".move").all()]
    assert len(set(moved)) == 1 and "scale(3)" in moved[0]

    tab.locator("body").press("ArrowRight")
    tab.wait_for_function(f"() => !location.href.includes('image={wanted}')", timeout=PATIENCE)


def test_a_cell_of_the_map_opens_its_pair(page, address):
    tab = opened(page, address + "study?part=pairs")
    first, second = tab.locator(".js-plotly-plot").first.evaluate(
        "plot => { const t = plot._fullData[1]; return [t.y[3], t.x[3]]; }"
    )
    click_at(tab, 0, second, first)
    tab.wait_for_function(
        "wanted => new URLSearchParams(location.search).get('pair') === wanted",
        arg=f"{first} vs {second}",
        timeout=PATIENCE,
    )
    tab.get_by_text(f"{first} won", exact=True).first.wait_for(timeout=PATIENCE)
