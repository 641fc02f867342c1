"""What a user chooses for a compiled network, beside its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cnndsl.backends.tvm.kernels.choices import UNTUNED, Choices

Precision = Literal["f32", "bf16"]


@dataclass(frozen=True)
class CompileOptions:
    """`batch` examples go through in one run. With `strict_numerics` every sum is of products of the numbers given: no
    kernel trades accuracy for speed, as Winograd's do. `precision` is that of the maps between layers and of the factors
    in their products; sums are float32. `choices` is what tuning has found for the target."""

    batch: int = 1
    strict_numerics: bool = False
    precision: Precision = "f32"
    choices: Choices = UNTUNED
