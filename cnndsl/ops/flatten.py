"""Flattening."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class Flatten(Op):
    """Lay all axes out in one row: a map becomes a vector."""

    word: ClassVar = "Flatten"
    category: ClassVar = "shape"
    view: ClassVar = True
    examples: ClassVar = (("Flatten", (4, 3, 5)), ("Flatten", (6,)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        return TensorType(shape=(x.elements,), dtype=x.dtype)

    def sees_all(self, x: TensorType) -> bool:
        # A vector has no positions of its own, so what is computed from it counts as having seen all of the input.
        return x.kind != "vector"

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Flatten()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return relax.op.reshape(values[0], (-1, x.elements))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "reshape" and len(call.shape) == 1 else None
