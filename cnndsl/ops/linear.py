"""Linear layer on the channels."""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar, final

from cnndsl.ir.arguments import Positive
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.torch_words import over_channels
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
        ("Linear(6, bias=false)", (3, 4, 5)),
        ("ToTokens → Linear(6)", (3, 4, 5)),
        ("Permute(1, 2, 0) → Linear(6)", (3, 4, 5)),
        ("Permute(1, 0, 2) → Linear(6)", (3, 4, 5)),
    )

    units: Positive
    """Output channels."""
    bias: bool = True
    """Whether a trained number is added to each output channel."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x.with_channels(self.units)

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        bound = 1 / sqrt(x.channels)
        weights = {"weight": Weight(shape=(self.units, x.channels), init="uniform", bound=bound)}
        if self.bias:
            weights["bias"] = Weight(shape=(self.units,), init="uniform", bound=bound)
        return weights

    def sees_all(self, x: TensorType) -> bool:
        # A vector has no positions: what is computed from all its channels counts as having seen all of the input.
        return x.kind == "vector"

    def macs(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return y.elements * x.channels

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements if self.bias else 0

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options = {} if self.bias else {"bias": False}
        return nn.Linear(x.channels, self.units, **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return over_channels(module, values[0], x)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, (x,) = relax.op, xs
        last = len(x.shape)
        order = [n for n in range(last + 1) if n != x.channel_axis + 1] + [x.channel_axis + 1]
        y = op.matmul(op.permute_dims(values[0], order), op.permute_dims(weights["weight"]))
        if "bias" in weights:
            y = op.add(y, weights["bias"])
        return op.permute_dims(y, [order.index(n) for n in range(last + 1)])
