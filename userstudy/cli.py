"""``python -m userstudy``: create a study, watch it, score it, plan it, and move its votes."""

import json
import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from userstudy.design.create import create_study, template_names
from userstudy.design.planning import check_rater, votes_per_pair
from userstudy.design.power import Setup, raters_needed
from userstudy.design.study_file import Study, load_study
from userstudy.errors import InputError
from userstudy.report.pair_fits import Options
from userstudy.report.score_text import score_text, table
from userstudy.report.study_report import score_study
from userstudy.votes.reading import pair_counts, rankings_table, rater_table, votes_table
from userstudy.votes.restore import import_votes
from userstudy.votes.sessions import Sessions
from userstudy.votes.simulate import Taste, simulate
from userstudy.votes.store import DATABASE, STATES, Store, StudyRow
from userstudy.votes.tokens import admin_token
from userstudy.votes.transfer import FORMS, export_votes, raw_form, read_votes, tables_of, votes_hash, write_frame

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
StudyPath = Annotated[Path, typer.Argument(help="the study file", metavar="STUDY.toml")]
Database = Annotated[
    str | None, typer.Option(help="database URL in place of the study file's", envvar=DATABASE, show_default=False)
]
Simulated = Annotated[
    bool, typer.Option("--simulated", help="the simulated votes, which are never mixed with real ones")
]


