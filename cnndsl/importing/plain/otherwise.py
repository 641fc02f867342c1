"""Another way to say an operation that no layer recognises where it stands: as the plain operations that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

from cnndsl.importing.trace import ModuleCall, Node, Ref
from cnndsl.ir.tensor import TensorType


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
    x, axes = node.arguments["self"], node.arguments["axes"]
    if weight_shape is not None or len(axes) != 1 or node.arguments["keepdim"]:
        return ()
    (axis,) = axes
    count = node.arguments["before"][axis]
    if not 1 < count <= _MOST_PARTS:
        return ()
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
    given, before = node.arguments, node.arguments["before"]
    count = prod(before[axis] for axis in given["axes"])
    less_by = int(given["unbiased"]) if "unbiased" in given else given.get("correction", 1)
    if less_by not in (0, 1) or count <= less_by:
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
    before = node.arguments["before"]
    if len(before) + 1 != len(node.shape) or len(before) < 2 or before[0] != node.shape[1]:
        return ()
    scales = [now // was for was, now in zip(before[1:], node.shape[2:], strict=True)]
    arguments = {"self": node.arguments["self"], "scale_factors": scales}
    return (replace(node, target=f"upsample_nearest{len(scales)}d", arguments=arguments),)


def _of_vector(node: Node, weight_shape: tuple[int, ...] | None) -> tuple[Node, ...]:
    """A vector times a matrix: a matrix of one row."""
    before, (batch, *after) = node.arguments["before"], node.shape
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
    "matmul": _of_vector,
}


def channels_moved(
    name: str, x: Ref, type: TensorType, wanted: int, batch: int, scope: tuple[ModuleCall, ...]
) -> tuple[Node, ...]:
    """The same tensor with another axis for its channels: a change of layout that ends where it began. After `Reshape` the
    channels are the first axis unless they were the last, so the wanted axis is first there, and an axis of one behind."""
    shape, rank = type.shape, len(type.shape)
    behind = type.channel_axis == rank - 1
    order = [wanted, *([rank] if behind else []), *(n for n in range(rank) if n != wanted), *([] if behind else [rank])]
    long = (*shape, 1)
    turned = tuple(long[n] for n in order)
    first = tuple(n for n in order if n != rank)
    steps = [
        Node(f"{name}.long", "reshape", {"self": x}, (batch, *long), scope=scope),
        Node(
            f"{name}.turned",
            "permute",
            {"self": Ref(f"{name}.long"), "axes": tuple(order)},
            (batch, *turned),
            scope=scope,
        ),
        Node(
            f"{name}.short",
            "reshape",
            {"self": Ref(f"{name}.turned")},
            (batch, *(shape[n] for n in first)),
            scope=scope,
        ),
    ]
    if first != tuple(range(rank)):
        back = tuple(first.index(n) for n in range(rank))
        steps.append(
            Node(f"{name}.back", "permute", {"self": Ref(f"{name}.short"), "axes": back}, (batch, *shape), scope=scope)
        )
    return tuple(steps)
