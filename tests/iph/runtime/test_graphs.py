"""The shipped networks in ONNX Runtime are those of the weights in torch, wherever and however they are asked."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sample_photos import photo_pairs

import iph
from iph.checkpoint import load_network
from iph.errors import InputError
from iph.harmonizer import MATCH, SETTINGS, Harmonizer
from iph.masks import network as segmentation
from iph.masks import selfie, windows
from iph.masks.prompted_people import Asking, PromptedPeople
from iph.match.functions import Answer, Code, Reading
from iph.match.look import MatchFunctions
from iph.match.network import load_match_network
from iph.reference import Reference
from iph.runtime import graphs, shipped
from iph.runtime.graphs import Function, Graph, threads
from iph.runtime.modules import function
from iph.semantics import encoder

TOLERANCE = 2e-5  # of outputs of about one; float32 has 1e-7, and sums run in another order


class People(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor]:
        return (selfie.network()(image),)


def picture(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, np.float32)


def region(first: int, last: int) -> np.ndarray:
    mask = np.zeros((2, 1, 128, 128), np.float32)
    mask[..., 20:110, first:last] = 1
    return mask


def equal(graph: Function, function: Function, tolerance: float = TOLERANCE, **inputs: np.ndarray) -> None:
    found, expected = graph(**inputs), function(**inputs)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * max(1, np.abs(other).max()))


@pytest.fixture(scope="module")
def reading() -> Function:
    return function(Reading(encoder(torch.float32)))


def test_what_the_encoder_reads(reading):
    equal(MATCH.read, reading, photo=picture(1, 3, 192, 192))


@pytest.mark.parametrize(("pasted", "r1", "transfer"), [(1, 1, 0), (0, 1, 0), (1, 0.3, 0.6)])
def test_the_answer_of_the_match(reading, pasted, r1, transfer):
    seen = {}
    for n, of in enumerate(("", "other_")):
        features, kinds = (np.repeat(part, 2, 0) for part in reading(photo=picture(1, 3, 192, 192, seed=n)))
        seen |= {f"{of}image": picture(2, 3, 128, 128, seed=n + 2), f"{of}features": features, f"{of}kinds": kinds}
    equal(
        MATCH.answer,
        function(Answer(load_match_network("match"))),
        **seen,
        foreground=region(8, 60),
        reference=region(70, 120),
        scene=1 - region(8, 60),
        pasted=np.full(2, pasted, np.float32),
        code=picture(2, 64) * np.float32(transfer),
        r1=np.array(r1, np.float32),
        transfer=np.array(transfer, np.float32),
    )


def test_the_code_of_colour_transfer():
    equal(MATCH.psi, function(Code(load_network("psi-match"))), image=picture(2, 3, 128, 128), mask=region(8, 60))


@pytest.mark.parametrize("side", [192, 256, 320])
def test_the_people_of_a_picture_of_any_side(side):
    equal(Graph("people"), function(People()), 1e-4, image=picture(2, 3, side, side))


@pytest.mark.parametrize(("height", "width", "prompts"), [(256, 192, 1), (32, 256, 12), (224, 160, 2)])
def test_the_subjects_of_any_window_and_any_number_of_prompts(height, width, prompts):
    trained = segmentation.load("segmentation")
    trained.precision = torch.float32
    encode, decode = function(segmentation.Encoding(trained)), function(segmentation.Decoding(trained))
    image, asked = picture(1, 3, height, width), picture(1, prompts, 4, height, width)
    equal(Graph("segmentation-encode"), encode, 1e-4, image=image)
    features = dict(zip(windows.FEATURES, encode(image=image), strict=True))
    equal(Graph("segmentation-decode"), decode, 1e-4, image=image, **features, prompts=asked)
    people = function(Asking(segmentation.load("prompted-people", PromptedPeople)))
    equal(Graph("prompted-people"), people, 1e-4, image=image, prompts=asked)


@pytest.mark.parametrize("name", ["portrait", "general"])
def test_a_photo_comes_out_as_with_torch_within_a_level(reading, name):
    """After the colour mapping, at the photo's own size, against torch in float32."""
    setting = SETTINGS[name]
    networks = MatchFunctions(reading, function(Answer(load_match_network("match"))))
    for image, mask, look, region in photo_pairs(4):
        for other in ({"reference": ~mask}, {"reference": region, "reference_image": look}):
            ours, theirs = (
                Harmonizer(part, None, setting.pasted).open(image, mask).harmonize(**other).image.astype(int)
                for part in (setting.networks, networks)
            )
            assert (ours != image)[mask].mean() > 0.3
            assert np.abs(ours - theirs).max() <= 1 and np.abs(ours - theirs)[mask].mean() < 1e-3


