"""Graphs built in Python, for tests that need one without the language."""

from __future__ import annotations

import cnndsl.ops  # noqa: F401  (fills the registry)
from cnndsl.ir.graph import Graph, Input, Node, Output
from cnndsl.ir.op import Op
from cnndsl.ir.tensor import TensorType

Step = tuple[str, Op, tuple[str, ...]]


def graph(
    shapes: dict[str, tuple[int, ...]], steps: list[Step], outputs: tuple[str, ...] = (), dtype: str = "float32"
) -> Graph:
    """A graph of `(name, op, inputs)` steps; the last one is the output unless others are named."""
    inputs = tuple(Input(name=name, type=TensorType(shape=shape, dtype=dtype)) for name, shape in shapes.items())
    types = {i.name: i.type for i in inputs}
    nodes = []
    for name, op, sources in steps:
        types[name] = op.infer(tuple(types[s] for s in sources))
        nodes.append(Node(name=name, op=op, inputs=sources, type=types[name], weights_of=name))
    leaving = outputs or (steps[-1][0],)
    return Graph(
        name="test",
        inputs=inputs,
        nodes=tuple(nodes),
        outputs=tuple(Output(name=name, node=name) for name in leaving),
        modules=tuple(name for name, op, _ in steps if op.takes_position),
    )
