"""The whole server against a foreign page in a browser, hostile requests, and a user who may write nearly nothing."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studio_pictures import scene, write
from visitor_hands import studio, visit

from demo.gate_routes import FUNCTIONS

__all__ = ["studio", "visit"]  # fixtures
ROOT = Path(__file__).parents[3]
PATIENT = httpx.Client(timeout=120)  # other work may share the machine
CALLS = dict(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
EVIL = """<!doctype html><iframe id=frame src="{ours}/"></iframe><script>
const ours = "{ours}";
async function said(work) {{ try {{ return await work(); }} catch (error) {{ return "blocked"; }} }}
window.tried = (async () => ({{
  read: await said(async () => (await fetch(ours + "/config", {{ credentials: "include" }})).text()),
  changed: await said(async () => (await fetch(ours + "/studio/session", {{ method: "POST" }})).status),
  beacon: await said(async () => {{
    await fetch(ours + "/studio/session", {{ method: "POST", mode: "no-cors", body: "{{}}" }}); return "sent"; }}),
  picture: await new Promise((done) => {{ const image = new Image();
    image.onload = () => done("shown"); image.onerror = () => done("blocked");
    image.src = ours + "/studio/card/wall.jpg"; }}),
  called: await said(async () => {{
    return (await fetch(ours + "/gradio_api/call/cut_out", {{ method: "POST", body: "{{}}" }})).status; }}),
}}))();
</script>"""


@pytest.mark.browser
def test_a_page_of_another_site_reads_shows_and_changes_nothing(studio, serve, page):
    evil = FastAPI()
    evil.add_api_route("/", lambda: HTMLResponse(EVIL.format(ours=studio.address)))
    # another origin of this machine: 127.0.0.1 and localhost are two sites for a browser
    address = serve(evil).replace("127.0.0.1", "localhost")
    before = len(studio.store.sessions)
    opened = page(address)
    tried = opened.evaluate("window.tried")
    assert tried["read"] == tried["changed"] == tried["called"] == tried["picture"] == "blocked"
    assert len(studio.store.sessions) == before  # what was sent without asking was refused
    frame = opened.frames[1]
    assert (
        "chromewebdata" in frame.url or not frame.url.startswith(studio.address) or not frame.query_selector(".gallery")
    )


@pytest.mark.browser
def test_a_script_in_a_files_name_stays_text(studio, visit, tmp_path):
    name = "<img src=x onerror=window.ran=1>\"'.png"
    picture = write(tmp_path / name, scene(240, 320))
    text = tmp_path / "<script>window.ran=1<x>.txt"
    text.write_text("no picture")
    opened = visit()
    opened.set_input_files(".drop[data-kind=background] input", picture)
    opened.wait_for_selector(".drop.filled")
    opened.set_input_files(".drop[data-kind=person] input", text)
    opened.wait_for_function("document.body.innerText.includes('Expected a')")
    assert opened.evaluate("window.ran") is None and not opened.query_selector("img[src=x]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("/etc/passwd"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["path", "meta", "url", "x"]), inner),
    max_leaves=8,
)


@settings(**CALLS)
@given(st.sampled_from(FUNCTIONS), st.lists(JSON, max_size=9))
def test_no_argument_of_the_api_is_a_fault(studio, name, arguments):
    body = json.dumps({"data": arguments}).encode()
    answer = PATIENT.post(
        f"{studio.address}/gradio_api/call/{name}", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code < 500, (name, arguments, answer.text[:200])


@settings(**CALLS)
@given(
    st.sampled_from(["session", "session/x/event", "session/x/leave", "session/x/upload"]),
    st.binary(max_size=200) | JSON,
)
def test_no_body_of_the_page_is_a_fault(studio, path, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    method = "PUT" if path.endswith("upload") else "POST"
    headers = {"content-type": "application/json", "x-session-key": "x"}
    answer = PATIENT.request(method, f"{studio.address}/studio/{path}", content=content, headers=headers)
    assert answer.status_code < 500, (path, body, answer.text[:200])


PARTS = (
    b'Content-Disposition: form-data; name="files"',
    b'Content-Disposition: form-data; name="files"; filename=""',
    b'Content-Disposition: form-data; name="files"; filename="\x00.png"',
    b"Content-Disposition: form-data; name=\"files\"; filename*=utf-8''%ff",
    b"Content-Disposition: form-data",
    b"Content-Disposition: attachment",
    b"X: \xff",
    b"",
)


@pytest.mark.parametrize("head", PARTS)
def test_no_form_is_a_fault(studio, head):
    content = b"--x\r\n" + head + b"\r\n\r\nsome\r\n--x--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = PATIENT.post(f"{studio.address}/gradio_api/upload", content=content, headers=headers)
    assert answer.status_code < 500, (head, answer.text[:200])


def test_hundreds_of_hostile_requests_leave_the_memory_as_it_was(studio):
    def ask(times: int) -> None:
        for n in range(times):
            PATIENT.get(f"{studio.address}/gradio_api/file=/{n}/{'x' * 1000}")
            PATIENT.post(f"{studio.address}/studio/session/{n}/event", content=b"{" * 900)

    ask(30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ask(100)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_a_user_who_may_write_to_one_folder_serves_it_all(tmp_path):
    """Not root, no home, nothing of the checkout writable: only the folder for visitors' pictures is."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    environment |= {"GRADIO_SERVER_PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "app.py"]
    if os.geteuid() == 0:
        # Reading is kept, for the interpreter may lie in root's own folder; writing and everything else are gone.
        os.chown(tmp_path, 65534, 65534)
        for folder in (tmp_path.parent, tmp_path.parent.parent):
            folder.chmod(0o755)
        command = [
            *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all,+dac_read_search"),
            *("--ambient-caps=+dac_read_search", "--bounding-set=-all,+dac_read_search", *command),
        ]
        assert shutil.which("setpriv"), "expected setpriv of util-linux"
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 120
    try:
        while True:
            try:
                assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
                break
            except httpx.TransportError:
                assert server.poll() is None and time.monotonic() < deadline, server.stdout.read().decode()
                time.sleep(0.2)
        assert os.stat(f"/proc/{server.pid}").st_uid != 0
        assert PATIENT.get(f"{address}/").status_code == 200
        assert PATIENT.get(f"{address}/leaderboard/").status_code == 200
        taken = PATIENT.post(f"{address}/studio/session", content=b"").json()
        event = {"request": "a" * 24, "page": "b" * 24, "event": "example", "data": {"id": "wall"}}
        asked = f"{address}/studio/session/{taken['session']}/event"
        answer = PATIENT.post(asked, json=event, headers={"x-session-key": taken["key"]})
        assert answer.status_code == 200 and answer.json()["photo"]
    finally:
        server.terminate()
        server.wait(60)
