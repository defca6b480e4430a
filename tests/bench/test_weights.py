"""Weights: where they must lie, what is said when they do not, and that a changed file is noticed."""

import hashlib
import json

import numpy as np
import pytest
import torch
from deterministic_weights import filled

from bench import weights
from bench.metrics import METRICS, learned_distance, score_all
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
    assert "into $IPH_WEIGHTS/tiny" in found.sentence and "https://example.org/tiny" in found.sentence
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


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory):
    """Files of the form that torchvision's have (convolutions, a SHA-256 in the name), with deterministic values."""
    sizes = {
        "lpips": {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)},
        "dists": {0: (64, 3, 3), 2: (64, 64, 3), 5: (128, 64, 3), 7: (128, 128, 3), 10: (256, 128, 3)}
        | {12: (256, 256, 3), 14: (256, 256, 3), 17: (512, 256, 3), 19: (512, 512, 3), 21: (512, 512, 3)}
        | {index: (512, 512, 3) for index in (24, 26, 28)},
    }
    home = tmp_path_factory.mktemp("weights")
    for name, layers in sizes.items():
        state = {}
        for index, (wide, deep, side) in layers.items():
            for key, shape in (("weight", (wide, deep, side, side)), ("bias", (wide,))):
                key = f"features.{index}.{key}"
                state[key] = torch.from_numpy(filled(key, shape))
        (home / name).mkdir()
        torch.save(state, home / name / "x.pth")
        sha256 = hashlib.sha256((home / name / "x.pth").read_bytes()).hexdigest()
        (home / name / "x.pth").rename(home / name / f"net-{sha256[:8]}.pth")
    return home


@pytest.fixture
def with_classifiers(classifiers, monkeypatch):
    """Those files in the place of torchvision's."""
    monkeypatch.setenv("IPH_WEIGHTS", str(classifiers))
    for name in ("lpips", "dists"):
        (file,) = (classifiers / name).glob("net-*.pth")
        entry = Weights(name, {file.name: file.stat().st_size / weights.MEGABYTE}, ("-",), "BSD")
        monkeypatch.setitem(weights.WEIGHTS, name, entry)
    learned_distance._networks.cache_clear()
    yield classifiers
    learned_distance._networks.cache_clear()


def _three_images():
    rng = np.random.default_rng(3)
    first = rng.integers(0, 256, (64, 72, 3), dtype=np.uint8)
    near = np.clip(first.astype(int) + rng.integers(-40, 40, first.shape), 0, 255).astype(np.uint8)
    far = np.clip(255 - first[::-1] // 2 - rng.integers(0, 60, first.shape), 0, 255).astype(np.uint8)
    far[10:40, 10:50] = 90
    return first, near, far


def test_learned_distances_equal_the_authors_packages(with_classifiers):
    """The golden numbers are lpips 0.1.4's and DISTS_pytorch 0.1's with their own fitted weights, over torchvision's
    AlexNet and VGG-16 with the same deterministic values."""
    first, near, far = _three_images()
    assert METRICS["lpips"](near, first) == pytest.approx(0.011948402971029282, rel=1e-5)
    assert METRICS["lpips"](far, first) == pytest.approx(0.13173305988311768, rel=1e-5)
    assert METRICS["dists"](near, first) == pytest.approx(0.004519224166870117, abs=3e-7)
    assert METRICS["dists"](far, first) == pytest.approx(0.18238249516857497, abs=3e-7)
    found = score_all(first, first, np.ones((64, 72), bool))
    assert found["lpips"] == found["dists"] == 0
    with pytest.raises(InputError, match="at least 31x31 pixels for LPIPS"):
        METRICS["lpips"](first[:30], near[:30])
    assert METRICS["lpips"](first[:31, :31], near[:31, :31]) > 0


def test_lpips_equals_the_authors_package_under_other_linear_weights(with_classifiers):
    """The golden number is lpips 0.1.4's, with deterministic linear weights in place of the fitted ones."""
    alexnet, fitted = learned_distance._networks("lpips")
    linear = {key: torch.from_numpy(np.abs(filled(key, tuple(value.shape)))) for key, value in fitted.items()}
    first, near, _ = _three_images()
    a, b = (torch.from_numpy(x.astype(np.float32) / 255).permute(2, 0, 1)[None] for x in (first, near))
    found = learned_distance.lpips_of(a, b, alexnet, linear).item()
    assert found == pytest.approx(0.01877354085445404, rel=1e-5)


def test_a_classifier_is_what_its_name_says(with_classifiers, tmp_path, monkeypatch):
    (file,) = (with_classifiers / "lpips").glob("net-*.pth")
    entry = Weights("lpips", {"net-00000000.pth": weights.WEIGHTS["lpips"].files[file.name]}, ("-",), "BSD")
    monkeypatch.setitem(weights.WEIGHTS, "lpips", entry)
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    (tmp_path / "lpips").mkdir()
    (tmp_path / "lpips/net-00000000.pth").write_bytes(file.read_bytes())
    with pytest.raises(InputError, match="SHA-256 that begins with 00000000 of .*, as its name says, but got"):
        METRICS["lpips"](*_three_images()[:2])


@pytest.mark.parametrize(
    ("name", "file"), [("lpips", "alexnet-owt-7be5be79.pth .244.4"), ("dists", "vgg16-397923af.pth .553.4")]
)
def test_a_learned_distance_is_absent_without_its_weights(tmp_path, monkeypatch, name, file):
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    image = np.zeros((40, 40, 3), np.uint8)
    assert name not in score_all(image, image, np.ones((40, 40), bool))
    with pytest.raises(InputError, match=rf"weights missing: put {file}. MB. into \$IPH_WEIGHTS/{name} .from https:"):
        METRICS[name](image, image)
