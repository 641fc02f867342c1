"""ONNX's own tests of its operators, imported: right, refused by name, or wrong.

    python -m tests.importing.conformance [NAME …]      # every test, or those whose names hold one of these

Each test is a model, inputs and the outputs that are right. A weight is a constant in a file that is to be imported, and an
input in most of these tests: each is tried with all its inputs, and with all but one of them as constants.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from onnx.backend.test.case import node as node_tests

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.diagnostics.errors import CnnError
from cnndsl.importing.files import import_trace
from cnndsl.importing.from_onnx import trace_model
from cnndsl.importing.imported import Imported
from cnndsl.importing.proving.proof import Agreement
from cnndsl.importing.readers.onnx.layers import LAYERS
from cnndsl.importing.readers.onnx.model import parse_model
from cnndsl.importing.readers.onnx.plain import PLAIN
from cnndsl.importing.refuse import Unread

FOLDERS = ("pytorch-converted", "pytorch-operator", "simple")
STATISTICS = {"LayerNormalization", "Dropout"}
"""Operators whose first output alone a network has: the others are for training."""
EACH = frozenset(
    {"Max", "Min", "Sum", "Mean", "Pow", "Add", "Sub", "Mul", "Div", "Clip", "Mish", "Neg", "Abs", "Constant"}
)
"""Operators that compute each number by itself. Tests of them on one axis get a batch of one before it, which a network has."""
TAKEN = frozenset({*LAYERS, *PLAIN})


@dataclass(frozen=True)
class Case:
    """One of ONNX's tests."""

    name: str
    model: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    rtol: float
    atol: float

    @property
    def operators(self) -> frozenset[str]:
        return frozenset(node.op_type for node in self.model.graph.node)


@dataclass(frozen=True)
class Outcome:
    """`right`, `refused` or `wrong`, and why."""

    verdict: str
    why: str = ""


def node_cases(modules: Iterable[str] = ()) -> Iterator[Case]:
    """The tests of single operators; those of some of their files where any are named."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if modules:
            for module in modules:
                importlib.import_module(f"{node_tests.__name__}.{module}")
            found = list(node_tests._NodeTestCases)
        else:
            found = node_tests.collect_testcases(None)
    for case in found:
        for inputs, outputs in case.data_sets:
            given, wanted = (tuple(_array(value) for value in values) for values in (inputs, outputs))
            yield Case(case.name, case.model, given, wanted, case.rtol or 1e-3, case.atol or 1e-7)


def file_cases(folders: Iterable[str] = FOLDERS) -> Iterator[Case]:
    """The tests that lie in the package as files: layers and functions of PyTorch, among others."""
    root = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for folder in folders:
        for place in sorted((root / folder).iterdir()):
            for data in sorted(place.glob("test_data_set_*")):
                given, wanted = (tuple(_read(path) for path in _ordered(data, kind)) for kind in ("input", "output"))
                yield Case(f"{folder}/{place.name}", onnx.load(place / "model.onnx"), given, wanted, 1e-3, 1e-5)


def _ordered(folder: Path, kind: str) -> list[Path]:
    return sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.rpartition("_")[2]))


def _read(path: Path) -> Any:
    try:
        return numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))
    except (DecodeError, TypeError, ValueError):
        # A sequence, which no network of ours takes or gives.
        return None


def _array(value: Any) -> Any:
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, np.ndarray | np.generic) else None


def tried(case: Case) -> Outcome:
    """What becomes of a test, whichever of its inputs are constants."""
    names = [value.name for value in case.model.graph.input]
    held = {tensor.name for tensor in case.model.graph.initializer}
    free = [name for name in names if name not in held]
    choices = [free, *([name] for name in free)] if len(free) > 1 else [free]
    outcomes = [_once(case, free, live) for live in choices]
    for verdict in ("wrong", "right"):
        found = [outcome for outcome in outcomes if outcome.verdict == verdict]
        if found:
            return found[0]
    return outcomes[min(1, len(outcomes) - 1)]


def _once(case: Case, free: list[str], live: list[str]) -> Outcome:
    if len(free) != len(case.inputs) or any(array is None for array in (*case.inputs, *case.outputs)):
        return Outcome("refused", "inputs or outputs that are no tensors")
    case = _with_batch(case)
    given = dict(zip(free, case.inputs, strict=True))
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    if case.operators & STATISTICS:
        del model.graph.output[1:]
    for name in free:
        if name not in live:
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(given[name]), name))
    sizes = {value.name: given[value.name].shape for value in model.graph.input if value.name in live}
    for value in model.graph.input:
        if value.name in live:
            del value.type.tensor_type.shape.dim[:]
            for length in sizes[value.name]:
                value.type.tensor_type.shape.dim.add(dim_value=length)
    try:
        found = _imported(model)
    except Unread as why:
        return Outcome("refused", str(why))
    except CnnError as error:
        (diagnostic,) = error.diagnostics
        return Outcome("refused", "; ".join(diagnostic.notes) or diagnostic.message)
    except Exception as error:
        return Outcome("wrong", f"{type(error).__name__} instead of a refusal: {error}"[:200])
    return _compared(case, found, [given[name] for name in live])


def _with_batch(case: Case) -> Case:
    """A test of tensors of one axis with a batch of one before it, where each number is computed by itself."""
    if not case.operators <= EACH or max((array.ndim for array in case.inputs), default=0) != 1:
        return case
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    inputs, outputs = (tuple(a[None] if a.ndim else a for a in arrays) for arrays in (case.inputs, case.outputs))
    return replace(case, model=model, inputs=inputs, outputs=outputs)


def _imported(model: Any) -> Imported:
    trace = trace_model(parse_model(model.SerializeToString(), None), {}, "net")
    return import_trace(trace, "net", lambda graph, keys, names: Agreement(None, None), forms=("flat",))


def _compared(case: Case, found: Imported, inputs: list[Any]) -> Outcome:
    module = to_torch(found.graph).eval()
    module.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in (found.weights or {}).items()})
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = module(*(torch.from_numpy(np.array(value)) for value in inputs))
    except Exception as error:
        return Outcome("wrong", f"the program does not run: {type(error).__name__}: {error}"[:200])
    ours = list(made.values()) if isinstance(made, dict) else [made]
    wanted = case.outputs[:1] if case.operators & STATISTICS else case.outputs
    if len(ours) != len(wanted):
        return Outcome("wrong", f"{len(ours)} outputs and not {len(wanted)}")
    for a, b in zip(ours, wanted, strict=True):
        array = a.numpy()
        if array.shape != b.shape or array.dtype != b.dtype:
            return Outcome("wrong", f"{array.dtype} {array.shape} and not {b.dtype} {b.shape}")
        if not np.allclose(array, b, rtol=case.rtol, atol=case.atol, equal_nan=True):
            return Outcome("wrong", f"differs by {np.nanmax(np.abs(array - b)):.2e}: {found.text.splitlines()[-1]}")
    return Outcome("right")


def main(words: list[str]) -> None:
    for case in (*file_cases(), *node_cases()):
        if not words or any(word in case.name for word in words):
            outcome = tried(case)
            print(
                f"{outcome.verdict:8} {case.name}: {','.join(sorted(case.operators))[:80]}: {outcome.why}", flush=True
            )


if __name__ == "__main__":
    main(sys.argv[1:])
