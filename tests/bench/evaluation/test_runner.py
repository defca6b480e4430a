"""Runs: what is computed, what is kept when they end badly, and that only what is missing is done again."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from bench_pictures import make_dataset, picture, save
from bench_runs import TWO, go
from safetensors.numpy import save_file

from bench.datasets import read_manifest
from bench.evaluation import entrants
from bench.evaluation.evaluate import evaluate
from bench.evaluation.request import RunRequest, part_of, plan
from bench.evaluation.runner import local
from bench.evaluation.store import KEY, Store
from bench.metrics import score_all
from bench.report.dashboard_data import open_boards, picture_file
from iph.errors import InputError
from iph.network import build

COSTS = ["seconds", "peak_mb", "computed"]  # what two runs may differ in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_dataset(tmp_path / "set", images=6, composites_a_photo=2)
    return tmp_path / "set"


def test_rows(folder: Path, tmp_path: Path) -> None:
    store, summary = go(folder, tmp_path / "results")
    assert (summary.computed, summary.present, summary.failures) == (12, 0, [])
    rows = store.read()
    assert len(rows) == 12 and not rows.duplicated(KEY).any()
    row = rows[(rows["id"] == "image3") & (rows["method"] == "composite")].iloc[0]
    dataset = read_manifest(folder)
    entry = dataset.entries[3]
    composite, target = (cv2.imread(str(path))[..., ::-1] for path in (entry.composite, entry.target))
    mask = cv2.imread(str(entry.foreground), 0) > 0
    for name, value in score_all(composite, target, mask).items():
        assert row[name] == value
    assert row["dataset_hash"] == dataset.content_hash() and row["photo"] == "photo1" and row["subset"] == "odd"
    assert (row["width"], row["height"], row["size"], row["protocol"]) == (48, 40, "original", "strict")
    assert row["composite_fmse"] == pytest.approx(row["fmse"])
    assert row["foreground_share"] == pytest.approx(mask.mean())
    assert row["seconds"] > 0 and row["peak_mb"] > 10
    assert not store.parts.exists()
    meta = store.read_meta()
    assert meta["images"] == 6 and meta["photos"] == 3 and meta["dataset_hash"] == row["dataset_hash"]
    assert meta["methods"]["luminance-background"]["looks_at"] == "background"


def test_only_what_is_missing(folder: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    go(folder, results, limit=2)
    store, summary = go(folder, results, limit=4, names=(*TWO, "reinhard-background"))
    assert (summary.computed, summary.present) == (8, 4)
    before = store.read()
    _, summary = go(folder, results, limit=4, names=(*TWO, "reinhard-background"))
    assert (summary.computed, summary.present) == (0, 12)
    pd.testing.assert_frame_equal(before, store.read())
    _, summary = go(folder, results, limit=1, recompute=True)
    assert (summary.computed, summary.present) == (2, 0)
    assert len(store.read()) == len(before)


def test_other_protocol_size_or_data_are_other_rows(folder: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    go(folder, results, names=["composite"])
    go(folder, results, names=["composite"], size=32)
    store, _ = go(folder, results, names=["composite"], protocol="dovenet", size=256)
    assert store.read().groupby(["protocol", "size"]).size().to_dict() == {
        ("dovenet", "256"): 6,
        ("strict", "32"): 6,
        ("strict", "original"): 6,
    }
    save(folder / "targets/0.png", picture(99))
    _, summary = go(folder, results, names=["composite"])
    assert summary.computed == 6 and store.read()["dataset_hash"].nunique() == 2


@pytest.mark.parametrize("protocol", ["dovenet", "rainnet", "idih", "cdtnet"])
def test_a_protocol_resizes_in_its_own_way(folder: Path, tmp_path: Path, protocol: str) -> None:
    """What a run scores at 256 is what the protocol makes of the files, and finished pictures go the same way."""
    options = {
        "protocol": protocol,
        "size": 256,
        "limit": 1,
        "predictions": [f"mine={outputs(folder, tmp_path / 'm')}"],
    }
    store, summary = go(folder, tmp_path / "results", names=["composite"], **options)
    rows = store.read().set_index("method")
    entry = read_manifest(folder).entries[0]
    composite, target = load_pixels(entry.composite), load_pixels(entry.target)
    for name, value in score_all(composite, target, cv2.imread(str(entry.foreground), 0) > 0, protocol).items():
        assert rows.loc["composite", name] == value
    assert summary.failures == []
    assert rows.loc["mine", "mse"] == 0 or (protocol == "rainnet" and rows.loc["mine", "mse"] < 1)  # bytes cut off


def test_shards_make_the_whole(folder: Path, tmp_path: Path) -> None:
    whole, _ = go(folder, tmp_path / "whole")
    for shard in ("1/3", "2/3", "3/3"):
        parts, summary = go(folder, tmp_path / "parts", shard=shard)
        assert summary.computed == 4
    pd.testing.assert_frame_equal(whole.read().drop(columns=COSTS), parts.read().drop(columns=COSTS))


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", "1/0"])
def test_wrong_shard(folder: Path, shard: str) -> None:
    with pytest.raises(InputError, match="expected a shard as i/n"):
        part_of(read_manifest(folder), shard=shard)


def test_a_request_comes_to_the_usual_side(folder: Path, tmp_path: Path) -> None:
    """A protocol's own, else that of the data set, else 256."""
    asked = RunRequest(str(folder), tmp_path, methods=("composite",))
    assert plan(asked).size == 256 and plan(replace(asked, size="original")).size is None
    assert plan(replace(asked, protocol="cdtnet-1024")).size == 1024 and plan(replace(asked, size="64")).size == 64
    assert plan(replace(asked, dataset="sample")).size is None
    assert not plan(asked).missing and plan(asked).store.folder == tmp_path / "set"


