"""The work of ``iph train``: from its options to a network, its material and a run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from iph.checkpoint import load_network, save_network
from iph.data.luts import load_folder
from iph.data.manifest_samples import read_composites, sampler_of
from iph.data.match_samples import MatchRules
from iph.data.pack import PackedPhotos, pack_for_runs
from iph.errors import InputError
from iph.network import Network, build
from iph.training.color_transfer import ColorTransferSettings, network_of, train_color_transfer
from iph.training.loop import TrainingSettings, everywhere, this_process, train
from iph.training.shares import shares_of, shares_text
from iph.training.stages import stage as settings_of
from iph.training.train_match import PACKED_FOR, MatchTraining, train_match


def train_stage(
    stage: int,
    config: str,
    out: Path,
    *,
    photos: Path | None,
    data: list[Path] | None,
    luts: Path | None,
    start: str | None,
    size: int | None,
    rate: float | None,
    seed: int,
    **settings: Any,
) -> int:
    """One of the paper's three stages on ``photos`` or ``data``; ``settings`` are those of ``TrainingSettings``."""
    preset = settings_of(stage, config, size, rate)
    network = everywhere(lambda: _network(start, config, seed))
    settings = dict(preset.training) | settings | {"rate": preset.rate, "seed": seed, "start": start or ""}
    run = TrainingSettings(out, preset.rules, preset.weights, **settings)
    film_luts = everywhere(lambda: load_folder(luts)) if luts else []
    material = _packed(photos, preset.size, out) if photos else everywhere(lambda: read_composites(data))
    if this_process().is_main_process:
        print(shares_text(shares_of(sampler_of(material, run.rules, film_luts))), flush=True)
    result = train(network, material, run, film_luts)
    if result:  # only the first of several processes validates
        print(
            f"{out / 'best.safetensors'}: foreground error {result['ratio']:.2f} of the composite's at the end; "
            f"to use it: iph harmonize --model {out / 'best.safetensors'} ..."
        )
    return 0


def train_psi(
    out: Path,
    photos: Path | None,
    images: int | None,
    start: str | None,
    size: int | None,
    rate: float | None,
    batch: int,
    seed: int,
    way: str,
) -> int:
    """ψ in one of the ways of ``iph.training.color_transfer``, with the network of ``start``, of a match its own path,
    frozen."""
    if photos is None or images is None or start is None:
        raise InputError("expected --photos, --images and --start for ψ, at least one of them is missing")
    network = network_of(start)
    size = size or ColorTransferSettings.size
    settings = ColorTransferSettings(images=images, size=size, batch=batch, seed=seed, way=way)
    settings = settings if rate is None else replace(settings, rate=rate)
    encoder, result = train_color_transfer(network, _packed(photos, settings.size, out), settings)
    save_network(out / "psi.safetensors", encoder)
    print(f"{out / 'psi.safetensors'}: " + ", ".join(f"{name} {value:.4f}" for name, value in result.items()))
    return 0


def train_match_stage(
    out: Path,
    *,
    scene_only: bool,
    photos: Path | None,
    portraits: Path | None,
    luts: Path | None,
    size: int | None,
    batch: int | None,
    minutes: float | None,
    images: int | None,
    **given: Any,
) -> int:
    """The network that starts from the semantic match, or its peer of the whole scene; ``given`` are fields of
    ``MatchTraining``, None its default."""
    if photos is None:
        raise InputError(
            "expected --photos for --stage match or match-scene: its composites are drawn anew all the time"
        )
    given |= {
        "batch": batch,
        "minutes": minutes,
        "sizes": size and (size, size),
        "rules": MatchRules(scene_only=scene_only),
    }
    settings = MatchTraining(out, **{name: value for name, value in given.items() if value is not None})
    if images is not None:
        settings = replace(settings, steps=max(1, images // settings.batch))
    torch.set_num_threads(1)
    packed = [folder and pack_for_runs(folder, PACKED_FOR, out) for folder in (photos, portraits)]
    train_match(packed[0], settings, load_folder(luts) if luts else (), packed[1])
    print(f"{out / 'average.safetensors'}: to use it: iph harmonize --model {out / 'average.safetensors'} ...")
    return 0


def _network(start: str | None, config: str, seed: int) -> Network:
    torch.manual_seed(seed)
    network = build(config)
    if start is None:
        return network
    begun = load_network(start)
    if not isinstance(begun, Network) or begun.settings() != network.settings():
        raise InputError(f"expected --start weights of the network {config!r}, but those of {start} are of another one")
    return begun.train().requires_grad_(True)


def _packed(photos: Path, size: int, out: Path) -> PackedPhotos:
    return everywhere(lambda: pack_for_runs(photos, size, out))
