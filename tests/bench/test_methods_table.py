"""The table of methods: complete facts, groups, and names as people type them."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.methods import METHODS, resolve


def test_every_method_states_its_facts():
    for name, method in METHODS.items():
        assert method.name == name and method.title and method.citation and method.licence
        assert method.kind in ("direct composite", "classical", "generic", "interactive")
        assert method.looks_at in ("nothing", "background", "reference")
        assert 1900 < method.year < 2100 or name == "composite"
        assert (method.weights is None) == (method.kind in ("direct composite", "classical"))
        if method.weights is None:
            assert method.missing() is None and method.digest() is None and method.parameters is None
    assert len({method.title for method in METHODS.values()}) == len(METHODS)


def test_groups():
    assert [method.name for method in resolve(["all"])] == list(METHODS)
    classical = {method.name for method in resolve(["classical"])}
    assert {"composite", "poisson", "idt-reference"} <= classical and "dovenet" not in classical
    assert {method.looks_at for method in resolve(["interactive"])} == {"reference"}
    assert [method.name for method in resolve(["poisson", "poisson", "composite"])] == ["poisson", "composite"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("dovnet", "did you mean 'dovenet'"),
        ("clasical", "did you mean 'classical'"),
        ("poisson=x.pth", "'poisson' has none"),
        ("dovenet=nowhere.pth", "at nowhere.pth, but nothing is there"),
        ("rainet=nowhere.pth", "did you mean 'rainnet'"),
    ],
)
def test_wrong_names_are_a_sentence(name, sentence):
    with pytest.raises(InputError, match=sentence):
        resolve([name])


def test_given_weights_make_a_row_of_their_own(tmp_path):
    path = tmp_path / "retrained.pth"
    path.write_bytes(b"")
    (method,) = resolve([f"dovenet={path}"])
    assert method.name == "dovenet=retrained.pth"
    assert method.title == "DoveNet (weights retrained.pth)"
    assert method.parameters is None and METHODS["dovenet"].source is None
    assert method.missing().startswith("weights damaged: expected")


def test_the_table_loads_without_torch():
    code = "import sys, bench.methods, bench.metrics; sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
