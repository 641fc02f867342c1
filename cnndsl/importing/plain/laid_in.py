"""Layers of maps that are given more maps than there are examples: windows or heads laid out in the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.importing.trace import Node, Ref

_POOLS = {
    f"{kind}_pool{n}d" for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for n in (1, 2, 3)
}  # fmt: skip
_CONVS = {f"conv{n}d" for n in (1, 2, 3)}
OF_MAPS = _POOLS | _CONVS | {"batch_norm"}
MOST_PARTS = 64
_MOST_AXES = 3
"""Along how many axes of positions a norm works."""


def given_to_each(node: Node, x: Ref, one: tuple[int, ...], made: tuple[int, ...]) -> tuple[Node, ...]:
    """A tensor for each of several parts of an example: `one` is its shape with an axis for one part."""
    apart = Node(f"{node.name}.one", "reshape", {"self": x, "shape": list(one)}, one, node.dtype, node.scope)
    if one == made:
        return (replace(apart, name=node.name),)
    spread = {"self": Ref(apart.name), "size": list(made)}
    return apart, replace(node, target="expand", arguments=spread, shape=made)


def in_parts(
    node: Node, key: str, shape: tuple[int, ...], made: tuple[int, ...], window: tuple[int, ...]
) -> Iterator[Node]:
    """The layer for tensors with the parts as the axis behind the batch: `shape` is that of what comes, `made` of what goes,
    `key` the argument that comes, and `window` the size of a convolution's weight along the axes of positions."""
    steps = _Steps(node, key, shape, made)
    if len(shape) == len(node.shape):
        # One part for each example: nothing is laid out.
        yield replace(node, shape=made)
    elif node.target == "batch_norm":
        yield from steps.normed()
    elif node.target in _POOLS:
        yield from steps.side_by_side()
    elif _is_pointwise(node, window):
        yield from steps.one_map()
    else:
        yield from steps.one_by_one()


def _is_pointwise(node: Node, window: tuple[int, ...]) -> bool:
    """Whether a convolution looks at one position and leaves none out."""

    def all_are(name: str, number: int) -> bool:
        value = node.arguments.get(name, number)
        return all(n == number for n in (value if isinstance(value, list) else [value]))

    return set(window) == {1} and all_are("stride", 1) and all_are("padding", 0)


class _Steps:
    def __init__(self, node: Node, key: str, shape: tuple[int, ...], made: tuple[int, ...]) -> None:
        self.node, self.key, self.shape, self.made = node, key, shape, made
        self.x: Ref = node.arguments[key]

    def step(self, end: str, target: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> Node:
        name = f"{self.node.name}.{end}" if end else self.node.name
        return Node(name, target, arguments, shape, self.node.dtype, self.node.scope)

    def itself(self, end: str, x: Ref, shape: tuple[int, ...]) -> Node:
        """The layer, for another tensor."""
        return replace(
            self.node, name=f"{self.node.name}.{end}", arguments={**self.node.arguments, self.key: x}, shape=shape
        )

    def reshaped(self, end: str, x: str, shape: tuple[int, ...]) -> Node:
        return self.step(end, "reshape", {"self": Ref(x), "shape": list(shape)}, shape)

    def normed(self) -> Iterator[Node]:
        """Channels first, parts as positions."""
        rank = len(self.shape)
        dims = [0, 2, 1, *range(3, rank)]
        turned = tuple(self.shape[n] for n in dims)
        first = self.step("turned", "permute", {"self": self.x, "dims": dims}, turned)
        yield first
        here = first.name
        if rank - 2 > _MOST_AXES:
            flat = self.reshaped("flat", here, (*turned[:2], prod(turned[2:])))
            yield flat
            here = flat.name
            normal = self.itself("norm", Ref(here), flat.shape)
            yield normal
            back = self.reshaped("apart", normal.name, turned)
            yield back
            here = back.name
        else:
            normal = self.itself("norm", Ref(here), turned)
            yield normal
            here = normal.name
        yield self.step("", "permute", {"self": Ref(here), "dims": dims}, self.shape)

    def side_by_side(self) -> Iterator[Node]:
        """The parts as channels, each of which is pooled by itself."""
        batch, parts, channels, *size = self.shape
        flat = self.reshaped("flat", self.x.name, (batch, parts * channels, *size))
        yield flat
        pooled = self.itself("pool", Ref(flat.name), (batch, parts * channels, *self.made[3:]))
        yield pooled
        yield self.reshaped("", pooled.name, self.made)

    def one_map(self) -> Iterator[Node]:
        """The parts below each other in one map, where no position sees another."""
        batch, parts, channels, *size = self.shape
        dims = [0, 2, 1, *range(3, len(self.shape))]
        turned = self.step("turned", "permute", {"self": self.x, "dims": dims}, (batch, channels, parts, *size))
        yield turned
        tall = self.reshaped("tall", turned.name, (batch, channels, parts * size[0], *size[1:]))
        yield tall
        channels = self.made[2]
        mapped = self.itself("map", Ref(tall.name), (batch, channels, *tall.shape[2:]))
        yield mapped
        apart = self.reshaped("apart", mapped.name, (batch, channels, parts, *size))
        yield apart
        yield self.step("", "permute", {"self": Ref(apart.name), "dims": dims}, self.made)

    def one_by_one(self) -> Iterator[Node]:
        """The layer for each part, with the same weights."""
        batch, parts, *rest = self.shape
        if parts > MOST_PARTS:
            yield replace(self.node, target=f"{self.node.target} of {parts} parts of each example", shape=self.made)
            return
        done = []
        for n in range(parts):
            cut = {"self": self.x, "dim": 1, "index": n}
            yield self.step(f"part{n}", "select", cut, (batch, *rest))
            made = self.itself(f"of{n}", Ref(f"{self.node.name}.part{n}"), (batch, *self.made[2:]))
            yield made
            done.append(Ref(made.name))
        beside = (batch, self.made[2], parts, *self.made[3:])
        yield self.step("all", "stack", {"tensors": done, "dim": 2}, beside)
        dims = [0, 2, 1, *range(3, len(beside))]
        yield self.step("", "permute", {"self": Ref(f"{self.node.name}.all"), "dims": dims}, self.made)
