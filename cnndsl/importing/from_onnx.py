"""An ONNX file as a `.cnn` program, its outputs compared with ONNX Runtime's where that is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnndsl.importing.files import import_trace
from cnndsl.importing.imported import Imported
from cnndsl.importing.proving.proof import Agreement
from cnndsl.importing.readers.onnx.layers import LAYERS
from cnndsl.importing.readers.onnx.model import Model, read_model
from cnndsl.importing.readers.onnx.plain import PLAIN
from cnndsl.importing.readers.onnx.reader import Reader
from cnndsl.importing.refuse import MISFITS, Unproved, Unread, refusal, unreadable
from cnndsl.importing.trace import Trace
from cnndsl.ir.graph import Graph


def trace_model(model: Model, sizes: Mapping[str, tuple[int, ...]], name: str) -> Trace:
    """The trace of a model. Raises `Unread`, and `CnnError` (cannot-import) for operations that have no translation."""
    reader = Reader(model, sizes, {**LAYERS, **PLAIN})
    try:
        trace = reader.trace()
    except MISFITS as error:
        raise Unread("its operations do not fit each other") from error
    if reader.lacks:
        raise refusal(name, reader.lacks)
    return replace(trace, name=name)


def import_onnx(path: Path, sizes: Mapping[str, tuple[int, ...]], *, forms: Sequence[str] = ()) -> Imported:
    """The program of an ONNX file; `sizes` are those that it leaves open, by input ("" for the first). Raises `CnnError`
    (cannot-import, file-not-found) and `MissingPart`."""
    try:
        trace = trace_model(read_model(path), sizes, _name(path))
    except Unread as why:
        raise unreadable(path.name, str(why)) from why

    def compare(graph: Graph, keys: Mapping[str, str]) -> Agreement:
        return _compared(path, trace, graph, keys)

    return import_trace(trace, path.name, compare, forms=forms)


def _name(path: Path) -> str:
    name = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in path.stem)
    return name or "network"


def _compared(path: Path, trace: Trace, graph: Graph, keys: Mapping[str, str]) -> Agreement:
    """Outputs on the file's own weights, from ONNX Runtime and from the program in PyTorch."""
    try:
        import onnxruntime

        from cnndsl.backends.pytorch.library import torch
        from cnndsl.backends.pytorch.live.module import to_torch
    except ImportError:
        return Agreement(None, None)
    module = to_torch(graph).eval()
    first = module.state_dict()
    module.load_state_dict(
        {
            key: torch.from_numpy(trace.array(theirs).copy()) if theirs in trace.state else first[key]
            for key, theirs in keys.items()
        }
    )
    generator = torch.Generator().manual_seed(11)
    inputs = [_drawn(tensor.shape, tensor.dtype, generator) for tensor in trace.inputs]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        given = {i.name: x.numpy() for i, x in zip(session.get_inputs(), inputs, strict=True)}
        theirs = session.run([name for name, _ in trace.outputs], given)
    except _errors():
        # ONNX Runtime does not take every file, such as one of a later version: then nothing is compared, and the report says so.
        return Agreement(None, None)
    with torch.no_grad():
        made = module(*inputs)
    ours = list(made.values()) if isinstance(made, dict) else [made]
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if tuple(a.shape) != tuple(b.shape):
            raise Unproved(f"an output is {tuple(b.shape)} in ONNX Runtime, and {tuple(a.shape)} in the program")
        difference = abs(a.numpy() - b).max() if b.size else 0.0
        worst = max(worst, float(difference) / max(float(abs(b).max()), 1e-12))
    if not worst <= MOST_ERROR:
        raise Unproved(f"outputs differ from ONNX Runtime's by {worst:.1e} of the largest")
    return Agreement(None, worst)


MOST_ERROR = 1e-4


def _errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises for a file that it cannot run."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    return (RuntimeError, ValueError, *(getattr(state, name) for name in names))


def _drawn(shape: tuple[int, ...], dtype: str, generator: Any) -> Any:
    from cnndsl.backends.pytorch.library import torch

    if dtype.startswith("int"):
        return torch.randint(0, 3, shape, generator=generator, dtype=getattr(torch, dtype))
    return torch.randn(shape, generator=generator)
