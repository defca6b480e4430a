"""``iph train``: three stages, as the paper says or in our way, and ψ, the encoder of colour transfer (eq. 7)."""

from pathlib import Path
from typing import Annotated

import typer

from iph.errors import InputError
from iph.runtime.shipped import check_torch

STAGES = ("1", "2", "3", "psi", "psi-paper", "match", "match-scene")


def train(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the run; a run in it is gone on with.")],
    stage: Annotated[
        str,
        typer.Option(
            help="1: background as reference (iHarmony4); 2: any region as reference (IntHarmony); 3: people (LV-MHP); "
            "psi: the colour-transfer encoder of eq. 7 in our way, with the network of --start frozen; psi-paper: that "
            "as the appendix trains it; match: the network that starts from the semantic match (what ships); "
            "match-scene: its peer, which sees the whole scene and no reference."
        ),
    ] = "2",
    config: Annotated[
        str,
        typer.Option(
            help="small (ships, without the match) or another of iph.network.CONFIGS, trained in our way; paper: 27 M "
            "parameters and the paper's own losses, pairs of instances, Adam and rates."
        ),
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
    portraits: Annotated[
        Path | None, typer.Option(metavar="DIR", help="match: portraits, to be pasted cleanly beside people.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="match: the resume.safetensors of a run whose folder is not here.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=32, help="Side of the composites. [default: 64; paper: 256; match: 96, later 128]"),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Highest learning rate. [default: 2e-3, 2e-3, 1e-3 by stage; match: 6e-4; paper: 1e-4, 1e-5, 1e-6]",
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Composites a step and device. [default: 48; match: 24]")
    ] = None,
    loaders: Annotated[int, typer.Option(min=1, help="Processes a device that draw composites.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Decides the first weights and every sample.")] = 0,
) -> int:
    """Train the network. Writes curve.csv, last.pt (to go on from) and best.safetensors (to use) into the run's folder;
    the match log.csv, last.pt and average.safetensors, and resume.safetensors to go on from elsewhere.

    The same command goes on where it was stopped. One photo in twenty is held out for validation, by its name. What is
    drawn is counted and printed first: which kinds of foreground and reference, and how often.

    \b
    The paper's three stages as the paper trains them (it does not say how long):
      iph build intharmony --coco ~/coco --out data/intharmony
      iph build mhp --mhp ~/LV-MHP-v2 --out data/mhp
      iph train --stage 1 --config paper --data ~/iHarmony4 --minutes 1440 --out runs/1
      iph train --stage 2 --config paper --data data/intharmony --minutes 1440
                --start runs/1/best.safetensors --out runs/2
      iph train --stage 3 --config paper --data data/mhp --minutes 600
                --start runs/2/best.safetensors --out runs/3

    \b
    On a laptop, straight from a folder of photos, in our way:
      iph train --photos ~/photos --minutes 90 --out runs/64
      iph train --photos ~/photos --minutes 45 --size 128 --batch 24 --rate 5e-4
                --start runs/64/best.safetensors --out runs/general
      iph train --stage 3 --photos ~/photos --minutes 20 --size 128 --batch 24 --rate 5e-4
                --start runs/general/best.safetensors --out runs/portrait
      iph train --stage psi --photos ~/photos --images 20000
                --start runs/portrait/best.safetensors --out runs/psi

    \b
    The first two of the rounds that made the default, in one thread (docs/match.md):
      OMP_NUM_THREADS=1 iph train --stage match --photos ~/photos --portraits ~/portraits --luts ~/luts
                --minutes 228 --out runs/match
      OMP_NUM_THREADS=1 iph train --stage match --photos ~/photos --portraits ~/portraits --luts ~/luts
                --start runs/match/average.safetensors --size 128 --rate 4e-4 --images 28800 --out runs/on

    \b
    On several GPUs, in mixed precision:
      accelerate launch --multi_gpu --mixed_precision bf16 -m iph train --loaders 8 ...
    """
    if stage not in STAGES:
        raise InputError(f"expected a stage out of {', '.join(STAGES)}, got {stage!r}")
    if (minutes is None) == (images is None):
        raise InputError(f"expected the length of the run as --minutes or as --images, got {_count(minutes)}")
    if minutes == 0 or rate == 0:
        raise InputError(f"expected more than 0 as {'--minutes' if minutes == 0 else '--rate'}, got 0")
    if (photos is None) == (not data):
        raise InputError(f"expected training data as --photos or as --data, got {_count(photos)}")
    if size is not None and size % 16:
        raise InputError(f"expected a size that 16 divides, got {size}")
    check_torch("iph train")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder to train in at {out}, but: {error.strerror}") from None
    from iph.commands import training  # not before it is needed: torch takes seconds to import

    if stage in ("match", "match-scene"):
        return training.train_match_stage(
            out,
            scene_only=stage == "match-scene",
            photos=photos,
            portraits=portraits,
            luts=luts,
            start=start,
            resume=resume,
            size=size,
            rate=rate,
            batch=batch,
            seed=seed,
            minutes=minutes,
            images=images,
        )
    if portraits or resume:
        raise InputError(f"expected --portraits and --resume with --stage match or match-scene, got stage {stage}")
    batch = batch or 48
    if stage.startswith("psi"):
        way = "paper" if stage == "psi-paper" else "look"
        return training.train_psi(out, photos, images, start, size, rate, batch, seed, way)
    return training.train_stage(
        int(stage),
        config,
        out,
        photos=photos,
        data=data,
        luts=luts,
        start=start,
        size=size,
        rate=rate,
        seed=seed,
        minutes=minutes,
        images=images,
        batch=batch,
        loaders=loaders,
    )


def _count(given: object) -> str:
    return "neither" if given is None else "both"
