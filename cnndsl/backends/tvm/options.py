"""What a user chooses for a package beside its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Precision = Literal["f32", "bf16", "int8"]
Runtime = Literal["alone", "tvm"]


@dataclass(frozen=True)
class CompileOptions:
    """The same for every processor and batch size of a package, from the command line to the kernels."""

    strict_numerics: bool = False
    """Every sum is of products of the numbers given: no kernel trades accuracy for speed, as Winograd's do."""
    precision: Precision = "f32"
    """Of the factors in convolutions and fully connected layers, and of the maps between them; sums are float32. With
    bf16 a convolution stays in float32 where Winograd's algorithm is faster there, unless `strict_numerics` is
    set. With int8 the network is computed on whole numbers, as `cnndsl.quantization.arithmetic` defines it."""
    threads: int | None = None
    """How many threads the package runs on; all cores by default."""
    runtime: Runtime = "alone"
    """What a written package for a processor runs on: code of its own, or TVM's runtime. Packages for GPUs take TVM's."""


DEFAULT = CompileOptions()
