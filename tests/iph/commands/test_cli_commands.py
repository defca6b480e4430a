"""``iph build``, ``iph train`` and ``iph info``, and that the help of every command tells the truth."""

import json
import re
import shlex
import shutil
from functools import partial
from pathlib import Path

import pytest
import typer
from networks import lively
from photo_folder import make_folder

import iph
from iph.checkpoint import load_network, save_network
from iph.commands.app import app, main
from iph.data.manifest import read_manifest
from iph.match.look import MatchFunctions
from iph.network import StyleEncoder
from iph.runtime import shipped
from iph.training.loop import TrainingSettings

GROUP = typer.main.get_command(app)
COMMANDS = {
    "harmonize": GROUP.commands["harmonize"],
    "train": GROUP.commands["train"],
    "info": GROUP.commands["info"],
    "build intharmony": GROUP.commands["build"].commands["intharmony"],
    "build mhp": GROUP.commands["build"].commands["mhp"],
}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, arguments)))
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture(autouse=True)
def quick_validation(monkeypatch):
    monkeypatch.setattr("iph.commands.training.TrainingSettings", partial(TrainingSettings, validation_images=16))


@pytest.fixture
def photos(tmp_path) -> Path:
    splits = {f"p{n:02d}": "test" if n < 2 else "train" for n in range(40)}
    return make_folder(tmp_path / "photos", [2 + n % 3 for n in range(40)], splits)


def test_iph_alone_shows_its_help(run):
    code, out, err = run()
    assert (code, err) == (0, "") and all(name.split()[0] in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name, run):
    code, out, _ = run(*name.split(), "--help")
    assert code == 0 and "\\b" not in out
    for parameter in COMMANDS[name].params:
        assert parameter.name == "help" or (parameter.help and len(parameter.help) > 8), parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_use_options_that_exist(name):
    """An example starts with ``iph`` and goes on in lines indented further than itself."""
    text = re.sub(r"\n {10,}", " ", COMMANDS[name].help or "")
    examples = re.findall(r"^ *(?:accelerate launch .* -m )?(iph .*)$", text, re.MULTILINE)
    assert examples or name == "info"
    for example in examples:
        words = shlex.split(example)[1:]
        called = next(key for key in COMMANDS if words[: len(key.split())] == key.split())
        known = {option for parameter in COMMANDS[called].params for option in parameter.opts}
        used = {word for word in words if word.startswith("-")}
        assert used <= known, example


def test_build_intharmony(run, photos):
    command = ("build", "intharmony", "--photos", photos, "--out", "set", "--workers", "1")
    code, out, err = run(*command, "--limit", "3")
    assert code == 0 and out.startswith("set/manifest.csv: 2 test, 3 train; 5 built now, 0 before")
    code, out, err = run(*command)
    assert code == 0 and "2 test, 38 train; 35 built now, 5 before" in out
    code, _, err = run(*command, "--seed", "1")
    assert code == 2 and "to go on with seed 0" in err and err.count("\n") == 1


def test_build_mhp_from_photos(run, photos):
    code, out, _ = run("build", "mhp", "--photos", photos, "--out", "set", "--limit", "2", "--workers", "1")
    assert code == 0 and len(read_manifest("set")) == 2 and "2 photos without two people left out" in out


def test_a_bad_photo_makes_the_exit_code_1(run, photos):
    (photos / "images" / "p05.jpg").write_text("no photo")
    code, out, err = run("build", "intharmony", "--photos", photos, "--out", "set", "--workers", "1")
    assert code == 1 and "2 test, 37 train" in out
    assert "iph: p05: expected a readable photo" in err and "1 photo failed; run again to try only that" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--out", "set"), "expected one of --coco and --photos, got none of them"),
        (("--out", "set", "--coco", "a", "--photos", "b"), "got --coco and --photos"),
        (("--photos", "nowhere", "--out", "set"), "expected instances.csv in nowhere, found none"),
        (("--coco", "nowhere", "--out", "set"), "instances_train2017.json or instances_val2017.json in nowhere"),
        (("--photos", "photos", "--out", "set", "--luts", "photos"), "expected .cube files below photos, found none"),
        (("--photos", "photos"), "--out"),
    ],
)
def test_builds_that_cannot_be(run, photos, arguments, sentence):
    code, out, err = run("build", "intharmony", *arguments)
    assert (code, out) == (2, "") and sentence in err and err.count("\n") == 1


