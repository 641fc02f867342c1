"""A graph becomes the classes of a Python file.

Three values are made one after the other, and none is changed once it is there: `Styles` say of each scope of names
whether it is a class or one of torch's containers; templates say what each class makes and runs; `instances` joins
alike templates into one class with arguments. The last two go level by level, because what a class makes is a call of
the classes inside it.
"""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.backends.pytorch.expression import Call, Expression, Literal, Member, Several, Value
from cnndsl.backends.pytorch.order import registration_order
from cnndsl.backends.pytorch.writing.heads import number_of_classes
from cnndsl.backends.pytorch.writing.hoist import hoisted
from cnndsl.backends.pytorch.writing.instances import Class, instances
from cnndsl.backends.pytorch.writing.layers import Layers, layers_of
from cnndsl.backends.pytorch.writing.layout import class_name
from cnndsl.backends.pytorch.writing.makers import in_nn, ordered, runs
from cnndsl.backends.pytorch.writing.regions import Region, Scope, Unit, scopes_of
from cnndsl.backends.pytorch.writing.styles import Styles, reach, styles_of
from cnndsl.backends.pytorch.writing.template import NUM_CLASSES, Argument, Assignment, Made, Path, Signature, Template
from cnndsl.backends.pytorch.writing.variants import ClassDraft
from cnndsl.ir.graph import Graph, Node

Calls = Mapping[Scope | Node, Expression]
"""What makes each scope that is a class of its own."""

WRAPPING = ("normalization", "activation", "regularization")
"""Categories of layers that are written around the layer before them: `relu(bn(conv(x)))`."""


def classes_of(graph: Graph, title: str) -> tuple[Class, ...]:
    """All classes of a network, inner ones first; the last is the network, named after `title`."""
    graph = hoisted(graph)
    name = class_name(title)
    taken = frozenset({"Tensor", "OrderedDict", name})
    layers = layers_of(graph, taken)
    scopes = scopes_of(graph, registration_order(graph, layers.made))
    styles = styles_of(layers, scopes)
    classes = layers.classes
    calls: dict[Scope | Node, Expression] = {}
    for height in range(1, styles[scopes[-1]].height + 1):
        level = [scope for scope in scopes if scope.path and styles[scope].own and styles[scope].height == height]
        drafts = [ClassDraft(scope, _template(scope, layers, styles, calls), styles[scope].told) for scope in level]
        names = taken | {known.name for known in classes}
        more, made = instances(drafts, names, lambda draft: _members(styles, draft.owner, draft.template))
        classes, calls = (*classes, *more), calls | made
    root = scopes[-1]
    template = _template(root, layers, styles, calls)
    constants = tuple(constant for _, _, constant in template.constants())
    classes_told = number_of_classes(graph)
    arguments = () if classes_told is None else (Argument(NUM_CLASSES.text, (), Literal(classes_told)),)
    return (*classes, Class(name, template, Signature(arguments, constants), _members(styles, root, template)))


def _members(styles: Styles, owner: Scope | Node, template: Template) -> dict[Path, str]:
    assert isinstance(owner, Scope)
    return {path: reach(styles, owner, path) for path in template.paths}


# -- templates


def _template(scope: Scope, layers: Layers, styles: Styles, calls: Calls) -> Template:
    """What a scope's class makes and runs. The classes inside it must have their `calls`."""
    style = styles[scope]
    region = scope.region or Region((), [], ())
    made = {
        style.attribute(name): Made(
            style.attribute(name),
            _making(child, layers, styles, calls),
            isinstance(child, Scope),
            isinstance(child, Node) and child.op.buffer and bool(layers.graph.node_weights(child)),
        )
        for name, child in scope.children.items()
    }
    numbers = {name: index for index, name in enumerate(region.inputs)}
    steps: list[Assignment] = []
    # What only training needs comes last, so that it can stand under one condition.
    for unit in sorted(region.units, key=lambda unit: unit.training):
        expression = _computed(scope, unit, layers, styles, [numbers[name] for name in unit.inputs])
        numbers |= {name: len(numbers) + index for index, name in enumerate(unit.outputs)}
        wraps = isinstance(unit.run, Node) and unit.run.op.category in WRAPPING
        # A scope runs in one mode as a whole; only the network itself has to tell them apart.
        training = unit.training and not scope.path
        steps.append(Assignment(expression, tuple(numbers[name] for name in unit.outputs), wraps, training))
    results = tuple(numbers[name] for name in region.outputs)
    return Template(style.title, style.form, tuple(made.values()), len(region.inputs), tuple(steps), results)


def _computed(scope: Scope, unit: Unit, layers: Layers, styles: Styles, values: list[int]) -> Expression:
    """The expression of one step of a scope's `forward`."""
    if isinstance(unit.run, Scope):
        return Call(Member(scope.inner(unit.run.path)), tuple((None, Value(value)) for value in values))
    path = scope.layer_path(unit.run, layers.made)
    if path is not None:
        path = (styles[scope].attribute(path[0]), *path[1:])
    return layers.computed(unit.run, path, values)


# -- what makes a submodule


def _making(child: Scope | Node, layers: Layers, styles: Styles, calls: Calls) -> Expression:
    """The expression that makes a submodule: a layer, a call of a class, or one of torch's containers."""
    if isinstance(child, Node):
        return layers.made[child.name]
    return calls[child] if styles[child].own else _container(child, layers, styles, calls)


def _container(scope: Scope, layers: Layers, styles: Styles, calls: Calls) -> Expression:
    style = styles[scope]
    names = [style.attribute(name) for name in scope.children]
    parts = [_making(child, layers, styles, calls) for child in scope.children.values()]
    match style.form:
        case "sequential":
            return Call(in_nn("Sequential"), tuple((None, part) for part in runs(parts)))
        case "ordered":
            return Call(in_nn("Sequential"), ((None, ordered(names, parts)),))
        case "list":
            return Call(in_nn("ModuleList"), ((None, Several(list, tuple(runs(parts)))),))
    pairs = tuple(part for name, value in zip(names, parts, strict=True) for part in (Literal(name), value))
    return Call(in_nn("ModuleDict"), ((None, Several(dict, pairs)),))
