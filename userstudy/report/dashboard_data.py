"""What the dashboard shows of a study: ``python -m userstudy.report.dashboard_data OUT``, a process of its own.

The votes named by IPH_STUDY (a study file, a store's URL, an SQLite file, or a file of raw votes) are reduced to one
JSON, and to one table of votes by picture and pair: no page ever holds a vote. The environment names them so that a
database's password is on no command line.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from userstudy.errors import InputError, nearest
from userstudy.report.pair_fits import Options, attempt, bootstrap, fit
from userstudy.report.results import StudyScores, plain
from userstudy.report.study_report import score_study
from userstudy.scores.counts import Counts, count_votes
from userstudy.scores.significance import wilson_interval
from userstudy.votes.store import now
from userstudy.votes.vote_source import SORTS, VotesFile, VoteStore, open_votes

BINS = 60  # of a bootstrap distribution
MOMENTS = 200  # points of the curve of votes over time
REFITS = 50  # flagged raters whose own effect is computed
Z95 = 1.959964  # half a 95 % interval in standard errors, where the bootstrap gives none


def summarize(source: VotesFile | VoteStore, study: str, sort: str | None = None) -> tuple[dict, pd.DataFrame]:
    """The JSON's content and the table of ``item, first, second`` and answers. Raises InputError without votes."""
    fingerprint = source.fingerprint(study)
    sort, counts, pairs, ranked = source.tables(study, sort)
    if pairs.empty and ranked.empty:
        raise InputError(f"expected votes in the study {study}, found none yet")
    options = Options()
    scores = score_study(pairs, ranked, options, simulated=sort == "simulated")
    told = scores.to_dict()
    items = pd.DataFrame(told["pairs"].pop("items") if told["pairs"] else [])
    normal = pairs[pairs["kind"] == "normal"]
    tallied = count_votes(pairs) if len(normal) else None
    about = {
        "study": study,
        "sort": sort,
        "answers": counts,
        "fingerprint": fingerprint,
        "prepared": now(),
        "options": {"bootstraps": options.bootstraps, "seed": options.seed, "alpha": options.alpha},
        "scores": told,
        "scale": scale_rows(scores),
        "bootstrap": _distributions(tallied, options) if tallied and scores.pairs.bootstrap else None,
        "exclusions": _exclusions(tallied, scores, options) if tallied else [],
        "excluded": sorted(source.excluded(study)),  # not the reasons, which are the administrator's own
        "sides": _sides(tallied) if tallied else [],
        "timeline": _timeline(pairs["timestamp"]),
    }
    return plain(about), items


def scale_rows(scores: StudyScores) -> list[dict]:
    """One row a method and scale: score, low and high, from the bootstrap, else from the standard error."""
    rows = []
    for method in scores.pairs.methods if scores.pairs else ():
        for scale, found in (("thurstone", method.thurstone), ("bradley_terry", method.bradley_terry)):
            if found is not None:
                low, high = found.interval or (found.score - Z95 * found.se, found.score + Z95 * found.se)
                how = "bootstrap over raters" if found.interval else "standard error"
                rows.append(dict(method=method.method, scale=scale, score=found.score, low=low, high=high, how=how))
    return rows


def item_scores(items: pd.DataFrame) -> pd.DataFrame:
    """``id, method, score, votes``: the share of decisive votes that a method won on a picture, against any other."""
    sides = [
        items.rename(columns={side: "method", f"{side}_wins": "won", f"{other}_wins": "lost"})
        for side, other in (("first", "second"), ("second", "first"))
    ]
    total = pd.concat(sides).groupby(["item", "method"], as_index=False)[["won", "lost"]].sum()
    total = total.assign(votes=total["won"] + total["lost"]).query("votes > 0")
    return total.assign(score=total["won"] / total["votes"]).rename(columns={"item": "id"})[
        ["id", "method", "score", "votes"]
    ]


