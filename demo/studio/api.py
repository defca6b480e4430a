"""The studio's functions by name, for ``gradio_client`` and as MCP tools: files in, files out, nothing kept.

Places and boxes are shares of the picture, from 0 to 1, x from the left and y from the top. A file is an upload or, for
MCP, a ``data:`` text; addresses are refused.
"""

import functools
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
from gradio import FileData
from gradio.utils import get_upload_folder

import iph
from demo.file_names import file_name
from demo.hosting.figures import ACTION_SECONDS, refused
from demo.plain_routes import Refusal
from demo.sentences import explained, sentence
from demo.studio.api_arguments import check_truth, pixel_box, pixel_point
from demo.studio.closed_gradio import CALLER
from demo.studio.scene import MODEL, NOT_PASTED
from demo.studio.served_pictures import write_png
from demo.studio.suggestions import Suggestion, hidden, suggestions
from demo.studio.work.opening import MOST_PEOPLE
from demo.studio.work.placing import free_place
from demo.uploads import MAX_BYTES, MAX_PIXELS
from demo.work_queue import go_on
from iph.adjustments import Adjustments
from iph.errors import InputError
from iph.images.confined import read_photo_confined
from iph.images.imagefile import write_photo
from iph.images.photo import Photo
from iph.layers import parts_of_all, save_layers
from iph.mapping import ColorMapping
from iph.masks import (
    EdgeAdjustment,
    as_mask,
    levels_from_photo,
    mark_levels_from_photo,
    marks_from_photo,
    own_mask,
)
from iph.masks.forms import as_unit, from_box_region
from iph.pixels import as_uint8
from iph.placement import Placement
from iph.placement import paste as paste_person
from iph.recipe import Recipe
from iph.reference import Reference


def register() -> None:
    """Offer the functions of this module; to be called inside ``gr.Blocks``."""
    for function in (harmonize, paste, cut_out, suggest_references, export_cube, export_layers, replay):
        gr.api(_in_turn(function), api_name=function.__name__, concurrency_limit=None)  # the turn is ours


