"""The way in: a network and its weights become a package, by way of its program and one `lower` for each job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cnndsl.arrays.weights import checked, initial_weights
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choices import UNTUNED, Choices
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.lower import lower
from cnndsl.backends.tvm.options import DEFAULT, CompileOptions
from cnndsl.backends.tvm.package.built import BuiltPackage
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.plain import refuse_unlowered
from cnndsl.backends.tvm.target import Cpu, Gpu, find_targets
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.code.compiled import Compiled


def build(
    graph: Graph,
    weights: Mapping[str, np.ndarray] | None = None,
    target: str = "llvm",
    batch: int | Sequence[int] = 1,
    options: CompileOptions = DEFAULT,
    *,
    seed: int = 0,
    origin: str = "the given weights",
    choices: Mapping[Cpu | Gpu, Choices] | None = None,
    hear: Callable[[int, int], None] = lambda _done, _all: None,
) -> BuiltPackage:
    """Compiles a network for `target` (its words: `find_targets`), each run taking `batch` examples; of several sizes
    the largest that fits is used. `choices` is what tuning chose, by processor. `hear` is told before each compilation how
    many are done, and how many there are.

    `weights` is a state dict of NumPy arrays, from `origin`; without it the first values of `seed` are taken. Raises
    `CnnError` (unsupported-by-backend, unknown-target, unsupported-by-target, missing-weight, unexpected-weight,
    weight-mismatch) and `MissingPart`.
    """
    load_tvm()
    named = find_targets(target)
    targets = (named,) if isinstance(named, Gpu) else named
    if weights is None:
        arrays, origin = initial_weights(graph, seed), f"seed {seed}"
    else:
        arrays = checked(graph, weights, origin)
    batches = sorted({batch} if isinstance(batch, int) else set(batch))
    refuse_unlowered(graph)
    program = program_of(graph, arrays)
    variants: list[list[Compiled]] = []
    for processor in targets:
        tuned = (choices or {}).get(processor, UNTUNED)
        parts: list[Compiled] = []
        for size in batches:
            hear(len(variants) * len(batches) + len(parts), len(targets) * len(batches))
            parts.append(lower(graph, program, Job(processor, options, size, tuned), origin))
        variants.append(parts)
    return BuiltPackage(variants, target, options.threads, trained=weights is not None)
