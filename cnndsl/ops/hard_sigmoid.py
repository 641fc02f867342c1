"""Piecewise logistic function."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, final

from pydantic import Field

from cnndsl.ir.arguments import numeric
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class HardSigmoid(Op):
    """`Sigmoid` in three straight lines: `slope·x + offset` between 0 and 1 (Courbariaux et al., 2015).

    Left alone it is PyTorch's, `min(max(x + 3, 0), 6) / 6`; Keras and Theano have a slope of 0.2.
    """

    word: ClassVar = "HardSigmoid"
    category: ClassVar = "activation"
    examples: ClassVar = (("HardSigmoid", (4, 5, 6)), ("HardSigmoid", (7,)), ("HardSigmoid(0.2, 0.5)", (7,)))

    slope: Annotated[float, Field(gt=0)] = 1 / 6
    """How steep the middle line is."""
    offset: float = 0.5
    """Its value at 0."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        numeric(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Hardsigmoid() if self._plain else None

    @property
    def _plain(self) -> bool:
        return (self.slope, self.offset) == (1 / 6, 0.5)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return module(*values) if self._plain else (values[0] * self.slope + self.offset).clamp(0, 1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op = relax.op
        if not self._plain:
            line = op.multiply(values[0], relax.const(self.slope, "float32"))
            return op.clip(op.add(line, relax.const(self.offset, "float32")), 0, 1)
        gate = op.clip(op.add(values[0], relax.const(3, "float32")), 0, 6)
        return op.multiply(gate, relax.const(1 / 6, "float32"))

    def pointwise(self, tir: Any, value: Any) -> Any:
        if not self._plain:
            zero, one, slope, offset = (tir.const(n, "float32") for n in (0, 1, self.slope, self.offset))
            return tir.min(tir.max(value * slope + offset, zero), one)
        zero, three, six = (tir.const(number, "float32") for number in (0, 3, 6))
        return tir.min(tir.max(value + three, zero), six) * tir.const(1 / 6, "float32")
