"""One way to say each operation: aliases, in-place forms and defaults go away, axes are counted without the batch.

After this a `reshape` is known by the shape it makes, a part of a tensor is a `slice` of one axis, and an operation in
place is the plain one: whoever reads the tensor later reads what was made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cnndsl.importing.plain.batch import batch_first, turn_of
from cnndsl.importing.plain.words import ALIASES, DEFAULTS, ONE_RESULT, RESHAPES, SAME
from cnndsl.importing.trace import Node, Ref, Trace

_ARITHMETIC = {"add", "sub", "mul", "div", "maximum", "minimum", "matmul", "bmm"}
_CUTS = {"split", "split_with_sizes", "chunk", "unsafe_chunk", "unsafe_split", "tensor_split", "unbind"}


def canonical(trace: Trace) -> Trace:
    """The same network, each operation said in one way."""
    trace = batch_first(trace)
    return replace(trace, nodes=tuple(_Rewriting(trace).nodes()))


class _Rewriting:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.shapes: dict[str, tuple[int, ...]] = {
            name: tensor.shape for name, tensor in (*trace.weights.items(), *trace.constants.items())
        } | {tensor.name: tensor.shape for tensor in trace.inputs}
        self.still = {*trace.weights, *trace.constants}
        """What does not depend on the input."""
        self.now: dict[str, str] = {}
        """What a name stands for after operations in place, and the results of operations that change nothing."""
        self.cut: dict[str, Node] = {}

    def nodes(self) -> Iterator[Node]:
        for node in self.trace.nodes:
            yield from self.rewritten(node)
        for _, name in self.trace.outputs:
            if name in self.now:
                yield Node(name, "same", {"self": self.seen(Ref(name))}, self.shapes[self.now[name]])

    def seen(self, value: Any) -> Any:
        """An argument with what its names stand for by now."""
        if isinstance(value, Ref):
            name = value.name
            while name in self.now:
                name = self.now[name]
            return Ref(name)
        return [self.seen(item) for item in value] if isinstance(value, list) else value

    def rewritten(self, node: Node) -> Iterator[Node]:
        arguments = {name: self.seen(value) for name, value in node.arguments.items()}
        node = replace(node, arguments=arguments)
        first = next(node.refs(), None)
        in_place = node.target.endswith("_") and not node.target.endswith("__")
        target = node.target.rstrip("_") if in_place else node.target
        name = ALIASES.get(target, target)
        missing = {k: v for k, v in DEFAULTS.get(name, {}).items() if k not in arguments}
        node = replace(node, target=name, arguments=arguments | missing)
        if first is not None and all(ref.name in self.still for ref in node.refs()):
            self.still.add(node.name)
        if node.target == "getitem":
            yield from self.part(node)
            return
        self.shapes[node.name] = node.shape
        if node.target in _CUTS or node.parts:
            self.cut[node.name] = node
            if node.target not in ONE_RESULT and node.target not in _CUTS:
                yield replace(node, shape=node.parts[0], parts=())
            return
        if first is not None and self.is_same(node, first):
            self.now[node.name] = first.name
            return
        if in_place and first is not None:
            self.now[first.name] = node.name
        if node.target == "reciprocal":
            node = replace(node, target="div", arguments={"self": 1.0, "other": first})
        if node.target == "neg":
            node = replace(node, target="mul", arguments={"self": first, "other": -1.0})
        if node.target == "rsub":
            node = replace(node, target="sub", arguments={"self": arguments["other"], "other": arguments["self"]})
        if node.target == "stack":
            yield from self.stacked(node)
            return
        if node.target == "select" and first is not None:
            axis = self.axis(node.arguments["dim"], self.shapes[first.name])
            index = node.arguments["index"] % self.shapes[first.name][axis]
            yield from self.sliced(node, first, axis, index, index + 1, 1, False)
            return
        yield self.stripped(node)

    def is_same(self, node: Node, first: Ref) -> bool:
        """Whether an operation gives the numbers it takes."""
        stays = ("upsample" in node.target or node.target == "expand") and node.shape == self.shapes[first.name]
        nothing = node.target in ("add", "sub") and node.arguments.get("other") == 0
        return (node.target in SAME or stays or nothing) and node.dtype.startswith("float")

    def part(self, node: Node) -> Iterator[Node]:
        whole, index = self.cut[node.arguments["0"].name], node.arguments["1"]
        self.shapes[node.name] = node.shape
        if whole.target in ONE_RESULT:
            if index == 0:
                yield self.stripped(replace(whole, name=node.name, shape=node.shape, parts=()))
            return
        if whole.target in _CUTS:
            (ref, *_) = whole.refs()
            self.still |= {node.name} if ref.name in self.still else set()
            axis = self.axis(whole.arguments.get("dim", 0), self.shapes[ref.name])
            keep = whole.target != "unbind"
            sizes = [part[axis] if keep else 1 for part in whole.parts]
            start = sum(sizes[:index])
            yield from self.sliced(node, ref, axis, start, start + sizes[index], 1, keep)
            return
        yield replace(node, target=f"{whole.target}_result", arguments={"self": Ref(whole.name), "index": index})

    def sliced(self, node: Node, ref: Ref, axis: int, start: int, stop: int, step: int, keep: bool) -> Iterator[Node]:
        base = 0 if ref.name in self.still else 1
        arguments = {"self": ref, "axis": axis - base, "start": start, "stop": stop, "step": step}
        if keep:
            yield replace(node, target="slice", arguments=arguments)
            return
        shape = (*node.shape[:axis], 1, *node.shape[axis:])
        self.shapes[f"{node.name}.kept"] = shape
        self.still |= {f"{node.name}.kept"} if ref.name in self.still else set()
        yield replace(node, name=f"{node.name}.kept", target="slice", arguments=arguments, shape=shape)
        yield replace(node, target="reshape", arguments={"self": Ref(f"{node.name}.kept")})

    def stacked(self, node: Node) -> Iterator[Node]:
        """Tensors with a new axis, one behind the other along it."""
        tensors, axis = node.arguments["tensors"], self.axis(node.arguments.get("dim", 0), node.shape)
        base = 0 if node.name in self.still else 1
        shape = (*node.shape[:axis], 1, *node.shape[axis + 1 :])
        for index, ref in enumerate(tensors):
            name = f"{node.name}.{index}"
            self.shapes[name] = shape
            self.still |= {name} if ref.name in self.still else set()
            yield Node(name, "reshape", {"self": ref}, shape, node.dtype, node.scope)
        parts = [Ref(f"{node.name}.{index}") for index in range(len(tensors))]
        yield replace(node, target="cat", arguments={"tensors": parts, "axis": axis - base})

    def axis(self, axis: int, shape: tuple[int, ...]) -> int:
        return axis % len(shape) if shape else 0

    def stripped(self, node: Node) -> Node:
        """With axes counted without the batch, for what depends on the input."""
        if node.target in RESHAPES:
            return replace(node, target="reshape", arguments={"self": next(node.refs())})
        make = _FORMS.get(node.target)
        if make is None:
            if node.target in _ARITHMETIC:
                return replace(node, arguments={k: v for k, v in node.arguments.items() if k != "alpha" or v != 1})
            return node
        (first, *_) = node.refs()
        base = 0 if node.name in self.still else 1
        return make(self, node, first, self.shapes[first.name], base)


def _permute(self: _Rewriting, node: Node, first: Ref, shape: tuple[int, ...], base: int) -> Node:
    order = turn_of(node, node.target, len(shape))
    return replace(node, target="permute", arguments={"self": first, "axes": tuple(n - base for n in order[base:])})


def _axes(self: _Rewriting, node: Node, first: Ref, shape: tuple[int, ...], base: int) -> Node:
    """`dim`, one or several, becomes `axes`: all of them in order, without the batch."""
    given = node.arguments.get("dim", node.arguments.get("axis"))
    axes = list(range(len(shape))) if given is None or given == [] else [given] if isinstance(given, int) else given
    axes = sorted(axis % len(shape) for axis in axes)
    if base and 0 in axes:
        return replace(node, target=f"{node.target} over the batch")
    rest = {k: v for k, v in node.arguments.items() if k not in ("dim", "axis", "dtype", "half_to_float")}
    return replace(node, arguments=rest | {"axes": tuple(axis - base for axis in axes)})


def _slice(self: _Rewriting, node: Node, first: Ref, shape: tuple[int, ...], base: int) -> Node:
    given = node.arguments
    axis = self.axis(given.get("dim", 0), shape)
    length = shape[axis]
    start = given.get("start") or 0
    start = max(start + length, 0) if start < 0 else min(start, length)
    stop = start + given["length"] if node.target == "narrow" else given.get("end")
    stop = length if stop is None else max(stop + length, 0) if stop < 0 else min(stop, length)
    step = given.get("step") or 1
    if (start, stop, step) == (0, length, 1):
        return replace(node, target="same", arguments={"self": first})
    return next(self.sliced(node, first, axis, start, stop, step, True))


def _cat(self: _Rewriting, node: Node, first: Ref, shape: tuple[int, ...], base: int) -> Node:
    axis = self.axis(node.arguments.get("dim", 0), shape)
    return replace(node, arguments={"tensors": node.arguments["tensors"], "axis": axis - base})


def _normed(self: _Rewriting, node: Node, first: Ref, shape: tuple[int, ...], base: int) -> Node:
    last = len(node.arguments["normalized_shape"])
    axes = tuple(range(len(shape) - last - base, len(shape) - base))
    rest = {k: v for k, v in node.arguments.items() if k not in ("normalized_shape", "cudnn_enable")}
    return replace(node, arguments=rest | {"axes": axes})


def _roll(self: _Rewriting, node: Node, first: Ref, shape: tuple[int, ...], base: int) -> Node:
    axes = tuple(axis % len(shape) - base for axis in node.arguments.get("dims") or ())
    return replace(node, arguments={"self": first, "shifts": node.arguments["shifts"], "axes": axes})


def _expand(self: _Rewriting, node: Node, first: Ref, shape: tuple[int, ...], base: int) -> Node:
    return replace(node, arguments={"self": first})


def _clamp(self: _Rewriting, node: Node, first: Ref, shape: tuple[int, ...], base: int) -> Node:
    given = node.arguments
    low = given.get("min", given.get("min_val", -1.0 if "min_val" in given else None))
    high = given.get("max", given.get("max_val"))
    return replace(node, arguments={"self": first, "min": low, "max": high})


_FORMS: Mapping[str, Callable[[_Rewriting, Node, Ref, tuple[int, ...], int], Node]] = {
    **dict.fromkeys(("permute", "transpose", "swapaxes", "t", "mT", "movedim", "moveaxis"), _permute),
    **dict.fromkeys(
        ("mean", "sum", "amax", "amin", "var", "linalg_vector_norm", "softmax", "log_softmax", "glu", "std"), _axes
    ),
    **dict.fromkeys(("slice", "narrow"), _slice),
    **dict.fromkeys(("layer_norm", "rms_norm"), _normed),
    "roll": _roll,
    "expand": _expand,
    "cat": _cat,
    "clamp": _clamp,
}