def harmonize(
    photo: FileData,
    foreground: FileData,
    reference: FileData | None = None,
    reference_box: list[float] | None = None,
    reference_photo: FileData | None = None,
    strength: float = 1.0,
    luminance: float = 1.0,
    chroma: float = 1.0,
    r1: float = 1.0,
    r2: float = 1.0,
    exposure: float = 0.0,
    contrast: float = 0.0,
    highlights: float = 0.0,
    shadows: float = 0.0,
    blacks: float = 0.0,
    temperature: float = 0.0,
    tint: float = 0.0,
    saturation: float = 0.0,
    pasted: bool = True,
) -> tuple[FileData, FileData, FileData]:
    """Make a pasted person look shot with the photo. Without any reference, the best region of the photo is chosen.

    Parameters:
        photo: the composite, any size; it comes back in its own format with its metadata.
        foreground: mask of the pasted person: grey, alpha, or red (person) and blue (reference) on black.
        reference: mask of the region whose look is taken, in the photo or in reference_photo.
        reference_box: that region as a box x0, y0, x1, y1 in shares of the picture, instead of a mask.
        reference_photo: take the look from this other photo.
        strength: how much of the change, 0 to 2.
        luminance: how much of its brightness part, 0 to 2.
        chroma: how much of its colour part, 0 to 2.
        r1: of the paper's colour transfer, how much the harmonizing code counts; 1 is usual.
        r2: and how little the code counts that gives the person the reference's own colours: 1 not at all, 0 fully.
        exposure: by hand, after the look: light in stops, -3 to 3.
        contrast: by hand, the slope around middle grey, -100 to 100.
        highlights: by hand, the light tones, -100 to 100.
        shadows: by hand, the dark tones, -100 to 100.
        blacks: by hand, how dark the darkest is, -100 to 100.
        temperature: by hand, colder to warmer, -100 to 100.
        tint: by hand, greener to more magenta, -100 to 100.
        saturation: by hand, grey to twice as colourful, -100 to 100.
        pasted: whether the person came from another photo; false where they belong to this one and only look wrong.
    Returns:
        The harmonized photo, the colour change as a .cube file, and the recipe as JSON.
    """
    ColorMapping.identity().blended(strength, luminance, chroma)  # checks them before the work
    check_truth("pasted", pasted)
    model = MODEL if pasted else NOT_PASTED
    by_hand = Adjustments(exposure, contrast, highlights, shadows, blacks, temperature, tint, saturation)
    original, marks, other, pointed = _read_all([photo, foreground], [reference_photo, reference])
    mask, blue = mark_levels_from_photo(marks, original.pixels.shape)
    looked_at = original if other is None else other
    region = blue if other is None else None
    if pointed is not None:
        region = levels_from_photo(pointed, looked_at.pixels.shape, "reference", allow_full=True)
    elif reference_box is not None:
        region = from_box_region(looked_at.pixels.shape, pixel_box(reference_box, looked_at)) > 0
    elif region is None and other is None:
        region = _suggested(original, mask)[0].region
    session = iph.load(model).open(original.pixels, mask, alpha=original.alpha, icc=original.icc)
    picture = {} if other is None else {"image": other.pixels, "alpha": other.alpha, "icc": other.icc}
    mapping = session.adjusted(session.fit_mapping(Reference(region, **picture), r1=r1, r2=r2), by_hand)
    names = {"image": _name(photo)} | ({} if other is None else {"reference_image": _name(reference_photo)})
    amounts = {"strength": strength, "luminance": luminance, "chroma": chroma, "r1": r1, "r2": r2}
    recipe = Recipe(mapping, mask, **amounts, reference=region, names=names, model=model)
    stem = _folder() / f"{Path(_name(photo)).stem}-harmonized"
    result, cube, saved = (stem.with_name(stem.name + ending) for ending in (original.ending, ".cube", ".json"))
    with ThreadPoolExecutor(1) as beside:
        saving = beside.submit(recipe.save, saved)  # most of it packs masks, and leaves Python to the rest
        # What a replay gives, without looking at the whole photo once more.
        rendered = session.render(mapping, strength=strength, luminance=luminance, chroma=chroma)
        write_photo(original.with_pixels(rendered.image), result)
        recipe.change.save_cube(cube, title=stem.name, icc=original.icc)
        saving.result()
    return as_file(result), as_file(cube), as_file(saved)


def paste(
    background: FileData,
    person: FileData,
    x: float | None = None,
    y: float | None = None,
    height: float | None = None,
    mirrored: bool = False,
    angle: float = 0.0,
) -> tuple[FileData, FileData, str]:
    """Put a person (a cut-out, or a photo that is cut out automatically) on a background.

    Parameters:
        background: the photo to paste into.
        person: a picture with transparency, or a photo of somebody, whose old background is taken out of their hair.
        x: middle of the person's picture in shares of the background's width; without it a free place is chosen.
        y: middle of the person's picture in shares of the background's height.
        height: height of the person's picture in heights of the background.
        mirrored: swap left and right.
        angle: degrees to turn the person by, clockwise, -180 to 180.
    Returns:
        The composite in the background's format, the person's mask as PNG, ready for harmonize, and a sentence where
        nobody was found and something else was taken.
    """
    under, layer = _read(background), _read(person)
    alpha, note = own_mask(layer.alpha), None
    if alpha is None:
        found = iph.cutout(layer.pixels, alpha=layer.alpha, icc=layer.icc)
        layer, note = replace(layer, pixels=found.pixels), found.note
        alpha = as_unit(found.alpha)
    if x is None or y is None or height is None:
        free = free_place(under.pixels.shape, alpha, [one.region for one in _suggested(under) if one.person])
        x, y, height = (
            (free.x if x is None else x),
            (free.y if y is None else y),
            free.height if height is None else height,
        )
    pasted, mask = paste_person(under, layer, alpha, Placement(x, y, height, mirrored, angle))
    folder = _folder()
    composite = folder / f"{Path(_name(background)).stem}-composite{under.ending}"
    write_photo(pasted, composite, edited=False)
    return as_file(composite), _mask_png(folder / f"{composite.stem}-mask.png", mask), _said(note)


