"""Piecewise logistic function."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class HardSigmoid(Op):
    """`min(max(slope · x + offset, 0), 1)`: `Sigmoid` in three straight lines (Courbariaux et al., 2015).

    PyTorch's slope is 1/6. `HardSigmoid(0.2)` is that of Keras 2 and of ONNX where it says nothing else.
    """

    word: ClassVar = "HardSigmoid"
    category: ClassVar = "activation"
    never_negative: ClassVar = True
    examples: ClassVar = (("HardSigmoid", (4, 5, 6)), ("HardSigmoid(0.2)", (7,)), ("HardSigmoid(1/4, 0.4)", (4, 5, 6)))

    slope: float | None = None
    """The factor of the middle line; 1/6 when left out."""
    offset: float = 0.5
    """The output at zero."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    @property
    def _is_torchs(self) -> bool:
        return self.slope in (None, 1 / 6) and self.offset == 0.5

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Hardsigmoid() if self._is_torchs else None

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        if module is not None:
            return module(*values)
        return torch.clamp(values[0] * (1 / 6 if self.slope is None else self.slope) + self.offset, 0, 1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op = relax.op
        if self._is_torchs:
            gate = op.clip(op.add(values[0], relax.const(3, "float32")), 0, 6)
            return op.multiply(gate, relax.const(1 / 6, "float32"))
        line = op.multiply(values[0], relax.const(1 / 6 if self.slope is None else self.slope, "float32"))
        return op.clip(op.add(line, relax.const(self.offset, "float32")), 0, 1)

    def pointwise(self, tir: Any, value: Any) -> Any:
        if self._is_torchs:
            zero, three, six = (tir.const(number, "float32") for number in (0, 3, 6))
            return tir.min(tir.max(value + three, zero), six) * tir.const(1 / 6, "float32")
        slope = 1 / 6 if self.slope is None else self.slope
        zero, one, factor, offset = (tir.const(number, "float32") for number in (0, 1, slope, self.offset))
        return tir.min(tir.max(value * factor + offset, zero), one)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "hardsigmoid":
            return None
        slope = call.arguments.get("slope")
        return cls(slope=None if slope is None else float(slope), offset=float(call.arguments.get("offset", 0.5)))
