"""The table of docs/runtime.md: how far the two runtimes differ, and how long each network takes in them.

    OMP_NUM_THREADS=1 PYTHONPATH=. python docs/runtimes.py

Ten composites of the sample, enlarged to 12 MP, and whoever is cut out of the gallery's backgrounds.
"""

import csv
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from iph.harmonizer import MATCH, SETTINGS, Harmonizer
from iph.masks import network as segmentation
from iph.masks import people, windows
from iph.masks.cutout import cutout
from iph.match.functions import Answer, Reading, functions
from iph.match.look import MatchFunctions
from iph.match.network import load_match_network
from iph.runtime.export import People
from iph.runtime.modules import function
from iph.semantics import encoder

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "bench" / "sample"
SIZE = 4000, 3000
TURNS = 9


def composites() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    with open(SAMPLE / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))[:10]
    return [
        (
            cv2.resize(cv2.imread(str(SAMPLE / row["composite"])), SIZE, interpolation=cv2.INTER_CUBIC)[..., ::-1],
            *(
                cv2.resize(cv2.imread(str(SAMPLE / row[name]), 0), SIZE, interpolation=cv2.INTER_LINEAR)
                for name in ("foreground", "reference")
            ),
        )
        for row in rows
    ]


def levels(one: Harmonizer, other: Harmonizer) -> str:
    """The greatest difference in levels of 255 inside the foregrounds, and the mean one."""
    most, mean = [], []
    for image, foreground, reference in composites():
        found = [each.open(image, foreground).harmonize(reference).image.astype(int) for each in (one, other)]
        apart = np.abs(found[0] - found[1])[foreground > 127]
        most.append(apart.max())
        mean.append(apart.mean())
    return f"{max(most)} | {np.mean(mean):.1g}"


def alphas(in_torch: tuple) -> str:
    """The same of the alpha of cut-outs."""
    most, mean, networks = [], [], (people._network, windows.network)
    for path in sorted((ROOT / "demo" / "studio" / "gallery").glob("*-background.jpg")):
        image, found = cv2.imread(str(path))[..., ::-1], []
        for people._network, windows.network in (networks, in_torch):
            people._apart.cache_clear()
            windows._looked_at.cache_clear()
            found.append(cutout(image).alpha.astype(int))
        people._network, windows.network = networks
        apart = np.abs(found[0] - found[1])
        most.append(apart.max())
        mean.append(apart.mean())
    return f"{max(most)} | {np.mean(mean):.1g}"


def milliseconds(*calls: Callable[[], object]) -> list[str]:
    """Processor time of each, the least of several, in turns."""
    best = [np.inf] * len(calls)
    for _ in range(TURNS):
        for n, call in enumerate(calls):
            began = time.process_time()
            call()
            best[n] = min(best[n], time.process_time() - began)
    return [f"{1000 * seconds:.1f}" for seconds in best]


def main() -> None:
    torch.set_num_threads(1)
    network = load_match_network("match")
    exact = MatchFunctions(function(Reading(encoder(torch.float32))), function(Answer(network)))
    half = functions(network)
    print("| | most | mean |\n| --- | ---: | ---: |")
    for name in ("portrait", "general"):
        ours, whole, mixed = (Harmonizer(each, None, SETTINGS[name].pasted) for each in (MATCH, exact, half))
        print(f"| `{name}`, ONNX and torch in float32 | {levels(ours, whole)} |")
        print(f"| `{name}`, torch in bfloat16 and in float32 | {levels(mixed, whole)} |")
    people_in_torch, subjects = function(People()), segmentation.segmenter("segmentation", "prompted-people")
    print(f"| alpha of cut-outs, ONNX and torch | {alphas((people_in_torch, lambda: subjects))} |")

    rng = np.random.default_rng(0)
    photo, both = rng.random((1, 3, 192, 192), np.float32), rng.random((2, 3, 256, 256), np.float32)
    window, asked = rng.random((1, 3, 192, 256), np.float32), rng.random((1, 2, 4, 192, 256), np.float32)
    features = dict(zip(windows.FEATURES, subjects.encode(image=window), strict=True))
    answer = answer_inputs(exact, rng)
    shipped = windows.network()
    print("\n| | ONNX | torch |\n| --- | ---: | ---: |")
    for what, *calls in (
        ("encoder", lambda: MATCH.read(photo=photo), lambda: half.read(photo=photo)),
        ("answer of the match", lambda: MATCH.answer(**answer), lambda: half.answer(**answer)),
        ("people, 256 px", lambda: people._network(image=both), lambda: people_in_torch(image=both)),
        ("subjects: encode", lambda: shipped.encode(image=window), lambda: subjects.encode(image=window)),
        (
            "subjects: two prompts",
            lambda: shipped.decode(image=window, **features, prompts=asked),
            lambda: subjects.decode(image=window, **features, prompts=asked),
        ),
        (
            "people: two prompts",
            lambda: shipped.people(image=window, prompts=asked),
            lambda: subjects.people(image=window, prompts=asked),
        ),
    ):
        print(f"| {what} | {' | '.join(milliseconds(*calls))} |")


def answer_inputs(networks: MatchFunctions, rng: np.random.Generator) -> dict[str, np.ndarray]:
    seen, mask = {}, np.zeros((2, 1, 128, 128), np.float32)
    mask[..., 20:100, 10:60] = 1
    for of in ("", "other_"):
        read = networks.read(photo=rng.random((1, 3, 192, 192), np.float32))
        features, kinds = (np.repeat(part, 2, 0) for part in read)
        image = rng.random((2, 3, 128, 128), np.float32)
        seen |= {f"{of}image": image, f"{of}features": features, f"{of}kinds": kinds}
    masks = {"foreground": mask, "reference": mask[..., ::-1], "scene": 1 - mask}
    told = {"pasted": np.ones(2, np.float32), "code": np.zeros((2, networks.code), np.float32)}
    return seen | masks | told | {"r1": np.array(1, np.float32), "transfer": np.array(0, np.float32)}


if __name__ == "__main__":
    main()
