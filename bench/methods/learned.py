"""DoveNet, BargainNet and RainNet as harmonizers, with the inputs their own test loaders make.

All three work at 256x256. A composite of another size is resized as the loader does it, and the result is brought back
with Pillow's bicubic filter. DoveNet and BargainNet answer with the raw frame, background included; RainNet's answer is
laid over the composite. Not all authors evaluated in evaluation mode: the test commands of DoveNet and BargainNet
leave BatchNorm on the statistics of the one image and dropout on (``stochastic``; here from a fixed seed), RainNet's
``evaluate.py`` does not.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from bench import weights
from bench.methods.regions import core_of, given
from bench.methods.registry import Harmonize, Method
from bench.metrics.protocols import bilevel
from iph.masks.forms import as_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

SIDE = 256
SEED = 0

Run = Callable[["Tensor", "Tensor", "Tensor | None"], "Tensor"]


def dovenet(stochastic: bool) -> Callable[[Method], Harmonize]:
    """DoveNet with dropout and one-image BatchNorm statistics, or in evaluation mode."""

    def build(method: Method) -> Harmonize:
        import torch

        from bench.networks import DoveNet

        network = _loaded(DoveNet(), method, "latest_net_G.pth")
        run = _runner(network, stochastic, lambda image, mask, _: network(torch.cat([image, mask], dim=1)))
        return _harmonizer(run, _pillow_image, _pillow_mask, composited=False)

    return build


def bargainnet(guide: Literal["background", "reference"], stochastic: bool) -> Callable[[Method], Harmonize]:
    """BargainNet guided by the background as published, or by the reference region as in BargainNet (R)."""

    def build(method: Method) -> Harmonize:
        from bench.networks import BargainNet

        network = BargainNet()
        _loaded(network.generator, method, "latest_net_G.pth")
        _loaded(network.style_encoder, method, "latest_net_E.pth")

        def forward(image: "Tensor", mask: "Tensor", reference: "Tensor | None") -> "Tensor":
            return network(image, mask, 1 - mask if guide == "background" else reference)

        run = _runner(network, stochastic, forward)
        return _harmonizer(run, _opencv_image, _opencv_mask, composited=False, needs_reference=guide == "reference")

    return build


def rainnet(stochastic: bool, guided: bool = False) -> Callable[[Method], Harmonize]:
    """RainNet in evaluation mode as its ``evaluate.py`` runs it, or with dropout on, as its ``test.py`` does.

    ``guided`` by the reference region in place of the background.
    """

    def build(method: Method) -> Harmonize:
        from bench.networks import RainNet

        network = _loaded(RainNet(), method, "net_G_last.pth")
        run = _runner(network, stochastic, network)  # without a reference, the background guides
        return _harmonizer(run, _pillow_image, _pillow_mask, composited=True, needs_reference=guided)

    return build


def retrained(composited: bool, needs_reference: bool) -> Callable[[Method], Harmonize]:
    """A narrow one that `python -m bench retrain` trained at a smaller size, run fully convolutionally at 256x256."""

    def build(method: Method) -> Harmonize:
        from bench.networks.retrained import load

        network = load(retrained_file(method))

        def forward(image: "Tensor", mask: "Tensor", reference: "Tensor | None") -> "Tensor":
            composite = (image + 1) / 2
            return network(composite, mask, composite, reference) * 2 - 1

        run = _runner(network, False, forward)
        return _harmonizer(run, _pillow_image, _pillow_mask, composited, needs_reference)

    return build


def retrained_file(method: Method) -> Path:
    """Where the weights of a retrained row are: as given, or in the weights folder."""
    return method.source or weights.folder() / "retrained" / f"{method.weights}.safetensors"


def lacks_retrained(method: Method) -> str | None:
    """Why the weights of a retrained row cannot be used, or None."""
    path = retrained_file(method)
    place = weights.shown(path)
    return None if path.is_file() else f"weights missing: python -m bench retrain makes them; put one at {place}"


def lacks(method: Method) -> str | None:
    """What is wrong with the weights of ``method``, or None."""
    found = weights.status(method.weights, method.source)
    return None if found.state == "ready" else found.sentence


def checksum(method: Method) -> str:
    """SHA-256 of the weights of ``method``."""
    return weights.digest(method.weights, method.source)


def _loaded(network: "nn.Module", method: Method, file: str) -> "nn.Module":
    from bench.networks.loading import load_strict

    state = weights.load(method.weights, method.source)[file]
    load_strict(network, state, f"{file} of {method.name}")
    return network


def _runner(network: "nn.Module", stochastic: bool, forward: Run) -> Run:
    """``forward`` in the wanted mode, repeatable: the same image gives the same answer in any order of images."""
    import torch

    network.train(stochastic).requires_grad_(False)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.0  # running statistics stay as published

    def run(image: "Tensor", mask: "Tensor", reference: "Tensor | None") -> "Tensor":
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            return forward(image, mask, reference)

    return run


def _harmonizer(
    run: Run,
    read_image: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    read_mask: Callable[[NDArray[np.float64]], NDArray[np.float32]],
    composited: bool,
    needs_reference: bool = False,
) -> Harmonize:
    def harmonize(
        composite: NDArray[np.uint8], foreground: ArrayLike, reference: ArrayLike | None = None
    ) -> NDArray[np.uint8]:
        size = composite.shape[:2]
        mask = as_weights(foreground, "foreground mask", size)
        core_of(mask, "foreground")
        guide = None
        if needs_reference:
            region = as_weights(given(reference), "reference mask", size)
            core_of(region, "reference")
            guide = _mask_tensor(read_mask(region))
        output = run(_image_tensor(read_image(composite)), _mask_tensor(read_mask(mask)), guide)
        frame = _restored(_bytes(output), size)
        return np.where(bilevel(mask, None)[..., None], frame, composite) if composited else frame

    return harmonize


def _pillow_image(composite: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(composite).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _pillow_mask(mask: NDArray[np.float64]) -> NDArray[np.float32]:
    return bilevel(mask, SIDE).astype(np.float32)


def _opencv_image(composite: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(composite, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def _opencv_mask(mask: NDArray[np.float64]) -> NDArray[np.float32]:
    """BargainNet's loader cuts masks to whole numbers before it resizes: only full weight is foreground."""
    full = (mask >= 1).astype(np.uint8)
    return cv2.resize(full, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _image_tensor(image: NDArray[np.uint8]) -> "Tensor":
    import torch

    scaled = (image.astype(np.float32) / 255 - 0.5) / 0.5
    return torch.from_numpy(scaled.transpose(2, 0, 1)[None])  # (H, W, 3) → (1, 3, H, W)


def _mask_tensor(mask: NDArray[np.float32]) -> "Tensor":
    import torch

    return torch.from_numpy(mask[None, None])  # (H, W) → (1, 1, H, W)


def _bytes(output: "Tensor") -> NDArray[np.uint8]:
    """(1, 3, H, W) in [-1, 1] → (H, W, 3), truncated as the authors' scripts do."""
    return ((output[0].permute(1, 2, 0).numpy() + 1) / 2 * 255).astype(np.uint8)


def _restored(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if frame.shape[:2] == size:
        return frame
    return np.asarray(Image.fromarray(frame).resize((size[1], size[0]), Image.Resampling.BICUBIC))