def both_ways(pairs: list[dict]) -> pd.DataFrame:
    """The JSON's pairs, each twice, so that every row reads from its first method's side; ``votes`` are decisive."""
    rows = []
    for pair in pairs:
        bounds, votes = pair["share_interval"], pair["first_wins"] + pair["second_wins"]
        turned = pair | dict(first=pair["second"], second=pair["first"])
        turned |= dict(first_wins=pair["second_wins"], second_wins=pair["first_wins"])
        turned |= {name: None if pair[name] is None else 1 - pair[name] for name in ("share", "predicted")}
        turned["share_interval"] = bounds and [1 - bounds[1], 1 - bounds[0]]
        turned["difference"] = None if pair["difference"] is None else -pair["difference"]
        rows += [pair | {"votes": votes}, turned | {"votes": votes}]
    return pd.DataFrame(rows)


def _distributions(counts: Counts, options: Options) -> dict[str, Any] | None:
    """Histograms of each method's bootstrapped scores over common edges, both scales."""
    boots = bootstrap(counts, options)
    found = {}
    for scale, boot in (boots or {}).items():
        if len(boot.replicates):
            edges = np.linspace(boot.replicates.min(), boot.replicates.max(), BINS + 1)
            drawn = {m: np.histogram(boot.replicates[:, k], edges)[0] for k, m in enumerate(counts.methods)}
            found[scale.replace("-", "_")] = {"edges": edges, "draws": drawn}
    return found or None


def _exclusions(counts: Counts, scores: StudyScores, options: Options) -> list[dict]:
    """What leaving out each flagged rater alone would change."""
    before = {m.method: m.bradley_terry.score for m in scores.pairs.methods if m.bradley_terry}
    rows = []
    for check in [check for check in scores.pairs.screening.raters if check.reasons][:REFITS]:
        rest = counts.only(np.array(counts.raters) != check.rater)
        again = attempt(fit, rest, options) if len(rest.raters) else None
        row = {"rater": check.rater, "reasons": check.reasons, "decisive": check.decisive}
        if again is not None and before:
            after = dict(zip(rest.methods, again.bradley_terry.scores, strict=True))
            row["largest_change"] = max(abs(after[name] - before[name]) for name in before)
            row["same_order"] = sorted(before, key=before.get) == sorted(before, key=after.get)
        rows.append(row)
    return rows


def _sides(counts: Counts) -> list[dict]:
    """How often each method won when it was shown on the left and on the right, with Wilson's intervals."""
    left, right = counts.left_wins, counts.right_wins
    rows = []
    for k, method in enumerate(counts.methods):
        shown = {"left": (left[k].sum(), right[k].sum()), "right": (right[:, k].sum(), left[:, k].sum())}
        for side, (won, lost) in shown.items():
            interval = wilson_interval(int(won), int(won + lost))
            share = won / (won + lost) if won + lost else None
            rows.append(dict(method=method, side=side, won=won, shown=won + lost, share=share, interval=interval))
    return rows


def _timeline(times: pd.Series) -> dict[str, list]:
    """Votes counted up over time, at most MOMENTS points."""
    times = times.dropna().sort_values()
    if times.empty or not pd.api.types.is_datetime64_any_dtype(times):
        return {"time": [], "votes": []}
    at = np.unique(np.linspace(1, len(times), min(MOMENTS, len(times))).astype(int))
    return {"time": [moment.isoformat() for moment in times.iloc[at - 1]], "votes": at}


def main() -> int:
    """Writes OUT (JSON) and OUT with the ending .parquet; a sentence on the error stream and 2 where that fails."""
    parser = argparse.ArgumentParser(prog="python -m userstudy.report.dashboard_data", description=main.__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--study", help="name of the study; default: the only one")
    parser.add_argument("--sort", choices=SORTS, help="whose votes; default: real ones, if there are any")
    given = parser.parse_args()
    try:
        source = open_votes(os.environ.get("IPH_STUDY", ""))
        names = source.studies()
        study = given.study or names[0]
        if study not in names:
            raise InputError(f"the votes hold no study {study!r}{nearest(study, names)}")
        about, items = summarize(source, study, given.sort)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    for path, write in (
        (given.out.with_suffix(".parquet"), lambda part: items.to_parquet(part, index=False)),
        (given.out, lambda part: part.write_text(json.dumps(about, allow_nan=False), encoding="utf-8")),
    ):
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        write(part)
        part.replace(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
