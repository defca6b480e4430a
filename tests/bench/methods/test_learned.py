"""DoveNet, BargainNet and RainNet as harmonizers, and our own networks: inputs, modes, sizes, missing weights."""

import numpy as np
import pytest
import torch
from deterministic_weights import filled
from PIL import Image

from bench import weights
from bench.methods import METHODS, learned, resolve
from bench.metrics.protocols import bilevel
from bench.networks import BargainNet, DoveNet, RainNet
from iph.errors import InputError

RNG = np.random.default_rng(2)
SMALL = RNG.integers(0, 256, (256, 256, 3), dtype=np.uint8)
LARGE = RNG.integers(0, 256, (300, 270, 3), dtype=np.uint8)


def _disc(height, width, centre=0.4):
    y, x = np.mgrid[:height, :width]
    return (x / width - centre) ** 2 + (y / height - 0.5) ** 2 < 0.05


@pytest.fixture(scope="module")
def states():
    """Deterministic weights for every file, as if they had been published."""
    bargainnet = BargainNet()
    made = {
        ("dovenet", "latest_net_G.pth"): DoveNet(),
        ("bargainnet", "latest_net_G.pth"): bargainnet.generator,
        ("bargainnet", "latest_net_E.pth"): bargainnet.style_encoder,
        ("rainnet", "net_G_last.pth"): RainNet(),
    }
    found = {}
    for (name, file), network in made.items():
        state = network.state_dict()
        for key, value in state.items():
            small = key.endswith(("bias", "running_mean", "running_var", "gamma", "beta")) or value.ndim < 2
            state[key] = torch.from_numpy(filled(key, tuple(value.shape))) if small and value.ndim else value
        found.setdefault(name, {})[file] = state
    return found


@pytest.fixture
def published(states, monkeypatch):
    monkeypatch.setattr(weights, "status", lambda name, place=None: weights.Status(name, "ready", "here"))
    monkeypatch.setattr(weights, "load", lambda name, place=None: states[name])


def _run(name, composite, reference=None):
    height, width = composite.shape[:2]
    return METHODS[name].make()(composite, _disc(height, width), reference)


def _tensor(image):
    return torch.from_numpy((image.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1))[None]


@torch.no_grad()
def test_dovenet_modes(published, states):
    network = DoveNet()
    network.load_state_dict(states["dovenet"]["latest_net_G.pth"])
    mask = torch.from_numpy(_disc(256, 256).astype(np.float32))[None, None]
    expected = network.eval()(torch.cat([_tensor(SMALL), mask], dim=1))[0].permute(1, 2, 0).numpy()
    found = _run("dovenet-eval", SMALL)
    assert np.abs(found - (expected + 1) * 127.5).max() <= 1.01  # truncated to whole levels

    run = METHODS["dovenet"].make()
    first = run(SMALL, _disc(256, 256), None)
    run(LARGE, _disc(300, 270), None)
    assert np.array_equal(run(SMALL, _disc(256, 256), None), first), "one image's answer depends on no other"
    assert not np.array_equal(first, found)


def test_the_official_mode_has_dropout_and_leaves_the_callers_generator_alone(published, monkeypatch):
    run = METHODS["rainnet-dropout"].make()
    torch.manual_seed(7)
    wanted = torch.rand(1)
    torch.manual_seed(7)
    first = run(SMALL, _disc(256, 256), None)
    assert torch.rand(1) == wanted
    monkeypatch.setattr(learned, "SEED", 1)
    assert not np.array_equal(run(SMALL, _disc(256, 256), None), first)


def test_rainnets_answer_is_laid_over_the_composite(published):
    result = _run("rainnet", LARGE)
    outside = ~_disc(300, 270)
    assert result.shape == LARGE.shape
    assert np.array_equal(result[outside], LARGE[outside])
    assert not np.array_equal(result[~outside], LARGE[~outside])


