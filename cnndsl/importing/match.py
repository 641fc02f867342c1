"""Each operation of a trace becomes a layer: the layers are asked, and their own rules say what follows.

An op's shape rule is applied at once and compared with the trace's shape, so that the first difference names its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

import cnndsl.ops  # noqa: F401  (fills the registry of layers)
from cnndsl.diagnostics.errors import Refusal
from cnndsl.importing.plain.batch import MIXED
from cnndsl.importing.plain.layouts import channels_moved
from cnndsl.importing.plain.otherwise import otherwise
from cnndsl.importing.refuse import Lack
from cnndsl.importing.trace import ModuleCall, Node, Ref, Tensor, Trace
from cnndsl.importing.web import Web
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, registry
from cnndsl.ir.tensor import TensorType

_SIZED = ("expand", "matmul")
"""Operations besides reductions whose other way depends on the size of what they take."""
_MERGES = ("add", "sub", "mul", "div", "maximum", "minimum", "cat", "mean of branches")


@dataclass(frozen=True)
class Piece:
    """A layer or merge of the network to be written: what it makes is known by its name. `label` is where its weights are
    in the state dict; "" for a layer without weights."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    type: TensorType
    label: str
    scope: tuple[ModuleCall, ...]


@dataclass(frozen=True)
class Net:
    """A network of layers that the language has, without structure yet."""

    name: str
    inputs: tuple[tuple[str, TensorType], ...]
    pieces: tuple[Piece, ...]
    outputs: tuple[tuple[str, str], ...]
    inference: int | None = None
    """How many of the outputs there are in use; the others only training has."""


@dataclass(frozen=True)
class Matched:
    """What became of a trace: a network, or all that has no counterpart."""

    net: Net
    lacks: tuple[Lack, ...]


def match(trace: Trace) -> Matched:
    """The layers of a trace in which patterns have been found."""
    matching = _Matching(trace)
    return Matched(matching.net(), tuple(matching.lacks))


