"""The typed graph: what a program becomes, and all that any back end sees. Immutable."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, SerializeAsAny

from cnndsl.diagnostics.source import Place, Source, Span
from cnndsl.ir.op import Op, op_from_json
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Input(_Frozen):
    """A tensor from outside."""

    name: str
    type: TensorType


class Frame(_Frozen):
    """A piece of the source's structure that nodes lie in: what diagrams draw as a cluster.

    A `block` is a call of a block or a share, a `group` a labelled bracket or merge, a `repeat` stands for all rounds of
    `×N` or `for`, a `round` for one of them. `name` is the dotted scope, "" where it opens none. `arguments` are the
    parameters of a called block that are numbers, texts or truth values.
    """

    parent: int | None
    kind: Literal["block", "group", "repeat", "round"]
    title: str
    name: str = ""
    round: int = 0
    rounds: int = 1
    place: Place | None = None
    arguments: dict[str, bool | int | float | str] = {}


class Node(_Frozen):
    """One op applied to named tensors; its name is also the name of its output.

    `inputs` name earlier nodes or graph inputs. `weights_of` is the node that owns the weights, another one
    for the second use of a `share`. `frame` is an index into the graph's frames.
    """

    name: str
    op: Annotated[SerializeAsAny[Op], BeforeValidator(op_from_json)]
    inputs: tuple[str, ...]
    type: TensorType
    weights_of: str
    frame: int | None = None
    place: Place | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The inputs whose numbers count: none of them for a tensor that is made anew."""
        return () if self.op.begins else self.inputs

    @property
    def owns_weights(self) -> bool:
        return self.weights_of == self.name


class Output(_Frozen):
    """A tensor that leaves the network under a name; `training` ones only while it is trained."""

    name: str
    node: str
    training: bool = False


class Entry(_Frozen):
    """One entry of the compiled module's `state_dict()`."""

    key: str
    node: str
    slot: str
    weight: Weight


class Graph(_Frozen):
    """A whole network, typed. Nodes stand in an order in which each comes after its inputs. It never changes.

    `modules` lists the nodes in the order in which the compiled module registers them, from which the
    order of the state dict follows. `sources` keeps the texts by file name, so that any later stage can point at them.
    """

    name: str
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]
    modules: tuple[str, ...]
    frames: tuple[Frame, ...] = ()
    sources: dict[str, str] = {}

    @cached_property
    def types(self) -> dict[str, TensorType]:
        """The type of every tensor, inputs included, by name."""
        return {i.name: i.type for i in self.inputs} | {n.name: n.type for n in self.nodes}

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def __getitem__(self, name: str) -> Node:
        """The node of this name. Raises KeyError."""
        return self._by_name[name]

    def input_types(self, node: Node) -> tuple[TensorType, ...]:
        return tuple(self.types[name] for name in node.inputs)

    def span(self, node: Node) -> Span | None:
        """Where the node is written; None for a graph without its text."""
        source = self._texts.get(node.place.file) if node.place else None
        return node.place.span(source) if node.place and source is not None else None

    @cached_property
    def _texts(self) -> dict[str, Source]:
        return {name: Source(name, text) for name, text in self.sources.items()}

    @cached_property
    def consumers(self) -> dict[str, tuple[Node, ...]]:
        """Who reads each tensor, in order."""
        readers: dict[str, list[Node]] = {name: [] for name in self.types}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                readers[name].append(node)
        return {name: tuple(nodes) for name, nodes in readers.items()}

    def node_weights(self, node: Node) -> dict[str, Weight]:
        """The layer's weights by slot, also where another node owns them."""
        return node.op.weights(self.input_types(node))

    @cached_property
    def weights(self) -> tuple[Entry, ...]:
        """Every weight once, as in `state_dict()`: same keys, same order, same shapes."""
        return tuple(self._entries())

    def _entries(self) -> Iterator[Entry]:
        for name in self.modules:
            node = self[name]
            for slot, weight in self.node_weights(node).items():
                yield Entry(key=weight_key(name, slot), node=name, slot=slot, weight=weight)


def weight_key(node: str, slot: str) -> str:
    """The state dict's key of a layer's weight; a layer that is one tensor has its own name as the key."""
    return f"{node}.{slot}" if slot else node
