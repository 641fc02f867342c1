"""A compiled network with all that it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.code.kinds import Code
from cnndsl.backends.tvm.emitters.forms import KernelCall
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork


@dataclass(frozen=True)
class Compiled:
    """Code of `main(*inputs, *constants)`, which returns the outputs as a tuple, and what it was made from."""

    graph: Graph
    program: Program
    module: Any
    """The IRModule as it was assembled: Relax, and kernels with their schedules."""
    lowered: Any
    """The same after TVM's passes: calls, memory, and a schedule for every function."""
    code: Code
    constants: dict[str, np.ndarray]
    job: Job
    origin: str
    """Where the weights came from, in words."""
    tuned: tuple[str, ...] = ()
    """Kernels whose schedule was found by measuring."""
    calls: tuple[KernelCall, ...] = ()
    """What runs, in order."""
    quantized: QuantizedNetwork | None = None
    """The network in whole numbers, where it was compiled as one."""
