"""Graph and weights → machine code: the steps in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plain import plain_module
from cnndsl.backends.tvm.target import Cpu, find_cpu
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Compiled:
    """Machine code of `main(*inputs, *constants)`, which returns the outputs as a tuple, and what it was made from."""

    graph: Graph
    executable: Any
    constants: dict[str, np.ndarray]
    batch: int
    cpu: Cpu
    origin: str
    """Where the weights came from, in words."""


def lower(
    graph: Graph, weights: Mapping[str, np.ndarray], *, target: str = "llvm", batch: int = 1, origin: str = "given"
) -> Compiled:
    """Compiles the network for a fixed batch. Raises `CnnError` (unsupported-by-backend, unknown-target)."""
    cpu = find_cpu(target)
    tvm = load_tvm()
    module = plain_module(graph, batch, [o.node for o in graph.outputs if not o.training])
    executable = tvm.compile(module, cpu.target)
    return Compiled(graph, executable, dict(weights), batch, cpu, origin)
