"""Layers with weights: what makes each of them, and what computes any node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnndsl.backends.pytorch.expression import (
    Attribute,
    Call,
    Expression,
    LayerClass,
    Literal,
    Member,
    Recorder,
    Value,
    recorded,
)
from cnndsl.backends.pytorch.writing.heads import with_classes
from cnndsl.backends.pytorch.writing.instances import Class, instances
from cnndsl.backends.pytorch.writing.layout import class_name
from cnndsl.backends.pytorch.writing.makers import NN, TORCH, formula, parameter, tensor
from cnndsl.backends.pytorch.writing.repeated import steps_of
from cnndsl.backends.pytorch.writing.template import Made, Path, Template
from cnndsl.backends.pytorch.writing.variants import ClassDraft
from cnndsl.ir.graph import Graph, Node

_OWN = Call(Literal(None), ())
"""Stands for a layer that torch has no module for, until it has a class of its own."""


@dataclass(frozen=True, eq=False)
class Layers:
    """`made` has the expression that makes the module or parameter of each node that has one, by the node's name.

    `written` are the names of those for which torch has no module; `classes` are the ones written for them.
    """

    graph: Graph
    made: Mapping[str, Expression]
    written: frozenset[str]
    classes: tuple[Class, ...]

    def computed(self, node: Node, path: Path | None, values: Sequence[int]) -> Expression:
        """What computes a node from numbered values. `path` leads to the layer whose weights it uses."""
        module = None if path is None else Recorder(Member(path))
        arguments: list[Any] = [Recorder(Value(value)) for value in values]
        if module is not None and node.weights_of in self.written:
            owner = self.graph[node.weights_of]
            # A shared layer may be used on tensors of another form than its class was written for.
            if owner is node or formula(self.graph, owner) == formula(self.graph, node):
                return recorded(module(*arguments))
        return recorded(node.op.call_torch(TORCH, module, self.graph.input_types(node), *arguments))


def layers_of(graph: Graph, taken: frozenset[str]) -> Layers:
    """The layers of a graph, with classes under names that are not `taken`."""
    made = {n.name: e for n in graph.nodes if n.owns_weights and (e := _expression(graph, n)) is not None}
    drafts = [ClassDraft(graph[name], _template(graph, graph[name])) for name, each in made.items() if each == _OWN]
    classes, calls = instances(drafts, taken, lambda draft: {path: _own(path) for path in draft.template.paths})
    own = {owner.name: call for owner, call in calls.items() if isinstance(owner, Node)}
    return Layers(graph, with_classes(graph, made | own), frozenset(own), classes)


def _own(path: Path) -> str:
    return ".".join(["self", *path])


def _expression(graph: Graph, node: Node) -> Expression | None:
    """What makes a node's module or parameter; None for a plain function, `_OWN` where torch has no module for it."""
    types = graph.input_types(node)
    weights = node.op.weights(types)
    if node.op.one_tensor and weights:
        return parameter(weights[""]) if weights[""].trained else tensor(weights[""])
    made = node.op.to_torch(NN, types)
    if made is None:
        return _OWN if weights else None
    expression = recorded(made)
    match expression:
        case Call(function=Attribute(name=name)) if node.op.category == "activation":
            # Of an activation with default arguments only the class is to be said.
            is_plain = expression.arguments == expression.defaults
            return Call(Literal(LayerClass(f"nn.{name}")), ()) if is_plain else expression
    return expression


def _template(graph: Graph, node: Node) -> Template:
    """The class of a layer that torch has no module for: its parameters and buffers, and its formula as `forward`."""
    types = graph.input_types(node)
    made = tuple(
        Made(slot, parameter(weight) if weight.trained else tensor(weight), buffer=not weight.trained)
        for slot, weight in node.op.weights(types).items()
    )
    steps = steps_of(formula(graph, node), len(types))
    return Template(class_name(node.op.word), "module", made, len(types), steps, steps[-1].results)
