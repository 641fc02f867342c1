"""PyTorch's `MultiheadAttention`, which a trace holds in thirty operations: found by its module, and checked."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web

TARGETS = ("permute of the batch", "permute", "reshape", "linear")

_INSIDE = {
    "permute of the batch", "permute", "reshape", "slice", "linear", "scaled_dot_product_attention", "same", "dropout",
}  # fmt: skip


def rewrite(web: Web, node: Node) -> Node | None:
    """The attention that ends here: self-attention over tokens, batch first, without a mask."""
    call = next((call for call in node.scope if call.kind == "MultiheadAttention"), None)
    if call is None or any(call in reader.scope for reader in web.readers(node.name)):
        return None
    depth = node.scope.index(call)
    inside = [other for other in web.nodes.values() if call in other.scope]
    products = [other for other in inside if other.target == "scaled_dot_product_attention"]
    linears = [other for other in inside if other.target == "linear"]
    if {other.target for other in inside} - _INSIDE or len(products) != 1 or len(linears) != 2:
        return None
    names = {other.name for other in inside}
    entering = {ref.name for other in inside for ref in other.refs()} - names - {*web.trace.weights}
    attend, (mapped, out) = products[0], linears
    if len(entering) != 1 or attend.arguments.get("attn_mask") is not None or attend.arguments.get("is_causal"):
        return None
    (x,) = entering
    if web.shape(Ref(x)) != node.shape or len(node.shape) != 3:
        return None
    weights = {
        "in_proj_weight": mapped.arguments["weight"],
        "in_proj_bias": mapped.arguments.get("bias"),
        "out_proj.weight": out.arguments["weight"],
        "out_proj.bias": out.arguments.get("bias"),
    }
    heads = attend.shape[1]
    if attend.shape[0] != web.trace.batch or heads * attend.shape[3] != node.shape[2]:
        return None
    arguments = {"self": Ref(x), **{k: v for k, v in weights.items() if v is not None}, "heads": heads}
    return replace(node, target="attention", arguments=arguments, scope=node.scope[: depth + 1])
