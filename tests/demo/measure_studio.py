"""How long a visitor waits: slider to picture, click to cut-out, zoom to sharp pixels, at 12 and 24 megapixels.

``python tests/demo/measure_studio.py PORTRAIT [PORTRAIT]`` starts ``app.py`` of the folder that it is run in, whatever
version that is, drives a real Chromium and prints the median and the 95th percentile in milliseconds, once for each
size. Where the page has no zoom the last is left out. Figures of a busy machine are good for ratios against another
version that was measured beside it.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
from playwright.sync_api import sync_playwright

SIZES = {"12 MP": (4000, 3000), "24 MP": (6000, 4000)}
TIMES = 12
PATIENCE = 120_000  # milliseconds until nothing comes any more
# The canvas as a number that changes with it, and how long until it does after something was done.
STIR = """([act, limit]) => new Promise((done, failed) => {
    const canvas = document.querySelector('canvas.after');
    const mark = () => {
        const d = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let sum = 0;
        for (let i = 0; i < d.length; i += 97) sum = (sum * 31 + d[i]) | 0;
        return sum;
    };
    const lines = () => document.querySelector('.lines .foreground path').getAttribute('d');
    const seen = act === 'slider' ? mark : lines, before = seen(), begun = performance.now();
    const look = () => {
        if (seen() !== before) return done(performance.now() - begun);
        if (performance.now() - begun > limit) return failed(new Error(act + ' changed nothing'));
        setTimeout(look, 4);
    };
    if (act === 'slider') {
        const slider = document.querySelector('[data-amount=strength]');
        slider.value = slider.value > 60 ? 20 + Math.random() * 30 : 80 + Math.random() * 60;
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        slider.dispatchEvent(new Event('change', { bubbles: true }));
    }
    look();
})"""
SHARP = """(limit) => new Promise((done, failed) => {
    const begun = performance.now(), frame = document.querySelector('.frame');
    document.querySelector('[data-do=fit]').click();
    document.querySelector('[data-do=actual]').click();
    const look = () => {
        if (frame.hasAttribute('data-sharp')) return done(performance.now() - begun);
        if (performance.now() - begun > limit) return failed(new Error('nothing became sharp'));
        setTimeout(look, 4);
    };
    setTimeout(look, 0);
})"""
CALM = (
    "!document.querySelector('#studio [data-busy], .card.stale, .frame[data-dragging]')"
    " && !document.querySelector('#studio .html-container > [data-busy]')"
)


def started() -> tuple[subprocess.Popen, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"GRADIO_SERVER_PORT": str(port), "IPH_REQUESTS_PER_SECOND": "1000"}
    process = subprocess.Popen([sys.executable, "app.py"], env=os.environ | environment, stdout=subprocess.DEVNULL)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, f"http://127.0.0.1:{port}"
        except OSError:
            if process.poll() is not None:
                sys.exit("the studio did not start")
            time.sleep(0.3)


def photo(source: Path, size: tuple[int, int], folder: Path) -> Path:
    path = folder / f"{source.stem}-{size[0]}.jpg"
    cv2.imwrite(str(path), cv2.resize(cv2.imread(str(source)), size, interpolation=cv2.INTER_CUBIC))
    return path


def measured(page, background: Path, person: Path) -> dict[str, list[float]]:
    """Milliseconds of each kind of wait."""
    for kind, file in (("background", background), ("person", person)):
        page.set_input_files(f".drop[data-kind={kind}] input", file)
        page.wait_for_function(f"!document.querySelector('.drop[data-kind={kind}].waiting')")
    page.wait_for_selector(".split:not([hidden])")
    page.wait_for_function(CALM)
    waits = {"slider to picture": [], "click to cut-out": []}
    for _ in range(TIMES):
        waits["slider to picture"].append(page.evaluate(STIR, ["slider", PATIENCE]))
        page.wait_for_function(CALM)
    page.click("[data-tab=person]")
    page.click("[data-tool=point]")
    page.wait_for_timeout(500)
    box = page.query_selector(".frame").bounding_box()
    for turn in range(TIMES):
        before = page.get_attribute(".lines .foreground path >> nth=1", "d")
        page.mouse.move(box["x"] + box["width"] * (0.4 + 0.02 * turn), box["y"] + box["height"] * (0.45 + 0.02 * turn))
        begun = time.perf_counter()
        page.mouse.down()
        page.mouse.up()
        page.wait_for_function(
            "before => document.querySelectorAll('.lines .foreground path')[1].getAttribute('d') !== before"
            " || !document.querySelector('.toast').hidden",
            arg=before,
            polling=5,
        )
        waits["click to cut-out"].append(1000 * (time.perf_counter() - begun))
        page.wait_for_function(CALM)
        page.wait_for_timeout(400)  # no double click
    page.click("[data-tab=reference]")
    page.wait_for_selector(".split:not([hidden])")  # the photo is there again
    page.wait_for_function(CALM)
    if page.query_selector("[data-do=actual]"):
        waits["zoom to sharp"] = []
        for _ in range(TIMES):
            waits["zoom to sharp"].append(page.evaluate(SHARP, PATIENCE))
            page.wait_for_timeout(100)
    return waits


def main(portraits: list[str]) -> None:
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    server, address = started()
    try:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for name, size in SIZES.items():
                one, other = (photo(Path(path), size, Path(folder)) for path in (portraits[0], portraits[-1]))
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.set_default_timeout(PATIENCE)
                page.goto(address)
                page.wait_for_selector(".gallery .example")
                for what, waits in measured(page, one, other).items():
                    p95 = statistics.quantiles(waits, n=20)[-1]
                    print(f"{name}  {what:18}  p50 {statistics.median(waits):5.0f} ms  p95 {p95:5.0f} ms", flush=True)
                page.close()
            browser.close()
    finally:
        server.kill()


if __name__ == "__main__":
    main(sys.argv[1:])
