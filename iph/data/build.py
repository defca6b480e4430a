"""The IntHarmony builder: photos with instances in, a folder of composites with a manifest out (paper Sec. 3).

Every composite depends on the seed and its photo's id alone, so neither the number of processes nor an interruption
changes what is built. Rows are noted in ``manifest.partial.csv`` as they are finished; the next run goes on from there.
Training composites are JPEG (quality 95, full colour resolution), those of other splits lossless PNG.
"""

import hashlib
import os
import signal
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from iph.cube import Cube
from iph.data.composites import draw_composite
from iph.data.luts import load_folder
from iph.data.manifest import NAME, Entry, read_interrupted, row_writer, write_manifest, write_rows
from iph.data.pictures import make_folders, write_composite
from iph.data.sources import Source
from iph.errors import InputError
from iph.files import read_json, write_json

JOURNAL = "manifest.partial.csv"
SETTINGS = "build.json"


@dataclass(frozen=True)
class BuildSettings:
    """``people``: foreground and reference are two people, photos with fewer are left out (the portrait stage).

    luts: a folder of film looks, for the training split only; half of the LUT looks come from it.
    """

    out: Path
    seed: int = 0
    people: bool = False
    luts: Path | None = None
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass
class BuildReport:
    """``built`` in this run, ``kept`` of earlier ones, ``unfit`` photos without two people, and failures by photo."""

    built: int = 0
    kept: int = 0
    unfit: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def build(sources: Sequence[Source], settings: BuildSettings) -> BuildReport:
    """Build or go on building; a photo that fails is reported and the others are finished. InputError for settings."""
    out = settings.out
    film_luts = load_folder(settings.luts) if settings.luts else []
    _claim(out, sources, settings, film_luts)
    done = _noted(out)
    todo = [source for source in sources if source.record.id not in done]
    report = BuildReport(kept=len(sources) - len(todo))
    with (
        open(out / JOURNAL, "a", newline="", encoding="utf-8") as journal,
        tqdm(total=len(sources), initial=report.kept, desc=out.name, unit="photo", disable=None) as bar,
    ):
        writer = row_writer(journal)
        for source, outcome in _each(todo, settings, film_luts):
            bar.update()
            if isinstance(outcome, Entry):
                writer.writerow(vars(outcome))
                journal.flush()
                done[outcome.id] = outcome
                report.built += 1
            elif outcome is None:
                report.unfit += 1
            else:
                report.failures[source.record.id] = outcome
    if not done:
        first = next((f"; the first: {sentence}" for sentence in report.failures.values()), "")
        raise InputError(f"expected at least one photo that can be used, got {len(sources)} that cannot{first}")
    write_manifest(out, done.values())
    (out / JOURNAL).unlink()
    return report


def _claim(out: Path, sources: Sequence[Source], settings: BuildSettings, film_luts: Sequence[Cube]) -> None:
    """Make the folder, or check that what it holds was built with the same settings."""
    wanted = {"seed": settings.seed, "people": settings.people, "film looks": _digest(film_luts)}
    for source in sources:
        if Path(source.record.id).name != source.record.id:
            raise InputError(f"expected photo ids that can name a file, got {source.record.id!r}")
    make_folders(out)
    path = out / SETTINGS
    if not path.is_file():
        write_json(path, wanted)
        return
    found = read_json(path)
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    if differing:
        name = differing[0]
        raise InputError(
            f"expected to go on with {name} {found.get(name)}, with which {out} was begun, got {wanted[name]}; "
            "take the same, or another folder"
        )


def _digest(film_luts: Sequence[Cube]) -> str:
    """Tells one set of film looks from another; "none" for none."""
    digest = hashlib.sha256()
    for look in film_luts:
        digest.update(look.table.tobytes())
    return digest.hexdigest()[:8] if film_luts else "none"


def _noted(out: Path) -> dict[str, Entry]:
    """What earlier runs finished, by id; afterwards the journal holds exactly that."""
    journal = out / JOURNAL
    path = journal if journal.is_file() else out / NAME
    entries = read_interrupted(path) if path.is_file() else []
    write_rows(journal, entries)
    return {entry.id: entry for entry in entries}


Outcome = Entry | str | None  # a finished row, the sentence of a failure, or a photo without two people


def _each(
    todo: Sequence[Source], settings: BuildSettings, film_luts: Sequence[Cube]
) -> Iterator[tuple[Source, Outcome]]:
    """The outcomes as they come, from one process or several."""
    one = partial(_outcome, settings, film_luts)
    workers = min(settings.workers, len(todo))
    if workers <= 1:
        yield from ((source, one(source)) for source in todo)
        return
    with ProcessPoolExecutor(workers, _process_start(), _prepare, (one,)) as pool:
        rest = iter(todo)
        running = {pool.submit(_work, source): source for source in islice(rest, 4 * workers)}
        try:
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
                running |= {pool.submit(_work, source): source for source in islice(rest, len(finished))}
        except BrokenProcessPool:
            raise InputError("a process died, perhaps for want of memory; run again to go on from here") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _process_start() -> BaseContext:
    """Processes that inherit no threads, and where the system can, no second import of everything."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


_one: Callable[[Source], Outcome]


def _prepare(one: Callable[[Source], Outcome]) -> None:
    global _one
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    cv2.setNumThreads(1)  # the processes share the machine already
    _one = one


def _work(source: Source) -> Outcome:
    return _one(source)


def _outcome(settings: BuildSettings, film_luts: Sequence[Cube], source: Source) -> Outcome:
    try:
        return _build_one(source, settings, film_luts if source.split == "train" else ())
    except InputError as error:
        return str(error)
    except Exception as error:  # whatever a strange annotation makes its reader raise
        return f"{type(error).__name__}: {error}"


def _build_one(source: Source, settings: BuildSettings, film_luts: Sequence[Cube]) -> Outcome:
    record = source.record
    image, masks = record.read_image(), record.read_masks()
    if masks.shape[1:] != image.shape[:2]:
        raise InputError(f"expected masks of {record.id} of shape {image.shape[:2]}, got {masks.shape[1:]}")
    if settings.people:
        masks = masks[np.array(record.persons, bool)]
    seed = [settings.seed, zlib.crc32(record.id.encode())]
    composed = draw_composite(image, masks, np.random.default_rng(seed), film_luts)
    if settings.people and composed.subset != "instance":
        return None
    paths = write_composite(settings.out, record.id, composed, ".jpg" if source.split == "train" else ".png")
    return Entry(
        record.id,
        **paths,
        split=source.split,
        subset=composed.subset,
        photo=record.id,
        look=composed.look,
        seed=f"{seed[0]} {seed[1]}",
    )
