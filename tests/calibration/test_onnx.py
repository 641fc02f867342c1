"""Quantised networks as ONNX files, `cnndsl/calibration/on_reals/onnx.py`, computed by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from cnndsl import parse
from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
from cnndsl.calibration.calibrate import quantize
from cnndsl.calibration.on_reals.onnx import write_quantized_onnx
from cnndsl.calibration.reference import outputs
from cnndsl.ir.graph import Graph
from tests.backends.tvm.quantized.networks import NETWORKS


def agrees(graph: Graph, path: Path) -> None:
    """Quantises drawn weights, writes the file, and compares what ONNX Runtime computes with the reference."""
    inputs = drawn_inputs(graph, 0)
    table = quantize(graph, drawn_weights(graph, 0), inputs, {}).quantization
    write_quantized_onnx(graph, table, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, inputs), strict=True))
    for output, expected in outputs(graph, table, inputs).items():
        # The last layer gives real numbers: a step there is one of a map with the range of the output. In float32 a number beside
        # the middle between two whole ones may become the other.
        step = float(np.ptp(expected)) / 255
        assert np.abs(found[output] - expected).max() <= step, output


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_runtime_gives_the_same_within_one_step(name: str, tmp_path: Path) -> None:
    agrees(parse(NETWORKS[name], name).graph, tmp_path / "q.onnx")


def test_layers_stand_between_whole_numbers_and_take_whole_weights(tmp_path: Path) -> None:
    graph = parse("input 3×8×8\nconv: Conv3x3(4) → BN → ReLU → Conv1x1(2)").graph
    agrees(graph, tmp_path / "q.onnx")
    model = onnx.load(tmp_path / "q.onnx")
    made = {output: node for node in model.graph.node for output in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 2
    for node in convolutions:
        assert [made[name].op_type for name in node.input] == ["DequantizeLinear"] * 3
    types = {onnx.TensorProto.DataType.Name(i.data_type) for i in model.graph.initializer if len(i.dims) == 4}
    assert types == {"INT8"}
