"""From a project to files: the recipe of what was done, and what comes out when it is replayed on the originals."""

from pathlib import Path

from demo.studio.project import Project
from demo.studio.scene import MODEL
from iph.errors import InputError
from iph.images.imagefile import write_photo
from iph.masks import marks_from_photo
from iph.recipe import Recipe


def recipe_of(project: Project) -> Recipe:
    """All of it, ready to be replayed on the originals. Raises InputError as long as there is no result."""
    if project.mapping is None:
        raise InputError("there is no result yet: a photo, a person in it and a reference were expected")
    now, pictures = project.choices, project.pictures
    foreground = now.foreground
    if not now.found:
        mask, shape = pictures.get("mask"), project.base.size[::-1]
        foreground = None if mask is None else marks_from_photo(mask.photo(), shape)[0]
    names = {"image": project.base, "person": pictures.get("person") if now.placement else None}
    names["reference_image"] = pictures["other"] if now.elsewhere else None
    return Recipe(
        project.mapping,
        foreground,
        **vars(project.amounts),
        placement=now.placement,
        reference=now.region,
        names={role: picture.path.name for role, picture in names.items() if picture is not None},
        model=MODEL,
    )


def save(project: Project, what: str, folder: Path) -> Path:
    """Write the full-size "photo" in its own format, the "cube" or the "recipe" into a folder."""
    endings = {"photo": project.base.ending if project.base else "", "cube": ".cube", "recipe": ".json"}
    if what not in endings:
        raise InputError(f"expected one of {', '.join(endings)}, got {str(what)[:20]!r}")
    recipe = recipe_of(project)
    path = folder / f"{project.base.path.stem}-harmonized{endings[what]}"
    if what == "cube":
        recipe.change.save_cube(path, title=path.stem)
    elif what == "recipe":
        recipe.save(path)
    else:
        person = project.pictures["person"].photo() if recipe.placement else None
        write_photo(recipe.replay(project.base.photo(), person), path)
    return path
