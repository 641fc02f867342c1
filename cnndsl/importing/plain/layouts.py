"""Tensors whose channels lie on other axes, brought to one layout."""

from __future__ import annotations

from cnndsl.importing.trace import ModuleCall, Node, Ref
from cnndsl.ir.tensor import TensorType


def channels_moved(
    name: str, x: Ref, type: TensorType, wanted: int, batch: int, scope: tuple[ModuleCall, ...]
) -> tuple[Node, ...]:
    """The same tensor with another axis for its channels: a change of layout that ends where it began. After `Reshape` the
    channels are the first axis unless they were the last, so the wanted axis is first there, and an axis of one behind."""
    shape, rank = type.shape, len(type.shape)
    if wanted and all(n == 1 for axis, n in enumerate(shape) if axis != wanted):
        # Channels and nothing else: laid out as the first axis, then turned.
        laid = Node(f"{name}.first", "reshape", {"self": x}, (batch, shape[wanted], *(1,) * (rank - 1)), scope=scope)
        axes = tuple(0 if n == wanted else n + 1 if n < wanted else n for n in range(rank))
        turn = {"self": Ref(laid.name), "axes": axes}
        return laid, Node(f"{name}.back", "permute", turn, (batch, *shape), scope=scope)
    behind = type.channel_axis == rank - 1
    if wanted == 0 and not behind:
        return (Node(f"{name}.first", "reshape", {"self": x}, (batch, *shape), scope=scope),)
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