def small_run(*more: str) -> tuple[str, ...]:
    return ("train", "--size", "32", "--batch", "8", "--images", "16", *more)


def test_the_stages_one_after_the_other(run, photos):
    code, out, _ = run(*small_run("--photos", photos, "--out", "runs/general"))
    assert code == 0 and "runs/general/best.safetensors: foreground error" in out.splitlines()[-1]
    general = "runs/general/best.safetensors"
    code, _, _ = run(*small_run("--stage", "3", "--photos", photos, "--start", general, "--out", "runs/portrait"))
    described = json.loads(Path("runs/portrait/settings.json").read_text())["training"]
    assert code == 0 and described["rules"]["unpaired"] == 0.5 and described["rate"] == 1e-3
    assert [p.name for p in Path("runs").glob("pack*")] == ["pack-photos-160"]  # packed once for both
    portrait = "runs/portrait/best.safetensors"
    code, out, _ = run(*small_run("--stage", "psi", "--photos", photos, "--start", portrait, "--out", "runs/psi"))
    assert code == 0 and "look under" in out
    assert isinstance(load_network("runs/psi/psi.safetensors"), StyleEncoder)


def test_the_network_of_the_match_and_its_use(run, photos):
    code, out, _ = run(*small_run("--stage", "match", "--photos", photos, "--portraits", photos, "--out", "runs/m"))
    assert code == 0 and "iph harmonize --model runs/m/average.safetensors" in out
    own_path = small_run(
        "--stage", "psi", "--photos", photos, "--start", "runs/m/average.safetensors", "--out", "runs/p"
    )
    code, out, _ = run(*own_path)
    assert code == 0 and "look under" in out and isinstance(load_network("runs/p/psi.safetensors"), StyleEncoder)
    settings = json.loads(Path("runs/m/settings.json").read_text())
    assert (settings["steps"], settings["batch"], settings["sizes"]) == (2, 8, [32, 32])
    assert isinstance(iph.load("runs/m/average.safetensors").network, MatchFunctions)
    resume = ("--resume", "runs/m/resume.safetensors", "--out", "runs/n")
    assert run(*small_run("--stage", "match", "--photos", photos, *resume))[0] == 0
    code, _, err = run(*small_run("--stage", "2", "--photos", photos, *resume))
    assert code == 2 and "with --stage match or match-scene, got stage 2" in err


def test_only_the_training_split_is_trained_on(run, photos):
    run(*small_run("--photos", photos, "--out", "runs/a"))
    ids = json.loads(Path("runs/pack-photos-160/pack.json").read_text())["ids"]
    assert "p00" not in ids and "p01" not in ids and len(ids) == 38


