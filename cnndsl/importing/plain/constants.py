"""What a module computes from constants alone, such as grids of positions, is computed while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.backends.pytorch.library import torch
from cnndsl.importing.trace import Node, Ref, Tensor, Trace

MOST_ELEMENTS = 2**22
_CHANCE = ("rand", "normal", "bernoulli", "multinomial", "empty")


def with_computed_constants(trace: Trace) -> Trace:
    """The trace with constants for operations that depend on nothing else."""
    values: dict[str, Any] = {}
    shapes: dict[str, Tensor] = {}
    nodes = []
    needed = _wanted(trace)
    for node in trace.nodes:
        made = _computed(trace, node, values) if node.name in needed else None
        if made is None:
            nodes.append(node)
            continue
        values[node.name] = made
        if isinstance(made, torch.Tensor):
            shapes[node.name] = Tensor(node.name, tuple(made.shape), str(made.dtype).removeprefix("torch."))
    if not shapes:
        return trace

    def array(name: str) -> Any:
        return values[name].detach().cpu().numpy() if name in shapes else trace.array(name)

    return replace(trace, nodes=tuple(nodes), constants={**trace.constants, **shapes}, array=array)


def _wanted(trace: Trace) -> set[str]:
    """The operations that depend on no input and no weight."""
    still = {*trace.constants}
    found = set()
    for node in trace.nodes:
        if all(ref.name in still for ref in _refs(node)):
            still.add(node.name)
            found.add(node.name)
    return found


def _refs(node: Node) -> Iterator[Ref]:
    for value in node.arguments.values():
        yield from _inside(value)


def _inside(value: Any) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inside(item)


def _computed(trace: Trace, node: Node, values: dict[str, Any]) -> Any:
    """An operation's result; None where it is not to be computed here."""
    if any(word in node.target for word in _CHANCE) or prod(node.shape or (1,)) > MOST_ELEMENTS:
        return None

    def value(given: Any) -> Any:
        if isinstance(given, Ref):
            if given.name not in values:
                array = trace.array(given.name)
                values[given.name] = None if array is None else torch.as_tensor(array)
            if values[given.name] is None:
                raise LookupError(given.name)
            return values[given.name]
        return [value(item) for item in given] if isinstance(given, list) else given

    try:
        arguments = {name: value(given) for name, given in node.arguments.items()}
        if node.target == "getitem":
            return arguments["0"][arguments["1"]]
        for name in ("device", "layout", "pin_memory", "memory_format"):
            arguments.pop(name, None)
        if isinstance(arguments.get("dtype"), str):
            arguments["dtype"] = getattr(torch, arguments["dtype"].removeprefix("torch."))
        operation = getattr(torch.ops.aten, node.target)
        made = operation(**arguments)
    except (LookupError, AttributeError, RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
        # A constant without numbers, as on the meta device, or an operation that is no function of these.
        return None
    return made if isinstance(made, torch.Tensor | list | tuple) else None
