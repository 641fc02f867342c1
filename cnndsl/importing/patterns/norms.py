"""Norms and pools that PyTorch computes in several steps: `GRN`, `L2Norm`, `LRN`, `LPPool`."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common

TARGETS = ("add", "mul", "div", "pow")


def rewrite(web: Web, node: Node) -> Node | None:
    """The norm or pool that ends here."""
    if node.target == "add":
        return _global_response(web, node)
    if node.target == "mul":
        return _scaled_length(web, node)
    if node.target == "pow":
        return _lp_pool(web, node)
    return _length(web, node) or _local_response(web, node)


def _length(web: Web, node: Node) -> Node | None:
    """`x / max(|x|, 1e-12)`."""
    x = node.arguments["self"]
    spread = web.made(node.arguments["other"], "expand")
    bounded = web.made(spread.arguments["self"] if spread else node.arguments["other"], "clamp")
    norm = web.made(bounded.arguments["self"], "linalg_vector_norm") if bounded is not None else None
    if bounded is None or norm is None or norm.arguments["self"] != x or norm.arguments["ord"] != 2:
        return None
    if bounded.arguments["min"] != 1e-12 or bounded.arguments["max"] is not None or not norm.arguments["keepdim"]:
        return None
    return replace(node, target="l2_norm", arguments={"self": x, "axes": norm.arguments["axes"]})


def _scaled_length(web: Web, node: Node) -> Node | None:
    """A length of 1, then a trained number for each channel."""
    for value, scale in (
        (node.arguments["self"], node.arguments["other"]),
        (node.arguments["other"], node.arguments["self"]),
    ):
        norm = web.alone(value, "l2_norm")
        ref = web.weight_ref(scale)
        if norm is None or ref is None or len(web.shape(ref)) != 1:
            continue
        (axis,) = norm.arguments["axes"]
        if web.shape(scale)[0] == web.shape(ref)[0] and len(web.shape(scale)) == len(node.shape) - 1 - axis:
            return replace(norm, name=node.name, arguments={**norm.arguments, "weight": ref}, scope=common(norm, node))
    return None


def _global_response(web: Web, node: Node) -> Node | None:
    """`x + b + w · (x · |x_c| / (mean |x| + eps))`, however the sums are nested."""
    terms = _terms(web, node)
    refs: list[Any] = [term for term in terms if isinstance(term, Ref)]
    products = [term for term in terms if isinstance(term, tuple)]
    if len(terms) != 3 or len(products) != 1:
        return None
    weight, value = products[0]
    if web.weight_ref(weight) is None:
        weight, value = value, weight
    share = web.made(value, "mul")
    w, b = web.weight_ref(weight), next((web.weight_ref(r) for r in refs if web.weight_ref(r) is not None), None)
    x = next((r for r in refs if web.weight_ref(r) is None), None)
    if share is None or w is None or b is None or x is None:
        return None
    if share.arguments["self"] != x:
        return None
    quotient = web.made(share.arguments["other"], "div")
    above = web.made(quotient.arguments["self"], "linalg_vector_norm") if quotient is not None else None
    below = web.made(quotient.arguments["other"], "add") if quotient is not None else None
    mean = web.made(below.arguments["self"], "mean") if below is not None else None
    length = web.made(mean.arguments["self"], "linalg_vector_norm") if mean is not None else None
    if above is None or below is None or mean is None or length is None or above.arguments != length.arguments:
        return None
    if above.arguments["self"] != x or above.arguments["ord"] != 2:
        return None
    arguments = {"self": x, "weight": w, "bias": b, "eps": below.arguments["other"]}
    return replace(node, target="global_response_norm", arguments=arguments, scope=common(node, share))


def _terms(web: Web, node: Node) -> list[Any]:
    """What a sum adds: tensors, and products as pairs."""
    found: list[Any] = []
    for value in (node.arguments["self"], node.arguments["other"]):
        inner = web.alone(value, "add", "mul", "addcmul")
        if inner is None:
            found.append(value)
        elif inner.target == "add":
            found += _terms(web, inner)
        elif inner.target == "addcmul":
            found += [inner.arguments["self"], (inner.arguments["tensor1"], inner.arguments["tensor2"])]
        else:
            found.append((inner.arguments["self"], inner.arguments["other"]))
    return found


def _local_response(web: Web, node: Node) -> Node | None:
    """`x / (k + alpha · mean of x² over neighbouring channels)^beta`."""
    x = node.arguments["self"]
    power = web.alone(node.arguments["other"], "pow")
    total = web.alone(power.arguments["self"], "add") if power is not None else None
    scaled = web.alone(total.arguments["self"], "mul") if total is not None else None
    if power is None or total is None or scaled is None:
        return None
    mean = web.made(_unshaped(web, scaled.arguments["self"]), "avg_pool2d", "avg_pool3d")
    square = web.made(_unshaped(web, mean.arguments["self"]), "mul") if mean is not None else None
    if mean is None or square is None or (square.arguments["self"], square.arguments["other"]) != (x, x):
        return None
    kernel, pads = mean.arguments["kernel_size"], mean.arguments.get("pads")
    size = kernel[0]
    # A pad that is even was merged as one number for each axis.
    pairs = [pair if isinstance(pair, tuple) else (pair, pair) for pair in pads] if isinstance(pads, tuple) else []
    if prod(kernel) != size or pairs[:1] != [(size // 2, (size - 1) // 2)] or any(any(pair) for pair in pairs[1:]):
        return None
    alpha, k, beta = scaled.arguments["other"], total.arguments["other"], power.arguments["exponent"]
    if not all(isinstance(number, int | float) for number in (alpha, k, beta)):
        return None
    arguments = {"self": x, "size": size, "alpha": float(alpha), "beta": float(beta), "k": float(k)}
    return replace(node, target="local_response_norm", arguments=arguments)


def _unshaped(web: Web, value: Any) -> Any:
    while (node := web.made(value, "reshape")) is not None:
        value = node.arguments["self"]
    return value


def _lp_pool(web: Web, node: Node) -> Node | None:
    """`(sign(m) · relu(|m|) · k)^(1/p)` of the mean m of `x^p`."""
    times = web.alone(node.arguments["self"], "mul")
    signed = web.alone(times.arguments["self"], "mul") if times is not None else None
    sign = web.made(signed.arguments["self"], "sign") if signed is not None else None
    pool = web.made(sign.arguments["self"], "avg_pool1d", "avg_pool2d", "avg_pool3d") if sign is not None else None
    if times is None or pool is None:
        return None
    power = web.made(pool.arguments["self"], "pow")
    if power is None:
        return None
    p, kernel = power.arguments["exponent"], pool.arguments["kernel_size"]
    if times.arguments["other"] != prod(kernel) or abs(node.arguments["exponent"] * p - 1) > 1e-9:
        return None
    arguments = {**pool.arguments, "self": power.arguments["self"], "p": float(p)}
    arguments["stride"] = pool.arguments["stride"] or kernel
    if "pads" in power.arguments or web.alone(power.arguments["self"], "pad") is not None:
        pad = web.made(power.arguments["self"], "pad")
        if (
            pad is None
            or pad.arguments["mode"] != "constant"
            or pad.arguments.get("value")
            or pool.arguments.get("ceil_mode")
        ):
            return replace(node, target="lp_pool", arguments=arguments)
        arguments |= {"self": pad.arguments["self"], "pads": pad.arguments["pads"]}
    return replace(node, target="lp_pool", arguments=arguments)
