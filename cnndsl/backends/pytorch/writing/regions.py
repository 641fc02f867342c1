"""The graph as nested regions: which scopes of names can be modules with a `forward` of their own, and what flows.

A scope can be such a module if its nodes can run one after the other: none of them needs a value from outside that is
computed from another of them. Other scopes are mere containers, whose layers the scope around them runs.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from cnndsl.backends.pytorch.order import mode
from cnndsl.backends.pytorch.writing.makers import formula
from cnndsl.backends.pytorch.writing.template import Path
from cnndsl.ir.graph import Graph, Node


@dataclass(eq=False)
class Scope:
    """A scope of names: layers by their last name, and scopes in it, in the order of registration."""

    path: Path
    children: dict[str, Scope | Node] = field(default_factory=dict)
    region: Region | None = None
    """What a call of it runs; None for a mere container."""

    @property
    def name(self) -> str:
        return ".".join(self.path)

    def inner(self, path: Path) -> Path:
        """A path from the network to something in this scope, as a path from the scope."""
        return path[len(self.path) :]

    def layer_path(self, node: Node, made: Container[str]) -> Path | None:
        """The path from this scope to the layer whose weights a node uses; None for a plain function."""
        return self.inner(_path(node.weights_of)) if node.weights_of in made else None


@dataclass(eq=False)
class Unit:
    """One step of a region: a node, or a call of a scope with the tensors that go in and come out."""

    run: Node | Scope
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    training: bool
    """Whether only training needs it."""


@dataclass(eq=False)
class Region:
    """What a scope runs: tensors that enter, steps in order, tensors that leave."""

    inputs: tuple[str, ...]
    units: list[Unit]
    outputs: tuple[str, ...]


def scopes_of(graph: Graph, order: list[str]) -> list[Scope]:
    """All scopes of a graph with their regions, inner ones first; the last is the whole network.

    `order` names the nodes that have a module, in the order of their registration.
    """
    return list(_Regions(graph, order).scopes())


class _Regions:
    """Finds the regions of a graph. `root` is the whole network."""

    def __init__(self, graph: Graph, order: list[str]) -> None:
        self.graph = graph
        training = mode(graph, training=True)
        inference = {node.name for node in mode(graph, training=False).nodes}
        self.nodes = training.nodes
        self.training_only = {node.name for node in self.nodes} - inference
        self._positions = {node.name: index for index, node in enumerate(self.nodes)}
        self.leaving = {output.node for output in graph.outputs}
        self.root = Scope(())
        self._scopes: dict[Path, Scope] = {(): self.root}
        for name in order:
            *path, last = name.split(".")
            self._scope(tuple(path)).children[last] = graph[name]
        self._homes = {node.name: _path(node.weights_of)[:-1] for node in self.nodes}
        self._calls: dict[Path, list[dict[str, str]]] = {}
        self._find_shared_calls()
        inputs = tuple(i.name for i in graph.inputs)
        self.root.region = Region(
            inputs, self._units(self.root, list(self.nodes)), tuple(dict.fromkeys(o.node for o in graph.outputs))
        )

    def scopes(self) -> Iterator[Scope]:
        """All scopes, inner ones first."""
        yield from sorted(self._scopes.values(), key=lambda scope: -len(scope.path))

    def _scope(self, path: Path) -> Scope:
        if path not in self._scopes:
            self._scopes[path] = scope = Scope(path)
            self._scope(path[:-1]).children[path[-1]] = scope
        return self._scopes[path]

    def _find_shared_calls(self) -> None:
        """Notes which frames run exactly the nodes of another scope, with its weights: they are further calls of its module."""
        owned: dict[Path, list[str]] = {}
        for node in self.nodes:
            if node.owns_weights:
                path = _path(node.name)
                for end in range(1, len(path)):
                    owned.setdefault(path[:end], []).append(node.name)
        for nodes in self._borrowing_frames():
            first = _common([_path(node.weights_of)[:-1] for node in nodes])
            image = {node.weights_of: node.name for node in nodes}
            if first and list(image) == owned.get(first) and len(nodes) == len(image) and self._same_work(image):
                self._calls.setdefault(first, []).append(image)
                self._homes.update(dict.fromkeys(image.values(), first[:-1]))

    def _borrowing_frames(self) -> Iterator[list[Node]]:
        """The nodes of each outermost frame that owns no weights."""
        frames = self.graph.frames
        inside: dict[int, list[Node]] = {}
        for node in self.nodes:
            frame = node.frame
            while frame is not None:
                inside.setdefault(frame, []).append(node)
                frame = frames[frame].parent
        borrowing = {frame for frame, nodes in inside.items() if all(not node.owns_weights for node in nodes)}
        for frame in sorted(borrowing):
            if frames[frame].parent not in borrowing:
                yield inside[frame]

    def _same_work(self, image: dict[str, str]) -> bool:
        """Whether each node computes what the owner of its weights does, from inputs that are connected in the same way.

        On maps of another size a layer may compute something else: `pad=same_tf` fills up other borders.
        """
        outside: dict[str, str] = {}
        for owner, borrower in image.items():
            if formula(self.graph, self.graph[owner]) != formula(self.graph, self.graph[borrower]):
                return False
            pairs = zip(self.graph[owner].inputs, self.graph[borrower].inputs, strict=True)
            for theirs, mine in pairs:
                if image.get(theirs, outside.setdefault(theirs, mine)) != mine:
                    return False
        return True

    # -- what runs in a scope

    def _units(self, scope: Scope, nodes: list[Node]) -> list[Unit]:
        units = [Unit(node, node.inputs, (node.name,), node.name in self.training_only) for node in nodes]
        return self._contracted(scope, units)

    def _contracted(self, scope: Scope, units: list[Unit]) -> list[Unit]:
        """The units, with a call in the place of the nodes of each child scope that can be called."""
        for child in scope.children.values():
            if not isinstance(child, Scope):
                continue
            inside = {
                u.outputs[0]
                for u in units
                if isinstance(u.run, Node) and self._homes[u.run.name][: len(child.path)] == child.path
            }
            merged = self._merged(child, units, inside, {name: name for name in inside})
            if merged is None:
                units = self._contracted(child, units)
                continue
            own = [self.graph[name] for name in sorted(inside, key=self._positions.__getitem__)]
            assert child.region is not None
            child.region.units = self._units(child, own)
            units = merged
            for image in self._calls.get(child.path, ()):
                units = self._merged(child, units, set(image.values()), {b: o for o, b in image.items()}) or units
        return units

    def _merged(self, scope: Scope, units: list[Unit], inside: set[str], owners: dict[str, str]) -> list[Unit] | None:
        """The units, with one call of the scope in the place of its nodes; None where something outside must run between them."""
        at = [index for index, unit in enumerate(units) if unit.outputs[0] in inside]
        group = [units[index] for index in at]
        if not group or len({unit.training for unit in group}) != 1:
            return None
        before, after, touched = [], [], set(inside)
        for unit in units[at[0] : at[-1] + 1]:
            if unit.outputs[0] in inside:
                if not touched.isdisjoint(set(unit.inputs) - inside):
                    return None
            elif touched.isdisjoint(unit.inputs):
                before.append(unit)
            else:
                touched.update(unit.outputs)
                after.append(unit)
        if scope.region is None:
            inputs = tuple(dict.fromkeys(name for unit in group for name in unit.inputs if name not in inside))
            outputs = tuple(unit.outputs[0] for unit in group if self._leaves(scope, unit.outputs[0], inside))
            scope.region = Region(inputs, [], outputs)
        images = {owner: borrower for borrower, owner in owners.items()}
        into: dict[str, str] = {}
        for unit in group:
            owner = self.graph[owners[unit.outputs[0]]]
            into.update(zip(owner.inputs, unit.inputs, strict=True))
        call = Unit(
            scope,
            tuple(into[n] for n in scope.region.inputs),
            tuple(images[n] for n in scope.region.outputs),
            group[0].training,
        )
        return [*units[: at[0]], *before, call, *after, *units[at[-1] + 1 :]]

    def _leaves(self, scope: Scope, name: str, inside: set[str]) -> bool:
        """Whether anything outside reads a node's value, in this or another use of the scope."""
        uses = [
            (name, inside),
            *((image[name], set(image.values())) for image in self._calls.get(scope.path, ()) if name in image),
        ]
        return any(
            borrower in self.leaving or any(reader.name not in members for reader in self.graph.consumers[borrower])
            for borrower, members in uses
        )


def _path(name: str) -> Path:
    return tuple(name.split("."))


def _common(paths: list[Path]) -> Path:
    shortest = min(paths, key=len)
    end = 0
    while end < len(shortest) and all(path[end] == shortest[end] for path in paths):
        end += 1
    return shortest[:end]
