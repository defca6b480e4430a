"""What ships as ONNX, written from the weights: the modules of torch, the inputs they take, and the files.

Weights are stored in half precision where nothing is lost by it, and cast when a network is read; those that were
shipped in half precision are the same numbers in both forms.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxscript.optimizer import fold_constants_ir, remove_unused_nodes
from torch import Tensor, nn
from torch.export import Dim

from iph.checkpoint import load_network
from iph.files import replacing
from iph.masks import network as segmentation
from iph.masks import selfie, windows
from iph.masks.prompted_people import Asking, PromptedPeople
from iph.match.functions import Answer, Code, Reading
from iph.match.look import CELLS, SIDE, WORKING_SIZE
from iph.match.network import load_match_network
from iph.semantics import CHANNELS, encoder

OPSET = 18  # the least that PyTorch's exporter writes without a conversion
LARGE = 64  # numbers, from which on halves are worth a cast


@dataclass(frozen=True)
class Export:
    """A module, example inputs by name, the names of its outputs, and sizes that may differ in use."""

    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]
    sizes: dict[str, dict[int, Dim]] = field(default_factory=dict)


def export(name: str, folder: Path) -> Path:
    """Write the network ``name`` of ``EXPORTS`` to ``folder``; the file."""
    one = EXPORTS[name]()
    module = one.module.eval().requires_grad_(False)
    module(**one.inputs)  # what is read when it is first used is read now, and not while it is traced
    program = torch.onnx.export(
        module,
        kwargs=one.inputs,
        input_names=list(one.inputs),
        output_names=list(one.outputs),
        dynamic_shapes={key: one.sizes.get(key) for key in one.inputs},
        opset_version=OPSET,
        dynamo=True,
        optimize=False,  # it would fold batch normalisation into weights, which then are no halves any more
        verbose=False,
    )
    fold_constants_ir(program.model)
    remove_unused_nodes(program.model)
    path = folder / f"{name}.onnx"
    with replacing(path) as temporary:
        temporary.write_bytes(_packed(program.model_proto).SerializeToString())
    return path


def _semantics() -> Export:
    return Export(Reading(encoder(torch.float32)), {"photo": torch.rand(1, 3, SIDE, SIDE)}, ("features", "kinds"))


def _match() -> Export:
    side, cells = WORKING_SIZE, CELLS**2
    network = load_match_network("match")
    masks = torch.zeros(3, 2, 1, side, side)
    masks[0, ..., : side // 2] = masks[1:, ..., side // 2 :] = 1
    seen = [
        {
            f"{of}image": torch.rand(2, 3, side, side),
            f"{of}features": torch.randn(2, cells, sum(CHANNELS)),
            f"{of}kinds": torch.rand(2, cells, 3).softmax(-1),
        }
        for of in ("", "other_")
    ]
    inputs = {
        **seen[0],
        "foreground": masks[0],
        **seen[1],
        "reference": masks[1],
        "scene": masks[2],
        "pasted": torch.ones(2),
        "code": torch.zeros(2, network.config.base.code),
        "r1": torch.tensor(1.0),
        "transfer": torch.tensor(0.0),
    }
    return Export(Answer(network), inputs, ("picture", "attention", "alike"))


def _psi() -> Export:
    side = WORKING_SIZE
    inputs = {"image": torch.rand(2, 3, side, side), "mask": torch.ones(2, 1, side, side)}
    return Export(Code(load_network("psi-match")), inputs, ("code",))


def _people() -> Export:
    side = 32 * Dim("side", min=1, max=64)
    return Export(People(), {"image": torch.rand(2, 3, 96, 96)}, ("logits",), {"image": {2: side, 3: side}})


class People(nn.Module):
    """The people of pictures, as a module that returns a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.network = selfie.network("people")

    def forward(self, image: Tensor) -> tuple[Tensor]:
        return (self.network(image),)


def _encode() -> Export:
    rows, columns = _window()
    sizes = {"image": {2: windows.STRIDE * rows, 3: windows.STRIDE * columns}}
    network = segmentation.load("segmentation")
    network.precision = torch.float32
    return Export(segmentation.Encoding(network), {"image": _picture()}, tuple(windows.FEATURES), sizes)


def _decode() -> Export:
    rows, columns = _window()
    network = segmentation.load("segmentation")
    image = _picture()
    with torch.no_grad():
        features = network.encode(image)
    inputs = {"image": image} | dict(zip(windows.FEATURES, features, strict=True))
    sizes = {
        name: {2: windows.STRIDE // stride * rows, 3: windows.STRIDE // stride * columns}
        for name, stride in {"image": 1, **windows.FEATURES}.items()
    }
    sizes["prompts"], asked = _asked()
    return Export(segmentation.Decoding(network), inputs | {"prompts": asked}, ("probability",), sizes)


def _prompted_people() -> Export:
    network = segmentation.load("prompted-people", PromptedPeople)
    (rows, columns), (prompts, asked) = _window(), _asked()
    sizes = {"image": {2: windows.STRIDE * rows, 3: windows.STRIDE * columns}, "prompts": prompts}
    return Export(Asking(network), {"image": _picture(), "prompts": asked}, ("probability",), sizes)


def _asked() -> tuple[dict[int, Dim], Tensor]:
    """Any number of prompts for any window."""
    rows, columns = _window()
    asked = torch.rand(1, 3, len(windows.PROMPTS), *_picture().shape[-2:])
    return {1: Dim("prompts", min=1, max=64), 3: windows.STRIDE * rows, 4: windows.STRIDE * columns}, asked


def _picture() -> Tensor:
    return torch.rand(1, 3, 3 * windows.STRIDE, 4 * windows.STRIDE)


def _window() -> tuple[Dim, Dim]:
    return Dim("rows", min=1, max=32), Dim("columns", min=1, max=32)


EXPORTS: dict[str, Callable[[], Export]] = {
    "semantics": _semantics,
    "match": _match,
    "psi-match": _psi,
    "people": _people,
    "segmentation-encode": _encode,
    "segmentation-decode": _decode,
    "prompted-people": _prompted_people,
}


def _packed(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model without what only tells where it was made, and with large weights as halves, where these are the same
    numbers, each cast to float32."""
    graph, casts = model.graph, []
    del model.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < LARGE:
            continue
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if np.array_equal(halves.astype(np.float32), values):
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(halves, f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)
    return model
