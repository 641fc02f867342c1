"""A foreign network as it was read: operations in order, in PyTorch's words, and the weights they take.

Every reader gives this, whatever it read. Shapes hold the batch as their first axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

UNREAD = "unread"
"""The label of what is computed with weights and read by nobody. It is kept as long as its weights are in the state dict."""


@dataclass(frozen=True)
class Ref:
    """An argument that is a tensor: an input, a weight, a constant, or what an operation made, by name."""

    name: str


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module: its path among the modules (`layer1.0`), its class, and which call of it this is."""

    path: str
    kind: str
    times: int = 0


@dataclass(frozen=True)
class Node:
    """One operation: PyTorch's name for it, its arguments by name, what it makes, and the module calls it stands in.

    An operation with several results has their shapes in `parts`; each is taken out by a `getitem` node.
    """

    name: str
    target: str
    arguments: Mapping[str, Any]
    shape: tuple[int, ...]
    dtype: str = "float32"
    scope: tuple[ModuleCall, ...] = ()
    parts: tuple[tuple[int, ...], ...] = ()

    def refs(self) -> Iterator[Ref]:
        """The tensors among the arguments, in order."""
        for value in self.arguments.values():
            if isinstance(value, Ref):
                yield value
            elif isinstance(value, list | tuple):
                yield from (item for item in value if isinstance(item, Ref))

    @property
    def module(self) -> str:
        """The path of the innermost module it stands in."""
        return self.scope[-1].path if self.scope else ""


@dataclass(frozen=True)
class Tensor:
    """A tensor from outside: an input, a weight by its key, or a constant."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    trained: bool = True

    @property
    def elements(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Trace:
    """A whole network. `weights` and `constants` are by the names that nodes use for them; a weight's `name` is its key in
    the state dict. `state` is that whole dict's outline, in order, and `array` gives the numbers of a weight or constant."""

    name: str
    batch: int
    inputs: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, str], ...]
    weights: Mapping[str, Tensor]
    constants: Mapping[str, Tensor]
    state: Mapping[str, Tensor]
    array: Callable[[str], Any] = field(compare=False, repr=False)
    """By name among the constants, or by key among the weights."""
    inference: int | None = None
    """How many of the outputs there are in use, the first ones; the others only training has. None for all."""

    def unreached(self) -> list[str]:
        """The keys of weights that no operation takes; counts of batches aside."""
        used = {ref.name for node in self.nodes for ref in node.refs()}
        reached = {tensor.name for name, tensor in self.weights.items() if name in used}
        return [key for key in self.state if key not in reached and not key.endswith("num_batches_tracked")]
