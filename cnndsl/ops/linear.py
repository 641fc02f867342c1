"""Linear layer on the channels."""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar, Self, final

from cnndsl.ir.arguments import Positive
from cnndsl.ir.axes import Axis, axis_name, reach_along, seen_along, with_length
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.shared.torch_words import over_channels
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class Linear(Op):
    """Connect every output channel with every input channel, at each position alike and wherever the channels are.

    On a vector it is `FC`, on tokens the usual projection, on a map a 1×1 convolution with a matrix for weights.
    """

    word: ClassVar = "Linear"
    category: ClassVar = "dense"
    fresh: ClassVar = True
    examples: ClassVar = (
        ("Linear(5)", (7,)),
        ("Linear", (4, 5)),
        ("Linear(6, bias=false)", (3, 4, 5)),
        ("ToTokens → Linear(6)", (3, 4, 5)),
        ("Permute(1, 2, 0) → Linear(6)", (3, 4, 5)),
        ("Permute(1, 0, 2) → Linear(6)", (3, 4, 5)),
        ("Linear", (3, 4, 5)),
        ("Linear(7, axis=1)", (3, 4, 5)),
    )

    units: Positive | None = None
    """Output channels; as many as come in when left out."""
    bias: bool = True
    """Whether a trained number is added to each output channel."""
    axis: Axis = "channels"
    """The axis whose numbers are connected: `channels`, or a number from 0 without the batch."""

    def _out(self, x: TensorType) -> int:
        return self.units or x.channels

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return with_length(self.axis, x, self._units(x))

    def _units(self, x: TensorType) -> int:
        return self.units or seen_along(self.axis, x).channels

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        units, fan = self._units(x), seen_along(self.axis, x).channels
        bound = 1 / sqrt(fan)
        weights = {"weight": Weight(shape=(units, fan), init="uniform", bound=bound)}
        if self.bias:
            weights["bias"] = Weight(shape=(units,), init="uniform", bound=bound)
        return weights

    def sees_all(self, x: TensorType) -> bool:
        # A vector has no positions: what is computed from all its channels counts as having seen all of the input.
        return x.kind == "vector"

    @property
    def is_plain(self) -> bool:
        return self.axis == "channels"

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        return reach_along(self.axis, xs[0])

    def macs(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return y.elements * seen_along(self.axis, x).channels

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements if self.bias else 0

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options = {} if self.bias else {"bias": False}
        return nn.Linear(seen_along(self.axis, x).channels, self._units(x), **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return over_channels(module, values[0], seen_along(self.axis, x))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, x = relax.op, seen_along(self.axis, xs[0])
        last = len(x.shape)
        order = [n for n in range(last + 1) if n != x.channel_axis + 1] + [x.channel_axis + 1]
        y = op.matmul(op.permute_dims(values[0], order), op.permute_dims(weights["weight"]))
        if "bias" in weights:
            y = op.add(y, weights["bias"])
        return op.permute_dims(y, [order.index(n) for n in range(last + 1)])

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "linear" or xs[0].kind == "vector" or "weight" not in call.weights:
            return None
        axis = call.arguments.get("axis", xs[0].rank)
        return cls(units=call.weights["weight"][0], bias="bias" in call.weights, axis=axis_name(axis, xs[0]))
