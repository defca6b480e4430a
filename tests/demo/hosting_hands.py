"""Debian's nginx with ``deploy/nginx.conf``, for tests: other addresses and folders, and less patience."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "photos.example.org"
PROGRAM = shutil.which("nginx") or "/usr/sbin/nginx"


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens at."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def configuration(folder: Path, replicas: list[int], plain: int, tls: int, patience: int) -> str:
    """The shipped one, as of one machine: replicas at three ports, ``patience`` seconds for what should be quick."""
    text = (DEPLOY / "nginx.conf").read_text()
    for number, port in enumerate(replicas, 11):
        text = text.replace(f"172.30.7.{number}:7860", f"127.0.0.1:{port}")
        text = text.replace(rf"172\.30\.7\.{number}:7860", rf"127\.0\.0\.1:{port}")
    for before, after in (
        ("/tmp/", f"{folder}/"),
        ("listen 8080;", f"listen 127.0.0.1:{plain};"),
        ("listen 8443 ssl", f"listen 127.0.0.1:{tls} ssl"),
        ("/etc/nginx/tls/", f"{folder}/tls/"),
        ("proxy_read_timeout 10s;", f"proxy_read_timeout {patience}s;"),
        ("client_body_timeout 40s;", f"client_body_timeout {patience}s;"),
    ):
        assert before in text
        text = text.replace(before, after)
    return ("user root;\n" if os.getuid() == 0 else "") + text


@pytest.fixture(scope="module")
def proxied(absent, tmp_path_factory):
    """``proxied(replicas)`` starts nginx in front of three ports, and returns its https address."""
    running = []

    def start(replicas: list[int], patience: int = 3) -> str:
        if not Path(PROGRAM).exists():
            absent("no nginx; apt-get install nginx-light")
        folder = tmp_path_factory.mktemp("nginx")
        shutil.copy(DEPLOY / "prepare", folder)
        subprocess.run([folder / "prepare", NAME], check=True, capture_output=True)
        plain, tls = free_ports(2)
        (folder / "nginx.conf").write_text(configuration(folder, replicas, plain, tls, patience))
        command = [PROGRAM, "-p", str(folder), "-c", f"{folder}/nginx.conf", "-e", "stderr", "-g", "daemon off;"]
        with (folder / "log").open("w") as log:
            running.append(subprocess.Popen(["setpriv", "--pdeathsig=TERM", *command], stderr=log))
        deadline = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", tls)):
            assert running[-1].poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        return f"https://127.0.0.1:{tls}"

    yield start
    for one in running:
        one.terminate()
        one.wait(10)
