"""Another way to say an operation that no layer recognises where it stands: as the plain operations that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.importing.trace import Node, Ref


def otherwise(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """The operations that do the same; none where there is no other way. `weight_shape` is that of the operation's weight."""
    make = _WAYS.get(node.target)
    return make(node, weight_shape) if make is not None else ()


def _scaled(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """`x · w`, where w lies along an axis that is not the channels'."""
    if weight_shape is None or not weight_shape:
        return ()
    x, batch = node.arguments["self"], node.shape[0]
    made = Node(
        f"{node.name}.weight",
        "weight",
        {"self": x, "weight": node.arguments["weight"]},
        (batch, *weight_shape),
        scope=node.scope,
    )
    axis, rank = node.arguments["axis"], len(node.shape) - 1
    count = max(weight_shape)
    wanted = tuple(count if n == axis else 1 for n in range(rank))
    laid = Node(f"{node.name}.beside", "reshape", {"self": Ref(made.name)}, (batch, *wanted), scope=node.scope)
    other = made if made.shape == laid.shape else laid
    product = replace(node, target="mul", arguments={"self": x, "other": Ref(other.name)})
    return (made, product) if other is made else (made, laid, product)


def _length(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """`x / max(√(Σ x²), 1e-12)` along an axis that is not the channels'."""
    if weight_shape is not None:
        return ()
    x, axes = node.arguments["self"], node.arguments["axes"]
    kept = tuple(1 if n - 1 in axes else size for n, size in enumerate(node.shape))
    square = Node(f"{node.name}.square", "pow", {"self": x, "exponent": 2}, node.shape, scope=node.scope)
    total = Node(
        f"{node.name}.sum", "sum", {"self": Ref(square.name), "axes": axes, "keepdim": True}, kept, scope=node.scope
    )
    root = Node(f"{node.name}.root", "sqrt", {"self": Ref(total.name)}, kept, scope=node.scope)
    bounded = Node(f"{node.name}.least", "clamp", {"self": Ref(root.name), "min": 1e-12}, kept, scope=node.scope)
    quotient = replace(node, target="div", arguments={"self": x, "other": Ref(bounded.name)})
    return square, total, root, bounded, quotient


_MOST_PARTS = 8


def _summed(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """The sum over an axis of a few positions, which the channels are on: its positions added."""
    x, axes, size = node.arguments["self"], node.arguments["axes"], node.arguments["size"]
    count = size[axes[0]] if size and len(axes) == 1 else 0
    if weight_shape is not None or node.arguments["keepdim"] or not 1 < count <= _MOST_PARTS:
        return _kept(node, weight_shape)
    (axis,) = axes
    one = (*node.shape[: axis + 1], 1, *node.shape[axis + 1 :])
    steps: list[Node] = []
    for index in range(count):
        cut = {"self": x, "axis": axis, "start": index, "stop": index + 1, "step": 1}
        steps.append(Node(f"{node.name}.part{index}", "slice", cut, one, scope=node.scope))
        laid = {"self": Ref(f"{node.name}.part{index}")}
        steps.append(Node(f"{node.name}.at{index}", "reshape", laid, node.shape, scope=node.scope))
    parts = [Ref(f"{node.name}.at{index}") for index in range(count)]
    return (*steps, replace(node, target="add", arguments={"tensors": parts}))


def _root(node: Node, _: tuple[int, ...] | None) -> tuple[Node, ...]:
    """`1 / √x`."""
    root = Node(f"{node.name}.root", "sqrt", dict(node.arguments), node.shape, scope=node.scope)
    return root, replace(node, target="div", arguments={"self": 1.0, "other": Ref(root.name)})


def _variance(node: Node, _: tuple[int, ...] | None) -> tuple[Node, ...]:
    """The mean of `(x - mean x)²`, or their sum divided by one less than there are."""
    given, before = node.arguments, node.arguments["size"]
    count = prod(before[axis] for axis in given["axes"])
    less_by = int(given["unbiased"]) if "unbiased" in given else given.get("correction", 1)
    if not before or less_by not in (0, 1) or count <= less_by:
        return ()
    x, over = given["self"], {"axes": given["axes"], "keepdim": True}
    whole = (node.shape[0], *before)
    kept = (node.shape[0], *(1 if n in given["axes"] else size for n, size in enumerate(before)))
    mean = Node(f"{node.name}.mean", "mean", {"self": x, **over}, kept, scope=node.scope)
    less = Node(f"{node.name}.less", "sub", {"self": x, "other": Ref(mean.name)}, whole, scope=node.scope)
    square = Node(f"{node.name}.square", "pow", {"self": Ref(less.name), "exponent": 2}, whole, scope=node.scope)
    arguments = {"self": Ref(square.name), **over, "keepdim": given["keepdim"]}
    if not less_by:
        return mean, less, square, replace(node, target="mean", arguments=arguments)
    total = replace(node, name=f"{node.name}.total", target="sum", arguments=arguments)
    quotient = {"self": Ref(total.name), "other": float(count - 1)}
    return mean, less, square, total, replace(node, target="div", arguments=quotient)


def _spread(node: Node, _: tuple[int, ...] | None) -> tuple[Node, ...]:
    """A map of one position along an axis, repeated along it: enlarged to its nearest."""
    before = node.arguments["size"]
    if len(before) + 1 != len(node.shape) or len(before) < 2 or before[0] != node.shape[1]:
        return ()
    scales = [now // was for was, now in zip(before[1:], node.shape[2:], strict=True)]
    arguments = {"self": node.arguments["self"], "scale_factors": scales}
    return (replace(node, target=f"upsample_nearest{len(scales)}d", arguments=arguments),)


def _kept(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """A mean or sum whose axes go away, of which the channels are one: they are left at 1, and the rest laid out anew."""
    if weight_shape is not None or node.arguments["keepdim"]:
        return ()
    kept = _with_ones(node.shape, node.arguments["axes"])
    whole = replace(node, name=f"{node.name}.kept", arguments={**node.arguments, "keepdim": True}, shape=kept)
    return whole, replace(node, target="reshape", arguments={"self": Ref(whole.name)})


def _with_ones(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with the axes back that were taken out of it, each of them 1."""
    rest = iter(shape[1:])
    return (shape[0], *(1 if n in axes else next(rest) for n in range(len(shape) - 1 + len(axes))))


def _largest(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """The largest or smallest number along axes that follow each other: a pooling whose window is all of them."""
    axes, size = node.arguments["axes"], node.arguments["size"]
    if weight_shape is not None or axes != tuple(range(axes[0], axes[0] + len(axes))) or not size:
        return ()
    before, length, behind = (
        prod(part) for part in (size[: axes[0]], size[axes[0] : axes[-1] + 1], size[axes[-1] + 1 :])
    )
    batch, sign = node.shape[0], -1.0 if node.target == "amin" else 1.0
    long, short = (batch, before, length, behind), (batch, before, 1, behind)
    pool = {"kernel_size": [length, 1], "stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "ceil_mode": False}
    steps: list[Node] = []

    def add(name: str, target: str, arguments: Mapping[str, Any], shape: tuple[int, ...]) -> None:
        last = Ref(steps[-1].name) if steps else node.arguments["self"]
        steps.append(Node(f"{node.name}.{name}", target, {"self": last, **arguments}, shape, scope=node.scope))

    if size != long[1:]:
        add("rows", "reshape", {}, long)
    if sign < 0:
        add("less", "mul", {"other": sign}, long)
    add("most", "max_pool2d", pool, short)
    if sign < 0:
        add("least", "mul", {"other": sign}, short)
    if node.shape != short:
        add("laid", "reshape", {}, node.shape)
    return (*steps[:-1], replace(steps[-1], name=node.name))


def _euclidean(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """`√(Σ x²)` along axes."""
    given = node.arguments
    if weight_shape is not None or given.get("ord", 2) != 2 or not given["size"]:
        return ()
    whole = (node.shape[0], *given["size"])
    square = Node(f"{node.name}.square", "pow", {"self": given["self"], "exponent": 2}, whole, scope=node.scope)
    kept = _with_ones(node.shape, given["axes"]) if not given["keepdim"] else node.shape
    total = {"self": Ref(square.name), "axes": given["axes"], "keepdim": True}
    added = Node(f"{node.name}.sum", "sum", total, kept, scope=node.scope)
    root = Node(f"{node.name}.root", "sqrt", {"self": Ref(added.name)}, kept, scope=node.scope)
    if given["keepdim"]:
        return square, added, replace(root, name=node.name)
    return square, added, root, replace(node, target="reshape", arguments={"self": Ref(root.name)})


def _padded(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """Rows added along the first axis as well, which the channels are on: there is an axis in front of it meanwhile."""
    given, rank = node.arguments.get("pad"), len(node.shape) - 1
    if weight_shape is not None or given is None or min(given) < 0 or len(given) > 2 * rank:
        return ()
    pairs = [(given[n], given[n + 1]) for n in range(0, len(given), 2)]
    pads = tuple(reversed([*pairs, *[(0, 0)] * (rank - len(pairs))]))
    batch = node.shape[0]
    before = (batch, 1, *(n - b - a for n, (b, a) in zip(node.shape[1:], pads, strict=True)))
    rows = Node(f"{node.name}.rows", "reshape", {"self": node.arguments["self"]}, before, scope=node.scope)
    rest = {key: given for key, given in node.arguments.items() if key in ("mode", "value")}
    more = Node(
        f"{node.name}.more",
        "pad",
        {"self": Ref(rows.name), "pads": pads, **rest},
        (batch, 1, *node.shape[1:]),
        scope=node.scope,
    )
    return rows, more, replace(node, target="reshape", arguments={"self": Ref(more.name)})


def _of_vector(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """A vector times a matrix: a matrix of one row."""
    before, (batch, *after) = node.arguments["size"], node.shape
    if weight_shape is not None or len(before) != 1 or len(after) != 1:
        return ()
    row = Node(f"{node.name}.row", "reshape", {"self": node.arguments["self"]}, (batch, 1, before[0]), scope=node.scope)
    arguments = {**node.arguments, "self": Ref(row.name)}
    product = Node(f"{node.name}.product", "matmul", arguments, (batch, 1, after[0]), scope=node.scope)
    return row, product, replace(node, target="reshape", arguments={"self": Ref(product.name)})


_WAYS: Mapping[str, Callable[[Node, tuple[int, ...] | None], tuple[Node, ...]]] = {
    "layer_scale": _scaled,
    "l2_norm": _length,
    "sum": _summed,
    "rsqrt": _root,
    "var": _variance,
    "expand": _spread,
    "mean": _kept,
    "amax": _largest,
    "amin": _largest,
    "linalg_vector_norm": _euclidean,
    "pad": _padded,
    "matmul": _of_vector,
}
"""By the operation; `size` among the arguments of a reduction, of `expand` and of `matmul` is the shape of what they take, without
the batch; empty where it is not known."""
