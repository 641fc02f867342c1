"""Scopes become classes: alike ones share one, chains become `nn.Sequential`, the rest are mere containers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import Literal as Among

from cnndsl.backends.pytorch.expression import Call, Expression, Literal, Member, Recorder, Several, Value, recorded
from cnndsl.backends.pytorch.library import nn
from cnndsl.backends.pytorch.order import registration_order
from cnndsl.backends.pytorch.writing.arguments import Signature, signature
from cnndsl.backends.pytorch.writing.attributes import attributes, distinct, free, positions
from cnndsl.backends.pytorch.writing.hoist import hoisted
from cnndsl.backends.pytorch.writing.layout import class_name, is_identifier
from cnndsl.backends.pytorch.writing.makers import NN, TORCH, in_nn, ordered, parameter, runs, tensor
from cnndsl.backends.pytorch.writing.regions import Region, Regions, Scope
from cnndsl.backends.pytorch.writing.repeated import steps_of
from cnndsl.backends.pytorch.writing.template import Made, Step, Style, Template
from cnndsl.backends.pytorch.writing.variants import Draft, Variant, variants
from cnndsl.ir.graph import Graph, Node

Container = Among["module", "sequence", "dict"]
"""How a scope's submodules are reached: as attributes, by number, or by name in brackets."""


