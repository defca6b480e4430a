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
    remarks = []
    if "models" in table:
        votes = table["type"].isin(ARENA_CHOICES)
        if not votes.all():
            remarks.append(f"{int((~votes).sum())} log lines that are no votes were left out")
        table = table[votes].assign(winner=table["type"])
        # A blind battle's log names the models only in its states.
        named = table["models"].map(lambda names: all(names))
        models = table.apply(_models_of, axis=1, result_type="expand")
        table = table.assign(model_a=models[0], model_b=models[1], anony=~named)
    elif set(ONE_HOT) <= set(table.columns):
        table = table.assign(winner=table[list(ONE_HOT)].idxmax(axis=1).map(ONE_HOT))
    if "winner" not in table:
        raise InputError("expected a column 'winner' (or winner_model_a, …) in an arena table")
    if "anony" in table:
        blind = table["anony"].astype(bool)
        if not blind.all():
            remarks.append(f"{int((~blind).sum())} votes with the models' names in sight were left out")
        table = table[blind]
    unknown = set(table["winner"]) - set(ARENA_CHOICES)
    if unknown:
        raise InputError(f"expected winners among {', '.join(ARENA_CHOICES)}, got {sorted(map(str, unknown))[0]!r}")
    require_columns(table, ("model_a", "model_b"))
    voter = next((table[name] for name in ("judge", "user_id", "ip") if name in table), pd.Series(None, table.index))
    nobody = empty(voter)
    if nobody.any():
        remarks.append(f"{int(nobody.sum())} votes name no voter; each is taken as a rater of its own")
    # A tuple is no voter's name, so each of these rows keeps apart from all others.
    known = pd.Series([(row,) if nobody.iloc[row] else name for row, name in enumerate(voter)], dtype=object)
    rater = [f"voter-{number}" for number in pd.factorize(known)[0]]
    item = next((table[name] for name in ("question_id", "id", "conversation_id") if name in table), None)
    times = pd.to_datetime(table["tstamp"], unit="s", utc=True) if "tstamp" in table else table.get("timestamp")
    return _raw(table["model_a"], table["model_b"], table["winner"].map(ARENA_CHOICES), rater, item, times), remarks


def from_pwcmp(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Condition A left, condition B right; ``scene`` or ``group`` is the picture."""
    require_columns(table, ("observer", "condition_A", "condition_B"))
    selected = next((table[name] for name in ("is_A_selected", "selected_A") if name in table), None)
    if selected is None:
        raise InputError(f"expected a column is_A_selected or selected_A, got {', '.join(table.columns)}")
    wrong = table[~selected.isin((0, 1))]
    if len(wrong):
        raise InputError(
            f"expected 0 or 1 in {selected.name!r}, got {selected[wrong.index[0]]} in row {wrong.index[0]}"
        )
    item = next((table[name] for name in ("scene", "group") if name in table), None)
    choice = selected.map({1: "left", 0: "right"})
    return _raw(table["condition_A"], table["condition_B"], choice, table["observer"].astype(str), item, None), []


def empty(column: pd.Series) -> pd.Series:
    """Bool for each row: it holds nothing, or a text of no length."""
    return column.isna() | (column.astype(object) == "")


def _models_of(row: pd.Series) -> tuple[str, str]:
    names = row["models"]
    if not all(names):
        names = [state["model_name"] for state in row["states"]]
    return tuple(names)


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
