"""What changed from one version of the site to the next: ``data/versions.json``, the newest first.

A site that is built again where one lies knows it by its own data; only what differs makes a new version.
"""

from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from bench.metrics import METRICS
from bench.site.data import BoardData, MethodData
from iph.errors import InputError


class Version(BaseModel):
    """One version: its number, the time of its newest row, and a sentence for every change."""

    number: int
    computed: str
    changes: list[str]


_LIST = TypeAdapter(list[Version])


def versions(out: Path, boards: list[BoardData]) -> list[Version]:
    """The versions of the site in ``out`` with what ``boards`` add. Raises InputError where its data are damaged."""
    path = out / "data/versions.json"
    if not path.exists():
        named = ", ".join(board.name for board in boards)
        return [Version(number=1, computed=_newest(boards), changes=[f"first version: {named}"])]
    try:
        known = _LIST.validate_json(path.read_bytes())
        before = [BoardData.model_validate_json(file.read_bytes()) for file in _data(out)]
    except ValidationError as error:
        raise InputError(
            f"expected the data of an earlier version of this site in {path.parent}, but they are damaged "
            f"({error.title}); remove the folder to begin anew"
        ) from None
    found = changes(before, boards)
    if not found:
        return known
    return [Version(number=known[0].number + 1, computed=_newest(boards), changes=found), *known]


def changes(before: list[BoardData], after: list[BoardData]) -> list[str]:
    """A sentence for every board and method that came, went, or has another number or badge."""
    old, new = ({board.name: board for board in boards} for boards in (before, after))
    said = [f"{name}: new" for name in new if name not in old] + [f"{name}: gone" for name in old if name not in new]
    for name in new.keys() & old.keys():
        if new[name].dataset_hash != old[name].dataset_hash:
            said.append(f"{name}: other pictures, {new[name].dataset_hash} in place of {old[name].dataset_hash}")
        said += [f"{name}: {sentence}" for sentence in _of_board(old[name], new[name])]
    return sorted(said)


def _of_board(old: BoardData, new: BoardData) -> list[str]:
    was, now = ({method.name: method for method in board.methods} for board in (old, new))
    said = [f"{now[name].title} came, {now[name].status}" for name in now if name not in was]
    said += [f"{was[name].title} went" for name in was if name not in now]
    for name in now.keys() & was.keys():
        if now[name].status != was[name].status:
            said.append(f"{now[name].title} is {now[name].status} and no longer {was[name].status}")
        if moved := [text for metric in METRICS if (text := _moved(metric, was[name], now[name]))]:
            said.append(f"{now[name].title} has {'; '.join(moved)}")
    said += [f"{METRICS[metric].title} came" for metric in new.metrics if metric not in old.metrics]
    return said + [f"{METRICS[metric].title} went" for metric in old.metrics if metric not in new.metrics]


def _moved(metric: str, was: MethodData, now: MethodData) -> str | None:
    """As in "PSNR 30.00, was 29.00", where a number that both versions print is another one."""
    if metric not in was.scores or metric not in now.scores:
        return None
    before, after = (METRICS[metric].text(method.scores[metric].mean) for method in (was, now))
    return None if before == after else f"{METRICS[metric].title} {after}, was {before}"


def as_json(found: list[Version]) -> str:
    """The file's text."""
    return _LIST.dump_json(found, indent=1).decode() + "\n"


def _data(out: Path) -> list[Path]:
    return [path for path in sorted((out / "data").glob("*.json")) if path.stem not in ("versions", "schema")]


def _newest(boards: list[BoardData]) -> str:
    return max(board.computed for board in boards)