@dataclass(eq=False)
class Class:
    """A class of the generated file."""

    name: str
    template: Template
    signature: Signature
    owner: Scope | Node
    """The first instance: where the tensors' names come from."""


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
        self._taken = {"Tensor", "OrderedDict"}
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
        weights = node.op.weights(types)
        if node.op.one_tensor and weights:
            return parameter(weights[""]) if weights[""].trained else tensor(weights[""])
        made = node.op.to_torch(NN, types)
        if made is None:
            return Call(Literal(None), ()) if weights else None
        return recorded(made)

    def _add_layers(self) -> None:
        nodes = [
            self.graph[name]
            for name, made in self.made.items()
            if isinstance(made, Call) and made.function == Literal(None)
        ]
        self._written = {node.name for node in nodes}
        drafts = [Draft(node, self._layer_template(node)) for node in nodes]
        self._add(drafts)

    def _layer_template(self, node: Node) -> Template:
        types = self.graph.input_types(node)
        made = tuple(
            Made(slot, parameter(weight) if weight.trained else tensor(weight), buffer=not weight.trained)
            for slot, weight in node.op.weights(types).items()
        )
        steps = steps_of(self._formula(node), len(types))
        return Template(class_name(node.op.word), "module", made, len(types), steps, steps[-1].results)

    def _formula(self, node: Node) -> Expression:
        """What a node computes, in the words of a class of its own."""
        types = self.graph.input_types(node)
        values = [Recorder(Value(index)) for index in range(len(types))]
        return recorded(node.op.call_torch(TORCH, Recorder(Member(())), types, *values))

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
        if (
            region is None
            or len(region.inputs) != 1
            or len(region.outputs) != 1
            or len(region.units) != len(scope.children)
        ):
            return False
        at = region.inputs[0]
        for unit, name in zip(region.units, scope.children, strict=True):
            plain = Call(Member((name,)), ((None, Value(0)),))
            if (
                unit.inputs != (at,)
                or (unit.training and not scope.path)
                or len(unit.outputs) != 1
                or self._run(scope, unit.run, [0]) != plain
            ):
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
        if names == positions(len(names)):
            return True
        block = ".".join(scope.path) in self.titles
        return not block and all(not hasattr(nn.Sequential, name) for name in names)

    def _containable(self, scope: Scope) -> bool:
        """Whether `nn.ModuleList` or `nn.ModuleDict` can hold a scope's children: modules, under names free there."""
        bare = any(map(self._bare, scope.children.values()))
        return not bare and all(not hasattr(nn.ModuleDict, name) for name in scope.children)

    def _bare(self, child: Scope | Node) -> bool:
        """Whether a child is a parameter or buffer, and no module."""
        return isinstance(child, Node) and child.op.one_tensor and bool(self.graph.node_weights(child))

    def _weighty(self, child: Scope | Node) -> bool:
        return isinstance(child, Scope) or bool(self.graph.node_weights(child))

    def _weighty_names(self, scope: Scope) -> set[str]:
        return {name for name, child in scope.children.items() if self._weighty(child)}

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
        owner = self.graph[run.weights_of] if run.weights_of in self._written else None
        # A shared layer may be used on tensors of another form than its class was written for.
        if module is not None and owner is not None and (owner is run or self._formula(owner) == self._formula(run)):
            return recorded(module(*arguments))
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
            wraps = isinstance(unit.run, Node) and unit.run.op.category in (
                "normalization",
                "activation",
                "regularization",
            )
            # A scope runs in one mode as a whole; only the network itself has to tell them apart.
            steps.append(Step(expression, results, wraps, unit.training and not scope.path))
        return Template(
            self._title(scope), style, made, len(region.inputs), tuple(steps), tuple(numbers[n] for n in region.outputs)
        )

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
        bare = any(map(self._bare, scope.children.values()))
        if self._chains[scope] and (names == positions(len(names)) or not plain):
            style: Style = "sequential" if names == positions(len(names)) else "ordered"
            if style == "sequential" or all(not hasattr(nn.Sequential, name) for name in names):
                return style, self._named(scope, {name: name for name in names})
        counted = [name for name in names if name.isdigit() or name in weighty]
        if not plain and not bare and counted == positions(len(counted)):
            return "list", self._named(scope, {name: name for name in names})
        self.containers[scope] = "module"
        self._renamed[scope] = attributes(scope, self._weighty_names(scope), self._expression)
        return "module", self._named(scope, self._renamed[scope])

    def _named(self, scope: Scope, attributes: dict[str, str]) -> tuple[Made, ...]:
        made = {
            attributes[name]: Made(
                attributes[name],
                self._expression(child),
                isinstance(child, Scope),
                isinstance(child, Node) and child.op.buffer and self._bare(child),
            )
            for name, child in scope.children.items()
        }
        return tuple(made.values())

    def attributes(self, scope: Scope) -> dict[str, str]:
        """The attribute of each submodule of a scope that has been written, where it is not its name."""
        return self._renamed.get(scope, {})

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
        if self._chains[scope] and self._inline(scope) and names != positions(len(names)):
            self._renamed[scope] = distinct(scope, self._weighty_names(scope))
            names = [self._renamed[scope].get(name, name) for name in names]
        parts = [self._expression(child) for child in scope.children.values()]
        if self._chains[scope] and self._inline(scope):
            self.containers[scope] = "sequence" if names == positions(len(names)) else "module"
            if names == positions(len(names)):
                return Call(in_nn("Sequential"), tuple((None, part) for part in runs(parts)))
            return Call(in_nn("Sequential"), ((None, ordered(names, parts)),))
        if names == positions(len(names)):
            self.containers[scope] = "sequence"
            return Call(in_nn("ModuleList"), ((None, Several(list, tuple(runs(parts)))),))
        self.containers[scope] = "dict"
        pairs = tuple(part for name, value in zip(names, parts, strict=True) for part in (Literal(name), value))
        return Call(in_nn("ModuleDict"), ((None, Several(dict, pairs)),))

    # -- instances to classes

    def _add(self, drafts: list[Draft]) -> None:
        for variant in variants(drafts):
            self._close(variant)

    def _close(self, variant: Variant) -> None:
        template = variant.template
        arguments = signature(template, variant.instances(template))
        assert arguments is not None
        name = free(template.title, self._taken)
        self._taken.add(name)
        self.found.append(Class(name, template, arguments, variant.drafts[0].owner))
        for index, draft in enumerate(variant.drafts):
            call = arguments.call(name, index)
            if isinstance(draft.owner, Node):
                self.made[draft.owner.name] = call
            else:
                self.expressions[draft.owner] = call
