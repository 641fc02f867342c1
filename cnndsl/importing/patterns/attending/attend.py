"""Attention of queries, keys and values with the heads as an axis of their own: `attend`, which takes them as tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnndsl.importing.patterns.attending.heads import added, misplaced, side_by_side
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common

TARGETS = ("scaled_dot_product_attention", "matmul")


def rewrite(web: Web, node: Node) -> Node | None:
    """The attention that ends here, its heads side by side in the channels, then laid out as the code has them."""
    if node.target == "matmul":
        found = _written_out(web, node)
        if found is None:
            return None
        spelled, scope = found
        if any(misplaced(web, spelled.arguments[name]) for name in ("query", "key", "value")):
            return None
        node = spelled
    else:
        scope = node.scope
    given = node.arguments
    q, k, v = (given[name] for name in ("query", "key", "value"))
    if given.get("is_causal") or given.get("enable_gqa") or given.get("dropout_p"):
        return None
    if any(web.still(x) or len(web.shape(x)) != len(node.shape) for x in (q, k, v)) or len(node.shape) < 3:
        return None
    heads = web.shape(q)[-3] if len(node.shape) > 3 else 1
    # Keys and values may be those of one head, which all heads of the queries ask.
    shared = len(node.shape) > 3 and web.shape(k)[-3] == web.shape(v)[-3] == 1 < heads
    if any(web.shape(x)[-3] != heads for x in (k, v)) and len(node.shape) > 3 and not shared:
        return None
    if shared and given.get("attn_mask") is not None:
        return None
    tokens = [side_by_side(web, node, x, name) for x, name in ((q, "q"), (k, "k"), (v, "v"))]
    if any(token is None for token in tokens):
        return _spelled(web, node) if node.target == "scaled_dot_product_attention" else None
    scale = given.get("scale")
    if scale is not None and abs(scale * web.shape(q)[-1] ** 0.5 - 1) < 1e-12:
        scale = None
    arguments: dict[str, Any] = {"query": tokens[0], "key": tokens[1], "value": tokens[2]}
    if given.get("attn_mask") is not None:
        arguments["mask"] = given["attn_mask"]
    arguments |= {"heads": 1 if shared else heads, "scale": scale}
    if len(node.shape) == 3:
        return replace(node, target="attend", arguments=arguments, scope=scope)
    # The heads are an axis again, for what follows.
    *before, h, n, d = node.shape
    if shared:
        # Each head of a position asks by itself, as positions do.
        own = (*before, n * h, web.shape(q)[-1])
        arguments["query"] = added(web, node, "asking", "reshape", {"self": tokens[0]}, own)
        asked = replace(
            node, name=f"{node.name}.asked", target="attend", arguments=arguments, shape=(*own[:-1], d), scope=scope
        )
        web.insert(asked, before=node.name)
        arguments = {"self": Ref(asked.name)}
    joined = replace(
        node,
        name=f"{node.name}.attend",
        target="reshape" if shared else "attend",
        arguments=arguments,
        shape=(*before, n, h * d),
        scope=scope,
    )
    apart = replace(
        node,
        name=f"{node.name}.heads",
        target="reshape",
        arguments={"self": Ref(joined.name)},
        shape=(*before, n, h, d),
    )
    web.insert(joined, before=node.name)
    web.insert(apart, before=node.name)
    lead = len(before) - 1
    axes = (*range(lead), lead + 1, lead, lead + 2)
    return replace(node, target="permute", arguments={"self": Ref(apart.name), "axes": axes})


def _factor(web: Web, x: Any) -> float:
    """The number by which a tensor is multiplied for one reader alone; 1 where it is not."""
    made = web.alone(x, "mul")
    by = made.arguments.get("other") if made is not None else None
    return float(by) if isinstance(by, int | float) and by > 0 else 1.0


def _unscaled(web: Web, x: Any, pieces: list[Node]) -> Any:
    """The tensor before that."""
    made = web.alone(x, "mul")
    if made is None or _factor(web, x) == 1:
        return x
    pieces.append(made)
    return made.arguments["self"]


def _together(web: Web, node: Node, first: Ref, second: Ref) -> Ref:
    """Two tensors that are added to the scores, and do not depend on the input, as one."""
    shapes = [web.shape(ref) for ref in (first, second)]
    rank = max(len(shape) - next((n for n, size in enumerate(shape) if size != 1), 0) for shape in shapes)
    parts = []
    for ref, shape in zip((first, second), shapes, strict=True):
        wanted = (*(1,) * (rank - len(shape)), *shape[max(len(shape) - rank, 0) :])
        if wanted != shape:
            ref = added(web, node, f"{ref.name}.laid", "reshape", {"self": ref}, wanted)
        parts.append(ref)
    a, b = (web.shape(ref) for ref in parts)
    shape = tuple(max(pair) for pair in zip(a, b, strict=True))
    return added(web, node, f"{first.name}.{second.name}", "add", {"self": parts[0], "other": parts[1]}, shape)


def _spelled(web: Web, node: Node) -> Node:
    """The attention in single operations: what can always be said."""
    given = node.arguments
    q, k, v = (given[name] for name in ("query", "key", "value"))
    shape = web.shape(k)
    rank = len(shape) - 1
    axes = (*range(rank - 2), rank - 1, rank - 2)
    scale = given.get("scale") or web.shape(q)[-1] ** -0.5
    turned = added(web, node, "keys", "permute", {"self": k, "axes": axes}, (*shape[:-2], shape[-1], shape[-2]))
    scores_shape = (*web.shape(q)[:-1], shape[-2])
    scores = added(web, node, "scores", "matmul", {"self": q, "other": turned}, scores_shape)
    scores = added(web, node, "scaled", "mul", {"self": scores, "other": scale}, scores_shape)
    if given.get("attn_mask") is not None:
        scores = added(web, node, "masked", "add", {"self": scores, "other": given["attn_mask"]}, scores_shape)
    soft = added(web, node, "weights", "softmax", {"self": scores, "axes": (rank - 1,)}, scores_shape)
    return replace(node, target="matmul", arguments={"self": soft, "other": v})


def _written_out(web: Web, node: Node) -> tuple[Node, Any] | None:
    """`softmax(q · kᵀ · scale + mask) · v` in single operations."""
    if "tensors" in node.arguments:
        return None
    weights, v = node.arguments["self"], node.arguments.get("other", node.arguments.get("mat2"))
    soft = web.alone(weights, "softmax")
    if soft is None or soft.arguments["axes"] != (len(soft.shape) - 2,) or web.still(v):
        return None
    pieces = [node, soft]
    here, mask, scale = soft.arguments["self"], None, 1.0
    masked = web.alone(here, "add")
    while masked is not None and masked.arguments.get("alpha", 1) == 1:
        a, b = masked.arguments["self"], masked.arguments["other"]
        if not isinstance(b, Ref) or not (web.still(b) or web.made(a, "matmul", "mul", "div") is not None):
            break
        if mask is not None and not (web.still(mask) and web.still(b)):
            break
        here, mask = a, b if mask is None else _together(web, node, b, mask)
        pieces.append(masked)
        masked = web.alone(here, "add")
    scaled = web.alone(here, "mul", "div")
    if scaled is not None and isinstance(scaled.arguments.get("other"), int | float):
        by = scaled.arguments["other"]
        scale = by if scaled.target == "mul" else 1 / by
        here = scaled.arguments["self"]
        pieces.append(scaled)
    by_head: Ref | None = None
    if scaled is not None and scaled.target == "mul" and isinstance(scaled.arguments.get("other"), Ref):
        other = scaled.arguments["other"]
        if web.still(other) and web.shape(other)[-2:] == (1, 1):
            # A factor for each head, which the queries may have as well.
            by_head, here = other, scaled.arguments["self"]
            pieces.append(scaled)
    product = web.alone(here, "matmul")
    if product is None or "tensors" in product.arguments or scale <= 0:
        return None
    q, turned = product.arguments["self"], product.arguments.get("other", product.arguments.get("mat2"))
    pieces.append(product)
    if web.still(q) or web.still(turned):
        return None
    q, turned, scale = (
        _unscaled(web, q, pieces),
        _unscaled(web, turned, pieces),
        scale * _factor(web, q) * _factor(web, turned),
    )
    turn = web.alone(turned, "permute")
    inner = turn.arguments["self"] if turn is not None else None
    if turn is not None and _factor(web, inner) != 1:
        # Keys may be scaled before they are turned.
        scale *= _factor(web, inner)
        unscaled = replace(
            turn, name=f"{turn.name}.plain", arguments={**turn.arguments, "self": _unscaled(web, inner, pieces)}
        )
        web.insert(unscaled, before=node.name)
        turned = Ref(unscaled.name)
    if by_head is not None:
        q = added(web, node, "scaled", "mul", {"self": q, "other": by_head}, web.shape(q))
    shape = web.shape(turned)
    rank = len(shape) - 1
    axes = (*range(rank - 2), rank - 1, rank - 2)
    k = Node(f"{node.name}.keys", "permute", {"self": turned, "axes": axes}, (*shape[:-2], shape[-1], shape[-2]))
    web.insert(replace(k, scope=node.scope), before=node.name)
    arguments = {"query": q, "key": Ref(k.name), "value": v, "scale": scale, "attn_mask": mask}
    return replace(node, arguments=arguments), common(*pieces)
