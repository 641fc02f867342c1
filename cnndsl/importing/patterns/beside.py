"""Arithmetic with a tensor that does not depend on the input: a trained one becomes `Weight`, a constant one `Const`, and what
is computed from them is computed as it was.

Such a tensor has no batch. Here it gets one, and with it the axes that it lacks beside the tensor it is joined with.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.importing.patterns.attending.channels import channels_of
from cnndsl.importing.patterns.attending.parts import parts_of, told_apart
from cnndsl.importing.patterns.attending.placing import insert_along, insert_picked
from cnndsl.importing.patterns.attending.rel_pos import along_axes, relative_positions
from cnndsl.importing.patterns.attending.tables import MOST_NUMBERS, by_rule, lists
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

TARGETS = ("add", "sub", "mul", "div", "maximum", "minimum", "matmul", "cat", "attend")
_FEW_NUMBERS = 64
"""How many it says one by one where a rule would tell them."""
_COMPUTED = {
    "add", "sub", "mul", "div", "reshape", "permute", "slice", "sigmoid", "exp", "softmax", "tanh", "relu", "layer_norm",
    "linear", "gelu", "silu", "softplus", "sqrt", "abs", "log", "cat", "matmul", "pow", "clamp", "l2_norm", "rel_pos", "expand",
    "sin", "cos", "dropout", "conv1d", "conv2d",
}  # fmt: skip

_LAYERS = ("linear", "layer_norm", "conv1d", "conv2d")
"""Of these, what comes first is computed, and the rest are weights of the layer."""


def rewrite(web: Web, node: Node) -> Node | None:
    """The operation with tensors that have a batch, all of them."""
    refs = list(node.refs())
    flowing = next((ref for ref in refs if not web.still(ref)), None)
    if flowing is None or len(refs) < 2 or all(not web.still(ref) for ref in refs):
        return None
    made: dict[str, Ref] = {}
    for ref in refs:
        if web.still(ref):
            found = made_beside(web, ref, flowing, node)
            if found is None:
                return None
            made[ref.name] = _beside(web, _as_told(web, found, ref, node), node, flowing)
    changed = {
        name: [made.get(item.name, item) if isinstance(item, Ref) else item for item in value]
        if isinstance(value, list)
        else made.get(value.name, value)
        if isinstance(value, Ref)
        else value
        for name, value in node.arguments.items()
    }
    return replace(node, arguments=changed)


def made_beside(web: Web, ref: Ref, flowing: Ref, node: Node) -> Ref | None:
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
        if node.target in ("attend", "add") and array.size > _FEW_NUMBERS and (parts := parts_of(array)) is not None:
            return told_apart(web, parts, flowing, node, name)
        if (ruled := by_rule(web, array, flowing, node, name)) is not None:
            return ruled
        if array.size > MOST_NUMBERS or array.dtype.kind not in "fiu" or array.ndim == 0:
            return None
        arguments = {"self": flowing, "values": lists(array)}
        web.insert(Node(name, "const", arguments, (batch, *array.shape), scope=node.scope), before=node.name)
        return Ref(name)
    if ref.name in web.trace.weights:
        shape = web.shape(ref)
        if not shape:
            return None
        arguments = {"self": flowing, "weight": ref}
        held = web.trace.array(web.trace.weights[ref.name].name) if not web.trace.weights[ref.name].trained else None
        if held is not None and held.size <= MOST_NUMBERS and held.dtype.kind == "f":
            # A table that is not trained, and that checkpoints hold.
            arguments |= {"values": lists(held)}
            web.insert(Node(name, "const", arguments, (batch, *shape), scope=node.scope), before=node.name)
            return Ref(name)
        web.insert(Node(name, "weight", arguments, (batch, *shape), scope=node.scope), before=node.name)
        return Ref(name)
    table = relative_positions(web, ref)
    if table is not None:
        bare = table.table.name in web.trace.weights and table.places is None
        source = flowing if bare else made_beside(web, table.table, flowing, node)
        return source if source is None else insert_picked(web, table, source, node, name)
    inner = web.nodes.get(ref.name)
    if inner is not None and inner.target == "expand":
        # Spread over the batch, which all of them are.
        (spread,) = inner.refs()
        if inner.shape in ((batch, *web.shape(spread)[1:]), (batch, *web.shape(spread))):
            found = made_beside(web, spread, flowing, node)
            return found if found is None else _shaped(web, found, inner.shape, node)
    if inner is not None and inner.target == "reshape" and inner.shape[:1] == (batch,):
        (spread,) = inner.refs()
        found = made_beside(web, spread, flowing, node) if web.shape(spread)[:1] == (batch,) else None
        return found if found is None else _shaped(web, found, inner.shape, node)
    if inner is not None and inner.target == "repeat" and set(inner.arguments["repeats"][1:]) <= {1}:
        return _for_all(web, next(inner.refs()), flowing, node)
    along = along_axes(web, ref)
    if along is not None:
        source = made_beside(web, along.table, flowing, node)
        return source if source is None else insert_along(web, along, source, node, name)
    if inner is None or inner.target not in _COMPUTED:
        return None
    if inner.shape[:1] == (batch,):
        return _with_batch(web, inner, name, flowing, node)
    before: dict[str, Ref] = {}
    for index, item in enumerate(inner.refs()):
        if inner.target in _LAYERS and index:
            break
        found = made_beside(web, item, flowing, node)
        if found is None:
            return None
        # Biases by position have no axis of one before the heads.
        before[item.name] = _shaped(web, found, (batch, *web.shape(item)), node)
    if inner.target == "expand":
        first = next(iter(before.values()))
        return first if web.shape(first)[1:] == inner.shape else None
    changed: dict[str, Any] = {
        key: [before.get(item.name, item) for item in value]
        if isinstance(value, list) and all(isinstance(item, Ref) for item in value)
        else before.get(value.name, value)
        if isinstance(value, Ref)
        else value
        for key, value in inner.arguments.items()
    }
    if inner.target == "permute" and (turned := web.made(changed["self"], "permute")) is not None:
        axes = tuple(turned.arguments["axes"][n] for n in changed["axes"])
        changed = {"self": turned.arguments["self"], "axes": axes}
    copy = replace(inner, name=name, arguments=changed, shape=(batch, *inner.shape), scope=node.scope)
    web.insert(copy, before=node.name)
    return Ref(name)


def _with_batch(web: Web, inner: Node, name: str, flowing: Ref, node: Node) -> Ref | None:
    """The same for an operation on tensors that have the batch already: it stays as it is, on what is made for them."""
    if inner.target in ("expand", "rel_pos"):
        return None
    made: dict[str, Ref] = {}
    for index, ref in enumerate(inner.refs()):
        if index and inner.target in _LAYERS:
            break
        shape = web.shape(ref)
        found = made_beside(web, ref, flowing, node)
        if found is None:
            return None
        # One without a batch stretches over it.
        shape = shape if shape[:1] == (web.trace.batch,) else (*(1,) * (len(inner.shape) - len(shape)), *shape)
        shape = (web.trace.batch, *shape[1:]) if shape[0] in (1, web.trace.batch) else ()
        if prod(web.shape(found)) != prod(shape) or not shape:
            return None
        made[ref.name] = _shaped(web, found, shape, node)
    changed = {
        key: [made[item.name] for item in value]
        if isinstance(value, list) and all(isinstance(item, Ref) for item in value)
        else made.get(value.name, value)
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


def _for_all(web: Web, ref: Ref, flowing: Ref, node: Node) -> Ref | None:
    """What is computed for one example, for all of them."""
    batch, shape = web.trace.batch, web.shape(ref)
    inner = web.nodes.get(ref.name)
    if shape[:1] != (1,):
        return None
    if inner is None or inner.target not in _LAYERS:
        found = made_beside(web, ref, flowing, node)
        return found if found is None else _shaped(web, found, (batch, *shape[1:]), node)
    (name, x), *_ = ((name, value) for name, value in inner.arguments.items() if isinstance(value, Ref))
    found = _for_all(web, x, flowing, node)
    if found is None:
        return None
    given = {**inner.arguments, name: found}
    made = replace(inner, name=f"{ref.name}.beside", arguments=given, shape=(batch, *shape[1:]), scope=node.scope)
    web.insert(made, before=node.name)
    return Ref(made.name)


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


def _as_told(web: Web, made: Ref, ref: Ref, node: Node) -> Ref:
    """The tensor that is made for another, with the axes of one that this has behind other axes."""
    wanted = list(web.shape(ref)[1:] if web.shape(ref)[:1] == (web.trace.batch,) else web.shape(ref))
    have = list(web.shape(made)[1:])
    while wanted[:1] == [1]:
        del wanted[0]
    while have[:1] == [1]:
        del have[0]
    if wanted == have or prod(wanted) != prod(have):
        return made
    return _shaped(web, made, (web.trace.batch, *wanted), node)


def _shaped(web: Web, made: Ref, shape: tuple[int, ...], node: Node) -> Ref:
    """The tensor along these axes."""
    if web.shape(made) == shape:
        return made
    name = f"{made.name}.{'x'.join(map(str, shape[1:]))}"
    if name not in web.nodes:
        web.insert(Node(name, "reshape", {"self": made}, shape, scope=node.scope), before=node.name)
    return Ref(name)


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
        if len(shape) == 2 and wanted == (shape[0], 1, shape[1]) and channels_of(web, flowing) == 1:
            # A vector as one token.
            column = Node(f"{name}.column", "reshape", {"self": whole}, (*shape, 1), scope=node.scope)
            web.insert(column, before=node.name)
            web.insert(Node(name, "to_tokens", {"self": Ref(column.name)}, wanted, scope=node.scope), before=node.name)
        else:
            web.insert(Node(name, "reshape", {"self": whole}, wanted, scope=node.scope), before=node.name)
    return Ref(name)
