"""What ONNX Runtime computes for a file, and how far a program agrees with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.importing.proving.proof import Agreement
from cnndsl.importing.readers.onnx.model import entering
from cnndsl.importing.refuse import Unproved
from cnndsl.importing.trace import Tensor, Trace
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

LIMIT = 1e-5
"""The largest difference of an output, relative to its largest number, that float32 in another order may bring."""
MOST_NOISE = 8
"""How many times as far as float32 from float64 the two may be apart, where that is more than the limit."""
MOST_ERROR = 1e-3
"""The most that is allowed for any network, however badly it is conditioned."""
BOUNDED = {"Sigmoid": 1.0, "Softmax": 1.0}
"""Layers that give numbers up to this one. Engines compute them to the rounding of that number, not of each result, so that
this is the scale of what they give; and what they take is compared as well, by its own largest number."""
_IDLE = ("Reshape", "Flatten", "Permute", "Identity", "ToTokens", "ToMap", "Dropout")


@dataclass(frozen=True)
class Source:
    """A model in memory, and the folder that data beside it is in; the file, where it is all of the model."""

    proto: Any
    folder: Path
    file: Path | None = None

    def run(self, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray] | None:
        """These tensors for these inputs; None where there is no ONNX Runtime, or where it does not take the file."""
        try:
            import onnxruntime
        except ImportError:
            return None
        leaving = [value.name for value in self.proto.graph.output]
        extra = [name for name in outputs if name not in leaving]
        given = str(self.file) if self.file is not None and not extra else self._with(extra)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(self.folder))
        try:
            session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
            return list(session.run(list(outputs), dict(inputs)))
        except _errors():
            # ONNX Runtime does not take every file, such as one of a later version: then nothing is compared, and the report
            # says so.
            return None

    def _with(self, extra: Sequence[str]) -> bytes:
        """The model's bytes, with further outputs."""
        count = len(self.proto.graph.output)
        for name in extra:
            self.proto.graph.output.add(name=name)
        data = bytes(self.proto.SerializeToString())
        del self.proto.graph.output[count:]
        return data

    @property
    def examples(self) -> int | None:
        """How long the batch is, None where the model leaves it open."""
        held = {tensor.name for tensor in self.proto.graph.initializer}
        sizes = [entering(value)[2] for value in self.proto.graph.input if value.name not in held]
        return next((shape[0] for shape in sizes if shape[0] is not None), None)


EXAMPLES = 2
"""How many examples are compared where that is open."""


def compared(
    source: Source, trace: Trace, graph: Graph, keys: Mapping[str, str], names: Mapping[str, str]
) -> Agreement:
    """Outputs on the file's own weights and drawn inputs, from ONNX Runtime and from the program in PyTorch. `keys` has the
    source's key for each weight, `names` its name for each tensor that both have. Raises `Unproved`."""
    from cnndsl.backends.pytorch.library import torch

    module = _module(graph, trace, keys)
    examples = source.examples or EXAMPLES
    inputs = [drawn(replace(tensor, shape=(examples, *tensor.shape[1:]))) for tensor in trace.inputs]
    within = {o.name: _bounded(graph, o.node) for o in graph.outputs}
    before = [node for node in within.values() if node is not None and names.get(graph[node].inputs[0])]
    befores = [graph[node].inputs[0] for node in dict.fromkeys(before)]
    leaving = [name for name, _ in trace.outputs]
    given = {tensor.name: value.numpy() for tensor, value in zip(trace.inputs, inputs, strict=True)}
    theirs = source.run(given, [*leaving, *(names[name] for name in befores)])
    if theirs is None:
        return Agreement(None, None)
    wanted = [*(o.node for o in graph.outputs), *befores]
    scales = [BOUNDED[graph[n].op.word] if (n := within[o.name]) else 0.0 for o in graph.outputs] + [0.0] * len(befores)
    with torch.no_grad():
        ours = _values(module, graph, inputs, wanted)
    worst, where = 0.0, 0
    for place, (a, b, scale) in enumerate(zip(ours, theirs, scales, strict=True)):
        if a.shape != b.shape:
            if place >= len(leaving):
                continue
            raise Unproved(f"an output is {b.shape} in ONNX Runtime, and {a.shape} in the program")
        error = _error(a, b, scale)
        if not error <= worst:
            worst, where = error, place
    if not worst <= LIMIT:
        with torch.no_grad():
            exact = _values(
                module.double(), graph, [x.double() if x.is_floating_point() else x for x in inputs], wanted
            )
        noise = max(_error(a, b, scale) for a, b, scale in zip(ours, exact, scales, strict=True))
        if not worst <= min(MOST_ERROR, max(LIMIT, MOST_NOISE * noise)):
            name = [*leaving, *(names[name] for name in befores)][where]
            raise Unproved(
                f"`{name}` differs from ONNX Runtime's by {worst:.1e} of its largest number, "
                f"where rounding to float32 brings {noise:.1e}"
            )
    return Agreement(None, worst)


def drawn(tensor: Tensor) -> Any:
    """An input of normal numbers, or of small whole ones; the same each time."""
    from cnndsl.backends.pytorch.library import torch

    generator = torch.Generator().manual_seed(11)
    if tensor.dtype.startswith("int"):
        return torch.randint(0, 3, tensor.shape, generator=generator, dtype=getattr(torch, tensor.dtype))
    return torch.randn(tensor.shape, generator=generator)


def _module(graph: Graph, trace: Trace, keys: Mapping[str, str]) -> Any:
    import numpy as np

    from cnndsl.backends.pytorch.live.module import loaded

    state = {
        entry.key: np.asarray(trace.array(keys[entry.key]), entry.weight.dtype)
        if keys[entry.key] in trace.state
        else np.zeros(entry.weight.shape, entry.weight.dtype)
        for entry in graph.weights
    }
    return loaded(graph, state)


def _values(module: Any, graph: Graph, inputs: Sequence[Any], wanted: Sequence[str]) -> list[Any]:
    from cnndsl.backends.pytorch.live.observe import steps

    values = {i.name: x for i, x in zip(graph.inputs, inputs, strict=True)}
    for _ in steps(module, values):
        pass
    return [values[name].numpy() for name in wanted]


def _bounded(graph: Graph, name: str) -> str | None:
    """The layer that keeps an output within bounds, if one does."""
    inputs = {i.name for i in graph.inputs}
    while name not in inputs and graph[name].op.word in _IDLE:
        (name,) = graph[name].inputs
    return name if name not in inputs and graph[name].op.word in BOUNDED else None


def _error(a: Any, b: Any, scale: float) -> float:
    import numpy as np

    if not b.size:
        return 0.0
    finite = np.isfinite(b)
    if not np.array_equal(finite, np.isfinite(a)):
        raise Unproved("an output is no number in one of the two only")
    if not finite.all():
        a, b = a[finite], b[finite]
        if not b.size:
            return 0.0
    return float(np.abs(a - b).max()) / max(float(np.abs(b).max()), scale, 1e-12)


def _errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises for a file that it cannot run."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    return (RuntimeError, ValueError, *(getattr(state, name) for name in names))