def test_processes_give_the_same_rows(folder: Path, tmp_path: Path) -> None:
    one, _ = go(folder, tmp_path / "one")
    two, summary = go(folder, tmp_path / "two", execute=local(2))
    assert summary.failures == []
    pd.testing.assert_frame_equal(one.read().drop(columns=COSTS), two.read().drop(columns=COSTS))


def test_one_bad_image_is_reported_and_the_rest_finishes(folder: Path, tmp_path: Path) -> None:
    (folder / "composites/2.png").write_bytes(b"broken")
    store, summary = go(folder, tmp_path / "results")
    assert summary.computed == 10
    assert [(id_, method) for id_, method, _ in summary.failures] == [("image2", "")]
    assert "expected a readable image" in summary.failures[0][2]
    (folder / "composites/2.png").unlink()
    save(folder / "composites/2.png", picture(2))
    _, summary = go(folder, tmp_path / "results")
    assert summary.computed == 12, "the repaired data set is another version"


def test_no_target_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("targets/3.png", ""))
    _, summary = go(folder, tmp_path / "results")
    assert [sentence for _, _, sentence in summary.failures] == [
        "expected a target for image3, found none; without one nothing can be measured"
    ]


def test_half_a_data_set_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "masks/2.png").unlink()
    (folder / "targets/1.png").unlink()
    with pytest.raises(InputError, match="expected every file of the data set, but 2 are missing"):
        go(folder, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_missing_weights_are_passed_over_and_recorded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPH_WEIGHTS", str(tmp_path / "no weights"))
    store, summary = go(folder, tmp_path / "results", names=["composite", "dovenet"])
    assert summary.computed == 6
    assert store.read_meta()["methods"]["dovenet"]["missing"].startswith("weights missing: put latest_net_G.pth")


def test_checkpoint_with_other_keys_names_them(folder: Path, tmp_path: Path) -> None:
    settings = {"kind": "Network", "config": build("h-net").settings()}
    wrong = {"head.unknown": np.zeros(3, np.float32)}
    save_file(wrong, tmp_path / "other.safetensors", metadata={"settings": json.dumps(settings)})
    names = ["composite", f"iph={tmp_path / 'other.safetensors'}"]
    _, summary = go(folder, tmp_path / "results", names=names)
    assert summary.computed == 6 and len(summary.failures) == 6
    (sentence,) = {sentence for _, _, sentence in summary.failures}
    assert "other.safetensors" in sentence and "differ: " in sentence and "\n" not in sentence


def test_named_weights_that_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(b"too short")
    with pytest.raises(InputError, match="expected weights of dovenet at .* weights damaged"):
        go(folder, tmp_path / "results", names=[f"dovenet={tmp_path / 'net.pth'}"])


def outputs(folder: Path, into: Path) -> Path:
    """Finished pictures: the targets themselves."""
    for entry in read_manifest(folder).entries:
        save(into / f"{entry.id}.png", load_pixels(entry.target))
    return into


def load_pixels(path: Path) -> np.ndarray:
    return cv2.imread(str(path))[..., ::-1]


def test_predictions(folder: Path, tmp_path: Path) -> None:
    made = outputs(folder, tmp_path / "made")
    store, summary = go(folder, tmp_path / "results", names=[], predictions=[f"perfect={made}"])
    rows = store.read()
    assert summary.computed == 6 and (rows["mse"] == 0).all() and np.isinf(rows["psnr"]).all()
    assert rows["seconds"].isna().all()
    save(made / "image0.png", picture(50))
    _, summary = go(folder, tmp_path / "results", names=[], predictions=[f"perfect={made}"], limit=4)
    assert summary.computed == 4, "other pictures are measured again"
    _, summary = go(folder, tmp_path / "results", names=[], predictions=[f"perfect={made}"])
    assert (summary.computed, summary.present) == (2, 4), "and a longer run goes on"
    assert store.read()["weights_hash"].nunique() == 1


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda made: (made / "image4.png").unlink(), "for each of 6 images .* but 1 are missing: image4"),
        (lambda made: save(made / "extra.png", picture(1)), "but 1 belong to no image: extra"),
        (lambda made: save(made / "image1.jpg", picture(1)), "expected one picture for 'image1'"),
    ],
)
def test_predictions_missing_or_extra(folder: Path, tmp_path: Path, spoil, sentence: str) -> None:
    made = outputs(folder, tmp_path / "made")
    spoil(made)
    with pytest.raises(InputError, match=sentence):
        go(folder, tmp_path / "results", names=[], predictions=[f"mine={made}"])
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("names", "predicted", "sentence"),
    [
        ([], ["mine", "mine"], "but 'mine' is there twice"),
        (["mine={made}.py"], ["mine"], "but 'mine' is there twice"),
        ([], ["../mine"], "expected a name without '/'"),
        ([".mine={made}.py"], [], "and with no dot at its start, but got '.mine'"),
    ],
)
def test_names_tell_rows_apart(folder: Path, tmp_path: Path, names, predicted, sentence: str) -> None:
    made = outputs(folder, tmp_path / "made")
    (tmp_path / "made.py").write_text("def harmonize(composite, foreground, reference): ...")
    arguments = {"names": [name.format(made=made) for name in names], "predictions": [f"{p}={made}" for p in predicted]}
    with pytest.raises(InputError, match=sentence):
        go(folder, tmp_path / "results", **arguments)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [("mine", "as name=DIR"), ("composite=.", "expected a new name"), ("mine=/nowhere", "expected a folder")],
)
def test_wrong_predictions_argument(folder: Path, argument: str, sentence: str) -> None:
    whole = read_manifest(folder)
    with pytest.raises(InputError, match=sentence):
        entrants.predictions(argument, whole, whole)


