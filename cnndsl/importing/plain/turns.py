"""Axes in another order, however PyTorch says it."""

from __future__ import annotations

from cnndsl.importing.trace import Node


def turn_of(node: Node, target: str, rank: int) -> list[int]:
    """For each axis of what a turn makes, the axis of what it takes."""
    order, given = list(range(rank)), node.arguments
    if target == "permute":
        return [axis % rank for axis in given["dims"]]
    if target in ("transpose", "swapaxes", "t", "mT"):
        # `swapaxes` calls them axes.
        names: tuple[tuple[str, int], ...] = (("0", -2), ("1", -1))
        a, b = (given.get(f"dim{n}", given.get(f"axis{n}", default)) % rank for n, default in names)
        order[a], order[b] = order[b], order[a]
        return order
    sources, targets = (
        [given[name]] if isinstance(given[name], int) else given[name] for name in ("source", "destination")
    )
    moved = {t % rank: s % rank for s, t in zip(sources, targets, strict=True)}
    rest = iter(axis for axis in range(rank) if axis not in moved.values())
    return [moved[axis] if axis in moved else next(rest) for axis in range(rank)]
