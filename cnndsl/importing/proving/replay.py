"""A trace run operation by operation in PyTorch: what a file's program gives, for comparison with ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnndsl.backends.pytorch.library import torch
from cnndsl.importing.trace import Ref, Trace


def replay(trace: Trace, state: Mapping[str, Any], inputs: tuple[Any, ...]) -> dict[str, Any]:
    """The outputs by name, for weights by key and inputs with the trace's batch. Only operations of PyTorch's `aten` are
    run, after layers have been found for all of them."""
    values: dict[str, Any] = {tensor.name: value for tensor, value in zip(trace.inputs, inputs, strict=True)}
    values |= {name: state[tensor.name] for name, tensor in trace.weights.items()}
    values |= {name: torch.as_tensor(trace.array(name)) for name in trace.constants}

    def value(given: Any) -> Any:
        if isinstance(given, Ref):
            return values[given.name]
        return [value(item) for item in given] if isinstance(given, list) else given

    for node in trace.nodes:
        arguments = {name: value(given) for name, given in node.arguments.items()}
        if node.target == "getitem":
            values[node.name] = arguments["0"][arguments["1"]]
            continue
        made = getattr(torch.ops.aten, node.target)(**arguments)
        values[node.name] = made if node.parts else made[0] if isinstance(made, tuple) else made
    return {label: values[name] for label, name in trace.outputs}