def test_bargainnet_follows_the_region_it_is_given(published):
    near, far = _disc(256, 256, 0.9), _disc(256, 256, 0.05)
    run = METHODS["bargainnet-guide-eval"].make()
    foreground = _disc(256, 256)
    towards_near = run(SMALL, foreground, near)
    assert not np.array_equal(towards_near, run(SMALL, foreground, far))
    background = METHODS["bargainnet-eval"].make()(SMALL, foreground, near)
    assert np.array_equal(background, run(SMALL, foreground, ~foreground))
    with pytest.raises(InputError, match="expected a reference mask"):
        run(SMALL, foreground, None)
    with pytest.raises(InputError, match="expected a reference, but its mask is empty"):
        run(SMALL, foreground, near & far)


def test_rainnet_follows_the_guide_it_is_given(published):
    """The appendix's experiment: the guide's mask in place of the background's, on published weights."""
    near, far = _disc(256, 256, 0.9), _disc(256, 256, 0.05)
    run, foreground = METHODS["rainnet-guide"].make(), _disc(256, 256)
    assert not np.array_equal(run(SMALL, foreground, near), run(SMALL, foreground, far))
    assert np.array_equal(run(SMALL, foreground, ~foreground), METHODS["rainnet"].make()(SMALL, foreground, near))
    with pytest.raises(InputError, match="expected a reference mask"):
        run(SMALL, foreground, None)


def test_bargainnet_r_means_retrained():
    assert METHODS["bargainnet-guide"].weights == "bargainnet"
    assert METHODS["bargainnet-r"].weights == "bargainnet-r" and METHODS["bargainnet-r-pp"].weights == "bargainnet-r-pp"
    assert "your own training" in METHODS["bargainnet-r"].missing()


def test_masks_are_read_as_the_loaders_do():
    soft = np.linspace(0, 1, 256 * 256, dtype=np.float32).reshape(256, 256)
    assert learned._opencv_mask(soft).sum() == 1, "BargainNet's loader drops everything below full weight"
    dithered = learned._pillow_mask(soft)
    asked = np.asarray(Image.fromarray(np.rint(soft * 255).astype(np.uint8)).convert("1"), np.float32)
    assert np.array_equal(dithered, asked) and np.array_equal(dithered, bilevel(soft, None))


def test_a_checkpoint_with_other_keys_names_the_first(published, states, monkeypatch):
    wrong = {
        "latest_net_G.pth": {"module." + key: value for key, value in states["dovenet"]["latest_net_G.pth"].items()}
    }
    monkeypatch.setattr(weights, "load", lambda name, place=None: wrong)
    with pytest.raises(InputError, match="latest_net_G.pth of dovenet, but absent: model.model.0.weight"):
        METHODS["dovenet"].make()


@pytest.mark.parametrize(
    "name",
    [name for name, method in METHODS.items() if method.weights not in (None, "small", "small-portrait", "match")],
)
def test_missing_weights_are_a_row_with_an_instruction(name, tmp_path, monkeypatch):
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    reason = METHODS[name].missing()
    assert reason.startswith("weights missing: ")
    assert "$IPH_WEIGHTS/" in reason
    with pytest.raises(InputError, match=f"^{name}: weights missing"):
        METHODS[name].make()


def test_our_own_network_runs_from_a_file(tmp_path, monkeypatch):
    from iph.checkpoint import save_network
    from iph.network import build

    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path))
    torch.manual_seed(0)
    network = build("small")
    (tmp_path / "iph").mkdir()
    save_network(tmp_path / "iph" / "h-net-se.safetensors", network)
    method = METHODS["h-net-se"]
    foreground, reference = _disc(300, 270), _disc(300, 270, 0.9) & ~_disc(300, 270)
    result = method.make()(LARGE, foreground, reference)
    assert result.dtype == np.uint8 and np.array_equal(result[~foreground], LARGE[~foreground])
    assert len(method.digest()) == 64
    with pytest.raises(InputError, match="expected a reference mask"):
        method.make()(LARGE, foreground, None)

    (own,) = resolve([f"iph={tmp_path / 'iph' / 'h-net-se.safetensors'}"])
    assert own.name == "iph=iph-h-net-se.safetensors" and own.missing() is None
    assert np.array_equal(own.make()(LARGE, foreground, reference), result)


def test_damaged_own_weights_are_a_sentence(tmp_path):
    broken = tmp_path / "x.safetensors"
    broken.write_bytes(b"no tensors")
    (method,) = resolve([f"iph={broken}"])
    with pytest.raises(InputError, match="safetensors"):
        method.make()
