"""One call scores a whole study: what it says agrees with the scores themselves, and what it can't say is None."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from voting import drawn_votes, extra

from userstudy.errors import InputError
from userstudy.report.pair_fits import Options
from userstudy.report.score_text import score_text
from userstudy.report.study_report import score_study
from userstudy.scores import bradley_terry, thurstone_case_v
from userstudy.scores.counts import count_votes

SCORES = {"composite": -0.8, "dovenet": 0.0, "rainnet": 0.0, "iph": 0.8}
NAMES = list(SCORES)
FEW = Options(methods=NAMES, bootstraps=200)


def ranked(trials: list[list[str]]) -> pd.DataFrame:
    """Each trial lists the ranked methods of a picture, best first; two raters in turn."""
    rows = [
        (f"r{k % 2}", k // 2, f"picture {k // 2}", name, order.index(name) + 1 if name in order else None)
        for k, order in enumerate(trials)
        for name in NAMES
    ]
    return pd.DataFrame(rows, columns=["rater", "trial", "item", "method", "rank"])


@pytest.fixture(scope="module")
def votes() -> pd.DataFrame:
    votes = drawn_votes(SCORES, raters=24, votes=40, seed=2, tie_width=0.1, liars=[5])
    again = votes["trial"] < 3
    votes.loc[again, "item"] = "seen twice " + votes["trial"].astype(str)
    mirrored = votes[again]
    mirrored = mirrored.assign(
        left=mirrored["right"], right=mirrored["left"], kind="repeat", trial=mirrored["trial"] + 500
    )
    return pd.concat([votes, mirrored])


@pytest.fixture(scope="module")
def study(votes):
    return score_study(votes, ranked([NAMES[::-1], NAMES[::-1], NAMES[1:], ["composite", "iph"]]), FEW)


def test_scores_and_errors_are_those_of_the_models(votes, study):
    counts = count_votes(votes, NAMES)
    strength = bradley_terry(counts.wins, NAMES, rater_wins=counts.rater_wins)
    normal = thurstone_case_v(counts.wins, NAMES, rater_wins=counts.rater_wins)
    for k, row in enumerate(study.pairs.methods):
        assert row.method == NAMES[k]
        assert row.bradley_terry.score == pytest.approx(strength.scores[k])
        assert row.bradley_terry.se == pytest.approx(strength.clustered_se[k])
        assert row.thurstone.se == pytest.approx(normal.clustered_se[k])
        assert row.worth == pytest.approx(strength.worth[k])
        for scale in (row.bradley_terry, row.thurstone):
            assert scale.interval[0] < scale.score < scale.interval[1]
        assert row.worth_interval[0] < row.worth < row.worth_interval[1]
    assert study.pairs.errors == "clustered by rater"


def test_tally_keeps_kinds_and_choices_apart(votes, study):
    tally, normal = study.pairs.tally, votes[votes["kind"] == "normal"]
    assert tally.normal == len(normal) == tally.decisive + tally.ties
    assert tally.ties == (normal["choice"] == "tie").sum() > 0
    assert tally.repeats == 72 and (tally.raters, tally.items) == (24, 11)
    assert sum(pair.first_wins + pair.second_wins for pair in study.pairs.pairs) == tally.decisive
    assert sum(item.first_wins + item.second_wins for item in study.pairs.items) == tally.decisive


def test_ranks_and_letters(study):
    rows = {row.method: row for row in study.pairs.methods}
    assert rows["iph"].rank == 1 and rows["iph"].rank_interval == rows["iph"].rank_bootstrap == (1, 1)
    assert rows["composite"].rank_interval == (4, 4)
    assert rows["dovenet"].rank_interval == rows["rainnet"].rank_interval == (2, 3)
    assert rows["dovenet"].letters == rows["rainnet"].letters == "b" and rows["iph"].letters == "a"
    assert study.pairs.classes[1] == ("dovenet", "rainnet") or study.pairs.classes[1] == ("rainnet", "dovenet")


def test_flagged_raters_are_listed_kept_and_left_out_on_the_side(votes, study):
    assert study.pairs.screening.flagged == ("r05",)
    without, kept = study.pairs.without_flagged, count_votes(votes[votes["rater"] != "r05"], NAMES)
    expected = bradley_terry(kept.wins, NAMES).scores
    found = [without.bradley_terry[name].score for name in NAMES]
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert without.order[0] == "iph" and without.largest_change > 0.02
    assert any("1 rater is flagged and kept" in note for note in study.notes)


def test_repeats_answer_as_the_raters_did_not(study):
    """The mirrored rows keep the side, so every decisive repeat turned to the other method."""
    repeats = study.pairs.repeats
    assert repeats.asked == 72 and repeats.same_side == repeats.asked - repeats.same


def test_rankings_have_the_points_of_the_paper(study):
    rows = {row.method: row for row in study.rankings.methods}
    assert [rows[name].per_rater for name in NAMES] == [1.5, 2.5, 3.0, 4.5]  # sums over both raters: 3, 5, 6, 9
    assert rows["dovenet"].unranked == 1 and study.rankings.complete_trials == 3
    assert set(study.rankings.concordance) == {"picture 0", "picture 1"}
    assert study.rankings.concordance["picture 0"].w == pytest.approx(1)


def test_everything_is_plain_json(study):
    tree = json.loads(json.dumps(study.to_dict(), allow_nan=False))
    assert tree["pairs"]["methods"][0]["bradley_terry"]["score"] == study.pairs.methods[0].bradley_terry.score
    assert tree["pairs"]["screening"]["raters"][5]["reasons"]


def test_votes_that_do_not_determine_scores_say_why():
    rows = [extra(f"r{k}", k, "left" if k % 2 else "right", "normal", left="iph", right="dovenet") for k in range(10)]
    rows += [extra(f"r{k}", 20, "left", "normal", left="iph", right="composite") for k in range(10)]
    votes = pd.DataFrame(rows)
    study = score_study(votes)
    assert "composite never won" in study.pairs.problem and any("left out" in note for note in study.notes)
    assert all(row.bradley_terry is None and row.rank is None for row in study.pairs.methods)
    assert study.pairs.pairs[1].share is not None and study.pairs.side is None
    json.dumps(study.to_dict(), allow_nan=False)
    asked = score_study(votes, options=Options(regularized=1.0, bootstraps=50))
    assert "regularised" in asked.pairs.model and asked.pairs.methods[0].rank == 3
    assert any("Regularised" in note for note in asked.notes) and any(
        "rest on the prior" in note for note in asked.notes
    )


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([("a", "b", "left")] * 2 + [("a", "b", "right")], "cannot tell the side from the methods"),
        ([("a", "b", "left"), ("b", "a", "left")], "the left picture won 8 of 8"),
    ],
)
def test_scores_stay_where_there_is_no_side_effect(votes, reason):
    rows = [
        extra(f"r{rater}", trial, choice, "normal", left=left, right=right)
        for rater in range(4)
        for trial, (left, right, choice) in enumerate(votes)
    ]
    pairs = score_study(pd.DataFrame(rows), options=Options(bootstraps=20)).pairs
    assert pairs.side is None and reason in pairs.side_problem
    assert all(row.bradley_terry is not None and row.rank for row in pairs.methods)
    notes = score_study(pd.DataFrame(rows), options=Options(bootstraps=0)).notes
    assert any(note.startswith("No side effect: ") and reason in note for note in notes)


@pytest.mark.parametrize("raters", [2, 5])
def test_raters_who_vote_alike_give_no_intervals_over_raters(raters):
    answers = ["left", "left", "right"]
    rows = [extra(f"r{k}", t, answer, "normal") for k in range(raters) for t, answer in enumerate(answers)]
    study = score_study(pd.DataFrame(rows), options=Options(bootstraps=50))
    first, pair = study.pairs.methods[0], study.pairs.pairs[0]
    assert first.bradley_terry.interval is None and first.worth_interval is None and first.rank_bootstrap is None
    assert study.pairs.bootstrap is None and study.pairs.errors == "independent votes"
    assert pair.se == pytest.approx(np.sqrt(1 / (2 * raters) + 1 / raters))
    assert pair.p_value == pytest.approx(2 * norm.sf(np.log(2) / pair.se))
    assert sum("vote too alike" in note for note in study.notes) == 1
    assert not any("too few raters" in note for note in study.notes)


def test_checks_without_votes_do_not_spoil_the_rankings():
    checks = pd.DataFrame([extra("r0", 0, "left", "attention", "left"), extra("r0", 1, "left", "repeat")])
    study = score_study(checks, ranked([NAMES, NAMES[::-1]]), FEW)
    assert study.pairs is None and study.rankings.trials == 2
    assert study.notes == ("Pairs are not scored: the 2 answers so far are to checks and repeats.",)
    with pytest.raises(InputError, match="got 'gold'"):
        score_study(checks.assign(kind="gold"), ranked([NAMES, NAMES[::-1]]), FEW)
    with pytest.raises(InputError, match="kind 'normal'"):
        score_study(checks)


def test_rankings_of_two_methods_have_two_ranks():
    orders = ranked([NAMES[:2], NAMES[1::-1]])
    text = score_text(score_study(rankings=orders[orders["method"].isin(NAMES[:2])]))
    assert "rank 2  unranked" in text and "rank 3" not in text


def test_side_bias_and_lack_of_fit_are_noted():
    biased = score_study(drawn_votes(SCORES, side=0.6, seed=1), options=FEW)
    assert biased.pairs.side.effect > 0.5 and any("Sides matter" in note for note in biased.notes)
    circle = [("a", "b"), ("b", "c"), ("c", "a")] * 30 + [("b", "a"), ("c", "b"), ("a", "c")] * 5
    rows = [extra(f"r{k % 10}", k, "left", "normal", left=won, right=lost) for k, (won, lost) in enumerate(circle)]
    study = score_study(pd.DataFrame(rows), options=Options(bootstraps=0))
    assert study.pairs.fit_bradley_terry.p_value < 1e-6 and any("G²" in note for note in study.notes)
    assert study.pairs.triads.pooled_circles == 1 and study.pairs.bootstrap is None


def test_simulated_votes_are_marked_and_never_mixed():
    votes = drawn_votes(SCORES, raters=6)
    made_up = score_study(votes.assign(simulated=True), options=FEW)
    assert made_up.simulated and "simulated" in made_up.notes[0]
    assert not score_study(votes, options=FEW).simulated
    mixed = pd.concat([votes, votes.assign(simulated=True, rater=votes["rater"] + "s")])
    with pytest.raises(InputError, match="240 real and 240 simulated"):
        score_study(mixed)
    orders = ranked([NAMES, NAMES[::-1]])
    assert score_study(rankings=orders, simulated=True).simulated
    with pytest.raises(InputError, match="expected simulated votes, got 240 real ones"):
        score_study(votes, orders, simulated=True)
    with pytest.raises(InputError, match="240 real and 8 simulated"):
        score_study(votes, orders.assign(simulated=True))


def test_methods_that_are_not_ranked_do_not_spoil_the_rankings():
    """The paper ranks four methods and shows the composite in pairs only."""
    orders = ranked([NAMES[1:], NAMES[:0:-1], NAMES[1:]])
    study = score_study(rankings=orders[orders["method"] != "composite"], options=FEW)
    assert [row.method for row in study.rankings.methods] == NAMES[1:]
    assert study.rankings.complete_trials == 3 and study.rankings.problem == "" and study.pairs is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: score_study(), "votes or rankings"),
        (lambda: score_study(drawn_votes(SCORES).iloc[:0]), "votes or rankings"),
        (lambda: score_study(pd.DataFrame([extra("r1", 0, "left", "normal")] * 2)), "trial 0 of r1 twice"),
        (lambda: Options(alpha=5), "alpha within"),
        (lambda: Options(bootstraps=-1), "0 or more"),
    ],
)
def test_errors(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_scoring_needs_no_torch_and_no_screen():
    code = (
        "import sys, userstudy.report.study_report, userstudy.design.power; "
        "print({'torch', 'gradio', 'streamlit'} & set(sys.modules))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "set()"
    )
