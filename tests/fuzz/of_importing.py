"""Readers of networks from elsewhere: what they are given is a trace, or refused with a reason."""

from __future__ import annotations

import io
import json
import zipfile

from cnndsl.diagnostics.errors import CnnError
from cnndsl.importing.files import net_of_file
from cnndsl.importing.from_onnx import trace_model
from cnndsl.importing.readers.onnx.model import parse_model
from cnndsl.importing.readers.pt2 import read_pt2
from cnndsl.importing.refuse import Unread
from cnndsl.importing.trace import Trace


def onnx(data: bytes) -> None:
    """An ONNX file."""
    try:
        _matched(trace_model(parse_model(data, None), {}, "fuzz"))
    except Unread as why:
        assert str(why)
    except CnnError as error:
        assert [d.id for d in error.diagnostics] == ["cannot-import"]


def pt2(data: bytes) -> None:
    """An exported program as a zip file."""
    try:
        _matched(read_pt2(io.BytesIO(data), "fuzz"))
    except Unread as why:
        assert str(why)


def pt2_model(data: bytes) -> None:
    """The JSON inside of an exported program, around good weights."""
    from tests.fuzz import made

    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made.pt2())) as good, zipfile.ZipFile(packed, "w") as bad:
        for info in good.infolist():
            bad.writestr(info.filename, data if info.filename.endswith("models/model.json") else good.read(info))
    pt2(packed.getvalue())


def _matched(trace: Trace) -> None:
    """What can be read can be looked at: layers are found in it, or are lacking."""
    try:
        assert net_of_file(trace, "fuzz").outputs is not None
    except CnnError as error:
        assert [d.id for d in error.diagnostics] == ["cannot-import"]


def model_json(data: bytes) -> bytes:
    """The JSON of an exported program."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = next(n for n in archive.namelist() if n.endswith("models/model.json"))
        return json.dumps(json.loads(archive.read(name))).encode()
