"""``iph harmonize``: a photo or a folder of photos in, harmonized photos, looks and recipes out."""

from pathlib import Path
from typing import Annotated

import typer

from iph.adjustments import RANGES
from iph.errors import InputError


def by_hand(name: str) -> typer.models.OptionInfo:
    """The option of an adjustment by hand."""
    allowed = RANGES[name]
    unit = f" {allowed.unit}," if allowed.unit else ""
    about = f"By hand, after the look:{unit} {allowed.about}. [default: 0]"
    return typer.Option(min=allowed.least, max=allowed.most, help=about, rich_help_panel="By hand")


def harmonize(
    source: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo, or a folder of them.")],
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The result, or a folder for it."),
    ] = None,
    foreground: Annotated[
        Path | None,
        typer.Option(
            help="Mask: white (or opaque) where the subject is. For a folder of photos, a folder of same-named masks. "
            "Without any foreground option the photo's alpha channel counts."
        ),
    ] = None,
    foreground_box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(metavar="X0 Y0 X1 Y1", help="Find the subject in this box (pixels)."),
    ] = None,
    foreground_click: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="X Y", help="Find the subject under this point (pixels)."),
    ] = None,
    two_color: Annotated[
        Path | None,
        typer.Option(
            "--two-color",
            "--two-colour",
            help="One mask for both: red is the subject, blue the reference.",
        ),
    ] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(help="Mask of the region to match; several times for several."),
    ] = None,
    reference_box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(metavar="X0 Y0 X1 Y1", help="All that is in this box."),
    ] = None,
    reference_click: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="X Y", help="The person or thing under this point."),
    ] = None,
    auto: Annotated[
        bool,
        typer.Option("--auto", help="The person or thing that stands out most."),
    ] = False,
    reference_image: Annotated[
        Path | None,
        typer.Option(
            help="Another picture, all of it, or where --reference, --reference-box and --reference-click point in it."
        ),
    ] = None,
    weight: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            help="Once for each reference, in the order: masks, two-colour mask, box, click, auto. [default: equal]",
        ),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(min=0, max=2, help="Of the change: 0 none, 1 all, 2 twice. [default: 1]"),
    ] = None,
    luminance: Annotated[
        float | None,
        typer.Option(min=0, max=2, help="Of the change of brightness. [default: 1]"),
    ] = None,
    chroma: Annotated[
        float | None,
        typer.Option(min=0, max=2, help="Of the change of colour. [default: 1]"),
    ] = None,
    r1: Annotated[
        float | None,
        typer.Option(
            min=0, max=2, help="Colour transfer (the paper's eq. 7): the harmonizing code counts r1 times. [default: 1]"
        ),
    ] = None,
    r2: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=2,
            help="And the code that gives it the reference's own colours 1 - r2 times; below 1, match also goes "
            "beyond what it believes of its reference. [default: 1, not at all]",
        ),
    ] = None,
    exposure: Annotated[float | None, by_hand("exposure")] = None,
    contrast: Annotated[float | None, by_hand("contrast")] = None,
    highlights: Annotated[float | None, by_hand("highlights")] = None,
    shadows: Annotated[float | None, by_hand("shadows")] = None,
    blacks: Annotated[float | None, by_hand("blacks")] = None,
    temperature: Annotated[float | None, by_hand("temperature")] = None,
    tint: Annotated[float | None, by_hand("tint")] = None,
    saturation: Annotated[float | None, by_hand("saturation")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="portrait, for a person pasted from another photo; general, for one who belongs to this photo, all of "
            "which then tells how they should look; or a .safetensors file. [default: portrait]"
        ),
    ] = None,
    cube: Annotated[
        Path | None,
        typer.Option(
            help="The look as a 3D LUT for Photoshop, Affinity, Resolve or darktable, for pictures in the photo's own "
            "profile, which the file names."
        ),
    ] = None,
    cube_size: Annotated[int, typer.Option(help="Points a side: 17, 33 or 65.")] = 33,
    save_recipe: Annotated[Path | None, typer.Option(help="All of it as JSON, for --recipe.")] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="Replay a recipe of this command or of the studio; with a foreground option, only its look."),
    ] = None,
    person: Annotated[
        list[Path] | None,
        typer.Option(help="The cut-out that a recipe of the studio pastes; of several people once each, from below."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a photo on stdout, for scripts."),
    ] = False,
) -> int:
    """Give a pasted person the light and colours of the photo.

    Say where the subject is, point at what it should look like, and name the result. The rest of the photo stays as it
    is, bit for bit in PNG and TIFF, with its size, depth, profile and metadata; the file is marked as edited.

    \b
    A composite, its mask, and whatever stands out beside the subject:
      iph harmonize photo.jpg --foreground mask.png --auto -o result.jpg

    \b
    No masks at all: click on the pasted person, and on the one to match:
      iph harmonize photo.jpg --foreground-click 830 420 --reference-click 300 410 -o result.jpg

    \b
    The look of another photo, at 70 %, also as a LUT for other programs:
      iph harmonize photo.png --foreground mask.png --reference-image sunset.jpg --strength 0.7
                    -o result.png --cube sunset.cube

    \b
    A folder, with masks of the same names; bad files are reported, the rest is done:
      iph harmonize photos/ --foreground masks/ --auto -o results/

    \b
    The same look on the next photo of a series:
      iph harmonize a.jpg --foreground a.png --auto -o a2.jpg --save-recipe look.json
      iph harmonize b.jpg --foreground b.png --recipe look.json -o b2.jpg

    Exit codes: 0 all went well; 1 some photos of a folder failed, the others are done; 2 wrong usage or input that
    cannot be used.
    """
    # Not before they are needed: --help has no use for them.
    from iph.commands.folders import plan
    from iph.commands.harmonize_photos import harmonizing, make_all, make_one, replaying
    from iph.commands.regions import Foreground, Pointing
    from iph.mapping import CUBE_SIZES
    from iph.recipe import Recipe

    if cube_size not in CUBE_SIZES:
        raise InputError(f"expected a cube size of {', '.join(map(str, CUBE_SIZES))}, got {cube_size}")
    if person and recipe is None:
        raise InputError("expected --recipe beside --person: the recipe says where the person is pasted")
    subject = Foreground(foreground, two_color, foreground_box, foreground_click)
    amounts = _given(strength=strength, luminance=luminance, chroma=chroma)
    codes = _given(r1=r1, r2=r2)
    adjustments = _given(
        exposure=exposure,
        contrast=contrast,
        highlights=highlights,
        shadows=shadows,
        blacks=blacks,
        temperature=temperature,
        tint=tint,
        saturation=saturation,
    )
    pointing = Pointing(
        tuple(reference or ()),
        reference_box,
        reference_click,
        reference_image,
        auto,
        two_color if recipe is None else None,
        tuple(weight or ()),
    )
    if recipe is not None:
        if codes or model is not None:
            raise InputError("expected no --model, --r1 or --r2 beside --recipe: it has the look")
        make = replaying(Recipe.load(recipe), subject, pointing, person or [], amounts, adjustments)
    else:
        make = harmonizing(subject, pointing, model or "portrait", amounts, codes, adjustments)
    jobs = plan(source, out, cube, save_recipe, overwrite)
    if source.is_dir():
        return make_all(jobs, make, cube_size, as_json)
    make_one(jobs[0], make, cube_size, as_json)
    return 0


def _given(**options: float | None) -> dict[str, float]:
    """The options that were used; the others keep the defaults of who is called."""
    return {name: value for name, value in options.items() if value is not None}
