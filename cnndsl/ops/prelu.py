"""Rectified linear unit with a trained slope."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class PReLU(Op):
    """Unchanged above zero, a trained multiple below it (He et al., 2015)."""

    word: ClassVar = "PReLU"
    category: ClassVar = "activation"
    examples: ClassVar = (("PReLU", (4, 5, 6)), ("PReLU(per_channel=true)", (3, 4)), ("PReLU(per_channel=true)", (7,)))

    per_channel: bool = False
    """Whether each channel has a slope of its own."""
    init: float = 0.25
    """The slope before training."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        shape = (x.channels if self.per_channel else 1,)
        return {"weight": Weight(shape=shape, init="constant", value=self.init)}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options: dict[str, Any] = {"num_parameters": x.channels} if self.per_channel else {}
        if self.init != 0.25:
            options["init"] = self.init
        return nn.PReLU(**options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        # For torch the channels are the first axis behind the batch.
        axis = x.channel_axis + 1
        if axis == 1 or not self.per_channel:
            return module(*values)
        return module(values[0].movedim(axis, 1)).movedim(1, axis)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,), (value,), op, zero = xs, values, relax.op, relax.const(0, "float32")
        shape = [1] * (len(x.shape) + 1)
        shape[x.channel_axis + 1] = x.channels if self.per_channel else 1
        below = op.multiply(op.minimum(value, zero), op.reshape(weights["weight"], shape))
        return op.add(op.nn.relu(value), below)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "prelu" or "weight" not in call.weights:
            return None
        return cls(per_channel=call.weights["weight"] != (1,))
