"""Clipping."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import numeric
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class Clip(Op):
    """Each number between two bounds: the nearer bound for one beyond them."""

    word: ClassVar = "Clip"
    category: ClassVar = "activation"
    examples: ClassVar = (("Clip(-1, 1)", (4, 5, 6)), ("Clip(0, 6)", (7,)))

    low: float
    """The smallest output."""
    high: float
    """The largest output."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        numeric(x, self.word)
        if self.low > self.high:
            raise Refusal(
                "out-of-range",
                f"no number lies from {self.low:g} to {self.high:g}",
                argument="high",
                notes=(f"expected at least {self.low:g}, found {self.high:g}",),
                help=f"write the smaller one first: `Clip({self.high:g}, {self.low:g})`",
            )
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return values[0].clamp(self.low, self.high)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.clip(values[0], self.low, self.high)

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.min(tir.max(value, tir.const(self.low, "float32")), tir.const(self.high, "float32"))
