"""How each scope of names is written: as a class of its own, or as one of torch's containers where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cnndsl.backends.pytorch.expression import Call, Member, Value
from cnndsl.backends.pytorch.library import nn
from cnndsl.backends.pytorch.writing.attributes import attributes, distinct, positions
from cnndsl.backends.pytorch.writing.layers import Layers
from cnndsl.backends.pytorch.writing.layout import class_name, is_identifier
from cnndsl.backends.pytorch.writing.regions import Scope
from cnndsl.backends.pytorch.writing.template import Base, Path, Told
from cnndsl.ir.graph import Node


@dataclass(frozen=True)
class ScopeStyle:
    """How one scope is written. `own` says whether it is a class of its own; `height`, how deep classes lie in it.

    `attributes` has the attribute of each submodule that is not called by its own name.
    """

    own: bool
    title: str
    """What its class is called, as long as the name is not taken: after the block, or after the scope's own label."""
    form: Base
    height: int
    attributes: Mapping[str, str]
    weighty: frozenset[str]
    """The children with weights, whose names the state dict shows."""
    tensors: frozenset[str]
    """The children that are a bare tensor."""
    told: Told
    """The parameters of the block that it is a call of."""

    def attribute(self, name: str) -> str:
        return self.attributes.get(name, name)

    def reached(self, module: str, name: str) -> str:
        """How the submodule `name` is written where the scope's own module is written `module`."""
        if self.form == "dict":
            return f'{module}["{name}"]'
        numbered = self.form in ("list", "sequential") or (
            self.own and self.form == "ordered" and not all(map(is_identifier, self.weighty))
        )
        if numbered and name.isdigit():
            return f"{module}[{name}]"
        if is_identifier(name):
            return f"{module}.{name}"
        return f'{module}.get_{"parameter" if name in self.tensors else "submodule"}("{name}")'


Styles = Mapping[Scope, ScopeStyle]


def styles_of(layers: Layers, scopes: list[Scope]) -> Styles:
    """The style of each scope; inner scopes come first in `scopes`, the network's own is the last."""
    chains = {scope for scope in scopes if _is_chain(scope, layers)}
    # The shares of a block are frames of the block's own scope: of all frames of a scope the first is the block's.
    called = {f.name: f for f in reversed(layers.graph.frames) if f.kind == "block" and f.name}
    titles = {name: frame.title for name, frame in called.items()}
    repeated = _titles_of_repeated_chains(chains, titles, layers)
    styles: dict[Scope, ScopeStyle] = {}
    for scope in scopes:
        weighty = frozenset(name for name, child in scope.children.items() if _has_weights(child, layers))
        title = titles.get(scope.name)
        bare = scope in chains and _is_bare_chain(scope, title is not None)
        if not scope.path:
            own = True
        elif scope.region is None:
            own = not _is_containable(scope, layers)
        else:
            own = not bare or title in repeated
        inside = max((styles[child].height for child in scope.children.values() if isinstance(child, Scope)), default=0)
        form = _class_form(scope, scope in chains, weighty, layers) if own else _container_form(scope, bare)
        attribute_of: Mapping[str, str] = {}
        if form == "module" or (form == "dict" and own):
            attribute_of = attributes(scope, weighty, lambda node: layers.made[node.name])
        elif form == "ordered" and not own:
            attribute_of = distinct(scope, weighty)
        styles[scope] = ScopeStyle(
            own,
            _title(scope, title),
            form,
            inside + own,
            attribute_of,
            weighty,
            _bare_tensors(scope, layers),
            called[scope.name].arguments if scope.name in called else {},
        )
    return styles


def reach(styles: Styles, scope: Scope, path: Path) -> str:
    """How the submodule at the end of a path is written in the `forward` of a scope's class."""
    text, here = "self", scope
    for position, name in enumerate(path):
        style = styles[here]
        # The first name of a path is an attribute already.
        text = style.reached(text, style.attribute(name) if position else name)
        if position < len(path) - 1:
            child = here.children[name]
            assert isinstance(child, Scope)
            here = child
    return text


def _title(scope: Scope, block: str | None) -> str:
    if not scope.path:
        return ""
    label = next((part for part in reversed(scope.path) if not part.isdigit()), "unit")
    return class_name(block or label)


def _is_chain(scope: Scope, layers: Layers) -> bool:
    """Whether a scope does nothing but call its submodules one after the other, in their order."""
    region = scope.region
    if region is None or len(region.inputs) != 1 or len(region.outputs) != 1:
        return False
    if len(region.units) != len(scope.children):
        return False
    at = region.inputs[0]
    for unit, name in zip(region.units, scope.children, strict=True):
        if unit.inputs != (at,) or len(unit.outputs) != 1 or (unit.training and not scope.path):
            return False
        if isinstance(unit.run, Scope):
            plain = scope.inner(unit.run.path) == (name,)
        else:
            path = scope.layer_path(unit.run, layers.made)
            plain = layers.computed(unit.run, path, [0]) == Call(Member((name,)), ((None, Value(0)),))
        if not plain:
            return False
        at = unit.outputs[0]
    return at == region.outputs[0]


def _titles_of_repeated_chains(chains: set[Scope], titles: Mapping[str, str], layers: Layers) -> set[str]:
    """The blocks that are plain chains of layers and occur more than once: each is worth a class."""
    blocks = [
        titles[scope.name]
        for scope in chains
        if scope.name in titles
        and any(isinstance(child, Node) and _has_weights(child, layers) for child in scope.children.values())
    ]
    return {title for title in blocks if blocks.count(title) > 1}


def _is_bare_chain(scope: Scope, block: bool) -> bool:
    """Whether a chain can be written as an `nn.Sequential` where it stands, its parts by position or by name.

    Blocks whose parts have names become classes, which say what the names are of.
    """
    names = list(scope.children)
    return names == positions(len(names)) or (not block and all(not hasattr(nn.Sequential, name) for name in names))


def _is_containable(scope: Scope, layers: Layers) -> bool:
    """Whether `nn.ModuleList` or `nn.ModuleDict` can hold a scope's children: modules, under names free there."""
    return not _bare_tensors(scope, layers) and all(not hasattr(nn.ModuleDict, name) for name in scope.children)


def _bare_tensors(scope: Scope, layers: Layers) -> frozenset[str]:
    return frozenset(
        name
        for name, child in scope.children.items()
        if isinstance(child, Node) and child.op.one_tensor and _has_weights(child, layers)
    )


def _has_weights(child: Scope | Node, layers: Layers) -> bool:
    return isinstance(child, Scope) or bool(layers.graph.node_weights(child))


def _class_form(scope: Scope, chain: bool, weighty: frozenset[str], layers: Layers) -> Base:
    names = list(scope.children)
    plain = all(map(is_identifier, weighty))
    if chain and names == positions(len(names)):
        return "sequential"
    if chain and not plain and all(not hasattr(nn.Sequential, name) for name in names):
        return "ordered"
    counted = [name for name in names if name.isdigit() or name in weighty]
    if not plain and not _bare_tensors(scope, layers) and counted == positions(len(counted)):
        return "list"
    odd = [name for name in weighty if not is_identifier(name)]
    if 2 * len(odd) > len(weighty) and _is_containable(scope, layers):
        return "dict"
    return "module"


def _container_form(scope: Scope, chain: bool) -> Base:
    numbered = list(scope.children) == positions(len(scope.children))
    if chain:
        return "sequential" if numbered else "ordered"
    return "list" if numbered else "dict"
