"""One way to say each operation: aliases, in-place forms and defaults go away, axes are counted without the batch.

After this a `reshape` is known by the shape it makes, a part of a tensor is a `slice` of one axis, and an operation in
place is the plain one: whoever reads the tensor later reads what was made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cnndsl.importing.plain.along import FORMS, Taken
from cnndsl.importing.plain.batch import batch_first
from cnndsl.importing.plain.einsum import without_einsum
from cnndsl.importing.plain.places import Places
from cnndsl.importing.plain.words import ALIASES, DEFAULTS, ONE_RESULT, RESHAPES, SAME, VIEWS
from cnndsl.importing.trace import Node, Ref, Trace

_ARITHMETIC = {"add", "sub", "mul", "div", "maximum", "minimum", "matmul", "bmm"}
_COPYING = {"reshape", "flatten", "contiguous", "reshape_as", "ravel"}
"""What copies the numbers where they lie in another order than their axes say."""
_ANEW = {"clone", "_to_copy", "lift_fresh_copy"}
"""What always copies them."""
_CUTS = {"split", "split_with_sizes", "chunk", "unsafe_chunk", "unsafe_split", "tensor_split", "unbind"}


def canonical(trace: Trace) -> Trace:
    """The same network, each operation said in one way."""
    trace = batch_first(without_einsum(trace))
    return replace(trace, nodes=tuple(_Rewriting(trace).nodes()))


class _Rewriting:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.shapes: dict[str, tuple[int, ...]] = {
            name: tensor.shape for name, tensor in (*trace.weights.items(), *trace.constants.items())
        } | {tensor.name: tensor.shape for tensor in trace.inputs}
        self.still = {*trace.weights, *trace.constants}
        """What does not depend on the input."""
        self.places = Places(self.shapes, self.still)
        """What a name stands for after operations in place, and the results of operations that change nothing."""
        self.cut: dict[str, Node] = {}
        self.cut_of: dict[str, str] = {}
        """What those are parts of, by its own name."""
        self.written_from = {
            n.name: n.arguments["src"].name for n in trace.nodes if n.target == "copy_" and "src" in n.arguments
        }
        """Which tensor is written into another, by the name of the operation."""
        self.scattered: set[str] = set()
        """Names of tensors whose numbers may lie in another order than their axes say."""

    def nodes(self) -> Iterator[Node]:
        for node in self.trace.nodes:
            made = list(self.rewritten(node))
            yield from made
            self.noted(node, made)
        for _, name in self.trace.outputs:
            if self.places.seen(name) != name:
                yield Node(name, "same", {"self": self.seen(Ref(name))}, self.shapes[self.places.seen(name)])

    def noted(self, node: Node, made: list[Node]) -> None:
        """Notes what is a view of another tensor."""
        first = next(node.refs(), None)
        taken = node.target == "getitem" and node.arguments["0"].name in self.cut_of
        if first is None or not made or node.name in self.places.by_name:
            return
        if not taken and node.target not in VIEWS and node.target not in RESHAPES:
            return
        parent = self.cut_of[node.arguments["0"].name] if taken else first.name
        if node.target in _COPYING and parent in self.scattered:
            return
        if taken or node.target in VIEWS or parent in self.scattered:
            self.scattered.add(node.name)
        for step in made:
            if step.target == "same":
                self.places.same(step.name, parent)
                return
            if step.target not in ("slice", "reshape", "permute"):
                return
            self.places.view(step.name, parent, step)
            parent = step.name

    def seen(self, value: Any) -> Any:
        """An argument with what its names stand for by now."""
        if isinstance(value, Ref):
            return Ref(self.places.seen(value.name))
        return [self.seen(item) for item in value] if isinstance(value, list) else value

    def rewritten(self, node: Node) -> Iterator[Node]:
        written = next(node.refs(), None)
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
        if node.target in ("max", "min") and node.parts:
            # The largest and where it is: of these the first alone can be said.
            axes = {"self": first, "dim": node.arguments["dim"], "keepdim": node.arguments.get("keepdim", False)}
            self.cut[node.name] = replace(node, target=f"a{node.target}", arguments=axes)
            return
        if node.target == "getitem":
            yield from self.part(node)
            return
        self.shapes[node.name] = node.shape
        if node.target in _CUTS or node.parts:
            self.cut[node.name] = node
            if node.target in _CUTS and written is not None:
                self.cut_of[node.name] = written.name
            if node.target not in ONE_RESULT and node.target not in _CUTS:
                yield replace(node, shape=node.parts[0], parts=())
            return
        if first is not None and written is not None and self.is_same(node, first):
            kept = target not in _ANEW and not (target in _COPYING and written.name in self.scattered)
            (self.places.same if kept else self.places.copied)(node.name, written.name)
            return
        if in_place and first is not None and written is not None:
            yield from self.in_place(node, first, written)
            return
        yield from self.plain(node, first)

    def in_place(self, node: Node, first: Ref, written: Ref) -> Iterator[Node]:
        """An operation that writes into the tensor it takes."""
        given = node.arguments
        added = given["other"] if node.target == "add" and given.get("alpha", 1) == 1 else None
        self.places.same(node.name, written.name)
        source = given.get("src")
        if node.target == "copy" and isinstance(source, Ref) and self.shapes[source.name] == node.shape:
            if not self.places.one_place(self.written_from[node.name], written.name):
                yield from self.places.write(written.name, source.name)
            return
        if node.target in ("zero", "fill"):
            value = given.get("value", 0)
            empty = replace(node, target="mul", arguments={"self": first, "other": 0.0})
            if value == 0:
                node = empty
            else:
                yield replace(empty, name=f"{node.name}.empty")
                self.shapes[f"{node.name}.empty"] = node.shape
                node = replace(node, target="add", arguments={"self": Ref(f"{node.name}.empty"), "other": value})
        yield from self.plain(node, first)
        spread = isinstance(added, Ref) and self.shapes.get(added.name) == node.shape and added.name not in self.still
        yield from self.places.write(written.name, node.name, added if spread else None)

    def plain(self, node: Node, first: Ref | None) -> Iterator[Node]:
        if node.target == "reciprocal":
            node = replace(node, target="div", arguments={"self": 1.0, "other": first})
        if node.target == "neg":
            node = replace(node, target="mul", arguments={"self": first, "other": -1.0})
        if node.target == "rsub":
            node = replace(
                node, target="sub", arguments={"self": node.arguments["other"], "other": node.arguments["self"]}
            )
        if node.target == "addcmul" and node.arguments.get("value", 1) == 1:
            a, b = node.arguments["tensor1"], node.arguments["tensor2"]
            if a.name not in self.still or b.name not in self.still:
                product = replace(node, name=f"{node.name}.product", target="mul", arguments={"self": a, "other": b})
                self.shapes[product.name] = node.shape
                yield product
                node = replace(node, target="add", arguments={"self": first, "other": Ref(product.name)})
        if node.target == "stack":
            yield from self.stacked(node)
            return
        if node.target == "repeat_interleave" and first is not None and isinstance(node.arguments.get("repeats"), int):
            yield from self.repeated(node, first)
            return
        if node.target == "select" and first is not None:
            axis = self.axis(node.arguments["dim"], self.shapes[first.name])
            index = node.arguments["index"] % self.shapes[first.name][axis]
            yield from self.sliced(node, first, axis, index, index + 1, 1, False)
            return
        yield self.stripped(node)

    def is_same(self, node: Node, first: Ref) -> bool:
        """Whether an operation gives the numbers it takes."""
        if node.target in ("alias", "detach", "contiguous", "clone"):
            # Whatever kind of number it holds.
            return True
        stays = ("upsample" in node.target or node.target == "expand") and node.shape == self.shapes[first.name]
        nothing = node.target in ("add", "sub") and node.arguments.get("other") == 0
        return (node.target in SAME or stays or nothing) and node.dtype.startswith("float")

    def part(self, node: Node) -> Iterator[Node]:
        whole, index = self.cut[node.arguments["0"].name], node.arguments["1"]
        self.shapes[node.name] = node.shape
        if whole.target in (*ONE_RESULT, "amax", "amin"):
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

    def repeated(self, node: Node, first: Ref) -> Iterator[Node]:
        """Each position of an axis several times, one behind the other: a new axis behind it, spread."""
        shape, times = self.shapes[first.name], node.arguments["repeats"]
        if node.arguments.get("dim") is None:
            yield node
            return
        axis = self.axis(node.arguments["dim"], shape)
        for end, target, size in (("apart", "reshape", 1), ("spread", "expand", times)):
            long = (*shape[: axis + 1], size, *shape[axis + 1 :])
            made = Node(f"{node.name}.{end}", target, {"self": first}, long, node.dtype, node.scope)
            self.shapes[made.name] = long
            self.still |= {made.name} if first.name in self.still else set()
            yield made
            first = Ref(made.name)
        yield replace(node, target="reshape", arguments={"self": first})

    def axis(self, axis: int, shape: tuple[int, ...]) -> int:
        return axis % len(shape) if shape else 0

    def stripped(self, node: Node) -> Node:
        """With axes counted without the batch, for what depends on the input."""
        if node.target in RESHAPES:
            return replace(node, target="reshape", arguments={"self": next(node.refs())})
        make = FORMS.get(node.target)
        if make is None:
            if node.target in _ARITHMETIC:
                return replace(node, arguments={k: v for k, v in node.arguments.items() if k != "alpha" or v != 1})
            return node
        (first, *_) = node.refs()
        base = 0 if node.name in self.still else 1
        return make(Taken(node, first, self.shapes[first.name], base))
