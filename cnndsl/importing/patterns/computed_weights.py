"""Layers whose weights are computed before they are used: standardised convolutions, frozen norms, binomial filters."""

from __future__ import annotations

from dataclasses import replace
from math import comb, prod, sqrt
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common

TARGETS = ("conv1d", "conv2d", "conv3d", "add", "linear")


def rewrite(web: Web, node: Node) -> Node | None:
    """The layer that computes its weights first."""
    if node.target == "add":
        return _frozen(web, node)
    if node.target == "linear":
        return _biased(web, node)
    if web.trace.weights.get(node.arguments["weight"].name) is not None:
        return None
    return _blur(web, node) or _standardized(web, node)


def _standardized(web: Web, node: Node) -> Node | None:
    found = _by_batch_norm(web, node.arguments["weight"]) or _by_moments(web, node.arguments["weight"])
    return replace(node, target="standardized_conv", arguments={**node.arguments, **found}) if found else None


def _plain(web: Web, value: Any) -> Any:
    """What a tensor is before changes of its shape."""
    while (node := web.made(value, "reshape", "expand")) is not None:
        value = next(node.refs())
    return value


def _by_batch_norm(web: Web, value: Any) -> dict[str, Any] | None:
    """timm's way: batch norm in training, over the weights as one example; with a gain, that times a number."""
    norm = web.made(_plain(web, value), "batch_norm")
    if norm is None or not norm.arguments["training"]:
        return None
    ref = web.weight_ref(norm.arguments["input"])
    if ref is None:
        return None
    found: dict[str, Any] = {"weight": ref, "eps": norm.arguments["eps"]}
    if norm.arguments.get("weight") is None:
        return found
    scaled = web.made(_plain(web, norm.arguments["weight"]), "mul")
    gain = web.weight_ref(scaled.arguments["self"]) if scaled is not None else None
    factor = scaled.arguments["other"] if scaled is not None else None
    if gain is None or not isinstance(factor, int | float):
        return None
    fan = prod(web.shape(ref)[1:])
    return found | {"gain": gain, "gamma": float(f"{factor * sqrt(fan):.12g}")}


def _by_moments(web: Web, value: Any) -> dict[str, Any] | None:
    """`(w - mean) · (var + eps)^-½`."""
    product = web.made(value, "mul")
    if product is None:
        return None
    centred, root = web.made(product.arguments["self"], "sub"), web.made(product.arguments["other"], "rsqrt")
    shifted = web.made(root.arguments["self"], "add") if root is not None else None
    variance = web.made(shifted.arguments["self"], "var") if shifted is not None else None
    if centred is None or shifted is None or variance is None or variance.arguments.get("correction", 1) != 0:
        return None
    ref, mean = centred.arguments["self"], web.made(centred.arguments["other"], "mean")
    same = mean is not None and mean.arguments["self"] == variance.arguments["self"] == ref
    eps = shifted.arguments["other"]
    known = same and isinstance(eps, float) and ref.name in web.trace.weights
    return {"weight": ref, "eps": eps} if known else None


def _frozen(web: Web, node: Node) -> Node | None:
    """`x · w · (v + eps)^-½ + (b - m · w · (v + eps)^-½)`, all four of the state."""
    scaled = web.alone(node.arguments.get("self"), "mul")
    less = web.made(_plain(web, node.arguments.get("other")), "sub")
    if scaled is None or less is None:
        return None
    scale = _scale(web, scaled.arguments["other"])
    product = web.made(_plain(web, less.arguments["other"]), "mul")
    if scale is None or product is None or _scale(web, product.arguments["other"]) != scale:
        return None
    weight, variance, eps = scale
    refs = {
        "weight": weight,
        "bias": web.weight_ref(less.arguments["self"]),
        "running_mean": web.weight_ref(product.arguments["self"]),
        "running_var": variance,
    }
    if None in refs.values():
        return None
    arguments = {"input": scaled.arguments["self"], **refs, "eps": eps}
    return replace(node, target="frozen_batch_norm", arguments=arguments, scope=common(scaled, node))