class _Matching:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.web = Web(trace)
        self.lacks: list[Lack] = []
        self.types: dict[str, TensorType] = {}
        self.same: dict[str, str] = {}
        self.asked = tuple(registry().values())

    def net(self) -> Net:
        trace = self.trace
        inputs = tuple((tensor.name, self.entering(tensor)) for tensor in trace.inputs)
        self.types = dict(inputs)
        pieces = tuple(self.pieces())
        outputs = tuple((label, self.same.get(name, name)) for label, name in trace.outputs)
        for _, name in outputs:
            if name not in self.types:
                self.lacks.append(Lack("an output that does not depend on an input", ""))
        return Net(trace.name, inputs, pieces, outputs, trace.inference)

    def entering(self, tensor: Tensor) -> TensorType:
        shape = tensor.shape[1:]
        return TensorType(shape=shape, dtype=tensor.dtype, channel_axis=1 if len(shape) == 2 and False else 0)

    def pieces(self) -> Iterator[Piece]:
        for node in self.trace.nodes:
            if self.web.still(Ref(node.name)):
                continue
            if node.target == "same":
                (ref,) = node.refs()
                self.same[node.name] = self.same.get(ref.name, ref.name)
                continue
            piece = self.piece(node)
            if isinstance(piece, Lack) and (pieces := self.otherwise(node) or self.realigned(node)):
                yield from pieces
                continue
            if isinstance(piece, Lack):
                self.lacks.append(piece)
                shape = node.shape[1:]
                self.types[node.name] = TensorType(shape=shape, channel_axis=1 if len(shape) == 2 else 0)
                continue
            self.types[node.name] = piece.type
            yield piece

    def realigned(self, node: Node) -> list[Piece]:
        """The operation with its tensors' channels on the axis where it takes them; none where that is not what it lacks.

        The tensors of a merge are brought to the first one's axis; one tensor alone to each axis in turn, until the
        operation takes it.
        """
        refs = [r for r in node.refs() if self.same.get(r.name, r.name) in self.types]
        types = [self.types[self.same.get(r.name, r.name)] for r in refs]
        if node.target in _MERGES and len(refs) > 1:
            together = len({len(t.shape) for t in types}) == 1 and len({t.channel_axis for t in types}) > 1
            if not together or len(refs) != sum(1 for _ in node.refs()):
                return []
            wanted = next((t.channel_axis for t in types if t.shape == node.shape[1:]), types[0].channel_axis)
            return self.moved(node, refs, types, wanted)
        if node.target == "attend" and len({len(t.shape) for t in types[:3]}) == 1:
            # A mask has no channels.
            return self.moved(node, refs[:3], types[:3], len(types[0].shape) - 1)
        if len(refs) != 1 or len(types[0].shape) < 2:
            return []
        others = (axis for axis in range(len(types[0].shape)) if axis != types[0].channel_axis)
        return next((found for axis in others if (found := self.moved(node, refs, types, axis))), [])

    def moved(self, node: Node, refs: list[Ref], types: list[TensorType], wanted: int) -> list[Piece]:
        """The operation, and before it what brings the channels of its tensors to this axis; none where it lacks more."""
        found: list[Piece] = []
        names: dict[str, Ref] = {}
        for ref, type in zip(refs, types, strict=True):
            if type.channel_axis == wanted:
                continue
            batch, here = node.shape[0], ref
            for step in channels_moved(f"{node.name}.{ref.name}", ref, type, wanted, batch, node.scope):
                piece = self.piece(step)
                if isinstance(piece, Lack):
                    return []
                self.types[step.name] = piece.type
                found.append(piece)
                here = Ref(step.name)
            names[ref.name] = here
        changed = {
            key: [names.get(item.name, item) if isinstance(item, Ref) else item for item in value]
            if isinstance(value, list)
            else names.get(value.name, value)
            if isinstance(value, Ref)
            else value
            for key, value in node.arguments.items()
        }
        turned = replace(node, arguments=changed)
        piece = self.piece(turned)
        if isinstance(piece, Piece):
            self.types[node.name] = piece.type
            return [*found, piece]
        more = self.otherwise(turned)
        return [*found, *more] if more else []

    def otherwise(self, node: Node) -> list[Piece]:
        """An operation that no layer is, said in others; none where one of those is no layer either."""
        given = node.arguments.get("weight")
        weight = self.trace.weights.get(given.name) if isinstance(given, Ref) else None
        found: list[Piece] = []
        if node.target in _SIZED or isinstance(node.arguments.get("axes"), tuple):
            first = next(node.refs(), None)
            type = self.types.get(self.same.get(first.name, first.name)) if first is not None else None
            node = replace(node, arguments={**node.arguments, "size": type.shape if type else ()})
        for step in otherwise(node, weight.shape if weight is not None else None):
            piece = self.piece(step)
            more = self.realigned(step) if isinstance(piece, Lack) else []
            if isinstance(piece, Lack) and not more:
                return []
            if isinstance(piece, Piece):
                more = [piece]
                self.types[step.name] = piece.type
            found += more
        return found

    def piece(self, node: Node) -> Piece | Lack:
        """The layer that an operation is, or why it is none."""
        if not node.shape or node.shape[0] != self.trace.batch or node.target.endswith(MIXED):
            return Lack(f"{node.target.removesuffix(MIXED)}{MIXED}", node.module)
        data: list[str] = []
        plain: dict[str, Any] = {}
        weights: dict[str, Tensor] = {}
        for name, value in node.arguments.items():
            for item in value if isinstance(value, list) else [value]:
                if not isinstance(item, Ref):
                    continue
                flowing = self.same.get(item.name, item.name)
                if flowing in self.types:
                    data.append(flowing)
                elif (weight := self.trace.weights.get(item.name)) is not None:
                    weights[name] = weight
                else:
                    return Lack(f"{node.target} with a tensor that is computed from weights or constants", node.module)
            if value is not None and not isinstance(value, Ref) and not _is_tensors(value):
                plain[name] = value
        if not data:
            return Lack(f"{node.target} of nothing that depends on an input", node.module)
        xs = tuple(self.types[name] for name in data)
        call = Call(node.target, node.shape[1:], plain, {name: weight.shape for name, weight in weights.items()})
        found = self.asked_for(call, xs)
        if found is None:
            return Lack(_said(node, call, xs), node.module)
        op, type = found
        label = _label(op, xs, weights)
        if label is None:
            keys = ", ".join(f"`{weight.name}`" for weight in weights.values())
            return Lack(f"{op.word} whose weights have other names: {keys}", node.module)
        return Piece(node.name, op, tuple(data), type, label, node.scope)

    def asked_for(self, call: Call, xs: tuple[TensorType, ...]) -> tuple[Op, TensorType] | None:
        """The first layer that recognises the call and makes of these tensors what the trace says."""
        for kind in self.asked:
            try:
                op = kind.recognise(call, xs)
                if op is None:
                    continue
                made = op.infer(xs)
            except (Refusal, ValidationError):
                continue
            if made.shape == call.shape:
                return op, made
        return None


def _is_tensors(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, Ref) for item in value)


def _label(op: Op, xs: tuple[TensorType, ...], weights: dict[str, Tensor]) -> str | None:
    """The part of their keys that all weights of a layer share, as the layer's slots have it; None where they do not."""
    slots = {slot: weight for slot, weight in op.weights(xs).items() if slot != "num_batches_tracked"}
    if op.one_tensor and not slots and not weights:
        return ""
    if op.one_tensor:
        (weight,) = weights.values()
        return weight.name if slots[""].shape == weight.shape else None
    if set(slots) != set(weights):
        return None
    labels = set()
    for slot, weight in weights.items():
        if not weight.name.endswith(f".{slot}") or slots[slot].shape != weight.shape:
            return None
        labels.add(weight.name.removesuffix(f".{slot}"))
    return next(iter(labels), "") if len(labels) < 2 else None


def _said(node: Node, call: Call, xs: tuple[TensorType, ...]) -> str:
    """An operation for a refusal, with what sets it apart."""
    said = node.target
    if "axes" in call.arguments:
        said += f" over {'axes' if len(call['axes']) > 1 else 'axis'} {', '.join(map(str, call['axes']))}"
    elif node.target in ("reshape", "permute", "expand", "repeat"):
        said += f" of {xs[0]} to {'×'.join(map(str, call.shape))}"
    numbers = [
        v for k, v in call.arguments.items() if k in ("other", "exponent", "value") and isinstance(v, int | float)
    ]
    if numbers:
        said += f" with the number {numbers[0]:g}"
    if len(xs) > 1:
        said += f" of {', '.join(str(x) for x in xs[:4])}"
    if call.weights:
        shapes = ", ".join("×".join(map(str, shape)) or "one number" for shape in call.weights.values())
        said += f" with a weight of {shapes}" if node.target in ("add", "mul", "sub", "div", "matmul") else ""
    return said