def test_training_on_a_built_set(run, photos):
    run("build", "intharmony", "--photos", photos, "--out", "set", "--workers", "1")
    code, out, _ = run(*small_run("--stage", "1", "--data", "set", "--data", "set", "--out", "runs/a"))
    assert code == 0 and Path("runs/a/best.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--photos", "photos", "--images", "8", "--stage", "4"),
            "out of 1, 2, 3, psi, psi-paper, match, match-scene, got '4'",
        ),
        (("--photos", "photos", "--images", "8", "--config", "smal"), "did you mean 'small'"),
        (("--photos", "photos"), "--minutes or as --images, got neither"),
        (("--photos", "photos", "--images", "8", "--minutes", "1"), "got both"),
        (("--images", "8"), "--photos or as --data, got neither"),
        (("--images", "8", "--photos", "photos", "--data", "photos"), "got both"),
        (("--images", "8", "--photos", "nowhere"), "expected instances.csv in nowhere"),
        (("--images", "8", "--data", "nowhere"), "a manifest at nowhere/manifest.csv"),
        (("--images", "8", "--photos", "photos", "--size", "40"), "that 16 divides, got 40"),
        (("--images", "8", "--photos", "photos", "--start", "nothing"), "got 'nothing'"),
        (
            ("--images", "8", "--photos", "photos", "--start", "mine.safetensors"),
            "of the network 'small', but those of",
        ),
        (("--images", "8", "--photos", "photos", "--start", "psi-small"), "of the network 'small', but those of psi"),
        (("--minutes", "0", "--photos", "photos"), "expected more than 0 as --minutes, got 0"),
        (("--images", "8", "--photos", "photos", "--rate", "0"), "expected more than 0 as --rate, got 0"),
        (
            ("--images", "8", "--photos", "photos", "--stage", "psi", "--start", "small"),
            "at least a batch of 48 images to train on, got 8",
        ),
        (("--images", "8", "--photos", "photos", "--stage", "psi"), "--photos, --images and --start for ψ"),
    ],
)
def test_runs_that_cannot_be(run, photos, arguments, sentence):
    save_network("mine.safetensors", lively(code=8))
    code, out, err = run("train", "--out", "runs/a", *arguments)
    assert code == 2 and sentence in err and err.count("\n") == 1
    assert not list(Path(".").rglob("*.pt"))


def test_info_describes_what_ships(run):
    code, out, err = run("info")
    assert (code, err) == (0, "")
    for name in ("match", "small", "psi-small", "segmentation", "prompted-people"):
        assert re.search(rf"^{name}: [\d,]+ parameters, [\d.]+ MB", out, re.MULTILINE)
    assert out.count("(matches checksums.json)") == len(shipped.shipped_names()) + len(shipped.graph_files())
    assert re.search(r"^match.onnx: [\d.]+ MB", out, re.MULTILINE)


def test_info_of_ones_own_file_as_json(run):
    network = lively("small-rgb")
    save_network("mine.safetensors", network)
    code, out, _ = run("info", "mine.safetensors", "--json")
    (about,) = json.loads(out)["weights"]
    assert code == 0 and about["kind"] == "Network" and about["config"]["head"] == "rgb" and not about["verified"]
    assert about["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert about["bytes"] == Path("mine.safetensors").stat().st_size


def test_info_names_an_altered_file(run, tmp_path, monkeypatch):
    folder = tmp_path / "weights"
    shutil.copytree(shipped.FOLDER, folder)
    for name in ("psi-small.safetensors", "match.onnx"):
        content = bytearray((folder / name).read_bytes())
        content[-1] ^= 1
        (folder / name).write_bytes(content)
    monkeypatch.setattr(shipped, "FOLDER", folder)
    code, out, _ = run("info")
    assert code == 1 and "psi-small: the weights psi-small.safetensors were altered" in out
    assert "match.onnx: the weights match.onnx were altered" in out
    code, _, err = run("info", "smal")
    assert code == 2 and "did you mean 'small'" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "--minutes", "nan", "--photos", ".", "--out", "run"),
        ("train", "--images", "9", "--rate", "inf", "--photos", ".", "--out", "run"),
        ("cutout", "photo.png", "-o", "out.png", "--click", "nan", "nan"),
        ("cutout", "photo.png", "-o", "out.png", "--box", "0", "0", "9", "inf"),
    ],
)
def test_numbers_of_every_command_are_finite(run, arguments):
    code, _, err = run(*arguments)
    assert code == 2 and re.search("finite number as --|Invalid value for '--", err) and not Path("run").exists()
