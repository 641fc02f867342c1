"""The batch as the first axis of every tensor: code moves it about, and lays windows or heads out in it.

`permute(2, 0, 3, 1, 4)` of queries, keys and values puts the batch second; `view(-1, 7, 7, C)` makes a longer batch of windows.
Here such a tensor is said with the batch first and what was laid out in it as an axis of its own, so that each later
operation is the plain one along other axes. Operations that really mix examples stay, under a name that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from cnndsl.importing.plain.laid_in import OF_MAPS as _OF_MAPS
from cnndsl.importing.plain.laid_in import given_to_each, in_parts
from cnndsl.importing.plain.turns import turn_of
from cnndsl.importing.plain.words import RESHAPES
from cnndsl.importing.trace import Node, Ref, Trace

MIXED = " that mixes the batch with other axes"
Shape = tuple[int, ...]
_TURNS = {"permute", "transpose", "swapaxes", "t", "mT", "movedim", "moveaxis"}
_SAME_PLACES = {
    "add", "sub", "mul", "div", "pow", "neg", "relu", "relu6", "gelu", "silu", "sigmoid", "tanh", "exp", "log", "sqrt", "rsqrt",
    "abs", "square", "erf", "hardswish", "hardsigmoid", "hardtanh", "leaky_relu", "elu", "softplus", "mish", "clamp", "clip",
    "clamp_min", "clamp_max", "dropout", "native_dropout", "contiguous", "clone", "alias", "detach", "to", "_to_copy", "type_as",
    "lift_fresh_copy", "maximum", "minimum", "drop_path", "reciprocal", "rsub", "sin", "cos",
    "copy", "fill", "zero",
}  # fmt: skip
_LAST = {"linear": 1, "matmul": 2, "bmm": 2, "scaled_dot_product_attention": 2}
"""Operations along so many of the last axes."""
_DIMS = {
    "softmax", "log_softmax", "_softmax", "mean", "sum", "amax", "amin", "var", "std", "cat", "concat", "stack", "slice", "narrow",
    "select", "split", "split_with_sizes", "chunk", "unbind", "unsafe_chunk", "unsafe_split", "tensor_split", "roll", "flip",
    "linalg_vector_norm", "norm", "glu",
}  # fmt: skip
"""Operations along axes that they name."""


@dataclass(frozen=True)
class _Layout:
    """Which axis the batch is on, and what is laid out in that axis around it: `ahead` steps of whole batches, `lead` parts
    of each example. Those become axes at the same place."""

    axis: int = 0
    lead: int = 1
    ahead: int = 1
    one: bool = False
    """Whether a single part of each example has an axis, as a single window has where others are cut in several."""

    @property
    def plain(self) -> bool:
        return self == _Layout()

    @property
    def laid(self) -> tuple[int, ...]:
        """The axes for what is laid out around the batch."""
        return tuple(n for n in (self.ahead, self.lead) if n > 1) or (1,) * self.one

    def place(self, axis: int) -> int:
        """Where an axis other than the batch's is, when the batch is first."""
        return 1 + axis if axis < self.axis else axis + len(self.laid)

    def shape(self, shape: Shape, batch: int) -> Shape:
        """The shape with the batch first, and what is laid out around it as axes."""
        return (batch, *shape[: self.axis], *self.laid, *shape[self.axis + 1 :])


_PLAIN = _Layout()
_FEW_AXES = 5
"""More axes than a batch of videos has."""


def batch_first(trace: Trace) -> Trace:
    """The same network with the batch as the first axis of all that depends on the input, wherever that can be said."""
    moving = _Moving(trace)
    nodes = list(moving.nodes())
    outputs = []
    for label, name in trace.outputs:
        if name in moving.layouts:
            mixed = Node(f"{name}.leaving", f"output{MIXED}", {"self": Ref(name)}, moving.shapes[name])
            nodes.append(mixed)
            name = mixed.name
        outputs.append((label, name))
    return replace(trace, nodes=tuple(nodes), outputs=tuple(outputs))


