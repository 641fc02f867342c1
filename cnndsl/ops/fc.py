"""Fully connected layer."""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ops.flatten import Flatten


@final
@register
class FC(Op):
    """Connect every output with every input. A map is flattened first, by a `Flatten` that listings show."""

    word: ClassVar = "FC"
    category: ClassVar = "dense"
    fresh: ClassVar = True
    examples: ClassVar = (("FC(10)", (16,)), ("FC(5, bias=false)", (7,)), ("FC(10)", (4, 3, 3)))

    units: Positive
    """Output channels."""
    bias: bool = True
    """Whether a trained number is added to each output."""

    def brings(self, x: TensorType) -> tuple[Op, ...]:
        if x.kind == "tokens":
            raise Refusal(
                "wrong-rank",
                f"`FC` takes one vector, and here arrive {x.size[0]} tokens of {x.channels}",
                notes=(f"expected a map or a vector, found tokens {x}",),
                help="take one token with `Slice(0, 1)`, average them with `GlobalAvgPool`, or use `Linear` on each",
            )
        return () if x.kind == "vector" else (Flatten(),)

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
        return True

    def macs(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return self.units * x.channels

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements if self.bias else 0

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options = {} if self.bias else {"bias": False}
        return nn.Linear(x.channels, self.units, **options)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        y = relax.op.matmul(values[0], relax.op.permute_dims(weights["weight"]))
        return relax.op.add(y, weights["bias"]) if "bias" in weights else y

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "linear" or xs[0].kind != "vector" or "weight" not in call.weights:
            return None
        return cls(units=call.weights["weight"][0], bias="bias" in call.weights)
