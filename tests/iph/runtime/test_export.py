"""``iph export``: what is written is what ships."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from iph.commands.app import main
from iph.runtime import shipped
from iph.runtime.export import EXPORTS, _packed


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["export", *map(str, arguments)])
    return ended.value.code


def weights(path: Path) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


def test_a_shipped_network_is_what_is_exported_from_its_weights(tmp_path, capsys):
    before = shipped.checksum(shipped.FOLDER / "checksums.json")
    assert run("psi-match", "--out", tmp_path) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'psi-match.onnx'}: 0.1 MB")
    made, ships = (weights(folder / "psi-match.onnx") for folder in (tmp_path, shipped.FOLDER))
    assert made.keys() == ships.keys()
    assert all(np.array_equal(made[name], ships[name]) for name in made)
    assert shipped.checksum(shipped.FOLDER / "checksums.json") == before


def test_everything_that_ships_is_exported(capsys):
    assert {f"{name}.onnx" for name in EXPORTS} == set(shipped.graph_files())
    assert run("matsh") == 2
    assert "did you mean 'match'" in capsys.readouterr().err


def test_weights_are_halves_where_nothing_is_lost():
    halves, others = np.float32(np.arange(100) / 8), np.float32(np.arange(100) / 7)
    initial = [numpy_helper.from_array(values, name) for values, name in ((halves, "a"), (others, "b"))]
    values = [onnx.helper.make_tensor_value_info(name, TensorProto.FLOAT, [100]) for name in ("x", "y")]
    nodes = [onnx.helper.make_node("Add", ["x", "a"], ["c"]), onnx.helper.make_node("Add", ["c", "b"], ["y"])]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "sum", values[:1], values[1:], initial))
    packed = _packed(model)
    onnx.checker.check_model(packed, full_check=True)
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in packed.graph.initializer}
    assert stored["a.half"].dtype == np.float16 and np.array_equal(stored["a.half"], halves)
    assert stored["b"].dtype == np.float32 and np.array_equal(stored["b"], others)