@pytest.mark.parametrize("name", SETTINGS)
def test_any_reference_gives_a_change_of_the_foreground_alone(name):
    """Another photo, several at once, three pixels, the very foreground, and what has nothing in common with it."""
    for image, mask, look, region in photo_pairs(2):
        tiny, sky = np.zeros(image.shape[:2], bool), np.full((90, 160, 3), (70, 120, 230), np.uint8)
        tiny[2, 2:5] = True
        session = iph.load(name).open(image, mask)
        other, plain = Reference(region, image=look), Reference(None, image=sky)
        for reference in (
            other,
            [other, Reference(~mask, weight=2.0), plain],
            tiny,
            plain,
            Reference(mask, image=image),
        ):
            result = session.harmonize(reference).image
            assert result.dtype == image.dtype and np.array_equal(result[~mask], image[~mask])
            assert np.isfinite(session.fit_mapping(reference).change).all()
            assert result[mask].std() > 0.3 * image[mask].std(), "the photo is still there"


def code(seed: int) -> np.ndarray:
    return Graph("psi-match")(image=picture(2, 3, 128, 128, seed=seed), mask=region(8, 60))[0]


def test_many_threads_may_ask_at_once():
    expected = [code(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for seed, found in enumerate(pool.map(code, [0, 1, 2, 3] * 4)):
            assert np.array_equal(found, expected[seed % 4])


def test_a_forked_process_and_one_that_gets_it_by_post(tmp_path):
    """In a process of its own, as a server forks: pytest's has threads of other tests, whose locks a fork keeps."""
    np.savez(tmp_path / "asked.npz", **inputs_of(0))
    (tmp_path / "ways.py").write_text(
        "import multiprocessing, sys\nimport numpy as np\nfrom iph.runtime.graphs import Graph\n\n"
        "if __name__ == '__main__':\n    graph, asked = Graph('psi-match'), dict(np.load(sys.argv[1]))\n"
        "    expected = graph(**asked)[0]\n    for way in ('fork', 'spawn'):\n"
        "        with multiprocessing.get_context(way).Pool(1) as pool:\n"
        "            found = pool.apply_async(graph, kwds=asked).get(100)[0]\n"
        "        np.testing.assert_allclose(found, expected, atol=1e-6)\n        print(way)\n"
    )
    command = [sys.executable, tmp_path / "ways.py", tmp_path / "asked.npz"]
    threads_and_path = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONPATH": str(shipped.FOLDER.parents[1])}
    told = subprocess.run(command, env=threads_and_path, capture_output=True, text=True, check=False)
    assert told.stdout.split() == ["fork", "spawn"], told.stderr


def inputs_of(seed: int) -> dict[str, np.ndarray]:
    return {"image": picture(2, 3, 128, 128, seed=seed), "mask": region(8, 60)}


@pytest.mark.parametrize(("asked", "given"), [("3", 3), ("4,2", 4), ("", None), ("0", None), ("many", None)])
def test_as_many_threads_as_the_environment_says(monkeypatch, asked, given):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert threads() == given if given else threads() >= 1


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the shipped files, read anew."""
    copied = tmp_path / "weights"
    shutil.copytree(shipped.FOLDER, copied)
    monkeypatch.setattr(shipped, "FOLDER", copied)
    graphs._session.cache_clear()
    yield copied
    graphs._session.cache_clear()


def test_an_altered_and_a_missing_network_are_refused(folder):
    path = folder / "psi-match.onnx"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="the weights psi-match.onnx were altered"):
        Graph("psi-match").check()
    path.unlink()
    with pytest.raises(InputError, match="expected a network at .*psi-match.onnx, but: No such file"):
        Graph("psi-match").check()


def test_the_networks_in_this_repository_are_those_of_their_checksums_and_tell_of_no_machine():
    sums = json.loads((shipped.FOLDER / "checksums.json").read_text())
    assert len(shipped.graph_files()) == 7
    for name in shipped.graph_files():
        path = shipped.FOLDER / name
        assert sums[name] == shipped.checksum(path)
        assert b"site-packages" not in path.read_bytes() and b".py" not in path.read_bytes()