class _Moving:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.batch = trace.batch
        self.still = {*trace.weights, *trace.constants}
        self.shapes: dict[str, Shape] = {t.name: t.shape for t in trace.inputs}
        self.shapes |= {name: t.shape for name, t in (*trace.weights.items(), *trace.constants.items())}
        self.layouts: dict[str, _Layout] = {}
        """Of tensors that depend on the input and whose batch is not simply first."""

    def nodes(self) -> Iterator[Node]:
        for node in self.trace.nodes:
            self.shapes[node.name] = node.shape
            refs = list(node.refs())
            if refs and all(ref.name in self.still for ref in refs):
                self.still.add(node.name)
                yield node
                continue
            if not refs:
                # A tensor that code makes anew: it depends on no input.
                self.still.add(node.name)
                yield node
                continue
            made = self.moved(node)
            yield from made if isinstance(made, tuple) else (made,)

    def moved(self, node: Node) -> Node | tuple[Node, ...]:
        target = node.target.rstrip("_") if not node.target.endswith("__") else node.target
        flowing = [ref for ref in node.refs() if ref.name not in self.still]
        layouts = {self.layouts.get(ref.name, _PLAIN) for ref in flowing}
        found: Node | tuple[Node, ...] | None = None
        if target in _TURNS:
            found = self.turned(node, target, flowing[0])
        elif target in RESHAPES:
            found = self.viewed(node, flowing[0])
        elif target == "repeat_interleave" and layouts == {_PLAIN} and node.arguments.get("dim") == 0:
            found = self.asked_by_each(node, flowing[0])
        elif layouts == {_PLAIN}:
            found = self.along(node, target, _PLAIN) if target == "stack" else node
        elif len(layouts) == 1 and node.target != "getitem":
            (layout,) = layouts
            found = self.along(node, target, layout) or self.laid_in(node, target, layout)
        elif node.target == "getitem":
            found = self.part(node)
        elif target == "conv2d":
            found = self.filtered(node)
        if found is None:
            self.layouts.pop(node.name, None)
            return replace(node, target=f"{target}{MIXED}")
        return found

    def set(self, name: str, layout: _Layout) -> None:
        if not layout.plain:
            self.layouts[name] = layout

    def turned(self, node: Node, target: str, ref: Ref) -> Node:
        """Axes in another order: the batch stays first, and the others are as they will be."""
        shape, before = self.shapes[ref.name], self.layouts.get(ref.name, _PLAIN)
        order = turn_of(node, target, len(shape))
        layout = replace(before, axis=order.index(before.axis))
        self.set(node.name, layout)
        if before.plain and layout.plain:
            return node
        laid = [1 + before.axis + n for n in range(len(before.laid))]
        dims = [0, *(n for axis in order for n in (laid if axis == before.axis else [before.place(axis)]))]
        made = layout.shape(node.shape, self.batch)
        return replace(node, target="permute", arguments={"self": ref, "dims": dims}, shape=made)

    def viewed(self, node: Node, ref: Ref) -> Node | None:
        """The same numbers along other axes: behind the batch where it is first, else on either side of it."""
        shape, before = self.shapes[ref.name], self.layouts.get(ref.name, _PLAIN)
        # Steps that come before the batch stay before it, and parts that come behind it stay behind.
        steps = prod(shape[: before.axis]) * before.ahead
        after: _Layout | None = None
        for axis, length in enumerate(node.shape):
            outer = prod(node.shape[:axis])
            ahead = steps // outer if outer and steps % outer == 0 else 0
            if ahead and length and length % (ahead * self.batch) == 0:
                after = _Layout(axis, length // (ahead * self.batch), ahead)
                break
        if after is None:
            return None
        if (after.axis, after.lead, after.ahead) == (0, 1, 1) and node.shape[1:2] != (1,) and len(node.shape) > 2:
            after = replace(after, one=before.one or (before.plain and shape[1:3] == (1, 1) and len(shape) > _FEW_AXES))
        self.set(node.name, after)
        if before.plain and after.plain:
            return node
        made = after.shape(node.shape, self.batch)
        if made == before.shape(shape, self.batch):
            return replace(node, target="alias", arguments={"self": ref}, shape=made)
        return replace(node, target="reshape", arguments={"self": ref, "shape": list(made)}, shape=made)

    def along(self, node: Node, target: str, layout: _Layout) -> Node | None:
        """An operation on tensors whose batch is at the same place."""
        rank = max((len(self.shapes[r.name]) for r in node.refs() if r.name not in self.still), default=0)
        if target in _SAME_PLACES:
            fits = all(len(self.shapes[r.name]) in (rank, 0) for r in node.refs() if r.name not in self.still)
            if not fits or not self.still_fits(node, rank, layout):
                return None
            self.set(node.name, layout)
            return replace(node, shape=layout.shape(node.shape, self.batch))
        if target == "matmul" and layout.axis == rank - 2 and len(layout.laid) == 1:
            # Examples are rows of the first matrix, side by side with parts of each.
            a, b = (next(node.refs()), list(node.refs())[-1])
            if a.name in self.still or b.name not in self.still or len(self.shapes[b.name]) != rank:
                return None
            self.set(node.name, layout)
            return replace(node, shape=layout.shape(node.shape, self.batch))
        if target in _LAST or target in ("layer_norm", "rms_norm"):
            last = _LAST.get(target) or len(node.arguments["normalized_shape"])
            if layout.axis >= rank - last or not self.still_fits(node, rank, layout):
                return None
            self.set(node.name, layout)
            return replace(node, shape=layout.shape(node.shape, self.batch))
        if target in _DIMS:
            return self.named(node, target, layout, rank)
        if target == "pad" and len(node.arguments["pad"]) // 2 < rank - layout.axis:
            # The axes that get wider are all behind the batch's.
            self.set(node.name, layout)
            return replace(node, shape=layout.shape(node.shape, self.batch))
        if target in ("expand", "expand_as") and len(node.shape) == len(self.shapes[next(node.refs()).name]):
            self.set(node.name, layout)
            made = layout.shape(node.shape, self.batch)
            arguments = {"self": next(node.refs()), "size": list(made)}
            return replace(node, target="expand", arguments=arguments, shape=made)
        return None

    def filtered(self, node: Node) -> Node | None:
        """A convolution of all examples beside each other, each with filters of its own: as many groups for each."""
        x, weight, bias = (node.arguments[name] for name in ("input", "weight", "bias"))
        layouts = [self.layouts.get(ref.name, _PLAIN) for ref in (x, weight)]
        groups, rest = divmod(node.arguments["groups"], self.batch)
        out, left = divmod(node.shape[1], self.batch)
        if [layout.axis for layout in layouts] != [1, 0] or any(layout.ahead > 1 for layout in layouts):
            return None
        if rest or left or bias is not None or self.shapes[x.name][0] != 1 or layouts[1].lead != out:
            return None
        layout = _Layout(1, out)
        self.set(node.name, layout)
        arguments = {**node.arguments, "groups": groups}
        made = layout.shape(node.shape, self.batch)
        return replace(node, target=f"{node.target} of each example", arguments=arguments, shape=made)

    def asked_by_each(self, node: Node, ref: Ref) -> tuple[Node, ...] | None:
        """Each example several times, as what all windows of it ask for: an axis of its own."""
        times, shape = node.arguments.get("repeats"), self.shapes[ref.name]
        if not isinstance(times, int):
            return None
        layout = _Layout(lead=times, one=times == 1)
        self.set(node.name, layout)
        return given_to_each(node, ref, (self.batch, 1, *shape[1:]), layout.shape(node.shape, self.batch))

    def laid_in(self, node: Node, target: str, layout: _Layout) -> tuple[Node, ...] | None:
        """A layer of maps whose batch also holds parts of each example, such as windows or heads."""
        if layout.axis or layout.ahead > 1 or target not in _OF_MAPS or node.parts:
            return None
        first = next(node.refs())
        if first.name in self.still or sum(ref.name not in self.still for ref in node.refs()) > 1:
            return None
        key = next(k for k, v in node.arguments.items() if v == first)
        shape = layout.shape(self.shapes[first.name], self.batch)
        made = replace(layout, lead=node.shape[0] // self.batch).shape(node.shape, self.batch)
        self.set(node.name, layout)
        weight = node.arguments.get("weight")
        window = self.shapes[weight.name][2:] if isinstance(weight, Ref) else ()
        return tuple(in_parts(replace(node, target=target), key, shape, made, window))

    def still_fits(self, node: Node, rank: int, layout: _Layout) -> bool:
        """Whether tensors that do not depend on the input stretch over the batch as before."""
        if node.target in ("linear", "layer_norm", "rms_norm"):
            return True
        for ref in node.refs():
            if ref.name in self.still:
                shape = self.shapes[ref.name]
                at = len(shape) - rank + layout.axis
                if at >= 0 and (shape[at] != 1 or (layout.axis and any(n != 1 for n in shape[:at]))):
                    return False
        return True

    def named(self, node: Node, target: str, layout: _Layout, rank: int) -> Node | None:
        """An operation along axes that it names; those before the batch's move."""
        given = dict(node.arguments)
        key = next((k for k in ("dim", "dims", "axis") if k in given), None)
        stacked = target == "stack"
        value = given[key] if key is not None else 0
        axes = [value] if isinstance(value, int) else list(value or range(rank))
        axes = [axis % (rank + stacked) for axis in axes]
        if layout.axis in axes and not (stacked and axes[0] == layout.axis):
            return None
        after = layout
        gone = 0
        reduced = target in ("mean", "sum", "amax", "amin", "var", "std", "linalg_vector_norm", "norm")
        if target in ("select", "unbind") or (reduced and not given.get("keepdim")):
            gone = sum(axis < layout.axis for axis in axes)
            after = replace(layout, axis=layout.axis - gone)
        if stacked:
            after = replace(layout, axis=layout.axis + (axes[0] <= layout.axis))
            places = [after.place(axes[0])]
        else:
            places = [layout.place(axis) for axis in axes]
        given[key or "dim"] = places[0] if isinstance(value, int) else places
        made = node.shape if node.parts else after.shape(node.shape, self.batch)
        parts = tuple(after.shape(part, self.batch) for part in node.parts)
        self.set(node.name, after)
        return replace(node, arguments=given, shape=made, parts=parts)

    def part(self, node: Node) -> Node:
        """One of several results."""
        layout = self.layouts.get(node.arguments["0"].name, _PLAIN)
        self.set(node.name, layout)
        return replace(node, shape=layout.shape(node.shape, self.batch))
