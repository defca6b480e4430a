"""``python -m userstudy``, from a folder of pictures to scores."""

import json
import re
import sys

import pytest
from study_files import write_pictures
from typer.testing import CliRunner

from userstudy.cli import app, main
from userstudy.design.balanced import plan
from userstudy.design.create import create_study, template_names
from userstudy.design.study_file import load_study
from userstudy.errors import InputError
from userstudy.votes.sessions import Sessions
from userstudy.votes.store import Store

SCORES = "IPH=1, DoveNet=0, RainNet=0.1, BargainNet=0.3, composite=-0.5"


def call(*arguments, code=0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def fails(monkeypatch, capsys, *arguments) -> str:
    """The one sentence that a wrong call prints; its exit code is 2."""
    monkeypatch.setattr(sys, "argv", ["userstudy", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and message.count("\n") == 1
    return message


@pytest.fixture
def study(tmp_path):
    write_pictures(tmp_path / "methods", items=18)
    call("create", tmp_path / "methods", "--template", "paper", "-o", tmp_path / "study.toml")
    return tmp_path / "study.toml"


def test_the_paper_s_protocol_is_a_template(study):
    """15 images, 30 raters, four methods and the composite, a ranking with three ranks and A/B."""
    loaded = load_study(study)
    assert len(loaded.items) == 15 and loaded.file.raters.number == 30
    assert len(loaded.methods) == 4 and "composite" not in loaded.methods
    assert loaded.methods_of(loaded.file.pairs) == (*loaded.methods, "composite")
    assert loaded.file.pairs.show_composite, "the input is shown with the outputs of two methods"
    assert loaded.file.ranking.ranks == 3 and loaded.file.ranking.per_rater == 15
    assert loaded.methods_of(loaded.file.ranking) == loaded.methods
    assert (
        "color and luminance conditions of all the portraits in the picture look consistent"
        in loaded.file.ranking.question
    )


@pytest.mark.parametrize("template", template_names())
def test_every_template_makes_a_study_that_can_start(tmp_path, template):
    write_pictures(tmp_path / "results" / "set" / "pictures", items=2)
    study = create_study(tmp_path / "results" / "set", tmp_path / "s.toml", template, methods=("IPH", "DoveNet"))
    assert study.methods == ("IPH", "DoveNet") and len(study.items) == 2
    Sessions(Store("sqlite://"), study).enter()


@pytest.mark.parametrize("template", template_names())
def test_every_key_a_template_comments_out_exists(tmp_path, template):
    write_pictures(tmp_path / "methods", items=2)
    create_study(tmp_path / "methods", tmp_path / "s.toml", template)
    text = (tmp_path / "s.toml").read_text()
    commented = r"^# ((?:\w+) = .*|\[\[.*)$"
    assert re.search(commented, text, re.MULTILINE)
    (tmp_path / "s.toml").write_text(re.sub(commented, r"\1", text, flags=re.MULTILINE))
    try:
        load_study(tmp_path / "s.toml")
    except InputError as error:  # the golden pair's picture is an example
        assert "golden pair names" in str(error)


@pytest.mark.parametrize("template", template_names())
def test_two_methods_and_one_picture_are_a_study(tmp_path, template):
    write_pictures(tmp_path / "methods", methods=("A", "B"), items=1)
    study = create_study(tmp_path / "methods", tmp_path / "s.toml", template)
    assert study.methods == ("A", "B") and study.items == ("photo-1",)
    trials = [trial for number in range(4) for trial in plan(study, number)]
    assert all(trial.item == "photo-1" for trial in trials) and len({trial.kind for trial in trials}) > 1


def test_create_overwrites_nothing(study, tmp_path, monkeypatch, capsys):
    before = study.read_text()
    assert "exists already" in fails(monkeypatch, capsys, "create", tmp_path / "methods", "-o", study)
    assert study.read_text() == before
    other = tmp_path / "other.toml"
    assert "no such folder" in fails(monkeypatch, capsys, "create", tmp_path / "nowhere", "-o", other)
    wrong = ("create", tmp_path / "methods", "-o", other, "--template", "papper")
    assert "did you mean 'paper'" in fails(monkeypatch, capsys, *wrong)
    one = ("create", tmp_path / "methods", "-o", other, "--methods", "IPH")
    assert "at least two methods" in fails(monkeypatch, capsys, *one)
    none = ("create", tmp_path / "methods", "-o", other, "--items", "0")
    assert "at least one picture to draw, got 0 items" in fails(monkeypatch, capsys, *none)
    assert not other.exists()


def test_simulated_votes_are_scored_apart_exported_and_restored(study, tmp_path, monkeypatch, capsys):
    assert "simulated answers" in call("simulate", study, "--scores", SCORES, "--raters", "4")
    status = call("status", study)
    assert "0 votes" in status and "kept apart: 4 simulated raters" in status and "/study/admin (its key" in status
    assert "got none that are real" in fails(monkeypatch, capsys, "score", study)
    printed = call("score", study, "--simulated", "--bootstraps", "50")
    assert printed.startswith("SIMULATED VOTES")
    assert "Ranking Score" in printed and "Preference ± SE" in printed
    everything = json.loads(call("score", study, "--simulated", "--json", "--bootstraps", "50"))
    assert everything["simulated"] is True and everything["pairs"]["tally"]["raters"] == 4
    side, repeats = everything["pairs"]["side"], everything["pairs"]["repeats"]
    assert f"the left picture won {side['left_share']:.1%}; effect {side['effect']:+.3f}" in printed
    assert f"repeats, sides swapped: {repeats['same']} of {repeats['asked']} the same" in printed
    for form in ("csv", "jsonl", "parquet"):
        exported = call("export", study, "-o", tmp_path / f"votes.{form}")
        digest = re.search(r"sha256 (\w+)", exported)[1]
        assert json.loads((tmp_path / f"votes.{form}.json").read_text())["sha256"] == digest
        from_file = call("score", tmp_path / f"votes.{form}", "--simulated", "--bootstraps", "50")
        assert from_file == printed
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.db"
    into = ("import", tmp_path / "votes.csv", "--to", study, "--database", elsewhere)
    assert "200 votes added" in call(*into)
    assert "0 votes added to study, 200 were there already" in call(*into)
    assert call("score", study, "--simulated", "--database", elsewhere, "--bootstraps", "50") == printed
    (tmp_path / "study.db").unlink()
    monkeypatch.setenv("IPH_STUDY_DATABASE", elsewhere)  # the same without a password on the command line
    assert call("score", study, "--simulated", "--bootstraps", "50") == printed


def test_an_arena_file_becomes_one_of_ours_and_is_scored(tmp_path, monkeypatch, capsys):
    rows = [("m1", "m2", "model_a"), ("m2", "m1", "model_a"), ("m1", "m2", "tie"), ("m1", "m2", "model_a")]
    battles = [
        dict(question_id=f"q{n}", model_a=a, model_b=b, winner=w, judge=f"j{n % 2}") for n, (a, b, w) in enumerate(rows)
    ]
    (tmp_path / "arena.json").write_text(json.dumps(battles))
    assert "4 votes of 2 raters" in call("import", tmp_path / "arena.json", "-o", tmp_path / "ours.parquet")
    assert "3 decisive of 4" in call("score", tmp_path / "ours.parquet", "--bootstraps", "20")
    assert "3 decisive of 4" in call("score", tmp_path / "arena.json", "--bootstraps", "20")
    assert "one of the two" in fails(monkeypatch, capsys, "import", tmp_path / "arena.json")


def test_files_go_where_there_is_a_place_and_in_the_form_of_their_ending(study, tmp_path, monkeypatch, capsys):
    call("simulate", study, "--scores", SCORES, "--raters", "2")
    call("export", study, "-o", tmp_path / "votes.CSV")
    assert (tmp_path / "votes.CSV").read_text().startswith("rater,origin,")
    call("import", tmp_path / "votes.CSV", "-o", tmp_path / "again.JSONL")
    assert json.loads((tmp_path / "again.JSONL").read_text().splitlines()[0])["origin"] == "simulated"
    for start in (("export", study), ("import", tmp_path / "votes.CSV")):
        said = fails(monkeypatch, capsys, *start, "-o", tmp_path / "nowhere" / "v.csv")
        assert "nowhere/v.csv cannot be written: No such file or directory" in said
        assert "ending in .csv, .jsonl or .parquet" in fails(monkeypatch, capsys, *start, "-o", tmp_path / "v.txt")


def admin_links(text) -> list[str]:
    return re.findall(r"/study/admin#\w+", text)


def test_the_admin_link_is_for_terminals_and_those_who_ask_and_can_be_renewed(study, monkeypatch):
    assert not admin_links(call("status", study) + call("renew-admin", study))
    (before,) = admin_links(call("status", study, "--admin-link"))
    assert "no longer valid" in call("renew-admin", study)
    (after,) = admin_links(call("status", study, "--admin-link"))
    assert before != after and len(before) == len(after)


def test_a_participant_is_released(study, monkeypatch, capsys):
    sessions = Sessions(Store(load_study(study).database_url), load_study(study))
    sessions.enter("prolific", "5f0c", panel_session="s-1")
    assert "is theirs" in call("release", study, "5f0c")
    assert "expected a participant of mturk" in fails(
        monkeypatch, capsys, "release", study, "5f0c", "--origin", "mturk"
    )


def test_status_pauses_and_opens(study):
    assert "study: paused" in call("status", study, "--set", "pause", "--reason", "lunch")
    assert "study: open" in call("status", study, "--set", "open")


def test_plan_answers_in_votes_and_raters(monkeypatch, capsys):
    """0.65 among 10 pairs at power 0.8: 147 votes with Bonferroni, as tabulated in planning's own tests."""
    assert call("plan", "--better", "0.65", "--methods", "5").startswith("147 decisive votes")
    assert call("plan", "--better", "0.75").startswith("30 decisive votes")
    simulated = call("plan", "--scores", "a=0, b=1", "--simulations", "40")
    assert re.search(r"^\d+ raters", simulated, re.MULTILINE)
    assert "got neither" in fails(monkeypatch, capsys, "plan")
    assert "got 'a'" in fails(monkeypatch, capsys, "plan", "--scores", "a, b=1")
    for wrong, said in (
        (("--indecisive", "1"), "got 30 and 1.0"),
        (("--indecisive", "1.5"), "got 30 and 1.5"),
        (("--per-rater", "0"), "got 0 and 0.1"),
        (("--methods", "-1"), "at least two methods to compare, got -1"),
    ):
        assert said in fails(monkeypatch, capsys, "plan", "--better", "0.65", *wrong)


def test_a_study_file_with_a_mistake_is_one_sentence(study, monkeypatch, capsys):
    study.write_text(study.read_text().replace("per_rater = 30", "per_ratr = 30"))
    message = fails(monkeypatch, capsys, "status", study)
    assert "study.toml, line" in message and "did you mean 'per_rater'" in message


def test_every_command_and_option_has_help():
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        text = call(name, "--help")
        assert command.callback.__doc__.split(".")[0].split(":")[0][:30] in " ".join(text.replace("│", " ").split())
