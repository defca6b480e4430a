"""Votes of other systems in this package's raw form.

Chatbot Arena: the released tables (``model_a, model_b, winner``; lmsys/chatbot_arena_conversations and
lmarena-ai/arena-human-preference-140k), the Kaggle table with ``winner_model_a, winner_model_b, winner_tie``, and
FastChat's own log (``type: leftvote …, models``). pwcmp (Perez-Ortiz & Mantiuk): ``observer, condition_A, condition_B,
is_A_selected`` (or ``selected_A``) with an optional ``scene``.
"""

import json

import pandas as pd

from userstudy.errors import InputError
from userstudy.scores.counts import require_columns

UNNAMED = "unnamed"  # the item of votes whose table names none
ARENA_CHOICES = {
    **{"model_a": "left", "model_b": "right", "tie": "tie", "tie (bothbad)": "both_bad", "both_bad": "both_bad"},
    **{"leftvote": "left", "rightvote": "right", "tievote": "tie", "bothbad_vote": "both_bad"},
}
ONE_HOT = {"winner_model_a": "model_a", "winner_model_b": "model_b", "winner_tie": "tie"}


def from_arena(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Battles as votes: model_a left, model_b right. Battles in which the names were known are left out and counted.

    Voters are told apart by ``judge``, ``user_id`` or ``ip`` where there is one, and numbered, so that no address or
    account gets into the result; a battle that names no voter is a rater of its own.
    """
    remarks: list[str] = []
    table = table.reset_index(drop=True)
    if "models" in table or ("type" in table and "winner" not in table):
        table = _log_as_battles(table, remarks)
    elif set(ONE_HOT) <= set(table.columns):
        hot = table[list(ONE_HOT)].apply(pd.to_numeric, errors="coerce").fillna(0)
        table = table.assign(winner=hot.idxmax(axis=1).map(ONE_HOT).where(hot.max(axis=1) > 0))
    if "winner" not in table:
        raise InputError("expected a column 'winner' (or winner_model_a, …) in an arena table")
    if lacking := [name for name in ("model_a", "model_b") if name not in table]:
        raise InputError(f"expected a column {lacking[0]!r} in an arena table, got {', '.join(map(str, table))}")
    if "anony" in table:
        blind = table["anony"].map(lambda said: str(said).lower() not in ("false", "0", "0.0"))
        table = _kept(table, blind, "votes with the models' names in sight were left out", remarks)
    whole = ~(empty(table["winner"]) | empty(table["model_a"]) | empty(table["model_b"]))
    table = _kept(table, whole, "votes without a winner or a model were left out", remarks)
    unknown = set(map(str, table["winner"])) - set(ARENA_CHOICES)
    if unknown:
        raise InputError(f"expected winners among {', '.join(ARENA_CHOICES)}, got {sorted(unknown)[0]!r}")
    table = _of_two(table, "model_a", "model_b", remarks)
    voter = next((table[name] for name in ("judge", "user_id", "ip") if name in table), pd.Series(None, table.index))
    nobody = empty(voter)
    if nobody.any():
        remarks.append(f"{int(nobody.sum())} votes name no voter; each is taken as a rater of its own")
    # A tuple is no voter's name, so each of these rows keeps apart from all others.
    known = pd.Series([(row,) if nobody.iloc[row] else name for row, name in enumerate(voter)], dtype=object)
    rater = [f"voter-{number}" for number in pd.factorize(known)[0]]
    item = next((table[name] for name in ("question_id", "id", "conversation_id") if name in table), None)
    times = next((_times(table[name], remarks) for name in ("tstamp", "timestamp") if name in table), None)
    return _raw(table["model_a"], table["model_b"], table["winner"].map(ARENA_CHOICES), rater, item, times), remarks


def from_pwcmp(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Condition A left, condition B right; ``scene`` or ``group`` is the picture."""
    require_columns(table, ("observer", "condition_A", "condition_B"))
    remarks: list[str] = []
    selected = next((table[name] for name in ("is_A_selected", "selected_A") if name in table), None)
    if selected is None:
        raise InputError(f"expected a column is_A_selected or selected_A, got {', '.join(table.columns)}")
    wrong = table[~selected.isin((0, 1))]
    if len(wrong):
        raise InputError(
            f"expected 0 or 1 in {selected.name!r}, got {selected[wrong.index[0]]} in row {wrong.index[0]}"
        )
    table = _of_two(table.assign(choice=selected.map({1: "left", 0: "right"})), "condition_A", "condition_B", remarks)
    item = next((table[name] for name in ("scene", "group") if name in table), None)
    rater = table["observer"].astype(str)
    return _raw(table["condition_A"], table["condition_B"], table["choice"], rater, item, None), remarks


def empty(column: pd.Series) -> pd.Series:
    """Bool for each row: it holds nothing, or a text of no length."""
    return column.isna() | (column.astype(object) == "")


def _log_as_battles(log: pd.DataFrame, remarks: list[str]) -> pd.DataFrame:
    """The votes of FastChat's log; ``models`` are named in it, or in its states where the battle was blind."""
    if "type" not in log:
        raise InputError(f"expected a column 'type' in an arena log, got {', '.join(map(str, log.columns))}")
    log = _kept(log, log["type"].isin(ARENA_CHOICES), "log lines that are no votes were left out", remarks)
    nothing = pd.Series(None, log.index, dtype=object)
    names = [_names(models) for models in log.get("models", nothing)]
    states = [_names(given, "model_name") for given in log.get("states", nothing)]
    battles = [shown if all(shown) else behind for shown, behind in zip(names, states, strict=True)]
    named = [all(shown) for shown in names]
    left, right = ([battle[side] for battle in battles] for side in (0, 1))
    return log.assign(winner=log["type"], model_a=left, model_b=right, anony=[not known for known in named])


def _names(given: object, key: str | None = None) -> tuple[str | None, str | None]:
    """The two names in a cell of a log, or what ``key`` holds in each of its two mappings; None where there is none."""
    if not isinstance(given, list | tuple) or len(given) != 2:
        return None, None
    found = given if key is None else [one.get(key) if isinstance(one, dict) else None for one in given]
    return tuple(name if isinstance(name, str) and name else None for name in found)


def _kept(table: pd.DataFrame, keep: pd.Series, said: str, remarks: list[str]) -> pd.DataFrame:
    """The rows to ``keep``; how many go is a remark. InputError where none stays."""
    if not keep.all():
        remarks.append(f"{int((~keep).sum())} {said}")
    if not keep.any():
        raise InputError(f"expected at least one vote that can be counted, got none: {'; '.join(remarks) or 'no rows'}")
    return table[keep]


def _of_two(table: pd.DataFrame, left: str, right: str, remarks: list[str]) -> pd.DataFrame:
    other = table[left].astype(str) != table[right].astype(str)
    return _kept(table, other, "votes between a method and itself were left out", remarks)


def _times(column: pd.Series, remarks: list[str]) -> pd.Series:
    """Times in UTC: seconds, milli-, micro- or nanoseconds since 1970, or text; others are missing, and counted."""
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    if numbers.notna().any():
        usual = numbers.abs().median()
        unit = next((unit for unit, least in (("ns", 1e17), ("us", 1e14), ("ms", 1e11)) if usual >= least), "s")
        times = pd.to_datetime(numbers, unit=unit, utc=True, errors="coerce")
    else:
        times = pd.to_datetime(column.astype(object), utc=True, errors="coerce", format="ISO8601")
    if lost := int((times.isna() & ~empty(column)).sum()):
        remarks.append(f"{lost} times cannot be read and were left out; their votes count")
    return times


def _raw(left: pd.Series, right: pd.Series, choice: pd.Series, rater, item, times) -> pd.DataFrame:
    """A raw table of first revisions of normal pairs."""
    frame = pd.DataFrame({"rater": rater, "choice": choice})
    frame["trial"] = frame.groupby("rater").cumcount()
    frame["item"] = UNNAMED if item is None else item.astype(object).mask(empty(item), UNNAMED).astype(str)
    frame["shown"] = [json.dumps(pair) for pair in zip(left.astype(str), right.astype(str), strict=True)]
    frame["timestamp"] = times if times is not None else pd.NaT
    frame["request_id"] = "import-" + frame["trial"].astype(str)
    constants = dict(origin="import", simulated=False, excluded=None, revision=1, task="pair", kind="normal")
    return frame.assign(**constants, ranks=None, expected=None, seconds=float("nan"))
