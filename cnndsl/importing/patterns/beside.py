"""Arithmetic with a tensor that does not depend on the input: a trained one becomes `Weight`, a constant one `Const`, and what
is computed from them is computed as it was.

Such a tensor has no batch. Here it gets one, and with it the axes that it lacks beside the tensor it is joined with.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.importing.patterns.attending.rel_pos import relative_positions
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

TARGETS = ("add", "sub", "mul", "div", "maximum", "minimum", "matmul", "cat", "attend")
MOST_NUMBERS = 4096
"""How many numbers of a constant a program says at most."""
_COMPUTED = {
    "add", "sub", "mul", "div", "reshape", "permute", "slice", "sigmoid", "exp", "softmax", "tanh", "relu", "layer_norm",
    "linear", "gelu", "silu", "softplus", "sqrt", "abs", "log", "cat", "matmul", "pow", "clamp", "l2_norm", "rel_pos", "expand",
    "sin", "cos",
}  # fmt: skip


def rewrite(web: Web, node: Node) -> Node | None:
    """The operation with tensors that have a batch, all of them."""
    refs = list(node.refs())
    flowing = next((ref for ref in refs if not web.still(ref)), None)
    if flowing is None or len(refs) < 2 or all(not web.still(ref) for ref in refs):
        return None
    made: dict[str, Ref] = {}
    for ref in refs:
        if web.still(ref):
            found = _made(web, ref, flowing, node)
            if found is None:
                return None
            made[ref.name] = _beside(web, found, node, flowing)
    changed = {
        name: [made.get(item.name, item) if isinstance(item, Ref) else item for item in value]
        if isinstance(value, list)
        else made.get(value.name, value)
        if isinstance(value, Ref)
        else value
        for name, value in node.arguments.items()
    }
    return replace(node, arguments=changed)


def _made(web: Web, ref: Ref, flowing: Ref, node: Node) -> Ref | None:
    """The tensor with a batch, made before the operation that takes it; None for one that cannot be said."""
    name = f"{ref.name}.beside"
    if name in web.nodes:
        # One key, one layer: it is made once, for the first that takes it.
        return Ref(name)
    batch = web.trace.batch
    array = web.constant(ref)
    if array is not None:
        if array.shape[:1] == (batch,) and (array == array[:1]).all():
            array = array[0]
        if array.size > MOST_NUMBERS or array.dtype.kind not in "fiu" or array.ndim == 0:
            return None
        arguments = {"self": flowing, "values": _lists(array)}
        web.insert(Node(name, "const", arguments, (batch, *array.shape), scope=node.scope), before=node.name)
        return Ref(name)
    if ref.name in web.trace.weights:
        shape = web.shape(ref)
        if not shape:
            return None
        arguments = {"self": flowing, "weight": ref}
        web.insert(Node(name, "weight", arguments, (batch, *shape), scope=node.scope), before=node.name)
        return Ref(name)
    table = relative_positions(web, ref)
    if table is not None:
        weight, op = table
        arguments = {
            "self": flowing,
            "weight": weight,
            "heads": op.heads,
            "size": op.size,
            "index": op.index,
            "stride": op.stride,
        }
        shape = op.infer(()).shape
        web.insert(Node(name, "rel_pos", arguments, (batch, *shape), scope=node.scope), before=node.name)
        return Ref(name)
    inner = web.nodes.get(ref.name)
    if inner is not None and inner.target == "expand":
        # Spread over the batch, which all of them are.
        (spread,) = inner.refs()
        if inner.shape == (batch, *web.shape(spread)[1:]) and web.shape(spread)[0] == 1:
            return _made(web, spread, flowing, node)
        if inner.shape == (batch, *web.shape(spread)):
            return _made(web, spread, flowing, node)
    if inner is None or inner.target not in _COMPUTED:
        return None
    if inner.shape[:1] == (batch,):
        return _with_batch(web, inner, name, flowing, node)
    before: dict[str, Ref] = {}
    for index, item in enumerate(inner.refs()):
        if inner.target in ("linear", "layer_norm") and index:
            break
        found = _made(web, item, flowing, node)
        if found is None:
            return None
        before[item.name] = found
    if inner.target == "expand":
        first = next(iter(before.values()))
        return first if web.shape(first)[1:] == inner.shape else None
    changed = {
        key: [before.get(item.name, item) for item in value]
        if isinstance(value, list) and all(isinstance(item, Ref) for item in value)
        else before.get(value.name, value)
        if isinstance(value, Ref)
        else value
        for key, value in inner.arguments.items()
    }
    copy = replace(inner, name=name, arguments=changed, shape=(batch, *inner.shape), scope=node.scope)
    web.insert(copy, before=node.name)
    return Ref(name)


def _with_batch(web: Web, inner: Node, name: str, flowing: Ref, node: Node) -> Ref | None:
    """The same for an operation on tensors that have the batch already: it stays as it is, on what is made for them."""
    if inner.target in ("expand", "rel_pos"):
        return None
    made: dict[str, Ref] = {}
    for ref in inner.refs():
        found = _made(web, ref, flowing, node) if web.shape(ref)[:1] == (web.trace.batch,) else None
        if found is None or web.shape(found) != web.shape(ref):
            return None
        made[ref.name] = found
    changed = {
        key: [made[item.name] for item in value]
        if isinstance(value, list) and all(isinstance(item, Ref) for item in value)
        else made[value.name]
        if isinstance(value, Ref)
        else value
        for key, value in inner.arguments.items()
    }
    behind = _behind_the_batch(inner)
    if behind is None:
        return None
    changed |= behind
    web.insert(replace(inner, name=name, arguments=changed, scope=node.scope), before=node.name)
    return Ref(name)


def _behind_the_batch(node: Node) -> dict[str, Any] | None:
    """The axes of an operation, which were counted with the batch, without it; None for one that does something along it."""
    found: dict[str, Any] = {}
    if isinstance(axis := node.arguments.get("axis"), int):
        found["axis"] = axis - 1
    if isinstance(axes := node.arguments.get("axes"), tuple):
        turned = node.target == "permute"
        if turned and axes[0] != 0:
            return None
        found["axes"] = tuple(n - 1 for n in (axes[1:] if turned else axes))
    return None if found.get("axis", 0) < 0 or min(found.get("axes", (0,))) < 0 else found


def _lists(array: Any) -> Any:
    if array.ndim == 1:
        return tuple(float(str(number)) for number in array)
    return tuple(_lists(row) for row in array)


def _beside(web: Web, made: Ref, node: Node, flowing: Ref) -> Ref:
    """The tensor with as many axes as the one that it is joined with; a first axis for the batch goes away."""
    if node.target == "attend":
        return made
    rank, shape = len(web.shape(flowing)), web.shape(made)
    if node.target in ("add", "sub", "mul", "div", "maximum", "minimum"):
        rank = len(node.shape)
    wanted = shape
    if len(shape) == rank + 1 and shape[1] in (1, web.trace.batch):
        wanted = (shape[0], *shape[2:])
    elif len(shape) < rank:
        wanted = (shape[0], *(1,) * (rank - len(shape)), *shape[1:])
    if wanted == shape or prod(wanted) != prod(shape):
        return made
    whole = made
    while (inner := web.made(whole, "reshape")) is not None:
        whole = inner.arguments["self"]
    if web.shape(whole) == wanted:
        return whole
    name = f"{whole.name}.{'x'.join(map(str, wanted[1:]))}"
    if name not in web.nodes:
        web.insert(Node(name, "reshape", {"self": whole}, wanted, scope=node.scope), before=node.name)
    return Ref(name)
