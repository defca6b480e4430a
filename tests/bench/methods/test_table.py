"""The table of methods: complete facts, groups, and names as people type them."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.methods import METHODS, resolve
from iph.errors import InputError


def test_every_method_states_its_facts():
    for name, method in METHODS.items():
        assert method.name == name and method.title and method.citation and method.licence
        assert method.kind in ("direct composite", "classical", "generic", "interactive")
        assert method.looks_at in ("nothing", "background", "reference")
        assert 1900 < method.year < 2100 or name == "composite"
        trained = method.kind in ("generic", "interactive") and name != "semantic-match"
        assert (method.weights is not None) == trained
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
        ("mine=nowhere.py", "the code of 'mine' at nowhere.py, found none"),
        ("poisson=mine.py", "expected a new name for the method in mine.py"),
        ("=mine.py", "expected a new name"),
    ],
)
def test_wrong_names_are_a_sentence(name, sentence):
    with pytest.raises(InputError, match=sentence):
        resolve([name])


def test_given_weights_make_a_row_of_their_own(tmp_path):
    path = tmp_path / "retrained.pth"
    path.write_bytes(b"")
    (method,) = resolve([f"dovenet={path}"])
    assert method.name == f"dovenet={tmp_path.name}-retrained.pth"
    assert method.title == f"DoveNet (weights {tmp_path.name}/retrained.pth)"
    assert method.parameters is None and METHODS["dovenet"].source is None
    assert method.missing().startswith("weights damaged: expected")


def test_two_files_are_two_rows_or_a_sentence(tmp_path, monkeypatch):
    """``iph train`` calls every result best.safetensors."""
    for folder in ("wa", "wb", "again/wa"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "best.safetensors").write_bytes(folder.encode())
    monkeypatch.chdir(tmp_path / "wb")
    names = ["iph=best.safetensors", "iph=../wa/best.safetensors", f"iph={tmp_path}/wb/best.safetensors"]
    assert [m.name for m in resolve(names)] == ["iph=wb-best.safetensors", "iph=wa-best.safetensors"]
    with pytest.raises(InputError, match="'iph=wa-best.safetensors' would be .*/wa/best.saf.* and .*/again/wa/best"):
        resolve([*names, "iph=../again/wa/best.safetensors"])


OWN = "def harmonize(composite, foreground, reference):\n    composite[foreground] = 7\n    return composite\n"


def test_own_code_spoils_nobody_elses_picture(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    (method,) = resolve([f"mine={tmp_path}/mine.py"])
    composite, foreground = np.zeros((4, 5, 3), np.uint8), np.eye(4, 5, dtype=bool)
    output = method.make()(composite, foreground, None)
    assert (output[foreground] == 7).all() and composite.max() == 0
    assert method.digest() == hashlib.sha256(OWN.encode()).hexdigest()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import nothing_like_it", "mine.py to load, but ModuleNotFoundError: No module"),
        ("import sys; sys.exit(3)", r"expected .*mine.py to define harmonize and go on, but it ended .*\(code 3\)"),
        ("quit()", r"to define harmonize and go on, but it ended"),
        ("import argparse as a; p = a.ArgumentParser(); p.add_argument('w'); p.parse_args()", r"as one that wants arg"),
        ("def harmonize(a, b, c): raise SystemExit('bye')", r"harmonize in .* to return, but it ended .*\(code bye\)"),
        ("def harmonise(a, b, c): ...", r"expected a function harmonize\(composite, foreground, reference\)"),
        ("def harmonize(a, b, c): ...", "expected an array from harmonize in .*mine.py, but got NoneType"),
    ],
)
def test_own_code_that_cannot_be_used_is_a_sentence(tmp_path, code, sentence):
    (tmp_path / "mine.py").write_text(code)
    (method,) = resolve([f"mine={tmp_path}/mine.py"])
    with pytest.raises(InputError, match=sentence):
        method.make()(np.zeros((4, 5, 3), np.uint8), np.eye(4, 5, dtype=bool), None)


def test_own_code_may_lie_beside_its_modules_and_read_its_own_options(tmp_path):
    """Two of one name in two folders, one imported only when it is called, one below a package."""
    code = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--gain', type=int, default=2)\n"
    code += "gain = p.parse_args().gain\n\n\ndef harmonize(c, f, r):\n    from colours.tone import LEVEL\n"
    code += "    import helper\n    return c * 0 + helper.VALUE + LEVEL * gain\n"
    methods = []
    for number, folder in enumerate((tmp_path / "a", tmp_path / "b")):
        (folder / "colours").mkdir(parents=True)
        (folder / "colours/__init__.py").write_text("")
        (folder / "colours/tone.py").write_text(f"LEVEL = {10 * number}")
        (folder / "helper.py").write_text(f"VALUE = {number}")
        (folder / "mine.py").write_text(code)
        methods += resolve([f"m{number}={folder}/mine.py"])
    path, arguments = list(sys.path), list(sys.argv)
    first, second = (method.make() for method in methods)
    blank, mask = np.zeros((4, 5, 3), np.uint8), np.eye(4, 5, dtype=bool)
    for run, wanted in ((first, 0), (second, 21), (first, 0), (second, 21)):
        assert (run(blank, mask, None) == wanted).all()
    assert (sys.path, sys.argv) == (path, arguments) and not {"helper", "colours", "colours.tone"} & sys.modules.keys()
    before = methods[0].digest()
    (tmp_path / "a/colours/tone.py").write_text("LEVEL = 100")
    assert methods[0].digest() != before, "another version of a module beside it is another method"


def test_the_table_loads_without_torch():
    code = "import sys, bench.methods, bench.metrics; sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
