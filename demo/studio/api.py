"""The studio's functions by name, for ``gradio_client`` and as MCP tools: files in, files out, nothing kept.

Places and boxes are shares of the picture, from 0 to 1, x from the left and y from the top. A file is an upload or, for
MCP, a ``data:`` text; addresses are refused.
"""

import functools
import secrets
from collections.abc import Callable
from pathlib import Path

import gradio as gr
import numpy as np
from gradio import FileData
from gradio.utils import get_upload_folder

import iph
from demo.plain_routes import Refusal
from demo.sentences import explained
from demo.studio import prompts
from demo.studio.closed_gradio import CALLER
from demo.studio.prompts import Prompt
from demo.studio.scene import MODEL
from demo.studio.served_pictures import write_png
from demo.studio.suggestions import cut_out as find_person
from demo.studio.suggestions import free_place, suggestions
from demo.uploads import MAX_BYTES, MAX_PIXELS
from iph.errors import InputError
from iph.images.confined import read_photo_confined
from iph.images.imagefile import write_photo
from iph.images.photo import Photo
from iph.masks import as_mask, from_alpha, from_photo, marks_from_photo
from iph.masks.forms import from_box_region
from iph.pixels import small_copy
from iph.placement import Placement, compose
from iph.recipe import Recipe


def register() -> None:
    """Offer the functions of this module; to be called inside ``gr.Blocks``."""
    for function in (harmonize, paste, cut_out, suggest_references, export_cube, replay):
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
    Returns:
        The harmonized photo, the colour change as a .cube file, and the recipe as JSON.
    """
    original = _read(photo)
    mask, blue = marks_from_photo(_read(foreground), original.pixels.shape)
    other = None if reference_photo is None else _read(reference_photo).converted_to(original.icc)
    looked_at = original if other is None else other
    region = blue if other is None else None
    if reference is not None:
        region = from_photo(_read(reference), looked_at.pixels.shape, "reference", allow_full=True)
    elif reference_box is not None:
        region = from_box_region(looked_at.pixels.shape, _pixel_box(reference_box, looked_at))
    elif region is None and other is None:
        region = _suggested(original, mask)[0].region
    session = iph.load(MODEL).open(original.pixels, mask)
    mapping = session.fit_mapping(region, reference_image=None if other is None else other.pixels, r1=r1, r2=r2)
    names = {"image": _name(photo)} | ({} if other is None else {"reference_image": _name(reference_photo)})
    recipe = Recipe(mapping, mask, strength, luminance, chroma, reference=region, names=names, model=MODEL)
    stem = _folder() / f"{Path(_name(photo)).stem}-harmonized"
    result, cube, saved = (stem.with_name(stem.name + ending) for ending in (original.ending, ".cube", ".json"))
    write_photo(recipe.replay(original), result)
    recipe.change.save_cube(cube, title=stem.name)
    recipe.save(saved)
    return as_file(result), as_file(cube), as_file(saved)


def paste(
    background: FileData,
    person: FileData,
    x: float | None = None,
    y: float | None = None,
    height: float | None = None,
    mirrored: bool = False,
) -> tuple[FileData, FileData]:
    """Put a person (a cut-out, or a photo that is cut out automatically) on a background.

    Parameters:
        background: the photo to paste into.
        person: a picture with transparency, or a photo of somebody.
        x: middle of the person's picture in shares of the background's width; without it a free place is chosen.
        y: middle of the person's picture in shares of the background's height.
        height: height of the person's picture in heights of the background.
        mirrored: swap left and right.
    Returns:
        The composite in the background's format, and the person's mask as PNG, ready for harmonize.
    """
    under, layer = _read(background), _read(person)
    layer = layer.converted_to(under.icc)
    alpha = _subject(layer) if layer.alpha is None else from_alpha(layer.alpha)
    if x is None or y is None or height is None:
        small = small_copy(under.pixels)
        taken = suggestions("photo", small)[0].region
        free = free_place(small.shape, alpha, taken)
        x, y, height = (free.x if x is None else x), (free.y if y is None else y), height or free.height
    pixels, mask = compose(under.pixels, layer.pixels, alpha, Placement(x, y, height, mirrored))
    folder = _folder()
    composite = folder / f"{Path(_name(background)).stem}-composite{under.ending}"
    write_photo(under.with_pixels(pixels), composite, edited=False)
    return as_file(composite), _mask_png(folder / f"{composite.stem}-mask.png", mask)


def cut_out(
    photo: FileData, x: float | None = None, y: float | None = None, box: list[float] | None = None
) -> FileData:
    """Find a person in a photo: whoever stands out most, or who is at a point or in a box.

    Parameters:
        photo: the photo.
        x: a point on the person, in shares of the width.
        y: the same point, in shares of the height.
        box: x0, y0, x1, y1 around the person, in shares of the picture.
    Returns:
        The mask as PNG, at the photo's size.
    """
    original = _read(photo)
    if box is not None:
        mask = prompts.subject(original.pixels, Prompt.from_dict({"kind": "box", "points": [box[:2], box[2:]]}), None)
    elif x is not None or y is not None:
        mask = prompts.subject(original.pixels, Prompt.from_dict({"kind": "click", "points": [[x, y]]}), None)
    else:
        mask = _subject(original)
    return _mask_png(_folder() / f"{Path(_name(photo)).stem}-mask.png", mask)


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


def replay(recipe: FileData, photo: FileData, person: FileData | None = None) -> FileData:
    """Do again what a recipe says.

    Parameters:
        recipe: the JSON that harmonize or the studio wrote.
        photo: the composite, or the background of a recipe that pastes a person.
        person: the picture of the person, for a recipe that pastes one.
    Returns:
        The harmonized photo.
    """
    original = _read(photo)
    path = _folder() / f"{Path(_name(photo)).stem}-harmonized{original.ending}"
    result = Recipe.load(_path(recipe)).replay(original, None if person is None else _read(person))
    write_photo(result, path)
    return as_file(path)


def _in_turn(function: Callable) -> Callable:
    """The function as its callers have it: done in the turn of their kind, with its errors as sentences."""

    @functools.wraps(function)
    async def call(*arguments):
        caller = CALLER.get()

        async def do():
            with caller.work.places.take(caller.client):
                return await caller.work.run(functools.partial(function, *arguments))

        try:
            return await caller.work.answer(do(), caller.gone())
        except Refusal as refusal:
            raise gr.Error(str(refusal), print_exception=False) from None
        except Exception as error:
            raise gr.Error(explained(error, function.__name__), print_exception=False) from None

    return call


def as_file(path: Path) -> dict:
    """A file as Gradio hands it out."""
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def _path(file: FileData) -> str:
    if not isinstance(file, dict) or not isinstance(file.get("path"), str):
        raise InputError(f"expected an uploaded file, got {str(file)[:40]!r}")
    return file["path"]  # an upload or a result: closed_gradio lets nothing else through


def _read(file: FileData) -> Photo:
    return read_photo_confined(_path(file), MAX_BYTES, MAX_PIXELS)


def _name(file: FileData) -> str:
    return Path(str(file.get("orig_name") or file["path"])).name[:100]


def _folder() -> Path:
    """A new folder in Gradio's cache, swept with it."""
    folder = Path(get_upload_folder()) / f"api-{secrets.token_urlsafe(16)}"
    folder.mkdir(parents=True, mode=0o700)
    return folder


def _suggested(photo: Photo, mask: np.ndarray) -> list:
    small = small_copy(photo.pixels)
    return suggestions("photo", small, as_mask(mask, small.shape, "foreground"))


def _subject(photo: Photo) -> np.ndarray:
    mask = find_person(photo.pixels)
    if mask is None:
        raise InputError("nobody was found in the photo: a point or a box on the person may say more")
    return mask


def _pixel_box(box: list[float], photo: Photo) -> tuple[float, float, float, float]:
    height, width = photo.pixels.shape[:2]
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(side, int | float) for side in box):
        raise InputError(f"expected a box x0, y0, x1, y1 in shares of the picture, got {str(box)[:40]}")
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height


def _mask_png(path: Path, mask: np.ndarray) -> dict:
    write_png(path, np.repeat(np.rint(mask * 255).astype(np.uint8)[..., None], 3, axis=2))
    return as_file(path)
