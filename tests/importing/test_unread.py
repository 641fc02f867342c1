"""What is said of files that cannot be read: for each reason what was expected, what was found, and one thing to do."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import cnndsl
from tests.fuzz import made
from tests.importing.test_files import onnx_model


def weights_archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("weights/data.pkl", b"\x80\x02.")
    return packed.getvalue()


def with_data_elsewhere() -> bytes:
    model = onnx.ModelProto.FromString(made.onnx())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    return bytes(model.SerializeToString())


def of_opset(number: int) -> bytes:
    return onnx_model([helper.make_node("Relu", ["x"], ["y"])], {}, (1, 3, 4, 4), number)


def without_inputs() -> bytes:
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])
    size = numpy_helper.from_array(np.array([2, 3]), "size")
    graph = helper.make_graph([helper.make_node("ConstantOfShape", ["size"], ["y"])], "net", [], [y], [size])
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


REASONS: dict[str, tuple[str, Callable[[], bytes], str, str, str]] = {
    "an empty file": ("onnx", bytes, "it holds no network", "found: an empty file", "fetch the file again"),
    "an empty program": ("pt2", bytes, "no archive", "found: an empty file", "fetch the file again"),
    "a text": ("onnx", lambda: b"hello\n", "no ONNX file", "found: text", "give the network's file"),
    "a web page": ("onnx", lambda: b"<!DOCTYPE html><p>no</p>", "no ONNX file", "a web page", "fetch the file itself"),
    "a web page for a program": (
        "pt2",
        lambda: b"<html>no</html>",
        "no archive",
        "a web page",
        "fetch the file itself",
    ),
    "half a file": ("onnx", lambda: made.onnx()[:200], "no ONNX file", "the beginning of an ONNX", "it is cut off"),
    "half a program": ("pt2", lambda: made.pt2()[:900], "no archive", "whole zip archive", "fetch the file again"),
    "weights": ("onnx", weights_archive, "no ONNX file", "a zip archive, as PyTorch", "cnndsl.from_torch(module"),
    "weights for a program": ("pt2", weights_archive, "no exported program", "`data.pkl`", "torch.export.save"),
    "a pickle": ("onnx", lambda: pickle.dumps({"a": 1}), "no ONNX file", "a pickle", "cnndsl.from_torch(module"),
    "data elsewhere": ("onnx", with_data_elsewhere, "not beside it", "weights.bin", "put `weights.bin` into"),
    "an old opset": ("onnx", lambda: of_opset(5), "it is of opset 5", "opset 6 to 28; found: 5", "version_converter"),
    "no inputs": ("onnx", without_inputs, "it takes no input", "constants alone", "as its inputs"),
}


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_has_its_own_help(reason: str, tmp_path: Path) -> None:
    ending, data, message, note, help = REASONS[reason]
    path = tmp_path / f"net.{ending}"
    path.write_bytes(data())
    with pytest.raises(cnndsl.CnnError) as caught:
        (cnndsl.from_onnx if ending == "onnx" else cnndsl.from_pt2)(path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "cannot-import"
    assert message in diagnostic.message
    assert any(note in found for found in diagnostic.notes)
    assert help in (diagnostic.help or "")


@pytest.mark.parametrize("ending", ["onnx", "pt2"])
def test_a_folder_is_no_file(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"net.{ending}").mkdir()
    with pytest.raises(cnndsl.CnnError, match="is a folder, not a file"):
        (cnndsl.from_onnx if ending == "onnx" else cnndsl.from_pt2)(tmp_path / f"net.{ending}")
