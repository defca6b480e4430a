"""A visitor's browser on the dashboard: pages that are looked at once they are drawn."""

QUIET = """(wanted) => {
    const app = document.querySelector('[data-testid=stApp]');
    const busy = app.dataset.testScriptState !== 'notRunning' || document.body.innerText.includes(' …')
        || document.querySelector('[data-testid=stSkeleton], [data-stale=true]');
    const now = performance.now();
    if (busy || window.quietWidth !== innerWidth) { window.quietSince = now; window.quietWidth = innerWidth; }
    return now - window.quietSince > wanted;
}"""  # a page that comes back by itself is quiet for a moment only
PATIENCE = 120_000  # ms, for a busy machine


def opened(page, address, **window):
    """The page once it is drawn and nothing is in the making."""
    tab = page(address, **window)
    tab.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
    calm(tab)
    return tab


def calm(tab, milliseconds: int = 250) -> None:
    tab.evaluate("() => { window.quietSince = performance.now() }")
    tab.wait_for_function(QUIET, arg=milliseconds, timeout=PATIENCE)