@app.command()
def create(
    folder: Annotated[Path, typer.Argument(help="a folder with one folder of pictures per method, or bench results")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the study file to write")] = Path("study.toml"),
    template: Annotated[str, typer.Option(help=f"one of: {', '.join(template_names())}")] = "pairs",
    name: Annotated[str | None, typer.Option(help="the study's name; default: the file's")] = None,
    items: Annotated[
        int | None, typer.Option(help="how many pictures to draw; default: all, or the paper's 15")
    ] = None,
    methods: Annotated[str, typer.Option(help="which to compare, as A,B,C; default: all")] = "",
) -> None:
    """Write a study file for a folder of pictures."""
    wanted = tuple(method.strip() for method in methods.split(",") if method.strip())
    study = create_study(folder, output, template, name, items, wanted)
    typer.echo(f"{output}: {len(study.methods)} methods, {len(study.items)} pictures. Read it, then:")
    typer.echo(f"  python -m demo.vote {output}")


@app.command()
def status(
    study_path: StudyPath,
    database: Database = None,
    state: Annotated[str | None, typer.Option("--set", help=f"one of: {', '.join(STATES)}")] = None,
    reason: Annotated[str, typer.Option(help="why, for the log")] = "",
    link: Annotated[bool, typer.Option("--admin-link", help="print it also where no terminal is")] = False,
) -> None:
    """Say how a study stands; open, pause or close it."""
    study, store, row = _opened(study_path, database)
    if state is not None:
        store.set_state(row.id, state, reason)
    people = rater_table(store, row)
    real = people[~people["simulated"]]
    complete = int((real["outcome"] == "complete").sum())
    typer.echo(
        f"{row.name}: {store.state(row.id)}; {complete} of {study.file.raters.number} raters complete, ", nl=False
    )
    under_way = int((real["outcome"].isna() & (real["votes"] > 0)).sum())
    typer.echo(
        f"{under_way} under way, {int(real['excluded'].notna().sum())} excluded, {int(real['votes'].sum())} votes"
    )
    if people["simulated"].any():
        simulated = people[people["simulated"]]
        typer.echo(f"kept apart: {len(simulated)} simulated raters, {int(simulated['votes'].sum())} simulated votes")
    counts = pair_counts(store, row)
    if len(counts):
        counts["pair"] = [" – ".join(sorted(pair)) for pair in zip(counts["left"], counts["right"], strict=True)]
        per_pair = counts.groupby("pair")["votes"].sum()
        typer.echo("\n" + table(("pair", "votes"), list(per_pair.items())))
    typer.echo(f"\nadmin page: {_admin_page(store, row, link)}")


@app.command("renew-admin")
def renew_admin(study_path: StudyPath, database: Database = None) -> None:
    """End every admin link there is and make a new one. Raters notice nothing."""
    _, store, row = _opened(study_path, database)
    store.renew_admin(row.id)
    typer.echo(f"the earlier admin links of {row.name} are no longer valid; the new one: {_admin_page(store, row)}")


@app.command()
def release(
    study_path: StudyPath,
    participant: Annotated[str, typer.Argument(help="the number that the panel knows the participant by")],
    origin: Annotated[str, typer.Option(help="prolific or mturk")] = "prolific",
    database: Database = None,
) -> None:
    """Let a participant of a panel go on under a new session number, after they returned and took the task again."""
    study, store, _ = _opened(study_path, database)
    Sessions(store, study).release(origin, participant)
    typer.echo("the next session number that the participant comes with is theirs")


@app.command()
def score(
    source: Annotated[Path, typer.Argument(help="a study file, or a file of votes", metavar="STUDY.toml|VOTES")],
    database: Database = None,
    simulated: Simulated = False,
    as_json: Annotated[bool, typer.Option("--json", help="everything, for programs")] = False,
    regularized: Annotated[float, typer.Option(help="precision of a normal prior on scores; 0: none")] = 0.0,
    bootstraps: Annotated[int, typer.Option(help="draws of raters for the intervals")] = 1000,
    form: Annotated[
        str | None, typer.Option(help=f"of a file: {', '.join(FORMS)}; default: seen from its columns")
    ] = None,
) -> None:
    """Scores with intervals: Bradley–Terry, Thurstone, Ranking Score, and what a reviewer asks for."""
    if source.suffix == ".toml":
        _, store, row = _opened(source, database)
        votes, rankings = votes_table(store, row, simulated), rankings_table(store, row, simulated)
    else:
        frame, remarks = read_votes(source, form)
        for remark in remarks:
            typer.echo(remark, err=True)
        votes, rankings = tables_of(frame, simulated)
    if votes.empty and rankings.empty:
        other = "without" if simulated else "with"
        raise InputError(
            f"expected votes, got none that are {'simulated' if simulated else 'real'}; try {other} --simulated"
        )
    scores = score_study(votes, rankings, Options(regularized=regularized, bootstraps=bootstraps), simulated=simulated)
    typer.echo(json.dumps(scores.to_dict(), indent=1, ensure_ascii=False) if as_json else score_text(scores))


@app.command()
def plan(
    better: Annotated[
        float | None, typer.Option(help="share of decisive votes that prefer the better one, as 0.65")
    ] = None,
    methods: Annotated[int, typer.Option(help="how many methods are compared, all pairs tested")] = 2,
    scores: Annotated[
        str | None, typer.Option(help='true scores to simulate studies with, as "A=0, B=0.2, C=0.9"')
    ] = None,
    per_rater: Annotated[int, typer.Option(help="pairs that each rater judges")] = 30,
    indecisive: Annotated[float, typer.Option(help="share of ties, both-bad and skips")] = 0.1,
    power: Annotated[float, typer.Option(help="wished chance to find a true difference")] = 0.8,
    alpha: Annotated[float, typer.Option(help="level of all tests together")] = 0.05,
    simulations: Annotated[int, typer.Option(help="studies simulated for each number of raters")] = 400,
) -> None:
    """Votes and raters needed: exact for one pair (--better), by simulated studies (--scores), or both."""
    if better is None and scores is None:
        raise InputError("expected --better 0.65 or --scores 'A=0, B=0.2', got neither")
    check_rater(per_rater, indecisive)
    if methods < 2:
        raise InputError(f"expected at least two methods to compare, got {methods}")
    if better is not None:
        pairs = methods * (methods - 1) // 2
        need = votes_per_pair(better, power, alpha, pairs)
        raters = math.ceil(need.votes * pairs / (1 - indecisive) / per_rater)
        typer.echo(
            f"{need.votes} decisive votes on a pair find a preference of {better:.0%} with power {need.power:.2f}\n"
            f"(two-sided exact binomial test at {need.alpha:.2g}, Bonferroni over {pairs} pairs; from "
            f"{need.safe_votes} on the power stays above {power}).\n"
            f"With {indecisive:.0%} indecisive votes and {per_rater} pairs a rater, {pairs} pairs take {raters} raters."
        )
    if scores is not None:
        truth = _named_numbers(scores)
        setup = Setup(list(truth.values()), per_rater, indecisive=indecisive, alpha=alpha)
        tried = raters_needed(setup, power, simulations)
        rows = [(one.raters, one.votes, f"{one.least:.2f}", f"{one.all_found:.2f}") for one in tried]
        typer.echo(table(("raters", "votes", "power of the hardest pair", "all pairs found"), rows))
        answer = next(one for one in tried if one.least >= power)
        typer.echo(f"{answer.raters} raters ({simulations} simulated studies a line, errors clustered by rater, Holm).")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="votes: .csv, .jsonl, .json or .parquet")],
    to: Annotated[Path | None, typer.Option(help="the study to add them to", metavar="STUDY.toml")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="or the file to write them to")] = None,
    form: Annotated[str | None, typer.Option(help=f"{', '.join(FORMS)}; default: seen from the columns")] = None,
    database: Database = None,
) -> None:
    """Take in votes of an export, of Chatbot Arena or of pwcmp: into a study, or into a file that `score` reads."""
    if (to is None) == (output is None):
        raise InputError("expected --to STUDY.toml or --output FILE, one of the two")
    frame, remarks = read_votes(file, form)
    for remark in remarks:
        typer.echo(remark)
    if output is not None:
        write_frame(raw_form(frame), output)
        typer.echo(f"{len(frame)} votes of {frame['rater'].nunique()} raters in {output}, sha256 {votes_hash(frame)}")
        return
    study, store, row = _opened(to, database)
    added, present = import_votes(store, study, row, frame)
    typer.echo(f"{added} votes added to {row.name}, {present} were there already")


