"""Piecewise logistic function."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class HardSigmoid(Op):
    """`min(max(x + 3, 0), 6) / 6`: `Sigmoid` in three straight lines, as PyTorch draws it (Courbariaux et al., 2015)."""

    word: ClassVar = "HardSigmoid"
    category: ClassVar = "activation"
    examples: ClassVar = (("HardSigmoid", (4, 5, 6)), ("HardSigmoid", (7,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Hardsigmoid()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op = relax.op
        gate = op.clip(op.add(values[0], relax.const(3, "float32")), 0, 6)
        return op.multiply(gate, relax.const(1 / 6, "float32"))

    def pointwise(self, tir: Any, value: Any) -> Any:
        zero, three, six = (tir.const(number, "float32") for number in (0, 3, 6))
        return tir.min(tir.max(value + three, zero), six) * tir.const(1 / 6, "float32")
