"""The part of an ONNX file between tensors: a network of its own, proved, or refused with the names that are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from onnx import helper

import cnndsl
from cnndsl.cli import cli
from cnndsl.importing.from_onnx import trace_model
from cnndsl.importing.proving.onnx_runtime import Source, compared
from cnndsl.importing.readers.onnx.model import model_of, parse_proto
from cnndsl.importing.refuse import Unproved
from cnndsl.pipeline import parse_text
from tests.importing.test_files import onnx_model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Features that no layer computes, a convolution, a choice of the largest, and a second input beside."""
    nodes = [
        helper.make_node("NonZero", ["x"], ["places"]),
        helper.make_node("Relu", ["x"], ["features"]),
        helper.make_node("Conv", ["features", "w"], ["map"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["map"], ["shares"]),
        helper.make_node("ArgMax", ["shares"], ["y"], axis=1),
    ]
    weight = np.random.default_rng(3).normal(size=(4, 3, 3, 3)).astype("float32")
    (tmp_path / "net.onnx").write_bytes(onnx_model(nodes, {"w": weight}, ("n", 3, 6, 5)))
    return tmp_path / "net.onnx"


def refused(path: Path, **names: str) -> cnndsl.Diagnostic:
    with pytest.raises(cnndsl.CnnError) as caught:
        cnndsl.from_onnx(path, **names)  # type: ignore[arg-type]
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_the_part_between_two_tensors_is_a_network_of_its_own(path: Path) -> None:
    net = cnndsl.from_onnx(path, starts="features", ends="shares")
    assert net.text.splitlines()[2:] == ["input features: 3×6×5", "", "Conv3x3(4, bias=false) → Sigmoid"]
    assert net.report.max_rel_error_given is not None
    assert net.report.max_rel_error_given <= 1e-6


def test_without_a_start_it_begins_at_the_inputs(path: Path) -> None:
    net = cnndsl.from_onnx(path, ends=["map", "shares"])
    assert [o.name for o in net.graph.outputs] == ["map", "shares"]
    assert net.graph.inputs[0].type.shape == (3, 6, 5)


def test_the_size_of_a_start_can_be_given(path: Path) -> None:
    net = cnndsl.from_onnx(path, starts="features", ends="shares", input={"features": (3, 2, 9)})
    assert net.graph.inputs[0].type.shape == (3, 2, 9)


def test_a_wrong_name_is_told_with_names_that_are_there(path: Path) -> None:
    diagnostic = refused(path, starts="feature", ends="shares")
    assert diagnostic.message == "`net.onnx` cannot be imported: `feature` is none of its tensors"
    assert diagnostic.notes == ("expected: a name like `features`",)
    assert "one of `places`, `features`, `map`, `shares`, `y`" in refused(path, ends="zzz").notes[0]
    assert "is a weight" in refused(path, ends="w").message


def test_ends_that_need_more_than_the_starts_give_are_refused(path: Path) -> None:
    diagnostic = refused(path, starts="map", ends="features")
    assert diagnostic.message.endswith("the part up to `features` takes `x` as well")
    assert diagnostic.help == "give a further `--from x`, or an earlier tensor with `--to`"


def test_a_start_that_nothing_takes_is_refused(path: Path) -> None:
    with pytest.raises(cnndsl.CnnError, match="nothing of the part up to `map` takes `places`"):
        cnndsl.from_onnx(path, starts=["features", "places"], ends="map")


def test_the_command_takes_both(path: Path) -> None:
    result = CliRunner().invoke(cli, ["import", str(path), "--from", "features", "--to", "map"])
    assert result.exit_code == 0, result.output
    assert "Conv3x3(4, bias=false)" in result.output
    result = CliRunner().invoke(cli, ["import", "torchvision:resnet18", "--to", "map"])
    assert isinstance(result.exception, cnndsl.CnnError)
    assert "only an ONNX file has tensors to begin and end at" in str(result.exception)


def test_a_bounded_output_is_compared_by_its_bound_and_by_what_it_takes(tmp_path: Path) -> None:
    """Numbers near 0 of a Sigmoid are right to the rounding of 1 in ONNX Runtime: far from right by their own size."""
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["map"], name="conv"),
        helper.make_node("Sigmoid", ["map"], ["y"]),
    ]
    arrays = {"w": np.full((2, 3, 1, 1), 0.3, "float32"), "b": np.full(2, -16.0, "float32")}
    data = onnx_model(nodes, arrays, (2, 3, 4, 4))
    (tmp_path / "net.onnx").write_bytes(data)
    error = cnndsl.from_onnx(tmp_path / "net.onnx").report.max_rel_error_given
    assert error is not None
    assert error <= 1e-6

    proto = parse_proto(data)
    trace = trace_model(model_of(proto, None), {}, "net")
    keys = {"conv.weight": "conv.weight", "conv.bias": "conv.bias"}
    assert set(trace.state) == {"#1.weight", "#1.bias"} or set(trace.state) == set(keys)
    graph = parse_text("input 3×4×4\nconv: Conv1x1(2) → mul{ id | 1.001 } → y: Sigmoid", "net.cnn").graph
    ours = {entry.key: next(key for key in trace.state if key.endswith(entry.slot)) for entry in graph.weights}
    names = {graph.nodes[-1].inputs[0]: "map"}
    with pytest.raises(Unproved, match=r"`map` differs from ONNX Runtime's by 1\.0e-03"):
        compared(Source(proto, tmp_path), trace, graph, ours, names)
    assert compared(Source(proto, tmp_path), trace, graph, ours, {}).given is not None
