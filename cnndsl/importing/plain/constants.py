"""What a module computes from constants alone, such as grids of positions, is computed while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.backends.pytorch.library import torch
from cnndsl.importing.trace import Node, Ref, Tensor, Trace

MOST_ELEMENTS = 2**24
_CHANCE = ("rand", "normal", "bernoulli", "multinomial", "empty")
_ANEW = {"new_zeros", "new_ones", "new_full", "zeros_like", "ones_like", "full_like"}
"""What makes a tensor of its own: of the one that it takes it has the kind of number, or the shape."""


def with_computed_constants(trace: Trace) -> Trace:
    """The trace with constants for operations that depend on nothing else."""
    values: dict[str, Any] = {}
    shapes: dict[str, Tensor] = {}
    nodes = []
    needed = _wanted(trace)
    read: dict[str, int] = {}
    """Which constants operations read that are not computed, and how often each had been written into before."""
    for node in trace.nodes:
        made = _computed(trace, node, values) if node.name in needed else None
        if made is None:
            nodes.append(_reading(node, values, read))
            continue
        values[node.name] = made
        if isinstance(made, torch.Tensor):
            shapes[node.name] = Tensor(node.name, tuple(made.shape), str(made.dtype).removeprefix("torch."))
    if not shapes:
        return trace
    changed = {name for name, version in read.items() if values[name]._version != version}
    nodes = [
        _told(node, "of a constant that is written into later") if _takes(node, changed) else node for node in nodes
    ]

    def array(name: str) -> Any:
        return values[name].detach().cpu().numpy() if name in shapes else trace.array(name)

    return replace(trace, nodes=tuple(nodes), constants={**trace.constants, **shapes}, array=array)


def _wanted(trace: Trace) -> set[str]:
    """The operations that depend on no input and no weight."""
    still = {*trace.constants}
    found = set()
    for node in trace.nodes:
        anew = node.target in _ANEW and trace.batch not in node.shape
        if anew or all(ref.name in still for ref in _refs(node)):
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


def _reading(node: Node, values: dict[str, Any], read: dict[str, int]) -> Node:
    """An operation that is not computed, under a name that says so where it writes into a part of a constant."""
    refs = list(_refs(node))
    for ref in refs:
        if isinstance(values.get(ref.name), torch.Tensor):
            read.setdefault(ref.name, values[ref.name]._version)
    written = (
        values.get(refs[0].name) if refs and node.target.endswith("_") and not node.target.endswith("__") else None
    )
    if isinstance(written, torch.Tensor) and written._is_view():
        return _told(node, "into a part of a constant")
    return node


def _takes(node: Node, names: set[str]) -> bool:
    return any(ref.name in names for ref in _refs(node))


def _told(node: Node, what: str) -> Node:
    return replace(node, target=f"{node.target} {what}")


def _computed(trace: Trace, node: Node, values: dict[str, Any]) -> Any:
    """An operation's result; None where it is not to be computed here."""
    if any(word in node.target for word in _CHANCE) or prod(node.shape or (1,)) > MOST_ELEMENTS:
        return None
    if node.target in _ANEW:
        number = {"zeros": 0, "ones": 1}.get(node.target.removeprefix("new_").removesuffix("_like"))
        fill = node.arguments.get("fill_value") if number is None else number
        dtype = getattr(torch, node.dtype)
        return torch.full(node.shape, fill, dtype=dtype) if isinstance(fill, int | float) else None

    def value(given: Any) -> Any:
        if isinstance(given, Ref):
            if given.name not in values:
                array = trace.array(given.name)
                # A copy: code may write into it.
                values[given.name] = None if array is None else torch.as_tensor(array).clone()
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
