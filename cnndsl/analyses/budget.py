"""The figures of a network by name, each worked out when it is asked for: what `assert` demands, and what `sweep` lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from cnndsl.analyses import cost as costs
from cnndsl.analyses import params as weights
from cnndsl.analyses.cost import Cost, cost
from cnndsl.analyses.depth import depth
from cnndsl.analyses.memory import Memory, memory
from cnndsl.analyses.params import Params, params
from cnndsl.analyses.receptive_field import network_receptive_field, receptive_fields
from cnndsl.ir.graph import Graph
from cnndsl.ir.tensor import TensorType

Figure = int | float | TensorType | None
Timer = Callable[[Graph], float]
"""Seconds of a run of a network, compiled: an estimate for a machine that was measured. Raises `CnnError` where none was."""


class Figures(Mapping[str, Figure]):
    """The figures of one network at batch 1, all or those of these `names`. `rf` is the receptive field's smaller axis in pixels,
    None where it is not known; `output` is the type of the first output; `memory` and `training_memory` are bytes; `latency` is
    seconds, by `timer`."""

    def __init__(self, graph: Graph, names: tuple[str, ...] | None = None, timer: Timer | None = None) -> None:
        self._graph, self._timer = graph, timer
        self._names = NAMES if names is None else names
        self._known: dict[str, Figure] = {}

    def __getitem__(self, name: str) -> Figure:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = _WAYS[name](self)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def state(self) -> Params:
        return weights.total(params(self._graph))

    @cached_property
    def work(self) -> Cost:
        return costs.total(cost(self._graph))

    @cached_property
    def needs(self) -> Memory:
        return memory(self._graph, self.state)

    @property
    def depth(self) -> int:
        return depth(self._graph)

    @property
    def field(self) -> int | None:
        found = network_receptive_field(self._graph, receptive_fields(self._graph))
        return None if found is None else min(found[1].size)

    @property
    def latency(self) -> float | None:
        return None if self._timer is None else self._timer(self._graph)

    @property
    def output(self) -> TensorType:
        return self._graph.types[self._graph.outputs[0].node]


_WAYS: dict[str, Callable[[Figures], Figure]] = {
    "params": lambda of: of.state.trained,
    "macs": lambda of: of.work.macs,
    "flops": lambda of: of.work.flops,
    "activations": lambda of: of.needs.activations,
    "depth": lambda of: of.depth,
    "rf": lambda of: of.field,
    "output": lambda of: of.output,
    "latency": lambda of: of.latency,
    "buffers": lambda of: of.state.buffers,
    "memory": lambda of: of.needs.inference,
    "training_memory": lambda of: of.needs.training,
}
NAMES = tuple(_WAYS)
"""All figures by name."""
IN_ASSERTS = NAMES[:8]
"""Those that an `assert` may speak of."""
