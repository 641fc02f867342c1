"""Scopes become classes: alike ones share one, chains become `nn.Sequential`, the rest are mere containers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count, groupby
from typing import Any, Literal as Among

from cnndsl.backends.pytorch.arguments import Instance, Signature, signature
from cnndsl.backends.pytorch.expression import (
    Attribute,
    Call,
    Expression,
    Literal,
    Member,
    Name,
    Recorder,
    Repeated,
    Several,
    Value,
    complete,
    recorded,
    recorder,
)
from cnndsl.backends.pytorch.layout import class_name, identifier, is_identifier
from cnndsl.backends.pytorch.library import nn
from cnndsl.backends.pytorch.names import TAKEN
from cnndsl.backends.pytorch.order import registration_order
from cnndsl.backends.pytorch.regions import Region, Regions, Scope
from cnndsl.backends.pytorch.template import Made, Step, Style, Template
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.weight import Weight

Container = Among["module", "sequence", "dict"]
"""How a scope's submodules are reached: as attributes, by number, or by name in brackets."""

NN, TORCH = recorder("nn"), recorder("torch")


@dataclass(eq=False)
class Draft:
    """A scope, or a layer that torch has no module for, on its way to become an instance of a class."""

    owner: Scope | Node
    template: Template


@dataclass(eq=False)
class Class:
    """A class of the generated file."""

    name: str
    template: Template
    signature: Signature
    owner: Scope | Node
    """The first instance: where the tensors' names come from."""


@dataclass(eq=False)
class _Variant:
    """Alike drafts; with `missing`, what some of them lack."""

    template: Template
    drafts: list[Draft]
    missing: dict[Draft, frozenset[str]] = field(default_factory=dict)

    def instances(self, template: Template) -> list[Instance]:
        return [_instance(template, draft, self.missing.get(draft, frozenset())) for draft in self.drafts]


