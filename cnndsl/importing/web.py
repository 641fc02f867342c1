"""A trace while patterns are looked for in it: who makes a tensor, who reads it, what depends on weights alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cnndsl.importing.trace import ModuleCall, Node, Ref, Tensor, Trace


class Web:
    """The operations of a trace by name, in order, open to change."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.nodes: dict[str, Node] = {node.name: node for node in trace.nodes}
        self._tensors: dict[str, Tensor] = {
            **trace.weights, **trace.constants, **{tensor.name: tensor for tensor in trace.inputs}
        }  # fmt: skip
        self._left = {name for _, name in trace.outputs}
        self._readers: dict[str, dict[str, None]] = {}
        self._still = {*trace.weights, *trace.constants}
        for node in self.nodes.values():
            self._enter(node)

    def _enter(self, node: Node) -> None:
        refs = list(node.refs())
        for ref in refs:
            self._readers.setdefault(ref.name, {})[node.name] = None
        if refs and all(ref.name in self._still for ref in refs):
            self._still.add(node.name)

    def made(self, value: Any, *targets: str) -> Node | None:
        """The operation that makes a tensor, if it is one of these."""
        node = self.nodes.get(value.name) if isinstance(value, Ref) else None
        return node if node is not None and (not targets or node.target in targets) else None

    def alone(self, value: Any, *targets: str) -> Node | None:
        """The same, if nobody else reads the tensor."""
        node = self.made(value, *targets)
        return node if node is not None and self.reads(node.name) == 1 else None

    def readers(self, name: str) -> list[Node]:
        return [self.nodes[reader] for reader in self._readers.get(name, ()) if reader in self.nodes]

    def reads(self, name: str) -> int:
        """How often a tensor is read, by operations or as an output."""
        return sum(ref.name == name for node in self.readers(name) for ref in node.refs()) + (name in self._left)

    def shape(self, value: Ref) -> tuple[int, ...]:
        node = self.nodes.get(value.name)
        return node.shape if node is not None else self._tensors[value.name].shape

    def weight(self, value: Any) -> Tensor | None:
        """The weight that an argument is, through changes of its shape alone."""
        while (node := self.made(value, "reshape", "expand")) is not None:
            value = next(node.refs())
        return self.trace.weights.get(value.name) if isinstance(value, Ref) else None

    def weight_ref(self, value: Any) -> Ref | None:
        """The same as an argument that stands for the weight itself."""
        while (node := self.made(value, "reshape", "expand")) is not None:
            value = next(node.refs())
        return value if isinstance(value, Ref) and value.name in self.trace.weights else None

    def constant(self, value: Any) -> Any:
        """The numbers of a constant as an array, through changes of its shape; None for what is none."""
        if isinstance(value, Ref) and value.name in self.trace.constants:
            return self.trace.array(value.name)
        node = self.made(value, "reshape", "expand")
        if node is None:
            return None
        inner = self.constant(next(node.refs()))
        if inner is None:
            # One that depends on weights, or on the meta device, where there are no numbers.
            return None
        if node.target == "expand":
            import numpy as np

            return np.broadcast_to(inner, node.shape)
        return inner.reshape(node.shape)

    def still(self, value: Any) -> bool:
        """Whether a tensor depends on weights and constants alone."""
        return not isinstance(value, Ref) or value.name in self._still

    def replace(self, old: Node, new: Node) -> None:
        """Puts an operation in another's place, which keeps its name; what nobody reads any more goes away."""
        for ref in old.refs():
            self._readers[ref.name].pop(old.name, None)
        self.nodes[old.name] = new
        self._enter(new)
        for ref in old.refs():
            self._drop(ref.name)

    def forward(self, node: Node, ref: Ref) -> None:
        """Lets the readers of an operation read another tensor, and takes the operation away."""
        for reader in self.readers(node.name):
            changed = {
                name: [ref if item == Ref(node.name) else item for item in value]
                if isinstance(value, list)
                else ref
                if value == Ref(node.name)
                else value
                for name, value in reader.arguments.items()
            }
            self.nodes[reader.name] = replace(reader, arguments=changed)
            self._enter(self.nodes[reader.name])
        self._readers.pop(node.name, None)
        self._drop(node.name)

    def insert(self, node: Node, before: str) -> None:
        """Puts a new operation in front of another."""
        behind = False
        for name in list(self.nodes):
            behind = behind or name == before
            if name == before:
                self.nodes[node.name] = node
            if behind:
                self.nodes[name] = self.nodes.pop(name)
        self._enter(node)

    @staticmethod
    def ref(node: Node) -> Ref:
        return Ref(node.name)

    def _drop(self, name: str) -> None:
        node = self.nodes.get(name)
        if node is None or self.reads(name):
            return
        del self.nodes[name]
        for ref in node.refs():
            self._readers[ref.name].pop(name, None)
            self._drop(ref.name)

    def sweep(self) -> None:
        """Takes away what nobody reads."""
        for name in list(reversed(self.nodes)):
            self._drop(name)

    def trace_now(self) -> Trace:
        """The trace as it is by now."""
        return replace(self.trace, nodes=tuple(self.nodes.values()))


def common(*nodes: Node) -> tuple[ModuleCall, ...]:
    """The module calls that all of these stand in."""
    found: list[ModuleCall] = []
    for calls in zip(*(node.scope for node in nodes), strict=False):
        if len(set(calls)) != 1:
            break
        found.append(calls[0])
    return tuple(found)


def walk(web: Web) -> Iterator[Node]:
    """The operations in order, while they change."""
    for name in list(web.nodes):
        if name in web.nodes:
            yield web.nodes[name]
