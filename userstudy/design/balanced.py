"""Who sees what, where: balanced incomplete designs with stored sides, mirrored repeats and checks.

Each (item, pair of methods) is a cell. One fixed cyclic order of all cells is cut into windows of ``per_rater`` cells,
one window a seat, so that after any number of seats every cell was shown equally often (± 1), and inside every window
items and pairs are spread as evenly as can be (± 1). Methods alternate because the pairs follow the rounds of a
round-robin tournament (the circle method; see H. A. David, The Method of Paired Comparisons, 1988, ch. 5).
Sides are drawn at random, but a cell's second showing mirrors its first, its fourth its third, and so on.
"""

import functools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from userstudy.design.study_file import Golden, Study


@dataclass(frozen=True)
class Trial:
    """One thing to judge. ``shown`` are methods in the order on screen: left and right, or a ranking's 1, 2, 3, …"""

    task: str  # "pair" or "ranking"
    kind: str  # "normal", "repeat", "golden" or "attention"
    item: str
    shown: tuple[str, ...]
    expected: str | None = None  # "left" or "right", for golden and attention pairs
    repeat_of: int | None = None  # the position of the trial that this one mirrors


def plan(study: Study, seat: int) -> list[Trial]:
    """Every trial of the rater on a seat (0, 1, 2, …): pairs with their checks, then rankings."""
    rng = random.Random(f"rater {study.file.seed} {seat}")
    trials: list[Trial] = []
    if pairs := study.file.pairs:
        methods = study.methods_of(pairs)
        normal = balanced_pairs(methods, study.items, seat, pairs.per_rater, study.file.seed)
        trials = with_checks(spread_items(normal, rng), pairs.repeats, pairs.golden, pairs.attention, rng)
    if ranking := study.file.ranking:
        trials += balanced_rankings(
            study.methods_of(ranking), study.items, seat, ranking.per_rater, study.file.seed, rng
        )
    return trials


def planned(study: Study) -> int:
    """How many trials every rater gets."""
    pairs, ranking = study.file.pairs, study.file.ranking
    checked = pairs.per_rater + pairs.repeats + pairs.attention + len(pairs.golden) if pairs else 0
    return checked + (ranking.per_rater if ranking else 0)


def round_robin(methods: Sequence[str]) -> list[tuple[str, str]]:
    """All pairs, ordered by rounds in which every method plays at most once."""
    ring: list[str | None] = [*methods] if len(methods) % 2 == 0 else [*methods, None]
    pairs = []
    for _ in range(len(ring) - 1):
        half = len(ring) // 2
        pairs += zip(ring[:half], reversed(ring[half:]), strict=True)
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return [(one, other) for one, other in pairs if one is not None and other is not None]


def cell(methods: Sequence[str], items: Sequence[str], number: int, seed: int) -> tuple[str, tuple[str, str]]:
    """The ``number``-th cell (item, pair) of the cyclic order.

    Items and pairs advance together; after ``lcm`` steps, where they would meet again, the pairs slip by one. So N × P
    consecutive numbers visit every cell once.
    """
    items, pairs = _shuffled(tuple(methods), tuple(items), seed)
    number %= len(items) * len(pairs)
    slip = number // math.lcm(len(items), len(pairs))
    return items[number % len(items)], pairs[(number + slip) % len(pairs)]


@functools.lru_cache
def _shuffled(methods: tuple[str, ...], items: tuple[str, ...], seed: int) -> tuple[list[str], list[tuple[str, str]]]:
    rng = random.Random(f"design {seed}")
    return rng.sample(items, len(items)), round_robin(rng.sample(methods, len(methods)))


def balanced_pairs(methods: Sequence[str], items: Sequence[str], seat: int, per_rater: int, seed: int) -> list[Trial]:
    """The window of a seat, with sides."""
    cells = len(items) * math.comb(len(methods), 2)
    trials = []
    for number in range(seat * per_rater, (seat + 1) * per_rater):
        item, pair = cell(methods, items, number, seed)
        showing = number // cells  # how often this cell was shown before
        first = random.Random(f"side {seed} {item}\0{pair[0]}\0{pair[1]} {showing // 2}").random() < 0.5
        trials.append(Trial("pair", "normal", item, pair if first == (showing % 2 == 0) else pair[::-1]))
    return trials


