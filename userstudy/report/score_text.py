"""Scores as a person reads them on a terminal: aligned tables, every number with its uncertainty, notes last."""

from collections.abc import Sequence

from userstudy.report.results import PairStudy, RankingScores, StudyScores


def score_text(scores: StudyScores) -> str:
    parts = ["SIMULATED VOTES: no person saw these pictures."] if scores.simulated else []
    if scores.pairs:
        parts.append(_pairs(scores.pairs))
        if lines := _checks(scores.pairs):
            parts.append("Checks\n" + "\n".join(f"  {line}" for line in lines))
    if scores.rankings:
        parts.append(_rankings(scores.rankings))
    if scores.notes:
        parts.append("Notes\n" + "\n".join(f"  {note}" for note in scores.notes))
    return "\n\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns aligned; the first to the left, the others to the right."""
    texts = [list(head), *([("" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in texts) for at in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in texts
    ]
    return "\n".join(line.rstrip() for line in lines)


def _pairs(study: PairStudy) -> str:
    tally = study.tally
    head = (
        f"A/B votes: {tally.decisive:,} decisive of {tally.normal:,} ({tally.ties:,} ties, {tally.both_bad:,} both bad,"
        f" {tally.skips:,} skipped) by {tally.raters} raters on {tally.items} pictures; errors: {study.errors}"
    )
    methods = [
        (
            row.method,
            row.rank,
            row.letters,
            _with_interval(row.worth, row.worth_interval),
            _scale(row.thurstone),
            row.wins,
            row.losses,
            row.ties,
        )
        for row in sorted(study.methods, key=lambda row: (row.rank or 0, row.method))
    ]
    pairs = [
        (
            f"{row.first} – {row.second}",
            row.first_wins,
            row.second_wins,
            row.ties,
            _with_interval(row.share, row.share_interval),
            None if row.p_holm is None else f"{row.p_holm:.2g}",
        )
        for row in study.pairs
    ]
    return "\n\n".join(
        [
            head,
            table(
                ("method", "rank", "class", "BT [95 %]", "Preference ± SE [95 %]", "wins", "losses", "ties"), methods
            ),
            table(("pair", "first", "second", "ties", "first's share [95 %]", "p (Holm)"), pairs),
        ]
    )


def _checks(study: PairStudy) -> list[str]:
    """What a reviewer asks next; a line is left out where the votes do not say."""
    lines = []
    for model, fit in (("Bradley–Terry", study.fit_bradley_terry), ("Thurstone", study.fit_thurstone)):
        if fit and fit.p_value is not None:
            lines.append(f"{model} fit: G² {fit.deviance:.1f} on {fit.degrees_of_freedom} df, p {fit.p_value:.2g}")
    if side := study.side:
        lines.append(
            f"side: the left picture won {side.left_share:.1%}; effect {side.effect:+.3f} ± {side.se:.3f} (log-odds), "
            f"p {side.p_value:.2g}"
        )
    if study.tie_parameter is not None:
        lines.append(f"ties: Davidson's ν {study.tie_parameter:.3f}")
    if triads := study.triads.triads:
        lines.append(f"circular triads: {study.triads.circles} of {triads}, {study.triads.expected:.1f} by chance")
    if study.agreement.alpha is not None:
        answers, units = study.agreement.answers, study.agreement.units
        lines.append(
            f"agreement: Krippendorff's α {study.agreement.alpha:.3f} over {answers:,} answers to {units:,} pairs"
        )
    if study.repeats.asked:
        share = _with_interval(study.repeats.share, study.repeats.interval)
        lines.append(f"repeats, sides swapped: {study.repeats.same} of {study.repeats.asked} the same, {share}")
    for check in study.screening.raters:
        if check.reasons:
            lines.append(f"look at rater {check.rater}: {'; '.join(check.reasons)}")
    return lines


def _rankings(rankings: RankingScores) -> str:
    ranks = min(len(rankings.points), len(rankings.methods))
    rows = [
        (row.method, f"{row.per_rater:.2f}", f"{row.per_trial:.3f}", *row.rank_counts[:ranks], row.unranked)
        for row in sorted(rankings.methods, key=lambda row: -row.per_rater)
    ]
    head = f"Rankings: {rankings.trials:,} by {rankings.raters} raters, {rankings.complete_trials:,} of them complete"
    if rankings.mean_w is not None:
        head += f"; Kendall's W {rankings.mean_w:.2f}"
    names = (f"rank {number + 1}" for number in range(ranks))
    return f"{head}\n\n" + table(("method", "Ranking Score", "per trial", *names, "unranked"), rows)


def _scale(scale) -> str | None:
    if scale is None:
        return None
    text = f"{scale.score:+.3f} ± {scale.se:.3f}"
    return f"{text} [{scale.interval[0]:+.2f}, {scale.interval[1]:+.2f}]" if scale.interval else text


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str | None:
    if value is None:
        return None
    return f"{value:.4f} [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else f"{value:.4f}"
