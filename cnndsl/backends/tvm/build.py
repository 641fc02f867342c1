"""The way in: a network and its weights become a package that can be called or exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cnndsl.arrays.weights import checked, initial_weights
from cnndsl.backends.tvm.kernels.choices import UNTUNED, Choices
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.lower import lower_program
from cnndsl.backends.tvm.options import CompileOptions, Precision
from cnndsl.backends.tvm.package.built import Built
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.plain import refuse_unlowered
from cnndsl.backends.tvm.target import Cpu, Gpu, find_targets
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np


def build(
    graph: Graph,
    weights: Mapping[str, np.ndarray] | None = None,
    target: str = "llvm",
    batch: int | Sequence[int] = 1,
    *,
    strict_numerics: bool = False,
    precision: Precision = "f32",
    seed: int = 0,
    origin: str = "the given weights",
    threads: int | None = None,
    choices: Mapping[Cpu | Gpu, Choices] | None = None,
) -> Built:
    """Compiles a network for `target` (its words: `find_targets`), each run taking `batch` examples; of several sizes the
    largest that fits is used. `strict_numerics` keeps to kernels that sum products of the given numbers, without
    Winograd's transforms. With `precision` bf16 convolutions and fully connected layers multiply bfloat16 numbers, but where
    Winograd's algorithm in float32 is faster. A package runs on `threads` threads, all cores by default. `choices` is what
    tuning has found, by processor.

    `weights` is a state dict of NumPy arrays, from `origin`; without it the first values of `seed` are taken. Raises
    `CnnError` (unsupported-by-backend, unknown-target, unsupported-by-target, missing-weight, unexpected-weight, weight-mismatch) and `MissingPart`.
    """
    load_tvm()
    found = find_targets(target)
    targets = (found,) if isinstance(found, Gpu) else found
    if weights is None:
        arrays, origin = initial_weights(graph, seed), f"seed {seed}"
    else:
        arrays = checked(graph, weights, origin)
    batches = sorted({batch} if isinstance(batch, int) else set(batch))
    refuse_unlowered(graph)
    program = program_of(graph, arrays)
    variants = []
    for one in targets:
        options = CompileOptions(
            strict_numerics=strict_numerics, precision=precision, choices=(choices or {}).get(one, UNTUNED)
        )
        variants.append([lower_program(graph, program, replace(options, batch=n), one, origin) for n in batches])
    return Built(variants, target, threads)
