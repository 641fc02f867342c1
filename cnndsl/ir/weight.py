"""A tensor that belongs to a layer: trained, or kept beside the trained ones."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Weight(BaseModel):
    """Shape, dtype and first value of one entry of a layer's state.

    `init` is the value before training: all `zeros`, all `ones`, `constant` for all `value`, `uniform` in `±bound`,
    `normal` around 0 with the standard deviation `std`, the `values` that are `given`, or what `formula` has `computed`:
    numbers that follow from the layer's arguments, which weights from elsewhere must repeat. It takes the vocabulary that
    makes arrays (`numpy`, `torch`, or a recorder of either).
    `trained` is false for what training only observes (batch norm's running statistics).
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    shape: tuple[int, ...]
    trained: bool = True
    dtype: str = "float32"
    init: Literal["zeros", "ones", "constant", "uniform", "normal", "given", "computed"] = "zeros"
    bound: float = 0.0
    value: float = 0.0
    std: float = 1.0
    values: tuple[float, ...] = ()
    formula: Callable[[Any], Any] | None = None

    @property
    def random(self) -> bool:
        """Whether the value before training is drawn."""
        return self.init in ("uniform", "normal")

    @property
    def elements(self) -> int:
        return prod(self.shape)
