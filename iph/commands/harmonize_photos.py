"""The work of ``iph harmonize``: photos read, harmonized by the network or by a recipe, written, and told about."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from iph.adjustments import Adjustments
from iph.commands.folders import PhotoTask, same_named, why_not
from iph.commands.regions import Foreground, Pointing, recorded, share
from iph.errors import InputError
from iph.harmonizer import load
from iph.images.imagefile import read_photo, write_photo
from iph.images.photo import Photo
from iph.recipe import Recipe


@dataclass(frozen=True)
class Made:
    """A harmonized photo, its recipe, and what is worth saying about how it came about."""

    photo: Photo
    recipe: Recipe
    about: dict


Make = Callable[[Path, Photo], Made]  # of a photo and the path that it was read from


def harmonizing(
    subject: Foreground,
    pointing: Pointing,
    model: str,
    amounts: dict[str, float],
    codes: dict[str, float],
    adjustments: dict[str, float],
) -> Make:
    """Ask the network. ``amounts`` are those of ``Session.render``, ``codes`` those of ``Session.fit_mapping``,
    ``adjustments`` those by hand."""
    by_hand = Adjustments(**adjustments)
    subject.given()
    pointing.check()
    harmonizer = load(model)

    def make(path: Path, photo: Photo) -> Made:
        foreground = subject.read(photo, path)
        references = pointing.read(photo, path, foreground)
        session = harmonizer.open(photo.pixels, foreground, alpha=photo.alpha, icc=photo.icc)
        mapping = session.adjusted(session.fit_mapping(references, **codes), by_hand)
        shares = [{"weight": r.weight, "share": 1.0 if r.mask is None else share(r.mask)} for r in references]
        notes = ("It is grey, and stays so: only its brightness was changed.",) if session.is_grey else ()
        about = {"notes": notes, "model": model, "foreground_share": share(foreground), "references": shares}
        region = recorded(references)
        del references  # at 12 MP a mask takes 48 MB, and the photo is copied now
        result = session.render(mapping, **amounts)
        names = {"image": path.name}
        if pointing.image is not None:
            names["reference_image"] = same_named(pointing.image, path).name
        recipe = Recipe(mapping, foreground, **amounts, **codes, reference=region, names=names, model=model)
        return Made(photo.with_pixels(result.image), recipe, about)

    return make


def replaying(
    recipe: Recipe,
    subject: Foreground,
    pointing: Pointing,
    people: list[Path],
    amounts: dict[str, float],
    adjustments: dict[str, float],
) -> Make:
    """Do what a recipe says, with other ``amounts`` and ``adjustments`` if given; to another subject, only its look."""
    if pointing != Pointing():
        raise InputError("expected no reference beside --recipe: the recipe holds the look already")
    recipe = _retouched(recipe, amounts, adjustments)
    other_subject = bool(subject.given())
    if other_subject and people:
        raise InputError("expected --person or another foreground beside --recipe, got both")

    def make(path: Path, photo: Photo) -> Made:
        used = recipe.look_on(subject.read(photo, path)) if other_subject else recipe
        pasted = [read_photo(person) for person in people]
        done = replace(used, names=used.names | {"image": path.name})
        return Made(used.replay(photo, pasted), done, {"model": used.model})

    return make


def _retouched(recipe: Recipe, amounts: dict[str, float], adjustments: dict[str, float]) -> Recipe:
    """A recipe with other amounts and adjustments for everybody."""
    by_hand = replace(recipe.mapping.adjustments, **adjustments)
    above = tuple(_retouched(one, amounts, adjustments) for one in recipe.above)
    return replace(recipe, mapping=recipe.mapping.adjusted(by_hand), above=above, **amounts)


def make_one(job: PhotoTask, make: Make, cube_size: int, as_json: bool) -> None:
    """Do one photo and say so on stdout. Raises InputError, which ``as_json`` says there too."""
    try:
        done = _run(job, make, cube_size)
    except InputError as error:
        if as_json:
            print(json.dumps({"input": str(job.source), "ok": False, "error": str(error)}))
        raise
    print(json.dumps(done) if as_json else _sentence(done))


def make_all(jobs: list[PhotoTask], make: Make, cube_size: int, as_json: bool) -> int:
    """Do every photo of a folder, whatever happens to one of them; 1 if something did, else 0."""
    failed = 0
    for job in tqdm(jobs, desc="harmonizing", unit="photo", disable=None):
        try:
            done = _run(job, make, cube_size)
        except Exception as error:
            failed += 1
            sentence = why_not(error)
            done = {"input": str(job.source), "ok": False, "error": sentence}
            tqdm.write(f"iph: {job.source.name}: {sentence}", file=sys.stderr)
        if as_json:
            print(json.dumps(done), flush=True)
            continue
        for note in done.get("notes", ()):
            tqdm.write(f"iph: {job.source.name}: {note}", file=sys.stderr)
    if not as_json:
        print(f"{len(jobs) - failed} of {len(jobs)} photos harmonized")
    return int(failed > 0)


def _run(job: PhotoTask, make: Make, cube_size: int) -> dict:
    """Do one photo; what happened, for JSON."""
    began = time.monotonic()
    photo = read_photo(job.source)
    made = make(job.source, photo)
    (height, width), bits, icc, notes = photo.pixels.shape[:2], 8 * photo.pixels.itemsize, photo.icc, photo.notes
    del photo  # whose pixels need the memory that an encoder takes
    if job.out is not None:
        write_photo(made.photo, job.out)
    if job.cube is not None:
        made.recipe.change.save_cube(job.cube, cube_size, icc=icc)
    if job.recipe is not None:
        made.recipe.save(job.recipe)
    results = {name: str(path) for name in ("out", "cube", "recipe") if (path := getattr(job, name)) is not None}
    amounts = {name: getattr(made.recipe, name) for name in ("strength", "luminance", "chroma")}
    return {
        "input": str(job.source),
        "ok": True,
        **results,
        "width": width,
        "height": height,
        "bits": bits,
        **made.about,
        **amounts,
        "notes": [*notes, *made.about.get("notes", ())],
        "seconds": round(time.monotonic() - began, 3),
    }


def _sentence(done: dict) -> str:
    written = " and ".join(done[name] for name in ("out", "cube", "recipe") if name in done)
    notes = "".join(f" ({note})" for note in done["notes"])
    return f"{written}: {done['width']} x {done['height']}, {done['seconds']:.1f} s{notes}"
