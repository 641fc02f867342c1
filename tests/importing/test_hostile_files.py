"""Files made to do harm: bombs, endless nesting, sizes without end, data elsewhere; and any value in any place of an ONNX file."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from cnndsl.diagnostics.errors import CnnError
from cnndsl.importing.from_onnx import import_onnx, trace_model
from cnndsl.importing.readers.archive import MOST_JSON
from cnndsl.importing.readers.onnx.model import parse_model, read_model
from cnndsl.importing.readers.pt2 import read_pt2
from cnndsl.importing.refuse import Unread
from tests.fuzz import made
from tests.fuzz.readers import READERS
from tests.importing.test_files import onnx_model


def test_a_json_that_unpacks_to_too_much_is_refused_before_it_is_read() -> None:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("net/models/model.json", "w") as file,
    ):
        for _ in range(MOST_JSON // 2**20 + 1):
            file.write(b" " * 2**20)
    assert packed.tell() < 2**20
    with pytest.raises(Unread, match="more than 200,000,000 bytes"):
        read_pt2(packed, "net")


def test_brackets_without_end_are_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("net/models/model.json", "[" * 200_000)
    with pytest.raises(Unread, match="nested too deep"):
        read_pt2(packed, "net")


def test_messages_nested_without_end_are_refused() -> None:
    inner = b""
    for _ in range(500):
        # Field 5 of a value's type, an optional, holds a type in field 1.
        inner = _field(9, _field(1, inner))
    graph = _field(11, _field(1, b"x") + _field(2, inner))
    with pytest.raises(Unread):
        parse_model(_field(7, graph), None)


def _field(number: int, data: bytes) -> bytes:
    """A field of a protobuf message that holds bytes."""
    length, size = len(data), b""
    while length > 127:
        size, length = size + bytes([length % 128 + 128]), length // 128
    return bytes([number * 8 + 2]) + size + bytes([length]) + data


@pytest.mark.parametrize("dims", [[2**62, 4], [2**31, 2**31], [-1], [10**9, 10**9]])
def test_arrays_without_end_are_refused(dims: list[int]) -> None:
    model = onnx.ModelProto.FromString(made.onnx())
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dims)
    with pytest.raises(Unread, match=r"no shape that can be|numbers for the shape|parts do not fit"):
        parse_model(model.SerializeToString(), None)


@pytest.mark.parametrize("kind", ["ConstantOfShape", "Expand", "Range"])
def test_operations_that_make_arrays_without_end_are_refused(kind: str) -> None:
    shape = {"size": np.array([2**30, 2**10])}
    nodes = {
        "ConstantOfShape": helper.make_node("ConstantOfShape", ["size"], ["big"]),
        "Expand": helper.make_node("Expand", ["one", "size"], ["big"]),
        "Range": helper.make_node("Range", ["from", "to", "by"], ["big"]),
    }
    arrays = shape | {"one": np.ones(1, "float32"), "from": np.int64(0), "to": np.int64(2**40), "by": np.int64(1)}
    data = onnx_model([nodes[kind], helper.make_node("Add", ["x", "big"], ["y"])], arrays, (1, 3, 4, 4))
    with pytest.raises(CnnError) as caught:
        trace_model(parse_model(data, None), {}, "net")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "cannot-import"
    assert diagnostic.notes[0].startswith(kind)


def _changed(message: Any) -> Any:
    """The message's places one after the other: each field left out, and each number and text changed."""
    for field, value in message.ListFields():
        copy = type(message)()
        copy.CopyFrom(message)
        copy.ClearField(field.name)
        yield copy
        repeated = not isinstance(value, int | float | str | bytes) and not hasattr(value, "ListFields")
        if repeated:
            for index, item in enumerate(list(value)[:3]):
                if hasattr(item, "ListFields"):
                    for other in _changed(item):
                        copy = type(message)()
                        copy.CopyFrom(message)
                        getattr(copy, field.name)[index].CopyFrom(other)
                        yield copy
                else:
                    for other in _others(item):
                        copy = type(message)()
                        copy.CopyFrom(message)
                        getattr(copy, field.name)[index] = other
                        yield copy
        elif hasattr(value, "ListFields"):
            for other in _changed(value):
                copy = type(message)()
                copy.CopyFrom(message)
                getattr(copy, field.name).CopyFrom(other)
                yield copy
        else:
            for other in _others(value):
                copy = type(message)()
                copy.CopyFrom(message)
                try:
                    setattr(copy, field.name, other)
                except ValueError:
                    continue
                yield copy


def _others(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool | int):
        return (0, 1, -1, 3, 2**31 - 1)
    if isinstance(value, float):
        return (0.0, -1.0, float("nan"), float("inf"))
    return (b"", b"\0" * 5) if isinstance(value, bytes) else ("", "x", "../x", "Loop", "\0")


def test_any_value_in_any_place_of_an_onnx_file_is_read_or_refused() -> None:
    model = onnx.ModelProto.FromString(made.onnx())
    tried = 0
    for other in _changed(model):
        READERS["onnx"](other.SerializeToString())
        tried += 1
    assert tried > 150


_watching: list[list[str]] = []
_KINDS = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect", "pickle.find_class", "open")


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in _KINDS and not isinstance(arguments[0], int):
        _watching[-1].append(f"{event} {arguments[0]}")


def test_a_file_and_the_data_that_it_names_are_all_that_is_opened(tmp_path: Path) -> None:
    model = onnx.ModelProto.FromString(made.onnx())
    tensor = model.graph.initializer[0]
    (tmp_path / "w.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="w.bin")
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    read_model(path)
    sys.addaudithook(_hook)
    _watching.append([])
    trace_model(read_model(path), {}, "net")
    assert _watching.pop() == [f"open {path}", f"open {tmp_path / 'w.bin'}"]


def test_a_whole_import_starts_no_process(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(made.onnx())
    import_onnx(path, {})
    sys.addaudithook(_hook)
    _watching.append([])
    import_onnx(path, {})
    assert [event for event in _watching.pop() if not event.startswith("open ")] == []