def cut_out(
    photo: FileData,
    x: float | None = None,
    y: float | None = None,
    box: list[float] | None = None,
    everybody: bool = False,
    expand: float = 0.0,
    smooth: float = 0.0,
    feather: float = 0.0,
) -> tuple[FileData, FileData, str]:
    """Cut a person out of a photo: whoever stands out most, who is at a point, in a box or both, or everybody.

    Parameters:
        photo: the photo.
        x: a point on the person, in shares of the width.
        y: the same point, in shares of the height.
        box: x0, y0, x1, y1 around the person, in shares of the picture.
        everybody: all people of the photo, instead of a point or a box.
        expand: pixels by which the edge moves outwards, or inwards if negative.
        smooth: pixels; what is finer at the edge is evened out.
        feather: pixels by which the edge is softened.
    Returns:
        The person with a transparent background as PNG (the photo's size, depth and profile, the old background out of
        their hair), their mask as PNG, and a sentence where nobody was found and something else was taken.
    """
    check_truth("everybody", everybody)
    pointed = x is not None or y is not None
    if everybody and (pointed or box is not None):
        raise InputError("expected everybody, or a point or a box, got both")
    original = _read(photo)
    found = iph.cutout(
        original.pixels,
        click=pixel_point(x, y, original) if pointed else None,
        box=None if box is None else pixel_box(box, original),
        everybody=everybody,
        alpha=original.alpha,
        icc=original.icc,
        edge=EdgeAdjustment(expand, feather, smooth),
    )
    stem = _folder() / Path(_name(photo)).stem
    person = stem.with_name(f"{stem.name}-person.png")
    write_photo(replace(original, pixels=found.pixels, alpha=found.alpha), person)
    mask = _mask_png(stem.with_name(f"{stem.name}-mask.png"), as_unit(found.alpha))
    return as_file(person), mask, _said(found.note)


def suggest_references(photo: FileData, foreground: FileData) -> list[dict]:
    """Up to six regions of a composite that may lend their look to the pasted person, the best first.

    Parameters:
        photo: the composite.
        foreground: mask of the pasted person.
    Returns:
        For each its label, its box in shares of the picture, and its mask as PNG.
    """
    original = _read(photo)
    mask = marks_from_photo(_read(foreground), original.pixels.shape)[0]
    folder, found = _folder(), []
    for index, one in enumerate(_suggested(original, mask)):
        rows, columns = (np.flatnonzero((one.region >= 0.5).any(axis)) for axis in (1, 0))
        height, width = one.region.shape
        box = [columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height]
        png = _mask_png(folder / f"reference-{index + 1}.png", one.region)
        found.append({"label": one.label, "box": [round(float(side), 4) for side in box], "mask": png})
    return found


def export_cube(recipe: FileData, size: int = 33) -> FileData:
    """The colour change of a recipe as a 3D LUT for Photoshop, Affinity, DaVinci Resolve or darktable.

    Parameters:
        recipe: the JSON that harmonize or the studio wrote.
        size: 17, 33 or 65 steps a side.
    Returns:
        The .cube file.
    """
    change = Recipe.load(_path(recipe)).change
    path = _folder() / f"{Path(_name(recipe)).stem}.cube"
    change.save_cube(path, size, title=path.stem)
    return as_file(path)


def export_layers(
    recipe: FileData, photo: FileData, person: FileData | None = None, above: list[FileData] | None = None
) -> FileData:
    """What a recipe makes, as layers: background, person as pasted, person harmonized, the persons with their masks.

    Parameters:
        recipe: the JSON that harmonize or the studio wrote.
        photo: the composite, or the background of a recipe that pastes a person.
        person: the picture of the person, for a recipe that pastes one.
        above: the pictures of the people above, the lowest first, for a recipe that pastes several.
    Returns:
        A PSD file in the photo's depth and profile.
    """
    original = _read(photo)
    path = _folder() / f"{Path(_name(photo)).stem}-layers.psd"
    save_layers(parts_of_all(Recipe.load(_path(recipe)), original, _people(person, above)), path)
    return as_file(path)


