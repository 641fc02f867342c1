"""Guards `pytorch/live/export.py`: ONNX files and exported programs, run by ONNX Runtime and PyTorch, give what the module gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import cnndsl
from cnndsl.arrays.drawn import drawn_weights
from cnndsl.arrays.weights import read_weights
from cnndsl.backends.pytorch.live.export import exported, write_onnx
from cnndsl.backends.pytorch.live.module import loaded
from cnndsl.cli import run
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import load, parse_text
from tests.few import few

IMAGE = """input image: 3×12×10
stem: Conv3x3(8, stride=2, pad=same_tf) → bn: BN → GELU → body: [add{ conv: Conv3x3(8) | id }] → HardSwish → GlobalAvgPool → fc: FC(5)"""
SEVERAL = """input left: 4×6×6
input right: 4×6×6
wide = left → a: Conv1x1(4) → sum: add{ id | right }
few = wide → pool: GlobalAvgPool → fc: FC(3)
output wide, few"""


def network(text: str) -> Graph:
    return parse_text(text).graph


def inputs(graph: Graph, batch: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return {i.name: torch.randn((batch, *i.type.shape), generator=generator) for i in graph.inputs}


def expected(graph: Graph, given: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    with torch.no_grad():
        result = loaded(graph, drawn_weights(graph, 2))(**given)
    named = result if isinstance(result, dict) else {graph.outputs[0].name: result}
    return {name: value.numpy() for name, value in named.items()}


@pytest.mark.parametrize("text", few([SEVERAL, IMAGE], 1))
def test_onnx_runtime_agrees_for_any_batch(text: str, tmp_path: Path) -> None:
    graph, file = network(text), tmp_path / "network.onnx"
    write_onnx(graph, drawn_weights(graph, 2), file)
    onnx.checker.check_model(str(file), full_check=True)
    session = onnxruntime.InferenceSession(str(file))
    assert [i.name for i in session.get_inputs()] == [i.name for i in graph.inputs]
    assert [o.name for o in session.get_outputs()] == [o.name for o in graph.outputs]
    for batch in (1, 3):
        given = inputs(graph, batch)
        found = session.run(None, {name: value.numpy() for name, value in given.items()})
        for array, (name, values) in zip(found, expected(graph, given).items(), strict=True):
            np.testing.assert_allclose(array, values, rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_fixed_batch(tmp_path: Path) -> None:
    graph, file = network(IMAGE), tmp_path / "network.onnx"
    write_onnx(graph, drawn_weights(graph, 2), file, batch=1)
    (given,) = onnxruntime.InferenceSession(str(file)).get_inputs()
    assert given.shape == [1, 3, 12, 10]


def test_placeholders_have_the_inputs_names() -> None:
    graph = network(SEVERAL)
    program = exported(graph, drawn_weights(graph, 2))
    assert list(program.graph_signature.user_inputs) == ["left", "right"]


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_exported_programs_agree_for_any_batch(tmp_path: Path) -> None:
    graph = network(SEVERAL)
    cnndsl.parse(SEVERAL).to_pt2(tmp_path / "network.pt2", weights=drawn_weights(graph, 2))
    program = torch.export.load(tmp_path / "network.pt2").module()
    for batch in (1, 3):
        given = inputs(graph, batch)
        found = program(*given.values())
        for name, values in expected(graph, given).items():
            np.testing.assert_array_equal(found[name].detach().numpy(), values)


def test_more_weights_than_a_file_holds(tmp_path: Path) -> None:
    graph = parse_text("input x: 32768\nFC(16400)").graph
    huge = {entry.key: np.broadcast_to(np.float32(0), entry.weight.shape) for entry in graph.weights}
    with pytest.raises(cnndsl.CnnError, match=r"an ONNX file holds at most 2 GiB, and the weights of .* take 2\.0 GiB"):
        write_onnx(graph, huge, tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())


def test_the_command_line_exports_the_given_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph, weights = load("lenet5").graph, tmp_path / "w.safetensors"
    assert run(["compile", "lenet5", "--to", "safetensors", "--seed", "4", "-o", str(weights)]) == 0
    arrays = read_weights(weights)
    assert list(arrays) == [entry.key for entry in graph.weights]
    file = tmp_path / "lenet5.onnx"
    assert run(["compile", "lenet5", "--to", "onnx", "--weights", str(weights), "-o", str(file)]) == 0
    assert capsys.readouterr().out == ""
    initializers = {i.name: onnx.numpy_helper.to_array(i) for i in onnx.load(str(file)).graph.initializer}
    for key, array in arrays.items():
        np.testing.assert_array_equal(initializers[key], array)
    assert run(["compile", "lenet5", "--to", "onnx"]) == 2
    assert "say which with -o" in capsys.readouterr().err
