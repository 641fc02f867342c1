"""Clipping."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Clip(Op):
    """The input between `low` and `high`, the nearer of the two beyond: `Clip(-1, 1)` is the hard tanh (Collobert, 2004)."""

    word: ClassVar = "Clip"
    category: ClassVar = "activation"
    examples: ClassVar = (("Clip(-1, 1)", (4, 5, 6)), ("Clip(0, 0.5)", (7,)))

    low: float
    """The smallest output."""
    high: float
    """The largest output."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        if self.low > self.high:
            raise Refusal(
                "out-of-range",
                f"nothing lies between {self.low} and {self.high}",
                argument="high",
                notes=(f"expected at least {self.low}, found {self.high}",),
                help=f"write the smaller number first: `Clip({self.high}, {self.low})`",
            )
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return torch.clamp(values[0], self.low, self.high)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.clip(values[0], self.low, self.high)

    def pointwise(self, tir: Any, value: Any) -> Any:
        return tir.min(tir.max(value, tir.const(self.low, "float32")), tir.const(self.high, "float32"))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        low, high = call.arguments.get("min"), call.arguments.get("max")
        if call.target != "clamp" or low is None or high is None or (low, high) == (0, 6):
            return None
        return cls(low=float(low), high=float(high))