def replay(
    recipe: FileData,
    photo: FileData,
    person: FileData | None = None,
    foreground: FileData | None = None,
    above: list[FileData] | None = None,
) -> FileData:
    """Do again what a recipe says, or give its look to somebody else.

    Parameters:
        recipe: the JSON that harmonize or the studio wrote.
        photo: the composite, or the background of a recipe that pastes a person.
        person: the picture of the person, for a recipe that pastes one.
        foreground: mask of the person in another finished composite, who gets the recipe's look alone.
        above: the pictures of the people above, the lowest first, for a recipe that pastes several.
    Returns:
        The harmonized photo.
    """
    original = _read(photo)
    path = _folder() / f"{Path(_name(photo)).stem}-harmonized{original.ending}"
    done = Recipe.load(_path(recipe))
    if foreground is not None:
        if person is not None or above:
            raise InputError("expected a person or another foreground beside the recipe, got both")
        mask = marks_from_photo(_read(foreground), original.pixels.shape)[0]
        done = done.look_on(mask)
    write_photo(done.replay(original, _people(person, above)), path)
    return as_file(path)


def _in_turn(function: Callable) -> Callable:
    """The function as its callers have it: done in the turn of their kind, with its errors as sentences."""

    @functools.wraps(function)
    async def call(*arguments):
        caller = CALLER.get()

        def timed():
            with ACTION_SECONDS.labels(f"{caller.kind} {function.__name__}").time():
                return function(*arguments)

        async def do():
            with caller.work.places.take(caller.client):
                return await caller.work.run(timed)

        try:
            return await caller.work.answer(do(), caller.gone())
        except Refusal as refusal:
            refused(refusal.code)
            raise gr.Error(str(refusal), print_exception=False) from None
        except Exception as error:
            raise gr.Error(explained(error, function.__name__), print_exception=False) from None

    return call


def as_file(path: Path) -> dict:
    """A file as Gradio hands it out."""
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def _said(note: str | None) -> str:
    """A note as a sentence; nothing where there is none."""
    return sentence(note) if note else ""


def _path(file: FileData) -> str:
    if not isinstance(file, dict) or not isinstance(file.get("path"), str):
        raise InputError(f"expected an uploaded file, got {str(file)[:40]!r}")
    return file["path"]  # an upload or a result: closed_gradio lets nothing else through


def _read(file: FileData) -> Photo:
    go_on()
    return read_photo_confined(_path(file), MAX_BYTES, MAX_PIXELS)


def _read_all(files: list[FileData], optional: list[FileData | None]) -> list[Photo | None]:
    """Several files at a time, each in a process of its own; None for what is not there."""
    go_on()
    paths = [*map(_path, files), *(None if file is None else _path(file) for file in optional)]
    with ThreadPoolExecutor(len(paths)) as readers:
        return list(readers.map(lambda path: path and read_photo_confined(path, MAX_BYTES, MAX_PIXELS), paths))


def _people(lowest: FileData | None, above: list[FileData] | None) -> list[Photo]:
    """The pictures of those whom a recipe pastes."""
    if above is not None and not isinstance(above, list):
        raise InputError("expected the people above as a list of uploaded files")
    return [_read(file) for file in ([] if lowest is None else [lowest]) + (above or [])[:MOST_PEOPLE]]


def _name(file: FileData) -> str:
    return file_name(str(file.get("orig_name") or file["path"]))


def _folder() -> Path:
    """A new folder in Gradio's cache, swept with it; a stage of all that writes."""
    go_on()
    folder = Path(get_upload_folder()) / f"api-{secrets.token_urlsafe(16)}"
    folder.mkdir(parents=True, mode=0o700)
    return folder


def _suggested(photo: Photo, mask: np.ndarray | None = None) -> list[Suggestion]:
    small, visible = photo.small_appearance()
    mask = None if mask is None else as_mask(mask, small.shape, "foreground")
    return suggestions("photo", as_uint8(small), hidden(mask, visible))


def _mask_png(path: Path, mask: np.ndarray) -> dict:
    write_png(path, np.repeat(np.rint(mask * 255).astype(np.uint8)[..., None], 3, axis=2))
    return as_file(path)
