"""Weight files: what is saved comes back, and a missing, altered or foreign file is said in one sentence."""

import json
import shutil

import pytest
import torch
from networks import lively
from safetensors.torch import save_file

from iph.checkpoint import load_network, load_tensors, save_network
from iph.errors import InputError
from iph.network import StyleEncoder, build
from iph.runtime import shipped as weights
from iph.runtime.shipped import locate, record_checksums


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of two shipped weights with their checksums, in place of the real one."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setattr(weights, "FOLDER", folder)
    for seed, name in enumerate(("general", "portrait")):
        save_network(folder / f"{name}.safetensors", lively(seed=seed), half=True)
    record_checksums()
    return folder


def test_a_network_comes_back_with_its_settings(tmp_path):
    network = lively("small-rgb", code=32)
    save_network(tmp_path / "a.safetensors", network)
    loaded = load_network(tmp_path / "a.safetensors")
    assert loaded.config == network.config and not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_half_precision_is_half_as_large_and_nearly_the_same(tmp_path):
    network = lively()
    save_network(tmp_path / "full.safetensors", network)
    save_network(tmp_path / "half.safetensors", network, half=True)
    full, half = ((tmp_path / f"{name}.safetensors").stat().st_size for name in ("full", "half"))
    assert half < 0.52 * full
    loaded = load_network(tmp_path / "half.safetensors")
    for name, value in network.state_dict().items():
        assert loaded.state_dict()[name].dtype == torch.float32
        assert torch.allclose(loaded.state_dict()[name], value, atol=1e-3)


def test_a_style_encoder_is_a_kind_of_its_own(tmp_path):
    encoder = StyleEncoder(build("small").config)
    save_network(tmp_path / "psi.safetensors", encoder)
    assert isinstance(load_network(tmp_path / "psi.safetensors"), StyleEncoder)


def test_shipped_names_load_by_name(shipped):
    assert weights.shipped_names() == ["general", "portrait"]
    assert load_network("general").config == build("small").config


@pytest.mark.parametrize("place", [100, -1])
def test_an_altered_shipped_file_is_refused(shipped, place):
    path = shipped / "portrait.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="portrait.safetensors were altered"):
        load_network("portrait")
    load_network("general")


def test_a_shipped_file_without_a_checksum_is_refused(shipped):
    shutil.copy(shipped / "general.safetensors", shipped / "new.safetensors")
    with pytest.raises(InputError, match="new.safetensors were altered"):
        load_network("new")
    record_checksums()
    load_network("new")


def test_a_missing_file_and_a_wrong_name(shipped, tmp_path):
    with pytest.raises(InputError, match="expected a weight file at .*nowhere.safetensors, found none"):
        load_network(tmp_path / "nowhere.safetensors")
    with pytest.raises(InputError, match="got 'protrait'; did you mean 'portrait'"):
        load_network("protrait")
    with pytest.raises(InputError, match="'paper' are not shipped; make them with: python -m iph train --config paper"):
        load_network("paper")


@pytest.mark.parametrize("content", [b"", b"not a weight file", None], ids=["empty", "text", "cut off"])
def test_a_file_that_holds_no_tensors(tmp_path, content):
    path = tmp_path / "a.safetensors"
    save_network(path, lively())
    path.write_bytes(path.read_bytes()[:5000] if content is None else content)
    with pytest.raises(InputError, match="expected a safetensors file at .*a.safetensors"):
        load_network(path)


def test_tensors_of_another_network_are_named(tmp_path):
    network = lively()
    settings = json.dumps({"kind": "Network", "config": network.settings()})
    tensors = network.state_dict()
    missing = {name: value for name, value in tensors.items() if name != "join.weight"}
    for changed in (missing, tensors | {"join.weight": torch.zeros(3, 3)}):
        save_file(changed, tmp_path / "a.safetensors", {"settings": settings})
        with pytest.raises(InputError, match="to fit their network, but these differ: join.weight"):
            load_network(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "settings", [{}, {"kind": "Network"}, {"kind": "GAN", "config": {}}, {"kind": "Network", "config": {"depth": 9}}]
)
def test_settings_that_name_no_network(tmp_path, settings):
    save_file(lively().state_dict(), tmp_path / "a.safetensors", {"settings": json.dumps(settings)})
    with pytest.raises(InputError, match="to name their network"):
        load_network(tmp_path / "a.safetensors")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save_network(path, lively(seed=1))
    before = path.read_bytes()

    def fail(self, content):
        with open(self, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", fail)
    with pytest.raises(InputError, match="No space left on device"):
        save_network(path, lively(seed=2))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_the_files_in_this_repository_are_the_ones_of_their_checksums():
    sums = json.loads((weights.FOLDER / "checksums.json").read_text())
    assert {"match", "small", "small-portrait", "psi-small", "segmentation", "prompted-people"} <= set(
        weights.shipped_names()
    )
    for name in weights.shipped_names():
        assert sums[f"{name}.safetensors"] == weights.checksum(locate(name))
        load_tensors(name)
    total = sum(path.stat().st_size for path in weights.FOLDER.iterdir())
    assert total <= 25e6
