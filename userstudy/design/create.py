"""Writes a study file from a template for a folder of pictures, with every method and picture that is there."""

import json
import math
import string
from pathlib import Path

from userstudy.design.pictures import find_pictures
from userstudy.design.study_file import Study, load_study
from userstudy.errors import InputError, nearest

TEMPLATES = Path(__file__).parents[1] / "templates"
PAPER_ITEMS, PAPER_PAIRS, PAPER_RANKS = 15, 30, 3
REPEATS = {"pairs": 2, "paper": 3}  # fewer where a rater judges fewer pairs


def template_names() -> list[str]:
    return sorted(path.stem for path in TEMPLATES.glob("*.toml"))


def create_study(
    folder: Path,
    output: Path,
    template: str = "pairs",
    name: str | None = None,
    items: int | None = None,
    methods: tuple[str, ...] = (),
) -> Study:
    """Writes ``output`` and returns the study, checked. ``folder`` holds a folder per method, or is a results folder.

    No ``methods``: all. The paper's template takes 15 pictures where there are more. Raises InputError rather than
    overwrite a file.
    """
    if template not in template_names():
        known = template_names()
        raise InputError(f"expected a template among {', '.join(known)}, got {template!r}{nearest(template, known)}")
    if items is not None and items < 1:
        raise InputError(f"expected at least one picture to draw, got {items} items")
    if output.exists():
        raise InputError(f"{output} exists already; choose another name or move it away")
    if not output.parent.is_dir():
        raise InputError(f"there is no folder {output.parent} to write {output.name} into")
    folder = folder.resolve()
    inside = folder.is_relative_to(output.parent.resolve())
    shown = folder.relative_to(output.parent.resolve()) if inside else folder
    composite = _composite_folder(folder)
    methods, found, _ = find_pictures(folder, composite, methods, (), seed=0, needs_composite=False)
    if len(methods) < 2:
        raise InputError(f"expected at least two methods to compare in {folder}, got {', '.join(methods) or 'none'}")
    most = min(len(found), PAPER_ITEMS) if template == "paper" else len(found)
    count = most if items is None else items
    compared = len(methods) + (template == "paper")
    per_rater = min(PAPER_PAIRS, count * math.comb(compared, 2))
    text = string.Template((TEMPLATES / f"{template}.toml").read_text(encoding="utf-8")).substitute(
        name=_toml(name or output.stem),
        folder=_toml(shown.as_posix()),
        composite=_toml(composite),
        methods=_toml(methods),
        items=count if count != len(found) else "[]",
        per_rater=per_rater,
        repeats=min(REPEATS[template], per_rater),
        rankings=count,
        ranks=min(PAPER_RANKS, len(methods)),
    )
    output.write_text(text, encoding="utf-8")
    try:
        return load_study(output)
    except InputError:
        output.unlink()
        raise


def _composite_folder(folder: Path) -> str:
    """The composite's folder by its usual name, whatever its case."""
    inner = folder / "pictures" if (folder / "pictures").is_dir() else folder
    names = [path.name for path in inner.iterdir() if path.is_dir()] if inner.is_dir() else []
    return next((name for name in names if name.lower() == "composite"), "composite")


def _toml(value: object) -> str:
    """Texts and lists of texts are written in TOML as in JSON."""
    return json.dumps(value, ensure_ascii=False)
