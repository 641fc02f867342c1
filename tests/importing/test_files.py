"""Files of networks: what is read from them, and that reading runs nothing, opens nothing, and ends."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import cnndsl
from cnndsl.diagnostics.errors import CnnError
from cnndsl.importing.from_onnx import trace_model
from cnndsl.importing.readers.onnx.model import parse_model
from cnndsl.importing.readers.pt2 import read_pt2
from cnndsl.importing.refuse import Unread
from tests.fuzz import made


def changed_pt2(change: Any) -> bytes:
    """The exported program with its JSON files changed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made.pt2())) as good, zipfile.ZipFile(packed, "w") as bad:
        for info in good.infolist():
            data = good.read(info)
            if info.filename.endswith(".json"):
                value = json.loads(data)
                change(info.filename.rpartition("/")[2], value)
                data = json.dumps(value).encode()
            bad.writestr(info.filename, data)
    return packed.getvalue()


def onnx_model(nodes: list[Any], arrays: dict[str, Any], shape: tuple[Any, ...], opset: int = 17) -> bytes:
    """An ONNX file with one input `x` and one output `y`."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in arrays.items()]
    graph = helper.make_graph(nodes, "net", [x], [y], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return bytes(model.SerializeToString())


def test_an_onnx_file_becomes_a_program_with_its_weights(tmp_path: Path) -> None:
    (tmp_path / "small.onnx").write_bytes(made.onnx())
    net = cnndsl.from_onnx(tmp_path / "small.onnx")
    assert net.text.splitlines()[2:] == [
        "input 1×8×8",
        "",
        "conv: Conv3x3(4) → ReLU → GlobalAvgPool → fc: FC(2, bias=false)",
    ]
    assert net.report.max_rel_error_given is not None
    assert net.report.max_rel_error_given <= 1e-6
    assert net.arrays is not None
    assert sorted(net.arrays) == ["conv.bias", "conv.weight", "fc.weight"]


def test_an_exported_program_becomes_a_program_with_the_same_keys(tmp_path: Path) -> None:
    (tmp_path / "net.pt2").write_bytes(made.pt2())
    net = cnndsl.from_pt2(tmp_path / "net.pt2")
    assert "Conv3x3(4) → ReLU → GlobalAvgPool → FC(2)" in net.text
    assert (net.report.keys, net.report.max_rel_error) == ("equal", 0.0)
    net.save(tmp_path / "again.cnn")
    again = cnndsl.load(tmp_path / "again.cnn")
    assert again.params == net.params
    assert sorted(p.suffix for p in tmp_path.glob("again.*")) == [".cnn", ".safetensors"]


def test_a_matrix_product_and_a_sum_are_a_linear_layer() -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]
    arrays = {"w": np.ones((4, 3), "float32"), "b": np.ones(3, "float32")}
    trace = trace_model(parse_model(onnx_model(nodes, arrays, ("n", 4)), None), {}, "net")
    assert [(node.target, node.shape) for node in trace.nodes] == [("linear", (7, 3))]
    assert {tensor.shape for tensor in trace.weights.values()} == {(3, 4), (3,)}


def test_arithmetic_on_sizes_is_done_while_reading() -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axes"], ["n1"]),
        helper.make_node("Concat", ["n1", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["y"]),
    ]
    arrays = {"zero": np.int64(0), "axes": np.array([0]), "rest": np.array([-1])}
    trace = trace_model(parse_model(onnx_model(nodes, arrays, ("n", 2, 3, 4)), None), {}, "net")
    assert [(node.target, node.shape) for node in trace.nodes] == [("reshape", (7, 24))]


def test_operations_without_a_counterpart_are_all_named() -> None:
    nodes = [
        helper.make_node("NonZero", ["x"], ["a"]),
        helper.make_node("Selu", ["x"], ["y"], alpha=2.0),
    ]
    with pytest.raises(CnnError) as caught:
        trace_model(parse_model(onnx_model(nodes, {}, (1, 3, 4, 4)), None), {}, "net")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "cannot-import"
    assert diagnostic.notes == ("NonZero (1×)", "Selu with other numbers than its own (1×)")


def test_open_sizes_are_asked_for() -> None:
    data = onnx_model([helper.make_node("Relu", ["x"], ["y"])], {}, ("n", 3, "h", "w"))
    with pytest.raises(Unread, match="it leaves sizes of its input `x` open") as caught:
        trace_model(parse_model(data, None), {}, "net")
    assert caught.value.notes == ("expected: whole numbers; found: 3×?×?",)
    assert caught.value.help == "say them with `--input x=` and 3 sizes joined by x, as 3x224x224"
    trace = trace_model(parse_model(data, None), {"": (3, 32, 48)}, "net")
    assert trace.inputs[0].shape == (7, 3, 32, 48)


def test_a_tensor_of_its_own_lies_beside_the_layers_of_its_module() -> None:
    """Exporters give equal tensors one name, so that the second one has another module's; all positions in order are the same tensor."""
    nodes = [
        helper.make_node("Mul", ["x", "a.scale"], ["p"], name="/a/Mul"),
        helper.make_node("Mul", ["p", "a.scale"], ["q"], name="/b/Mul"),
        helper.make_node("Reshape", ["q", "all"], ["r"], name="/c/Reshape"),
        helper.make_node("Gather", ["r", "places"], ["y"], name="/c/Gather"),
    ]
    arrays = {
        "a.scale": np.arange(1, 4, dtype="float32").reshape(3, 1, 1),
        "all": np.array([-1]),
        "places": np.arange(3 * 4).reshape(1, 3, 2, 2),
    }
    trace = trace_model(parse_model(onnx_model(nodes, arrays, (1, 3, 2, 2)), None), {}, "net")
    assert list(trace.state) == ["a.scale", "b.scale"]
    assert trace.nodes[-1].target == "reshape"
    assert trace.nodes[-1].shape == (1, 3, 2, 2)


