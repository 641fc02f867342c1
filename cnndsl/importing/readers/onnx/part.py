"""The part of an ONNX graph between tensors that are named: a network of its own, in the same file's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from cnndsl.importing.refuse import Unread

MOST_NAMES = 12
FLOAT = 1


def part(proto: Any, starts: Sequence[str], ends: Sequence[str], sizes: Mapping[str, tuple[int, ...]]) -> Any:
    """A copy of a model with these tensors as its inputs and outputs, and only the operations between them. Without starts
    it begins at the model's inputs, without ends it goes on to its outputs. `sizes` has whole shapes of starts.

    Raises `Unread` where a name is none of a tensor, and where the ends need more than the starts give.
    """
    graph = proto.graph
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    entering = {value.name: value for value in graph.input}
    held = {tensor.name for tensor in graph.initializer}
    for option, wanted in (("--from", starts), ("--to", ends)):
        known = {**dict.fromkeys(entering), **makers} if option == "--from" else makers
        for name in wanted:
            _check(name, option, known, held)
    ends = list(ends) or [value.name for value in graph.output]
    kept, met = _between(graph, makers, starts, ends)
    entered = [name for name in entering if name in met and name not in held]
    if missed := [name for name in entered if starts and name not in starts]:
        raise Unread(
            f"the part up to {_quoted(ends)} takes {_quoted(missed)} as well",
            f"give a further `--from {missed[0]}`, or an earlier tensor with `--to`",
            f"expected: all that it takes comes from {_quoted(starts)}",
        )
    if unused := [name for name in starts if name not in met]:
        raise Unread(
            f"nothing of the part up to {_quoted(ends)} takes {_quoted(unused)}",
            f"leave `--from {unused[0]}` away, or give a later tensor with `--to`",
            "expected: every tensor of `--from` is taken by an operation before those of `--to`",
        )
    made = type(proto)()
    made.CopyFrom(proto)
    for field in ("node", "input", "output", "initializer", "value_info"):
        made.graph.ClearField(field)
    made.graph.node.extend(graph.node[index] for index in sorted(kept))
    made.graph.initializer.extend(tensor for tensor in graph.initializer if tensor.name in met)
    told = {value.name: value for value in (*graph.value_info, *graph.output, *graph.input)}
    for name in starts or entered:
        made.graph.input.append(_entering(name, told.get(name), sizes.get(name), graph))
    for name in ends:
        made.graph.output.add().CopyFrom(told[name]) if name in told else made.graph.output.add(name=name)
    return made


def tensors(proto: Any) -> list[str]:
    """The names of all tensors that operations make, in order; constants aside."""
    return [name for node in proto.graph.node if node.op_type != "Constant" for name in node.output if name]


def _between(
    graph: Any, makers: Mapping[str, int], starts: Sequence[str], ends: Iterable[str]
) -> tuple[set[int], set[str]]:
    """The operations that lead from the starts to the ends, by their places, and all names that are met on the way."""
    kept: set[int] = set()
    met: set[str] = set()
    pending = list(ends)
    first = set(starts)
    while pending:
        name = pending.pop()
        if name in met:
            continue
        met.add(name)
        index = makers.get(name)
        if name in first or index is None or index in kept:
            continue
        kept.add(index)
        pending += [given for given in graph.node[index].input if given]
    return kept, met


def _check(name: str, option: str, known: Mapping[str, Any], held: set[str]) -> None:
    if name in known and name not in held:
        return
    close = get_close_matches(name, known, MOST_NAMES, 0.5)
    names = close or list(known)
    shown = ", ".join(f"`{other}`" for other in names[:MOST_NAMES])
    more = f", … {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    what = "is a weight, not a tensor that flows" if name in held else "is none of its tensors"
    raise Unread(
        f"`{name}` {what}",
        f"give `{option}` one of its tensors",
        f"expected: {'a name like' if close else 'one of'} {shown}{more}",
    )


def _entering(name: str, value: Any, shape: tuple[int, ...] | None, graph: Any) -> Any:
    made = type(graph.input[0])() if graph.input else type(graph.output[0])()
    if value is not None:
        made.CopyFrom(value)
    made.name = name
    kind = made.type.tensor_type
    kind.elem_type = kind.elem_type or FLOAT
    if shape is not None:
        kind.ClearField("shape")
        for length in shape:
            kind.shape.dim.add(dim_value=length)
    return made


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
