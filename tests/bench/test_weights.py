"""Weights: where they must lie, what is said when they do not, and that a changed file is noticed."""

import hashlib
import json

import pytest
import torch

from bench import weights
from bench.metrics import learned_distance, score_all
from bench.weights import Weights
from iph.errors import InputError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A weights folder with one small network of two files."""
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    tiny = Weights("tiny", {"G.pth": 0.04, "E.pth": 0.04}, ("https://example.org/tiny",), "MIT")
    monkeypatch.setitem(weights.WEIGHTS, "tiny", tiny)
    (tmp_path / "tiny").mkdir()
    return tmp_path / "tiny"


def _save(path, value=1.0):
    torch.save({"a.weight": torch.full((100, 100), value)}, path)


def test_missing_files_are_named_with_size_place_and_source(home):
    _save(home / "G.pth")
    found = weights.status("tiny")
    assert found.state == "missing"
    assert found.sentence.startswith("weights missing: put G.pth (0.04 MB) and E.pth (0.04 MB)")
    assert str(home) in found.sentence and "https://example.org/tiny" in found.sentence
    with pytest.raises(InputError, match="weights missing"):
        weights.load("tiny")


def test_a_cut_off_download_is_damaged(home):
    _save(home / "G.pth")
    (home / "E.pth").write_bytes(b"<html>quota exceeded</html>")
    found = weights.status("tiny")
    assert found.state == "damaged"
    assert "E.pth to hold 0.04 MB, but got 0.00" in found.sentence


def test_the_first_use_records_checksums_and_later_uses_compare(home):
    for name in ("G.pth", "E.pth"):
        _save(home / name)
    state = weights.load("tiny")
    assert state["G.pth"]["a.weight"].shape == (100, 100)
    record = json.loads((home / "checksums.json").read_text())
    assert record == {name: hashlib.sha256((home / name).read_bytes()).hexdigest() for name in ("G.pth", "E.pth")}
    assert weights.digest("tiny") == hashlib.sha256((record["E.pth"] + record["G.pth"]).encode()).hexdigest()

    _save(home / "G.pth", value=2.0)
    with pytest.raises(InputError, match="G.pth to have SHA-256 .* as at first use, but got"):
        weights.load("tiny")


def test_another_place_and_a_single_file(home, tmp_path, monkeypatch):
    monkeypatch.setitem(weights.WEIGHTS, "single", Weights("single", {"net.pth": 0.04}, ("-",), "MIT"))
    other = tmp_path / "mine.pth"
    _save(other)
    assert weights.status("single").state == "missing"
    assert weights.status("single", other).state == "ready"
    assert weights.load("single", other)["net.pth"]["a.weight"][0, 0] == 1


class _Harmful:
    def __reduce__(self):
        return (print, ("this must not run",))


@pytest.mark.parametrize("content", [_Harmful(), [1, 2], {"epoch": 3}])
def test_only_named_tensors_are_read(tmp_path, capsys, content):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(InputError, match="expected a (PyTorch )?state dict"):
        weights.read(tmp_path / "x.pth")
    assert "must not run" not in capsys.readouterr().out


def test_a_corrupt_record_is_a_sentence(home):
    _save(home / "G.pth")
    (home / "checksums.json").write_text("{")
    with pytest.raises(InputError, match="as JSON"):
        weights.verify(home / "G.pth")


def test_a_wrong_name_gets_the_nearest():
    with pytest.raises(InputError, match="did you mean 'rainnet'"):
        weights.status("rainet")


def test_every_network_names_a_source_and_a_licence():
    for entry in weights.WEIGHTS.values():
        assert entry.files and entry.sources and entry.licence


def test_lpips_equals_the_authors_package(monkeypatch):
    """The golden number is lpips 0.1.4's, with the same deterministic AlexNet and linear weights."""
    import numpy as np
    from deterministic_weights import filled

    shapes = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
    alexnet = {}
    for index, shape in shapes.items():
        for key, size in ((f"features.{index}.weight", shape), (f"features.{index}.bias", shape[:1])):
            alexnet[key] = torch.from_numpy(filled(key, size))
    linear = {}
    for number, shape in enumerate(shapes.values()):
        key = f"lin{number}.model.1.weight"
        linear[key] = torch.from_numpy(np.abs(filled(key, (1, shape[0], 1, 1))))
    monkeypatch.setattr(learned_distance, "_networks", lambda: (alexnet, linear))
    rng = np.random.default_rng(3)
    first = rng.integers(0, 256, (64, 72, 3), dtype=np.uint8)
    second = np.clip(first.astype(int) + rng.integers(-40, 40, first.shape), 0, 255).astype(np.uint8)
    assert learned_distance.distance(first, second) == pytest.approx(0.01877354085445404, rel=1e-5)
    assert learned_distance.distance(first, first) == 0
    with pytest.raises(InputError, match="at least 31x31 pixels for LPIPS"):
        learned_distance.distance(first[:30], second[:30])
    smallest = slice(0, learned_distance.SMALLEST)
    assert learned_distance.distance(first[smallest, smallest], second[smallest, smallest]) > 0


def test_lpips_is_absent_without_its_weights(tmp_path, monkeypatch):
    import numpy as np

    from bench.metrics import lpips

    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    image = np.zeros((40, 40, 3), np.uint8)
    assert "lpips" not in score_all(image, image, np.ones((40, 40), bool))
    with pytest.raises(InputError, match="weights missing: put alexnet-owt-7be5be79.pth"):
        lpips(image, image)