def outside(tensor: Any) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "link/secret.bin"])
def test_data_outside_of_the_models_folder_is_refused(location: str, tmp_path: Path) -> None:
    import onnx

    (tmp_path / "secret.bin").write_bytes(bytes(400))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    model = onnx.ModelProto.FromString(made.onnx())
    tensor = model.graph.initializer[0]
    outside(tensor)
    tensor.external_data.add(key="location", value=location)
    with pytest.raises(Unread, match="outside of the model's folder"):
        parse_model(model.SerializeToString(), folder)


def test_data_beside_the_model_is_read_and_its_end_is_minded(tmp_path: Path) -> None:
    import onnx

    model = onnx.ModelProto.FromString(made.onnx())
    tensor = model.graph.initializer[0]
    data = tensor.raw_data
    outside(tensor)
    tensor.external_data.add(key="location", value="w.bin")
    tensor.external_data.add(key="offset", value="8")
    (tmp_path / "w.bin").write_bytes(b"-" * 8 + data)
    assert parse_model(model.SerializeToString(), tmp_path).arrays["conv.weight"].tobytes() == data
    (tmp_path / "w.bin").write_bytes(data)
    with pytest.raises(Unread, match="beyond the end"):
        parse_model(model.SerializeToString(), tmp_path)


def test_pickled_weights_are_refused() -> None:
    def change(name: str, value: Any) -> None:
        if name == "model_weights_config.json":
            next(iter(value["config"].values()))["use_pickle"] = True

    with pytest.raises(Unread, match="pickled: reading it could run anything"):
        read_pt2(io.BytesIO(changed_pt2(change)), "net")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda entry: entry.update(path_name="../../x"), "outside of the archive"),
        (lambda entry: entry["tensor_meta"].update(sizes=[{"as_int": 2**30}]), "fewer numbers"),
        (lambda entry: entry["tensor_meta"]["strides"][0].update(as_int=2**30), "beyond its numbers"),
    ],
)
def test_weights_that_do_not_lie_in_the_archive_are_refused(change: Any, words: str) -> None:
    def apply(name: str, value: Any) -> None:
        if name == "model_weights_config.json":
            change(next(iter(value["config"].values())))

    with pytest.raises(Unread, match=words):
        read_pt2(io.BytesIO(changed_pt2(apply)), "net")


FORBIDDEN = (
    "exec",
    "compile",
    "os.system",
    "subprocess.Popen",
    "socket.connect",
    "pickle.find_class",
    "open",
    "import",
)
_watching: list[list[str]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in FORBIDDEN:
        _watching[-1].append(f"{event} {arguments[:1]}")


def test_reading_opens_nothing_starts_nothing_and_unpickles_nothing() -> None:
    data, model = made.pt2(), made.onnx()
    read_pt2(io.BytesIO(data), "net")
    trace_model(parse_model(model, None), {}, "net")
    sys.addaudithook(_hook)
    _watching.append([])
    read_pt2(io.BytesIO(data), "net")
    trace_model(parse_model(model, None), {}, "net")
    assert _watching.pop() == []
