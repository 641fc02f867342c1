"""A tensor spread over axes of size 1 before it is joined with one that has them: the merge spreads it by itself."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

TARGETS = ("expand", "expand_as")
_MERGES = ("add", "sub", "mul", "div", "maximum", "minimum")


def rewrite(web: Web, node: Node) -> Node | None:
    """The tensor itself, where all that read it join it with the tensor that it was spread for."""
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


def _within(web: Web, node: Node) -> None:
    """A tensor spread over the parts of an axis, laid out as that axis, and then joined: it is joined where the axis is still in
    parts, and what comes of it is laid out."""
    (laid, *others) = web.readers(node.name)
    if others or laid.target != "reshape":
        return
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
