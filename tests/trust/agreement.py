"""What must be true of any network: everything that can be asked of it gives one answer, whoever is asked."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from cnndsl.backends.pytorch.module import to_torch
from cnndsl.backends.pytorch.observe import observe
from cnndsl.backends.pytorch.source import to_source
from cnndsl.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.passes.graph_file import read_graph
from cnndsl.pipeline import format_text, parse_text
from cnndsl.source import Source
from cnndsl.verification import drawn_inputs, drawn_weights

Arrays = dict[str, np.ndarray]


def static(text: str) -> Graph:
    """Shapes, MACs and the state dict are torch's; the text and the JSON that we write of it are the same network."""
    graph = parse_text(text).graph
    seen = observe(graph)
    assert {name: graph[name].type.shape for name in seen.shapes} == seen.shapes
    assert {e.key: (e.weight.shape, e.weight.dtype) for e in graph.weights} == dict(seen.state)
    assert [e.key for e in graph.weights] == list(seen.state)
    macs = {name: graph[name].op.macs(graph.input_types(graph[name]), graph[name].type) for name in seen.macs}
    assert macs == seen.macs
    assert read_graph(graph.model_dump_json().encode(), "net.json") == graph
    again = parse_text(format_text(Source("<text>", text))).graph
    plain = {"place", "frame"}
    assert [n.model_dump(exclude=plain) for n in again.nodes] == [n.model_dump(exclude=plain) for n in graph.nodes]
    return graph


def torch_outputs(graph: Graph, weights: Arrays, inputs: Arrays) -> Arrays:
    """The live module's outputs, which the generated file's are equal to, bit for bit."""
    live, file = to_torch(graph), _loaded(to_source(graph))
    written = next(v for v in reversed(vars(file).values()) if isinstance(v, type) and issubclass(v, torch.nn.Module))()
    state = {key: torch.from_numpy(np.array(value)) for key, value in weights.items()}
    given = [torch.from_numpy(value) for value in inputs.values()]
    results = []
    for module in (live, written):
        module.load_state_dict(state)
        module.eval()
        with torch.no_grad():
            results.append(_named(graph, module(*given)))
    for name, value in results[0].items():
        assert np.array_equal(value, results[1][name], equal_nan=True), f"the generated file's `{name}` differs"
    return results[0]


def tvm_outputs(graph: Graph, weights: Arrays, inputs: Arrays) -> Arrays | None:
    """The package's outputs; None where a layer has no form in TVM, and the package says so."""
    from cnndsl.backends.tvm.build import build

    try:
        package = build(graph, weights)
    except CnnError as error:
        assert [d.id for d in error.diagnostics] == ["unsupported-by-backend"]
        return None
    result = package(*inputs.values())
    return result if isinstance(result, dict) else {graph.outputs[0].name: result}


def compare(expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], limit: float) -> None:
    """Relative to the largest value of each tensor."""
    for name, value in expected.items():
        assert found[name].shape == value.shape
        scale = float(np.abs(value).max(initial=0)) or 1.0
        if not np.isfinite(scale) or scale > 1e20:
            # A chain of squares and sums that leaves float32: engines round differently on the way there.
            continue
        error = float(np.abs(found[name] - value).max(initial=0)) / scale
        assert error <= limit, f"`{name}` is off by {error:.1e}"


def drawn(graph: Graph, seed: int) -> tuple[Arrays, Arrays]:
    """Weights and inputs of a seed."""
    return drawn_weights(graph, seed), drawn_inputs(graph, seed)


def _named(graph: Graph, value: object) -> Arrays:
    names = [output.name for output in graph.outputs if not output.training]
    if isinstance(value, torch.Tensor):
        return {names[0]: value.numpy()}
    values = list(value.values()) if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
    return {name: tensor.numpy() for name, tensor in zip(names, values, strict=True)}


def _loaded(text: str) -> ModuleType:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.py"
        path.write_text(text, "utf-8")
        spec = importlib.util.spec_from_file_location("generated", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
