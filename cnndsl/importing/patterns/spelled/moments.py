"""Norms written out by their moments: `x · (mean x² + eps)^-½ · w` is `RMSNorm`."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common

TARGETS = ("mul",)


def rewrite(web: Web, node: Node) -> Node | None:
    """The norm that ends here, with its weight."""
    a, b = node.arguments.get("self"), node.arguments.get("other")
    for value, scale in ((a, b), (b, a)):
        weight, normed = web.weight_ref(scale), web.alone(value, "mul")
        if weight is None or normed is None or not isinstance(scale, Ref):
            continue
        x, found = normed.arguments["self"], _mean_square(web, normed.arguments["other"])
        if found is None or found[0] != x or len(web.shape(weight)) != 1:
            continue
        _, axis, eps = found
        wanted = tuple(web.shape(weight)[0] if n == axis + 1 else 1 for n in range(len(node.shape)))
        shape = web.shape(scale)
        if (1,) * (len(wanted) - len(shape)) + shape == wanted:
            arguments = {"input": x, "weight": weight, "eps": eps, "axes": (axis,)}
            return replace(node, target="rms_norm", arguments=arguments, scope=common(normed, node))
    return None


def _mean_square(web: Web, value: object) -> tuple[Ref, int, float] | None:
    """The x, the axis and the eps of `(mean x² + eps)^-½`."""
    root = web.alone(value, "rsqrt")
    shifted = web.alone(root.arguments["self"], "add") if root is not None else None
    mean = web.alone(shifted.arguments["self"], "mean") if shifted is not None else None
    square = web.alone(mean.arguments["self"], "pow") if mean is not None else None
    if shifted is None or mean is None or square is None or square.arguments["exponent"] != 2:
        return None
    eps, axes = shifted.arguments["other"], mean.arguments["axes"]
    if not isinstance(eps, float) or len(axes) != 1 or not mean.arguments["keepdim"]:
        return None
    return square.arguments["self"], axes[0], eps
