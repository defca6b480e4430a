"""``python -m demo.vote`` as a person runs it, and what it says when it cannot start."""

import os
import re
import socket
import subprocess
import sys
import time

import httpx
import pytest
from study_files import write_study

from demo.vote.page import main


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_one_command_serves_raters_and_the_admin(tmp_path):
    path, port = write_study(tmp_path), free_port()
    command = [sys.executable, "-m", "demo.vote", str(path), "--port", str(port)]
    environment = os.environ | {"IPH_STUDY_DATABASE": f"sqlite:///{tmp_path}/elsewhere.db"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        said = server.stdout.readline() + server.stdout.readline()
        rater, address = re.findall(r"(http://\S+)", said)
        assert "#" not in said and "status trial.toml --admin-link" in said  # no terminal, no key
        deadline = time.monotonic() + 120
        while True:
            try:
                page = httpx.get(rater)
                break
            except httpx.TransportError:
                assert server.poll() is None and time.monotonic() < deadline
                time.sleep(0.2)
        assert page.status_code == 200 and "gradio" in page.text
        assert httpx.get(f"http://127.0.0.1:{port}/").headers["location"] == "study/"
        status = [sys.executable, "-m", "userstudy", "status", str(path), "--admin-link"]
        told = subprocess.run(status, capture_output=True, text=True, timeout=120, env=environment).stdout
        token = re.search(r"/study/admin#(\w+)", told)[1]
        assert httpx.get(address).status_code == 200
        summary = httpx.get(f"{address}/api/summary", headers={"Authorization": f"Bearer {token}"})
        assert summary.json()["state"] == "open"
        # Nothing of Gradio's that a rater does not need: no upload, no monitoring, no way to the vote store.
        assert httpx.post(f"{rater}gradio_api/upload", files={"files": b"x" * 100}).status_code == 404
        assert httpx.get(f"{rater}gradio_api/file={tmp_path}/elsewhere.db").status_code == 404
        assert httpx.get(f"{rater}gradio_api/file={path}").status_code == 404
        assert httpx.get(f"{rater}monitoring").status_code >= 400
        assert (tmp_path / "elsewhere.db").exists() and not (tmp_path / "trial.db").exists()
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[raters]", "[rater]"), "did you mean 'raters'"),
        (('name = "trial"', 'name = "trial"\nstore = "mysql://host/x"'), "neither sqlite nor postgresql"),
    ],
)
def test_a_study_that_cannot_start_is_one_sentence(tmp_path, change, message, monkeypatch, capsys):
    path = write_study(tmp_path)
    path.write_text(path.read_text().replace(*change, 1))
    monkeypatch.setattr(sys, "argv", ["demo.vote", str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert ended.value.code == 2 and message in told and len(told.splitlines()) == 1