def test_prediction_of_the_composites_own_size_is_resized(folder: Path, tmp_path: Path) -> None:
    made = outputs(folder, tmp_path / "made")
    store, summary = go(folder, tmp_path / "results", names=[], predictions=[f"mine={made}"], size=32)
    assert summary.failures == [] and (store.read()["mse"] == 0).all()


def test_prediction_of_another_size_fails_alone(folder: Path, tmp_path: Path) -> None:
    made = outputs(folder, tmp_path / "made")
    save(made / "image5.png", picture(5, 20, 24))
    _, summary = go(folder, tmp_path / "results", names=[], predictions=[f"mine={made}"])
    assert summary.computed == 5
    assert summary.failures == [("image5", "mine", "expected an output of 48x40 pixels, but got 24x20")]


def test_pictures_are_kept_and_made_again_when_lost(folder: Path, tmp_path: Path) -> None:
    store, _ = go(folder, tmp_path / "results", names=["composite"], keep_pictures=True)
    kept = store.folder / "pictures/composite/image2.png"
    assert np.array_equal(load_pixels(kept), load_pixels(folder / "composites/2.png"))
    kept.unlink()
    _, summary = go(folder, tmp_path / "results", names=["composite"], keep_pictures=True)
    assert summary.computed == 1 and kept.exists()