def _scale(web: Web, value: Any) -> tuple[Ref, Ref, float] | None:
    product = web.made(_plain(web, value), "mul")
    root = web.made(_plain(web, product.arguments["other"]), "rsqrt") if product is not None else None
    shifted = web.made(_plain(web, root.arguments["self"]), "add") if root is not None else None
    if product is None or shifted is None or not isinstance(shifted.arguments["other"], float):
        return None
    weight, variance = web.weight_ref(product.arguments["self"]), web.weight_ref(shifted.arguments["self"])
    return (weight, variance, shifted.arguments["other"]) if weight is not None and variance is not None else None


def _blur(web: Web, node: Node) -> Node | None:
    """A depthwise convolution with the binomial filter, over a reflected edge or zeros: `BlurPool`."""
    import numpy as np

    filters = web.constant(node.arguments["weight"])
    pad = web.alone(node.arguments["input"], "pad")
    pads, given = node.arguments.get("pads"), node.arguments.get("padding", 0)
    if filters is None or node.arguments.get("bias") is not None or node.arguments["groups"] != filters.shape[0]:
        return None
    kernel = filters.shape[2:]
    expected: Any = np.ones(())
    for k in kernel:
        expected = expected[..., None] * np.array([comb(k - 1, i) / 2 ** (k - 1) for i in range(k)])
    wanted = tuple(((k - 1) // 2, k // 2) for k in kernel)
    amounts = pads if pads is not None else tuple((n, n) for n in given)
    mode = node.arguments.get("pad_mode", "zeros")
    dilated = any(d != 1 for d in node.arguments.get("dilation", [1]))
    if (
        pad is not None
        or dilated
        or not np.array_equal(filters, np.broadcast_to(expected, filters.shape).astype(filters.dtype))
    ):
        return None
    if amounts != wanted or mode not in ("reflect", "zeros"):
        return None
    mode = mode if any(any(pair) for pair in wanted) else "reflect"
    arguments = {"self": node.arguments["input"], "kernel_size": list(kernel), "stride": node.arguments["stride"]}
    arguments["pad_mode"] = mode
    return replace(node, target="blur_pool", arguments=arguments, scope=common(node))


def _biased(web: Web, node: Node) -> Node | None:
    """A linear layer whose bias is computed: one without, and a sum."""
    bias = node.arguments.get("bias")
    if not isinstance(bias, Ref) or web.weight(bias) is not None or web.weight(node.arguments["weight"]) is None:
        return None
    if not web.still(bias) or web.still(node.arguments["input"]):
        return None
    weight = web.weight(node.arguments["weight"])
    owner = weight.name.rpartition(".")[0] if weight is not None else ""
    plain = replace(node, name=f"{node.name}.plain", arguments={**node.arguments, "bias": None})
    if any(key.startswith(f"{owner}.") for key in _behind(web, bias)):
        # Its bias stands in the same place as its weight: neither is a layer's.
        plain = _product(web, node)
    web.insert(plain, before=node.name)
    return replace(node, target="add", arguments={"self": Ref(plain.name), "other": bias})


def _behind(web: Web, value: Ref) -> set[str]:
    """The keys of the weights that a tensor is computed from."""
    if value.name in web.trace.weights:
        return {web.trace.weights[value.name].name}
    node = web.nodes.get(value.name)
    return {key for ref in node.refs() for key in _behind(web, ref)} if node is not None else set()


def _product(web: Web, node: Node) -> Node:
    """A linear layer as a matrix product, over all positions in one axis."""
    x, weight = node.arguments["input"], node.arguments["weight"]
    shape, (units, channels) = web.shape(x), web.shape(weight)
    rows = (shape[0], prod(shape[1:-1]), channels)

    def step(end: str, target: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> Node:
        return Node(f"{node.name}.{end}", target, arguments, shape, node.dtype, node.scope)

    turned = step("columns", "permute", {"self": weight, "axes": (1, 0)}, (channels, units))
    web.insert(turned, before=node.name)
    if rows != shape:
        flat = step("rows", "reshape", {"self": x}, rows)
        web.insert(flat, before=node.name)
        x = Ref(flat.name)
    product = step("product", "matmul", {"self": x, "other": Ref(turned.name)}, (*rows[:2], units))
    if rows == shape:
        return product
    web.insert(product, before=node.name)
    return step("laid", "reshape", {"self": Ref(product.name)}, node.shape)
