"""A tensor that belongs to a layer: trained, or kept beside the trained ones."""

from __future__ import annotations

from math import prod
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Weight(BaseModel):
    """Shape, dtype and first value of one entry of a layer's state.

    `init` is the value before training: all `zeros`, all `ones`, `constant` for all `value`, `uniform` in `±bound`,
    `normal` around 0 with the standard deviation `std`, or the `values` that are `given`.
    `trained` is false for what training only observes (batch norm's running statistics).
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    shape: tuple[int, ...]
    trained: bool = True
    dtype: str = "float32"
    init: Literal["zeros", "ones", "constant", "uniform", "normal", "given"] = "zeros"
    bound: float = 0.0
    value: float = 0.0
    std: float = 1.0
    values: tuple[float, ...] = ()

    @property
    def random(self) -> bool:
        """Whether the value before training is drawn."""
        return self.init in ("uniform", "normal")

    @property
    def elements(self) -> int:
        return prod(self.shape)
