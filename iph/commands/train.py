"""``iph train``: the paper's three stages, and ψ, the encoder of the colour-transfer control (eq. 7)."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from iph.checkpoint import load_network, save_network
from iph.data.luts import load_folder
from iph.data.manifest_samples import read_composites
from iph.data.pack import PackedPhotos, pack
from iph.errors import InputError
from iph.network import Network, build
from iph.training.colour_transfer import ColourTransferSettings, train_colour_transfer
from iph.training.loop import TrainingSettings, this_process
from iph.training.loop import train as train_network
from iph.training.stages import stage as settings_of

STAGES = ("1", "2", "3", "psi")


def train(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the run; a run in it is gone on with.")],
    stage: Annotated[
        str,
        typer.Option(
            help="1: background as reference (iHarmony4); 2: any region as reference (IntHarmony); 3: people (LV-MHP); "
            "psi: the colour-transfer encoder of eq. 7, with the network of --start frozen."
        ),
    ] = "2",
    config: Annotated[
        str,
        typer.Option(help="Network: small (what ships), paper (27 M parameters), or another of iph.network.CONFIGS."),
    ] = "small",
    photos: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Photos with instance masks; composites are drawn anew all the time."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="A data set with manifest.csv, or iHarmony4. May be given several times."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="Length of the run: time …")] = None,
    images: Annotated[int | None, typer.Option(min=1, help="… or composites seen, all devices together.")] = None,
    start: Annotated[
        str | None, typer.Option(help="Weights to start from: a shipped name or a .safetensors file.")
    ] = None,
    luts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Film looks (.cube) to draw half of the LUTs from.")
    ] = None,
    size: Annotated[int | None, typer.Option(min=32, help="Side of the composites. [default: 64; paper: 256]")] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0, help="Highest learning rate. [default: 2e-3, 2e-3, 1e-3 by stage; paper: 1e-4, 1e-5, 1e-6]"
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Composites a step and device.")] = 48,
    loaders: Annotated[int, typer.Option(min=1, help="Processes a device that draw composites.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Decides the first weights and every sample.")] = 0,
) -> int:
    """Train the network. Writes curve.csv, last.pt (to go on from) and best.safetensors (to use) into the run's folder.

    The same command goes on where it was stopped. One photo in twenty is held out for validation, by its name.

    \b
    The paper's three stages, each as long as you can afford:
      iph build intharmony --coco ~/coco --out data/intharmony
      iph build mhp --mhp ~/LV-MHP-v2 --out data/mhp
      iph train --stage 1 --config paper --data ~/iHarmony4 --minutes 1440 --out runs/1
      iph train --stage 2 --config paper --data data/intharmony --minutes 1440
                --start runs/1/best.safetensors --out runs/2
      iph train --stage 3 --config paper --data data/mhp --minutes 600
                --start runs/2/best.safetensors --out runs/3

    \b
    On a laptop, straight from a folder of photos:
      iph train --photos ~/photos --minutes 90 --out runs/general
      iph train --stage 3 --photos ~/photos --minutes 20
                --start runs/general/best.safetensors --out runs/portrait
      iph train --stage psi --photos ~/photos --images 20000
                --start runs/portrait/best.safetensors --out runs/psi

    \b
    On several GPUs, in mixed precision:
      accelerate launch --multi_gpu --mixed_precision bf16 -m iph train --loaders 8 ...
    """
    if stage not in STAGES:
        raise InputError(f"expected a stage out of {', '.join(STAGES)}, got {stage!r}")
    if (minutes is None) == (images is None):
        raise InputError(f"expected the length of the run as --minutes or as --images, got {_count(minutes)}")
    if (photos is None) == (not data):
        raise InputError(f"expected training data as --photos or as --data, got {_count(photos)}")
    if size is not None and size % 16:
        raise InputError(f"expected a size that 16 divides, got {size}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder to train in at {out}, but: {error.strerror}") from None
    if stage == "psi":
        return _train_psi(out, photos, images, start, size or ColourTransferSettings.size, rate, batch, seed)
    preset = settings_of(int(stage), config, size, rate)
    network = _network(start, config, seed)
    settings = TrainingSettings(
        out, preset.rules, minutes=minutes, images=images, batch=batch, rate=preset.rate, seed=seed, loaders=loaders
    )
    film_luts = load_folder(luts) if luts else []
    material = _packed(photos, preset.size, out) if photos else read_composites(data)
    result = train_network(network, material, settings, film_luts)
    if result:  # only the first of several processes validates
        print(
            f"{out / 'best.safetensors'}: foreground error {result['ratio']:.2f} of the composite's at the end; "
            f"to use it: iph harmonize --model {out / 'best.safetensors'} ..."
        )
    return 0


def _count(given: object) -> str:
    return "neither" if given is None else "both"


def _network(start: str | None, config: str, seed: int) -> Network:
    torch.manual_seed(seed)
    network = build(config)
    if start is None:
        return network
    begun = load_network(start)
    if begun.settings() != network.settings():
        raise InputError(f"expected --start weights of the network {config!r}, but those of {start} are of another one")
    return begun.train().requires_grad_(True)


def _packed(photos: Path, size: int, out: Path) -> PackedPhotos:
    """The photos, shrunk once for all runs beside this one; crops are taken from them, so they are larger."""
    side = max(160, size + size // 2)
    split = "train" if (photos / "split.csv").is_file() else None
    with this_process().main_process_first():
        return pack(photos, split, side, out.resolve().parent / f"pack-{photos.resolve().name}-{side}")


def _train_psi(
    out: Path,
    photos: Path | None,
    images: int | None,
    start: str | None,
    size: int,
    rate: float | None,
    batch: int,
    seed: int,
) -> int:
    if photos is None or images is None or start is None:
        raise InputError("expected --photos, --images and --start for the stage psi, at least one of them is missing")
    network = load_network(start)
    if not isinstance(network, Network) or network.style_encoder is None:
        raise InputError(f"expected the weights of a harmonizer with a style encoder as --start, got {start}")
    settings = ColourTransferSettings(images=images, size=size, batch=batch, seed=seed)
    settings = settings if rate is None else replace(settings, rate=rate)
    encoder, result = train_colour_transfer(network, _packed(photos, size, out), settings)
    save_network(out / "psi.safetensors", encoder)
    print(f"{out / 'psi.safetensors'}: " + ", ".join(f"{name} {value:.4f}" for name, value in result.items()))
    return 0