class Classes:
    """All classes of a network, inner ones first; the last is the network."""

    def __init__(self, graph: Graph, title: str) -> None:
        self.graph = graph = hoisted(graph)
        self.made = {n.name: e for n in graph.nodes if n.owns_weights and (e := self._layer(n)) is not None}
        self.regions = Regions(graph, registration_order(graph, self.made))
        self.titles = {f.name: f.title for f in graph.frames if f.kind == "block" and f.name}
        self.found: list[Class] = []
        self.containers: dict[Scope, Container] = {}
        self.expressions: dict[Scope, Expression] = {}
        self._renamed: dict[Scope, dict[str, str]] = {}
        self._taken = {"Tensor", "OrderedDict", "F"}
        root_name = class_name(title)
        self._taken.add(root_name)
        self._add_layers()
        heights = self._heights()
        for height in range(1, max(heights.values()) + 1):
            level = [scope for scope, own in heights.items() if own == height and self._is_class(scope) and scope.path]
            self._add([Draft(scope, self._template(scope)) for scope in level])
        template = self._template(self.regions.root)
        constants = tuple(constant for _, _, constant in template.constants())
        self.found.append(Class(root_name, template, Signature((), constants), self.regions.root))

    # -- layers

    def _layer(self, node: Node) -> Expression | None:
        """What makes a node's module or parameter; None for a plain function. A call of None: weights without a
        module of torch's own, for which a class is to be made."""
        types = self.graph.input_types(node)
        weights = node.op.weights(*types)
        if node.op.one_tensor:
            return _parameter(weights[""])
        made = node.op.to_torch(NN, *types)
        if made is None:
            return Call(Literal(None), ()) if weights else None
        return recorded(made)

    def _add_layers(self) -> None:
        nodes = [self.graph[name] for name, made in self.made.items() if isinstance(made, Call) and made.function == Literal(None)]
        drafts = [Draft(node, self._layer_template(node)) for node in nodes]
        self._add(drafts)

    def _layer_template(self, node: Node) -> Template:
        types = self.graph.input_types(node)
        made = tuple(
            Made(slot, _parameter(weight) if weight.trained else _tensor(weight), buffer=not weight.trained)
            for slot, weight in node.op.weights(*types).items()
        )
        values = [Recorder(Value(index)) for index in range(len(types))]
        result = recorded(node.op.call_torch(TORCH, Recorder(Member(())), types, *values))
        count = len(types)
        return Template(class_name(node.op.word), "module", made, count, (Step(result, (count,)),), (count,))

    # -- scopes

    def _heights(self) -> dict[Scope, int]:
        """How deep classes lie in each scope, itself counted."""
        heights: dict[Scope, int] = {}
        self._chains = {scope: self._chain(scope) for scope in self.regions.scopes()}
        self._repeated_titles = self._titles_of_repeated_chains()
        for scope in self.regions.scopes():
            inside = max((heights[c] for c in scope.children.values() if isinstance(c, Scope)), default=0)
            heights[scope] = inside + self._is_class(scope)
        return heights

    def _chain(self, scope: Scope) -> bool:
        """Whether calling the submodules one after the other, in order, is all that the scope does."""
        region = scope.region
        if region is None or len(region.inputs) != 1 or len(region.outputs) != 1 or len(region.units) != len(scope.children):
            return False
        at = region.inputs[0]
        for unit, name in zip(region.units, scope.children, strict=True):
            plain = Call(Member((name,)), ((None, Value(0)),))
            if unit.inputs != (at,) or unit.training or len(unit.outputs) != 1 or self._run(scope, unit.run, [0]) != plain:
                return False
            at = unit.outputs[0]
        return at == region.outputs[0]

    def _titles_of_repeated_chains(self) -> set[str]:
        """Blocks that are plain chains of layers and occur more than once: worth a class."""
        found: list[str] = []
        for scope, chain in self._chains.items():
            title = self.titles.get(".".join(scope.path))
            if chain and title and any(isinstance(c, Node) and self._weighty(c) for c in scope.children.values()):
                found.append(title)
        return {title for title in found if found.count(title) > 1}

    def _is_class(self, scope: Scope) -> bool:
        if not scope.path:
            return True
        if scope.region is None:
            return not self._containable(scope)
        title = self.titles.get(".".join(scope.path))
        return not self._inline(scope) or title in self._repeated_titles

    def _inline(self, scope: Scope) -> bool:
        """Whether a scope can be written as a bare `nn.Sequential`."""
        if not self._chains[scope]:
            return False
        names = list(scope.children)
        if names == _positions(len(names)):
            return True
        block = ".".join(scope.path) in self.titles
        return not block and all(not hasattr(nn.Sequential, name) for name in names)

    def _containable(self, scope: Scope) -> bool:
        """Whether `nn.ModuleList` or `nn.ModuleDict` can hold a scope's children: modules, under names free there."""
        bare = any(isinstance(child, Node) and child.op.one_tensor for child in scope.children.values())
        return not bare and all(not hasattr(nn.ModuleDict, name) for name in scope.children)

    def _weighty(self, child: Scope | Node) -> bool:
        return isinstance(child, Scope) or bool(self.graph.node_weights(child))

    def _run(self, scope: Scope, run: Node | Scope, values: list[int]) -> Expression:
        """The expression of one step in a scope's `forward`."""
        depth = len(scope.path)
        if isinstance(run, Scope):
            return Call(Member(run.path[depth:]), tuple((None, Value(v)) for v in values))
        module = None
        if run.weights_of in self.made:
            first, *rest = run.weights_of.split(".")[depth:]
            module = Recorder(Member((self.attributes(scope).get(first, first), *rest)))
        arguments: list[Any] = [Recorder(Value(v)) for v in values]
        return recorded(run.op.call_torch(TORCH, module, self.graph.input_types(run), *arguments))

    def _template(self, scope: Scope) -> Template:
        style, made = self._made(scope)
        region = scope.region or Region((), [], ())
        numbers = {name: index for index, name in enumerate(region.inputs)}
        count = len(numbers)
        steps = []
        # What only training needs comes last, so that it can stand under one condition.
        for unit in sorted(region.units, key=lambda unit: unit.training):
            expression = self._run(scope, unit.run, [numbers[name] for name in unit.inputs])
            results = tuple(range(count, count + len(unit.outputs)))
            count += len(results)
            numbers.update(zip(unit.outputs, results, strict=True))
            wraps = isinstance(unit.run, Node) and unit.run.op.category in ("normalization", "activation", "regularization")
            steps.append(Step(expression, results, wraps, unit.training))
        return Template(self._title(scope), style, made, len(region.inputs), tuple(steps), tuple(numbers[n] for n in region.outputs))

    def _title(self, scope: Scope) -> str:
        if not scope.path:
            return ""
        named = self.titles.get(".".join(scope.path))
        label = next((part for part in reversed(scope.path) if not part.isdigit()), "unit")
        return class_name(named or label)

    def _made(self, scope: Scope) -> tuple[Style, tuple[Made, ...]]:
        names = list(scope.children)
        weighty = [name for name, child in scope.children.items() if self._weighty(child)]
        plain = all(is_identifier(name) for name in weighty)
        self.containers[scope] = "module" if plain else "sequence"
        if self._chains[scope] and (names == _positions(len(names)) or not plain):
            style: Style = "sequential" if names == _positions(len(names)) else "ordered"
            if style == "sequential" or all(not hasattr(nn.Sequential, name) for name in names):
                return style, self._named(scope, {name: name for name in names})
        if not plain and [n for n in names if n.isdigit() or n in weighty] == _positions(len(names)):
            return "list", self._named(scope, {name: name for name in names})
        self.containers[scope] = "module"
        self._renamed[scope] = self._attributes(scope)
        return "module", self._named(scope, self._renamed[scope])

    def _named(self, scope: Scope, attributes: dict[str, str]) -> tuple[Made, ...]:
        made = {
            attributes[name]: Made(attributes[name], self._expression(child), isinstance(child, Scope))
            for name, child in scope.children.items()
        }
        return tuple(made.values())

    def attributes(self, scope: Scope) -> dict[str, str]:
        """The attribute of each submodule of a scope that has been written, where it is not its name."""
        return self._renamed.get(scope, {})

    def _attributes(self, scope: Scope) -> dict[str, str]:
        """The attribute of each submodule. Those without weights and without a name share one among equals."""
        attributes = {name: name for name, child in scope.children.items() if self._weighty(child) or is_identifier(name)}
        taken = {*attributes.values(), *TAKEN}
        shared: dict[Expression, str] = {}
        for name, child in scope.children.items():
            if name in attributes and not _numbered(name, child):
                continue
            assert isinstance(child, Node)
            made = self._expression(child)
            if made not in shared:
                shared[made] = _free(identifier(child.op.word.lower()), taken)
                taken.add(shared[made])
            attributes[name] = shared[made]
        return attributes

    def _distinct(self, scope: Scope) -> dict[str, str]:
        """Names for a chain's layers without weights and label, among labelled ones: `relu1`, `relu2`."""
        weighty = [name for name, child in scope.children.items() if self._weighty(child)]
        renamed: dict[str, str] = {}
        if any(name.isdigit() for name in weighty):
            return renamed
        for name, child in scope.children.items():
            if isinstance(child, Node) and name not in weighty and (name.isdigit() or _numbered(name, child)):
                word = identifier(child.op.word.lower())
                taken = {*scope.children, *renamed.values()}
                renamed[name] = next(n for i in count(1) if (n := f"{word}{i}") not in taken)
        return renamed

    def _expression(self, child: Scope | Node) -> Expression:
        """What makes a submodule. All classes inside it are known by now."""
        if isinstance(child, Node):
            return self.made[child.name]
        if child not in self.expressions:
            self.expressions[child] = self._contained(child)
        return self.expressions[child]

    def _contained(self, scope: Scope) -> Expression:
        """A scope that is no class of its own: `nn.Sequential`, `nn.ModuleList`, `nn.ModuleDict`."""
        names = list(scope.children)
        if self._chains[scope] and self._inline(scope) and names != _positions(len(names)):
            self._renamed[scope] = self._distinct(scope)
            names = [self._renamed[scope].get(name, name) for name in names]
        parts = [self._expression(child) for child in scope.children.values()]
        pairs = Several(list, tuple(Several(tuple, (Literal(n), p)) for n, p in zip(names, parts, strict=True)))
        if self._chains[scope] and self._inline(scope):
            self.containers[scope] = "sequence" if names == _positions(len(names)) else "module"
            if names == _positions(len(names)):
                return Call(_nn("Sequential"), tuple((None, part) for part in runs(parts)))
            return Call(_nn("Sequential"), ((None, Call(Name("OrderedDict"), ((None, pairs),))),))
        if names == _positions(len(names)):
            self.containers[scope] = "sequence"
            return Call(_nn("ModuleList"), ((None, Several(list, tuple(runs(parts)))),))
        self.containers[scope] = "dict"
        return Call(_nn("ModuleDict"), ((None, Call(Name("OrderedDict"), ((None, pairs),))),))

    # -- instances to classes

    def _add(self, drafts: Iterable[Draft]) -> None:
        by_key: dict[object, _Variant] = {}
        for draft in drafts:
            by_key.setdefault(draft.template.key, _Variant(draft.template, [])).drafts.append(draft)
        variants = list(by_key.values())
        for title in dict.fromkeys(variant.template.title for variant in variants):
            alike = [variant for variant in variants if variant.template.title == title]
            for variant in _merged(sorted(alike, key=lambda v: -len(v.template.made))):
                self._close(variant)

    def _close(self, variant: _Variant) -> None:
        template = variant.template
        arguments = signature(template, variant.instances(template))
        assert arguments is not None
        name = _free(template.title, self._taken)
        self._taken.add(name)
        self.found.append(Class(name, template, arguments, variant.drafts[0].owner))
        for index, draft in enumerate(variant.drafts):
            call = arguments.call(name, index)
            if isinstance(draft.owner, Node):
                self.made[draft.owner.name] = call
            else:
                self.expressions[draft.owner] = call


