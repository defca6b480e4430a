"""A set in the forms of other tools, beside its manifest: a Hugging Face data-set card (``README.md``), whose head
leads ``datasets.load_dataset`` to ``metadata.jsonl``, and MLCommons Croissant 1.0 (``croissant.json``).

Nothing is uploaded. All rows are of the split that is measured, ``test``.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from bench.datasets.catalogue import KnownDataset
from iph.data.manifest import COLUMNS, NAME, ROLES, Entry
from iph.files import replacing

CARD, ROWS, CROISSANT = "README.md", "metadata.jsonl", "croissant.json"
_CONTEXT = Path(__file__).with_name("croissant_context.json")  # the specification's own
WHAT = {
    "id": "a name, unique",
    "composite": "what a method is given",
    "foreground": "the mask of where it was changed",
    "reference": "the mask of the region whose look is the right one",
    "target": "the photo as it was",
    "subset": "a word for breakdowns",
    "photo": "the photo that the composite was made from",
    "look": "the change that was put on the foreground",
    "seed": "what the change was drawn from",
}


def write_usual_forms(folder: Path, about: KnownDataset, entries: Sequence[Entry]) -> None:
    """Write the three files into ``folder``, where ``manifest.csv`` lists ``entries``."""
    columns = [name for name in WHAT if any(getattr(entry, name) for entry in entries)]
    texts = {
        CARD: _card(folder.name, about, entries, columns),
        ROWS: rows(entries, columns),
        CROISSANT: croissant(folder, about, [name for name in COLUMNS if name in columns]),
    }
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def rows(entries: Sequence[Entry], columns: Sequence[str]) -> str:
    """``metadata.jsonl``: a picture's column is called ``<role>_file_name``, which loads as an image of that role."""
    keys = {f"{name}_file_name" if name in ROLES else name: name for name in columns}
    lines = [{key: getattr(entry, name) or None for key, name in keys.items()} for entry in entries]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def card_head(title: str, licence: dict, roles: Sequence[str]) -> str:
    """The card's YAML, which is JSON where it can be: what the set is, and which files ``datasets`` loads as ``test``.

    Pictures are named beside the rows, or the rows would be read as text.
    """
    files = [ROWS, *(f"{role}s/*" for role in roles)]
    known = {"pretty_name": title, **licence, "task_categories": ["image-to-image"], "tags": ["image-harmonization"]}
    known |= {"configs": [{"config_name": "default", "data_files": [{"split": "test", "path": files}]}]}
    return "---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in known.items()) + "---\n"


def _card(name: str, about: KnownDataset, entries: Sequence[Entry], columns: Sequence[str]) -> str:
    photos = len({entry.photo for entry in entries})
    licence = {"license": "other", "license_name": "by-photo"}
    table = "\n".join(f"| `{column}` | {WHAT[column]} |" for column in columns)
    return f"""{card_head(about.title, licence, [role for role in ROLES if role in columns])}
# {about.title}

{len(entries)} composites of {photos} photos: {about.about}.

Licence: {about.licence}.

| column | what it is |
| --- | --- |
{table}

```python
from datasets import load_dataset

rows = load_dataset("{name}", split="test")  # this folder
```

`{NAME}` says the same for `python -m bench`, `{CROISSANT}` for tools that read Croissant.
"""


def croissant(folder: Path, about: KnownDataset, columns: Sequence[str]) -> str:
    """``croissant.json``: the manifest's ``columns`` as records, and the folders of the pictures that they name."""
    manifest = {
        "@type": "cr:FileObject",
        "@id": NAME,
        "name": NAME,
        "contentUrl": NAME,
        "encodingFormat": "text/csv",
        "sha256": hashlib.sha256((folder / NAME).read_bytes()).hexdigest(),
    }
    pictures = [
        {"@type": "cr:FileSet", "@id": f"{role}s", "name": f"{role}s", "encodingFormat": "image/*"}
        | {"description": WHAT[role], "includes": f"{role}s/*"}
        for role in ROLES
        if role in columns
    ]
    records = [
        {"@type": "cr:Field", "@id": f"rows/{name}", "name": name, "description": WHAT[name], "dataType": "sc:Text"}
        | {"source": {"fileObject": {"@id": NAME}, "extract": {"column": name}}}
        for name in columns
    ]
    content = {
        "@context": json.loads(_CONTEXT.read_text()),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": folder.name,
        "description": f"{about.title}: {about.about}",
        "license": about.licence,
        "distribution": [manifest, *pictures],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "key": {"@id": "rows/id"}}],
    }
    content["recordSet"][0]["field"] = records
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
