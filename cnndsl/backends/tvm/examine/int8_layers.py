"""What the groups of a network in whole numbers give, to compare one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.lower import lower
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.package.built import BuiltPackage
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.ir.graph import Graph, Output

if TYPE_CHECKING:
    import numpy as np


def activations(graph: Graph, network: QuantizedNetwork, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The result of each group that has a node's name and type, in order, as real numbers and batch included; the groups are
    those that the package has. Left out are tensors that the program lays out in another way, such as tokens. Raises `CnnError` (unsupported-by-target) and `MissingPart`."""
    import numpy as np

    types = {node.name: node.type for node in graph.nodes}
    names = [group.name for group in network.groups if types.get(group.name) == group.group.last.type]
    outputs = tuple(Output(name=name, node=name) for name in names)
    shown = graph.model_copy(update={"outputs": outputs})
    whole = replace(network, program=replace(network.program, outputs={name: name for name in names}))
    job = Job(find_cpu("llvm"), CompileOptions(precision="int8"), len(next(iter(inputs.values()))))
    compiled = lower(shown, whole.program, job, "the quantised network", whole)
    found = BuiltPackage([[compiled]], "llvm")(*inputs.values())
    arrays = found if isinstance(found, dict) else {names[0]: found}
    return {name: np.asarray(arrays[name]) for name in names}
