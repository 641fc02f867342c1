"""A trained factor."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ir.written import show


def _ones(value: Any) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    if any(item != 1 or isinstance(item, bool) for item in items):
        raise PydanticCustomError(
            "out-of-range", "expected a shape of one number, such as [1], found {found}", {"found": show(value)}
        )
    return tuple(1 for _ in items)


Shape = Annotated[tuple[int, ...], BeforeValidator(_ones)]


@final
@register
class Scale(Op):
    """Multiply everything by one trained number: FCOS has one for each level, ReZero begins with `Scale(0)`.

    It is one tensor, whose key is its label, as in `alpha: Scale(0)`.
    """

    word: ClassVar = "Scale"
    category: ClassVar = "normalization"
    one_tensor: ClassVar = True
    examples: ClassVar = (("Scale", (4, 5, 6)), ("Scale(0)", (6,)), ("Scale(2, shape=[1])", (4, 5, 6)))

    init: float = 1.0
    """The number before training."""
    shape: Shape = ()
    """The shape of the tensor, all of whose axes are 1: `[1]` for a checkpoint that has it so."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        return {"": Weight(shape=self.shape, init="constant", value=self.init)}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return values[0] * (module.reshape(()) if len(self.shape) > 1 else module)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.multiply(values[0], relax.op.reshape(weights[""], ()))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        shape = call.weights.get("weight", (0,))
        return cls(shape=shape) if call.target == "scale" and set(shape) <= {1} else None
