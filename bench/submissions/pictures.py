"""A submission of pictures: a folder or an archive with ``method.toml``, measured here, so that its row is *measured*.

All is measured before anything is written: a submission that fails on one image changes nothing.
"""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from bench.evaluation import runner
from bench.evaluation.evaluate import Outcome
from bench.evaluation.request import RunRequest, plan
from bench.evaluation.store import SUBMITTED, Store, make_folder
from bench.methods import METHODS
from bench.methods.method_card import CARD, PictureCard, read_card
from bench.submissions.archive import opened
from bench.submissions.history import Event, present, take_in
from iph.errors import InputError

Progress = Callable[[Iterable[Outcome], int], Iterable[Outcome]]


def add_pictures(
    path: Path,
    results: Path,
    root: Path | None = None,
    execute: runner.Execute | None = None,
    progress: Progress = lambda outcomes, total: outcomes,
) -> tuple[PictureCard, Event]:
    """Measure what lies at ``path`` and take it into ``results``. ``root`` is where its data set lies.

    Raises InputError, and changes nothing, for an archive that is refused, a card or pictures that are wrong, a name
    that is taken, and a data set of another version than the one in ``results``.
    """
    with opened(path) as folder, TemporaryDirectory() as scratch:
        card = read_card(folder / CARD, PictureCard)
        if card is None:
            raise InputError(f"expected {CARD} beside the pictures in {path}, found none; bench/README.md shows one")
        request = RunRequest(
            card.dataset,
            Path(scratch),
            root=root,
            methods=("none",),
            predictions=(f"{card.name}={folder}",),
            protocol=card.protocol,
            size=card.size,
            keep_pictures=card.dataset == "sample",
        )
        found = plan(request)
        store = Store(results, found.whole.name)
        _check_name(card, path, store)
        _check_data(found.whole.content_hash(), path, store)
        summary = runner.run(found, execute or runner.local(1), progress)
        if summary.stopped:
            raise KeyboardInterrupt
        if summary.failures:
            raise InputError(
                f"expected an answer for each image in {path}, and nothing was changed, but {summary.what_failed()}"
            )
        made = found.store
        make_folder(store.folder)
        meta, before = made.read_meta(), store.read_meta()
        about = meta.pop("methods")[card.name] | {"note": card.note}
        store.write_meta(meta | before | {"protocols": meta["protocols"] | before.get("protocols", {})})
        event = take_in(store, made.read(), about)
        if (kept := made.folder / "pictures" / card.name).is_dir():
            shutil.rmtree(store.folder / "pictures" / card.name, ignore_errors=True)
            shutil.copytree(kept, store.folder / "pictures" / card.name)
    return card, event


def _check_name(card: PictureCard, path: Path, store: Store) -> None:
    """A name belongs to who submitted it: neither to this benchmark's methods nor to what else was measured here."""
    rows = store.read() if store.folder.is_dir() else pd.DataFrame(columns=["method", "code"])
    measured = rows.loc[rows["code"] != SUBMITTED, "method"]
    if card.name in METHODS or (card.name in set(measured) and card.name not in present(store)):
        raise InputError(f"expected a new method name in {path}, but {card.name!r} is measured here")


def _check_data(content: str, path: Path, store: Store) -> None:
    there = set(store.read()["dataset_hash"]) if store.folder.is_dir() else set()
    if there and content not in there:
        raise InputError(
            f"expected the data set that {store.folder} is about ({', '.join(sorted(there))}) to measure {path} on, "
            f"but this one is {content}"
        )
