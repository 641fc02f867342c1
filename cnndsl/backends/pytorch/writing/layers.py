"""Layers with weights: what makes each of them, and what computes any node."""

from __future__ import annotations

from collections import Counter
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
    Operation,
    Recorder,
    Value,
    everywhere,
    recorded,
    substituted,
)
from cnndsl.backends.pytorch.writing.heads import with_classes
from cnndsl.backends.pytorch.writing.instances import Class, instances
from cnndsl.backends.pytorch.writing.layout import class_name
from cnndsl.backends.pytorch.writing.makers import NN, TORCH, formula, parameter, tensor
from cnndsl.backends.pytorch.writing.template import Assignment, Made, Path, Template
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


# -- what an expression computes more than once is computed once, in a step of its own


def steps_of(expression: Expression, inputs: int) -> tuple[Assignment, ...]:
    """The steps that give the expression's value, which is the last one's result, over that many numbered inputs."""
    # Until the order of all steps is known, their results have numbers below zero. The expression itself is the last step.
    steps: list[tuple[int, Expression]] = [(0, expression)]
    while (again := _repeated([whole for _, whole in steps])) is not None:
        mark = -len(steps)
        first = next(index for index, (_, whole) in enumerate(steps) if again in everywhere(whole))
        steps = [(number, _exchanged(whole, {again: Value(mark)})) for number, whole in steps]
        steps.insert(first, (mark, again))
    names: dict[Expression, Expression] = {
        Value(mark): Value(inputs + index) for index, (mark, _) in enumerate(steps) if mark < 0
    }
    return tuple(Assignment(_exchanged(whole, names), (inputs + index,)) for index, (_, whole) in enumerate(steps))


def _repeated(expressions: list[Expression]) -> Expression | None:
    """The largest piece of work that occurs more than once."""
    counts = Counter(part for whole in expressions for part in everywhere(whole) if isinstance(part, Call | Operation))
    several = [part for part, count in counts.items() if count > 1]
    return max(several, key=lambda part: sum(1 for _ in everywhere(part)), default=None)


def _exchanged(whole: Expression, others: dict[Expression, Expression]) -> Expression:
    return substituted(whole, others.get)
