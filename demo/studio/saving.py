"""From a project to files: the recipe of what was done, and what comes out when it is replayed on the originals."""

from dataclasses import replace
from pathlib import Path

from demo.studio.project import Project
from demo.studio.scene import MODEL
from demo.studio.served_pictures import write_png
from demo.studio.work.history import Choices
from demo.work_queue import go_on
from iph.errors import InputError
from iph.images.imagefile import write_photo
from iph.layers import before_and_after, in_16_bits, parts_of, parts_of_all, save_layers
from iph.masks import marks_from_photo
from iph.recipe import Recipe

FORMATS = {"own": "", "jpeg": ".jpg", "png": ".png", "webp": ".webp", "tiff16": ".tif"}
WHATS = {  # what is added to the photo's name
    "photo": ("-harmonized", ""),
    "cube": ("-harmonized", ".cube"),
    "recipe": ("-harmonized", ".json"),
    "layers": ("-layers", ".psd"),
    "person": ("-person", ".png"),
    "mask": ("-mask", ".png"),
    "both": ("-before-after", ".jpg"),
}


def recipe_of(project: Project) -> Recipe:
    """All of it, everybody who is shown, ready to be replayed on the originals. Raises InputError as long as there is
    no result."""
    if project.mapping is None:
        raise InputError("there is no result yet: a photo, a person in it and a reference were expected")
    people = project.shown
    if not people:
        raise InputError("everybody is hidden: expected somebody to be shown")
    lowest, *above = (_recipe_of(project, person) for person in people)
    return replace(lowest, above=tuple(above))


def _recipe_of(project: Project, person: Choices) -> Recipe:
    """What was done to one person."""
    foreground = person.foreground
    if not person.found:
        mask, shape = project.work.pictures.get("mask"), project.base.size[::-1]
        foreground = None if mask is None else marks_from_photo(mask.photo(), shape)[0]
    names = {"image": project.base, "person": person.picture}
    names["reference_image"] = person.other if person.elsewhere and not person.look else None
    return Recipe(
        project.adjusted_of(person),
        foreground,
        **vars(person.amounts),
        **vars(person.transfer),
        placement=person.placement,
        reference=None if person.look else person.region,
        edge=person.edge,
        names={role: picture.path.name for role, picture in names.items() if picture is not None},
        model=MODEL,
    )


def save(project: Project, what: str, folder: Path, kind: str = "own", quality: int | None = None) -> Path:
    """Write one of ``WHATS`` at full size into a folder; "cube", "person" and "mask" are the active person's.

    kind: for the "photo", one of ``FORMATS``; quality: 1 to 100 for JPEG and WebP, None for that of the original or
    else a high one.
    """
    if what not in WHATS:
        raise InputError(f"expected one of {', '.join(WHATS)}, got {str(what)[:20]!r}")
    if kind not in FORMATS:
        raise InputError(f"expected one of the formats {', '.join(FORMATS)}, got {str(kind)[:20]!r}")
    alone = what in ("cube", "person", "mask")
    recipe = _recipe_of(project, project.choices) if alone and project.mapping is not None else recipe_of(project)
    add, ending = WHATS[what]
    if what == "photo":
        ending = FORMATS[kind] or project.base.ending
    path = folder / f"{project.base.path.stem}{add}{ending}"
    if what == "recipe":
        recipe.save(path)
        return path
    base = project.base.photo()
    if what == "cube":
        recipe.change.save_cube(path, title=path.stem, icc=base.icc)
        return path
    people = [project.choices] if alone else project.shown
    people = [person.picture.photo() for person in people if person.picture is not None]
    go_on()
    if what == "photo":
        result = recipe.replay(in_16_bits(base) if kind == "tiff16" else base, people)
        go_on()
        write_photo(result, path, quality)
    elif what == "both":
        before = recipe.pasted(base, people)
        go_on()
        write_photo(before_and_after(before, recipe.replay(base, people)), path)
    elif what == "layers":
        save_layers(parts_of_all(recipe, base, people), path)
    else:
        parts = parts_of(recipe, base, *people)
        go_on()
        if what == "person":
            write_photo(parts.person, path)
        else:
            write_png(path, parts.whole_mask[..., None].repeat(3, axis=2))
    return path