def balanced_rankings(
    methods: Sequence[str], items: Sequence[str], seat: int, per_rater: int, seed: int, rng: random.Random
) -> list[Trial]:
    """``per_rater`` items of a cyclic order, each with all methods in an order of its own."""
    order = random.Random(f"rankings {seed}").sample(list(items), len(items))
    numbers = range(seat * per_rater, (seat + 1) * per_rater)
    chosen = [order[number % len(order)] for number in numbers]
    rng.shuffle(chosen)
    return [Trial("ranking", "normal", item, tuple(rng.sample(list(methods), len(methods)))) for item in chosen]


def spread_items(trials: list[Trial], rng: random.Random) -> list[Trial]:
    """A random order in which no item follows itself, as far as the items allow it."""
    waiting: dict[str, list[Trial]] = {}
    for trial in rng.sample(trials, len(trials)):
        waiting.setdefault(trial.item, []).append(trial)
    ordered: list[Trial] = []
    while waiting:
        last = ordered[-1].item if ordered else None
        # The item with most trials left must come now if it fills half of what is left; else any other item may.
        most = max(waiting, key=lambda item: (item != last, len(waiting[item]), rng.random()))
        left = sum(map(len, waiting.values()))
        free = [item for item in waiting if item != last]
        item = most if 2 * len(waiting[most]) >= left or not free else rng.choice(free)
        ordered.append(waiting[item].pop())
        if not waiting[item]:
            del waiting[item]
    return ordered


def with_checks(
    normal: list[Trial], repeats: int, golden: Sequence[Golden], attention: int, rng: random.Random
) -> list[Trial]:
    """Strews attention and golden pairs among the normal ones, and mirrored repeats of early pairs into the end.

    A repeat stands in the last third and mirrors a pair of the first third (or, if there are more repeats than that,
    any pair before it).
    """
    checks = [_golden_trial(pair, rng) for pair in golden] + [_attention_trial(normal, rng) for _ in range(attention)]
    rng.shuffle(checks)
    trials = list(normal)
    for number, check in enumerate(checks):  # evenly, each at a random place of its own stretch; never the first trial
        stretch = len(normal) / len(checks)
        at = int(number * stretch + rng.random() * stretch) + number
        trials.insert(max(1, min(at, len(trials))), check)
    third = len(trials) // 3
    early = [trial for trial in trials[:third] if trial.kind == "normal"]
    later = [trial for trial in trials[third:] if trial.kind == "normal"]
    chosen = rng.sample(early, min(repeats, len(early)))
    chosen += rng.sample(later, repeats - len(chosen))
    for original in chosen:
        source = trials.index(original)
        at = rng.randint(max(2 * third, source + 1), len(trials))
        trials.insert(at, replace(original, kind="repeat", shown=original.shown[::-1]))
    return _number_repeats(trials)


def _number_repeats(trials: list[Trial]) -> list[Trial]:
    """Writes into each repeat the position of the pair it mirrors."""
    at = {(trial.item, frozenset(trial.shown)): n for n, trial in enumerate(trials) if trial.kind == "normal"}
    return [
        replace(trial, repeat_of=at[trial.item, frozenset(trial.shown)]) if trial.kind == "repeat" else trial
        for trial in trials
    ]


def _golden_trial(pair: Golden, rng: random.Random) -> Trial:
    if rng.random() < 0.5:
        return Trial("pair", "golden", pair.item, (pair.better, pair.worse), expected="left")
    return Trial("pair", "golden", pair.item, (pair.worse, pair.better), expected="right")


def _attention_trial(normal: list[Trial], rng: random.Random) -> Trial:
    """A pair of the rater's own list; what is asked for is told on screen."""
    return replace(rng.choice(normal), kind="attention", expected=rng.choice(("left", "right")))
