"""Scores of pairwise votes and rankings: pure functions on counts, which ``counts`` makes of votes."""

from userstudy.scores.bootstrap import bootstrap_raters
from userstudy.scores.bradley_terry import bradley_terry
from userstudy.scores.connectivity import check_connectivity
from userstudy.scores.fit import circular_triads, goodness_of_fit, triad_summary
from userstudy.scores.plackett_luce import plackett_luce
from userstudy.scores.rankings import kendalls_w, ranking_score, read_rankings
from userstudy.scores.side import side_effect
from userstudy.scores.significance import holm, pairwise_tests
from userstudy.scores.thurstone import thurstone_case_v
from userstudy.scores.ties import davidson

__all__ = [
    "bootstrap_raters",
    "bradley_terry",
    "check_connectivity",
    "circular_triads",
    "davidson",
    "goodness_of_fit",
    "holm",
    "kendalls_w",
    "pairwise_tests",
    "plackett_luce",
    "ranking_score",
    "read_rankings",
    "side_effect",
    "thurstone_case_v",
    "triad_summary",
]