@app.command()
def export(
    study_path: StudyPath,
    output: Annotated[Path, typer.Option("--output", "-o", help=".csv, .jsonl or .parquet")],
    database: Database = None,
) -> None:
    """Write every vote, every revision included, and the content's hash beside it."""
    _, store, row = _opened(study_path, database)
    about = export_votes(store, row, output)
    typer.echo(f"{about['rows']} rows of {about['raters']} raters in {output}, sha256 {about['sha256']}")


@app.command("simulate")
def simulate_(
    study_path: StudyPath,
    scores: Annotated[str, typer.Option(help='true scores, as "IPH=0.8, DoveNet=0, composite=-0.3"')],
    raters: Annotated[int, typer.Option(help="how many")] = 30,
    seed: Annotated[int, typer.Option(help="of their tastes and slips")] = 0,
    database: Database = None,
) -> None:
    """Send simulated raters through a study. Their votes are marked and never mixed with real ones."""
    study, store, _ = _opened(study_path, database)
    answers = simulate(Sessions(store, study), Taste(_named_numbers(scores)), raters, seed)
    typer.echo(f"{answers} simulated answers of {raters} simulated raters; read them with: score --simulated")


def main() -> None:
    """Runs the command line; what a person did wrong is one sentence and exit code 2."""
    try:
        app()
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


def _admin_page(store: Store, row: StudyRow, always: bool = False) -> str:
    """The admin page's address below the server's. Whoever reads it is the administrator: on terminals, or if asked."""
    if always or sys.stdout.isatty():
        return f"/study/admin#{admin_token(row.secret, store.admin_key(row.id))}"
    return "/study/admin (its key is shown on a terminal, or by `status --admin-link`)"


def _opened(path: Path, database: str | None) -> tuple[Study, Store, StudyRow]:
    study = load_study(path)
    store = Store(database or study.database_url)
    return study, store, store.open_study(study)


def _named_numbers(text: str) -> dict[str, float]:
    numbers = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        try:
            numbers[name.strip()] = float(value)
        except ValueError:
            raise InputError(f"expected 'name=number, …', got {part.strip()!r}") from None
    return numbers
