"""Piecewise swish."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class HardSwish(Op):
    """`x · min(max(x + 3, 0), 6) / 6`: `SiLU` without an exponential, MobileNet v3's activation (Howard et al., 2019)."""

    word: ClassVar = "HardSwish"
    category: ClassVar = "activation"
    examples: ClassVar = (("HardSwish", (4, 5, 6)), ("HardSwish", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Hardswish()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, (x,) = relax.op, values
        gate = op.clip(op.add(x, relax.const(3, "float32")), 0, 6)
        return op.multiply(op.multiply(x, gate), relax.const(1 / 6, "float32"))

    def pointwise(self, tir: Any, value: Any) -> Any:
        zero, three, six = (tir.const(number, "float32") for number in (0, 3, 6))
        return value * tir.min(tir.max(value + three, zero), six) * tir.const(1 / 6, "float32")

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "hardswish" else None
