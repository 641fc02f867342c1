"""A tensor spread over axes of size 1 before it is joined with one that has them: the merge spreads it by itself."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

_MERGES = ("add", "sub", "mul", "div", "maximum", "minimum")
TARGETS = ("expand", "expand_as", *_MERGES)


def rewrite(web: Web, node: Node) -> Node | None:
    """The tensor itself, where all that read it join it with the tensor that it was spread for."""
    if node.target in _MERGES:
        return _laid_out(web, node) or _stretching(web, node)
    x = node.arguments["self"]
    _within(web, node)
    if web.still(x) or len(web.shape(x)) != len(node.shape) or not web.readers(node.name):
        return None
    for reader in web.readers(node.name):
        other = [ref for ref in reader.refs() if ref.name != node.name]
        if reader.target not in _MERGES or len(other) != 1 or web.shape(other[0]) != node.shape:
            return None
    if web.reads(node.name) != len(web.readers(node.name)):
        return None
    return replace(node, target="same", arguments={"self": Ref(x.name)})


def _laid_out(web: Web, node: Node) -> Node | None:
    """Two tensors that were spread and then laid out along the same axes are joined before that."""
    sides = {name: web.made(node.arguments[name], "reshape") for name in ("self", "other")}
    inner = {name: side.arguments["self"] for name, side in sides.items() if side is not None}
    spread = [found for ref in inner.values() if (found := web.made(ref, "expand")) is not None]
    if len(spread) < 2 or spread[0].shape != spread[1].shape:
        return None
    arguments, shape = inner, spread[0].shape
    made = replace(node, name=f"{node.name}.spread", arguments={**node.arguments, **arguments}, shape=shape)
    web.insert(made, before=node.name)
    stretched = _stretching(web, made)
    if stretched is not None:
        web.replace(made, stretched)
    return Node(node.name, "reshape", {"self": Ref(made.name)}, node.shape, node.dtype, node.scope)


def _stretching(web: Web, node: Node) -> Node | None:
    """The merge of the tensors as they were before they were spread, where it spreads them by itself."""
    changed = dict(node.arguments)
    for name in ("self", "other"):
        spread = web.made(changed.get(name), "expand")
        if spread is None or len(web.shape(spread.arguments["self"])) != len(node.shape):
            continue
        trial = {**changed, name: spread.arguments["self"]}
        shapes = [web.shape(trial[n]) for n in ("self", "other") if isinstance(trial.get(n), Ref)]
        if len(shapes) == 2 and len(shapes[0]) == len(shapes[1]) and tuple(map(max, *shapes)) == node.shape:
            changed = trial
    return replace(node, arguments=changed) if changed != node.arguments else None


def _within(web: Web, node: Node) -> None:
    """A tensor spread over the parts of an axis, laid out as that axis, and then joined: it is joined where the axis is still in
    parts, and what comes of it is laid out."""
    readers = web.readers(node.name)
    if len(readers) != 1 or readers[0].target != "reshape":
        return
    (laid,) = readers
    for reader in web.readers(laid.name):
        if reader.target not in _MERGES or reader.shape != laid.shape:
            continue
        given = {key: value for key, value in reader.arguments.items() if isinstance(value, Ref)}
        if len(given) != 2 or any(web.still(ref) or web.shape(ref) != laid.shape for ref in given.values()):
            continue
        arguments = dict(reader.arguments)
        for key, ref in given.items():
            if ref == Ref(laid.name):
                arguments[key] = Ref(node.name)
                continue
            cut = Node(f"{reader.name}.{key}.cut", "reshape", {"self": ref}, node.shape, scope=reader.scope)
            web.insert(cut, before=reader.name)
            arguments[key] = Ref(cut.name)
        joined = replace(reader, name=f"{reader.name}.joined", arguments=arguments, shape=node.shape)
        web.insert(joined, before=reader.name)
        web.replace(reader, replace(reader, target="reshape", arguments={"self": Ref(joined.name)}))