def hoisted(graph: Graph) -> Graph:
    """The graph with the layers that come along unnamed, such as the Flatten of FC, one scope further out where they are
    the first thing in theirs: what is left may then be a plain `nn.Sequential`."""
    listed = set(graph.modules)
    names = {name for name in graph.types} | {part for node in graph.nodes for part in _scopes(node.name)}
    moved: dict[str, str] = {}
    for node in graph.nodes:
        *scope, last = node.name.split(".")
        inside = ".".join([*scope, ""])
        free = node.owns_weights and node.name not in listed and not node.op.merges and not graph.node_weights(node)
        target = ".".join([*scope[:-1], last])
        if free and scope and target not in names and not any(name.startswith(inside) for name in node.inputs):
            moved[node.name] = target
            names.add(target)
    if not moved:
        return graph
    nodes = tuple(
        node.model_copy(
            update={
                "name": moved.get(node.name, node.name),
                "inputs": tuple(moved.get(name, name) for name in node.inputs),
                "weights_of": moved.get(node.weights_of, node.weights_of),
            }
        )
        for node in graph.nodes
    )
    outputs = tuple(output.model_copy(update={"node": moved.get(output.node, output.node)}) for output in graph.outputs)
    fields = {name: getattr(graph, name) for name in Graph.model_fields}
    return Graph(**fields | {"nodes": nodes, "outputs": outputs})


