"""What ``deploy/`` says fits what there is."""

import os
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from demo.server import LIMITS
from demo.settings import Settings, variable

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
OTHERS = {"IPH_STUDY", "IPH_STUDY_DATABASE", "IPH_NAME"}  # read by the study, and by compose itself


@pytest.mark.parametrize("name", ["compose.yaml", "iph.service", "Containerfile", "prepare"])
def test_every_setting_that_is_named_exists(name):
    named = set(re.findall(r"\bIPH_[A-Z_]+", (DEPLOY / name).read_text()))
    assert named <= {variable(one.name) for one in fields(Settings)} | OTHERS


def test_the_container_holds_what_the_server_imports_at_the_pinned_versions():
    text = (DEPLOY / "Containerfile").read_text()
    held = dict(re.findall(r"^COPY (\S+) /app/(\S+)$", text, re.M))
    assert {"app.py", "iph", "bench", "userstudy", "demo", "results"} == held.keys() == set(held.values())
    installed = re.findall(r"pip install (.*)$", text, re.M)
    assert installed == ["--no-cache-dir --no-deps --require-hashes -r /tmp/requirements.lock"]
    assert re.search("^USER [1-9]", text, re.M)


def test_compose_and_nginx_name_the_same_machines():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    place = {name: one["networks"]["inside"]["ipv4_address"] for name, one in services.items()}
    nginx = (DEPLOY / "nginx.conf").read_text()
    replicas = {place[name] for name in services if name.startswith("studio")}
    assert replicas == set(re.findall(r"server (\S+):7860", nginx)) and len(replicas) == 3
    assert {re.sub(r"\\", "", one) for one in re.findall(r'"~(172\S+):7860\$"', nginx)} == replicas
    for name in services:
        if name.startswith("studio"):
            said = services[name]["environment"]
            assert said["IPH_PROXIES"] == place["proxy"] and f"@{place['database']}/" in said["IPH_STUDY_DATABASE"]
            assert services[name]["read_only"] and list(services[name]["networks"]) == ["inside"]
    assert compose["networks"]["inside"]["internal"] and "ports" not in services["studio-1"]


def test_nginx_takes_what_the_application_takes():
    limit = int(re.search(r"client_max_body_size (\d+)m;", (DEPLOY / "nginx.conf").read_text())[1]) << 20
    assert max(LIMITS.values()) <= limit < max(LIMITS.values()) * 1.1


def test_prepare_writes_a_password_and_a_certificate_once(tmp_path):
    shutil.copy(DEPLOY / "prepare", tmp_path)
    run = [str(tmp_path / "prepare")]
    assert subprocess.run(run, capture_output=True).returncode == 2
    subprocess.run([*run, "photos.example.org"], check=True, capture_output=True)
    said = (tmp_path / ".env").read_text()
    assert re.fullmatch(r"IPH_NAME=photos\.example\.org\nPOSTGRES_PASSWORD=[0-9a-f]{48}\n", said)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    key = (tmp_path / "tls/privkey.pem").read_bytes()
    subprocess.run([*run, "photos.example.org"], check=True, capture_output=True)
    assert (tmp_path / ".env").read_text() == said and (tmp_path / "tls/privkey.pem").read_bytes() == key


def test_the_unit_is_shut(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(DEPLOY / "iph.service")]
    judged = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"SYSTEMD_COLORS": "0"})
    assert judged.returncode == 0, judged.stdout[-300:]
