"""A tensor that belongs to a layer: trained, or kept beside the trained ones."""

from __future__ import annotations

from math import prod
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Weight(BaseModel):
    """Shape, dtype and first value of one entry of a layer's state.

    `init` is the value before training: all `zeros`, all `ones`, or `uniform` in `±bound`.
    `trained` is false for what training only observes (batch norm's running statistics).
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    shape: tuple[int, ...]
    trained: bool = True
    dtype: str = "float32"
    init: Literal["zeros", "ones", "uniform"] = "zeros"
    bound: float = 0.0

    @property
    def elements(self) -> int:
        return prod(self.shape)