def _scopes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _merged(variants: list[_Variant]) -> list[_Variant]:
    """Variants of one title, those that only lack submodules of another joined with it."""
    kept: list[_Variant] = []
    for variant in variants:
        if not any(_join(larger, variant) for larger in kept):
            kept.append(variant)
    return kept


def _join(larger: _Variant, smaller: _Variant) -> bool:
    names = {made.name for made in smaller.template.made}
    lacking = [made.name for made in larger.template.made if made.name not in names]
    reduced: Template | None = larger.template
    for name in lacking:
        reduced = reduced.without(name) if reduced is not None else None
    if not lacking or reduced is None or larger.template.style != "module" or reduced.key != smaller.template.key:
        return False
    template = replace(larger.template, optional=larger.template.optional | frozenset(lacking))
    missing = larger.missing | dict.fromkeys(smaller.drafts, frozenset(lacking))
    joined = _Variant(template, larger.drafts + smaller.drafts, missing)
    if signature(template, joined.instances(template)) is None:
        return False
    larger.template, larger.drafts, larger.missing = template, joined.drafts, missing
    return True


def _instance(template: Template, draft: Draft, missing: frozenset[str]) -> Instance:
    own = iter(constant for _, _, constant in draft.template.constants())
    constants = tuple(None if name in missing else next(own) for name, _, _ in template.constants())
    return Instance(constants, missing)


def runs(parts: list[Expression]) -> list[Expression]:
    """Three or more equal ones in a row written as one."""
    found: list[Expression] = []
    for part, equal in groupby(parts):
        count = len(list(equal))
        found += [Repeated(part, count)] if count >= 3 and isinstance(part, Call) else [part] * count
    return found


def _positions(count: int) -> list[str]:
    return [str(index) for index in range(count)]


def _numbered(name: str, child: Scope | Node) -> bool:
    """Whether a layer without weights was named after its word for want of a label: `relu_1`."""
    return isinstance(child, Node) and name.rsplit("_", 1)[0] == child.op.word.lower() and name[-1:].isdigit()


def _free(wanted: str, taken: set[str]) -> str:
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}{count}" if not wanted[-1].isdigit() else f"{wanted}_{count}"
    return name


def _nn(name: str) -> Expression:
    return Attribute(Name("nn"), name)


def _tensor(weight: Weight) -> Expression:
    dtype = {} if weight.dtype == "float32" else {"dtype": getattr(TORCH, weight.dtype)}
    shape = weight.shape or ((),)
    if weight.init == "uniform":
        return recorded(TORCH.empty(*shape, **dtype).uniform_(-weight.bound, weight.bound))
    return recorded(getattr(TORCH, weight.init)(*shape, **dtype))


def _parameter(weight: Weight) -> Expression:
    options = {} if weight.trained else {"requires_grad": False}
    return recorded(Recorder(complete(Call(_nn("Parameter"), ((None, _tensor(weight)),)))) if not options else NN.Parameter(Recorder(_tensor(weight)), **options))