def test_kept_pictures_show_the_rows_they_lie_beside(folder: Path, tmp_path: Path) -> None:
    """One set a method: never two sizes, nor the answer of code that has changed."""

    def shown(size: str) -> list[bool]:
        board = open_boards(tmp_path / "results", "set")["strict", size]
        return [picture_file(tmp_path / "results", board, "mine", f"image{n}") is not None for n in range(3)]

    code = "def harmonize(composite, foreground, reference):\n    return composite * 0 + {}\n"
    (tmp_path / "mine.py").write_text(code.format("composite.dtype.type(5)"))
    options = {"names": ["composite", f"mine={tmp_path}/mine.py"], "limit": 3}
    store, _ = go(folder, tmp_path / "results", **options, keep_pictures=True)
    kept = store.folder / "pictures/mine"
    assert load_pixels(kept / "image2.png").shape == (40, 48, 3) and shown("original") == [True] * 3
    _, summary = go(folder, tmp_path / "results", **options, size=32)
    assert summary.computed == 6 and shown("32") == [False] * 3 and shown("original") == [True] * 3
    go(folder, tmp_path / "results", **options | {"limit": 2}, size=32, keep_pictures=True)
    assert sorted(path.name for path in kept.glob("*.png")) == ["image0.png", "image1.png"]
    assert load_pixels(kept / "image1.png").shape == (32, 32, 3)
    assert shown("32") == [True, True, False] and shown("original") == [False] * 3

    (tmp_path / "mine.py").write_text(code.format("composite.dtype.type(9)"))
    _, summary = go(folder, tmp_path / "results", **options, size=32)
    assert summary.computed == 3, "only the code has changed, and nobody asked for more pictures"
    assert (load_pixels(kept / "image0.png") == 9).all() and shown("32") == [True] * 3
    _, summary = go(folder, tmp_path / "results", **options | {"names": options["names"][1:]}, size=None)
    assert summary.computed == 3 and (load_pixels(kept / "image0.png").shape == (32, 32, 3)), "another board"


def test_stopped_by_hand(folder: Path, tmp_path: Path) -> None:
    """Ctrl-C amid the second picture: it is finished, no other one is begun, and nothing is raised."""

    def pressed(context, tasks):
        for number, (entry, methods) in enumerate(tasks):
            if number == 1:
                os.kill(os.getpid(), signal.SIGINT)
            yield evaluate(context, entry, methods)

    store, summary = go(folder, tmp_path / "results", execute=pressed)
    assert summary.stopped and summary.computed == 4 and len(store.read()) == 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    _, summary = go(folder, tmp_path / "results")
    assert (summary.computed, summary.present, summary.stopped) == (8, 4, False)


def test_kill_minus_nine_loses_no_finished_row(tmp_path: Path) -> None:
    """A real run in a process of its own is killed at its first rows; the next one does exactly the rest."""
    make_dataset(tmp_path / "set", images=60)
    command = [
        sys.executable,
        "-m",
        "bench",
        "run",
        "--dataset",
        str(tmp_path / "set"),
        "--out",
        str(tmp_path / "results"),
    ]
    command += ["--methods", "composite,idt-background", "--workers", "1", "--size", "128"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    parts = tmp_path / "results/set/parts"
    deadline = time.monotonic() + 240
    while sum(path.read_text().count("\n") for path in parts.glob("*.jsonl")) < 4:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    store = Store(tmp_path / "results", "set")
    kept = store.read()
    assert 4 <= len(kept) < 120
    whole = read_manifest(tmp_path / "set")
    _, summary = go(tmp_path / "set", tmp_path / "results", ("composite", "idt-background"), size=128)
    assert (summary.present, summary.computed) == (len(kept), 120 - len(kept))
    rows = store.read()
    assert len(rows) == 2 * len(whole.entries) and not rows.duplicated(KEY).any()
    again = rows.set_index(KEY).loc[kept.set_index(KEY).index].reset_index()
    pd.testing.assert_frame_equal(again[kept.columns], kept)


def test_ray_gives_the_same_rows(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is an optional extra")
    from bench.ray_runner import on_ray

    here, _ = go(folder, tmp_path / "here")
    there, summary = go(folder, tmp_path / "there", execute=on_ray(None))
    assert summary.failures == []
    pd.testing.assert_frame_equal(here.read().drop(columns=COSTS), there.read().drop(columns=COSTS))
