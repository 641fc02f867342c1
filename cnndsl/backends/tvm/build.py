"""The way in: a network and its weights become a package, by way of its program and one `lower` for each job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cnndsl.arrays.weights import checked, initial_weights
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choices import UNTUNED, Choices
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.lower import lower
from cnndsl.backends.tvm.options import DEFAULT, CompileOptions
from cnndsl.backends.tvm.package.built import BuiltPackage
from cnndsl.backends.tvm.plan.quantized_network import quantized_network
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.plain import refuse_unlowered
from cnndsl.backends.tvm.target import Cpu, Gpu, find_targets
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.quantization.file import not_quantized

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.code.compiled import Compiled
    from cnndsl.quantization.quantization import Quantization


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
    quantization: Quantization | None = None,
    hear: Callable[[int, int], None] = lambda _done, _all: None,
) -> BuiltPackage:
    """Compiles a network for `target` (its words: `find_targets`), each run taking `batch` examples; of several sizes
    the largest that fits is used. `choices` is what tuning chose, by processor. `hear` is told before each compilation how
    many are done, and how many there are.

    `weights` is a state dict of NumPy arrays, from `origin`; without it the first values of `seed` are taken. With a
    `quantization`, which brings its weights, the network is computed on whole numbers, in precision int8. Raises
    `CnnError` (unsupported-by-backend, unknown-target, unsupported-by-target, missing-weight, unexpected-weight,
    weight-mismatch, not-quantized, wrong-quantization) and `MissingPart`.
    """
    load_tvm()
    named = find_targets(target)
    targets = (named,) if isinstance(named, Gpu) else named
    batches = sorted({batch} if isinstance(batch, int) else set(batch))
    quantized = None
    if quantization is not None:
        options = replace(options, precision="int8")
        refuse_unlowered(graph)
        quantized = quantized_network(graph, quantization)
        program = quantized.program
    elif options.precision == "int8":
        fault = not_quantized(origin if weights is not None else "WEIGHTS")
        absent = "precision int8 takes a quantised network, and there are no weights"
        raise CnnError([fault if weights is not None else replace(fault, message=absent)])
    else:
        if weights is None:
            arrays, origin = initial_weights(graph, seed), f"seed {seed}"
        else:
            arrays = checked(graph, weights, origin)
        refuse_unlowered(graph)
        program = program_of(graph, arrays)
    variants: list[list[Compiled]] = []
    for processor in targets:
        tuned = (choices or {}).get(processor, UNTUNED)
        parts: list[Compiled] = []
        for size in batches:
            hear(len(variants) * len(batches) + len(parts), len(targets) * len(batches))
            parts.append(lower(graph, program, Job(processor, options, size, tuned), origin, quantized))
        variants.append(parts)
    return BuiltPackage(variants, target, options.threads, trained=weights is not None or quantized is not None)
