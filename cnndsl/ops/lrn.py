"""Local response normalisation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.tensor import TensorType


@final
@register
class LRN(Op):
    """Divide each number by its neighbours' energy: `x_c / (k + alpha / size · Σ x²)^beta` (Krizhevsky et al., 2012).

    The sum runs over `size` channels, from `c - size // 2` on. AlexNet and GoogLeNet had it; batch norm took its place.
    """

    word: ClassVar = "LRN"
    category: ClassVar = "normalization"
    examples: ClassVar = (
        ("LRN(5)", (8, 5, 6)),
        ("LRN(4, alpha=1, beta=0.5, k=2)", (6, 9)),
        ("LRN(3, 0.1)", (2, 2, 3, 3)),
    )

    size: Positive
    """Channels in the sum."""
    alpha: Annotated[float, Field(ge=0)] = 1e-4
    """Weight of the mean square."""
    beta: Annotated[float, Field(ge=0)] = 0.75
    """Exponent."""
    k: Annotated[float, Field(gt=0)] = 1.0
    """Added to the weighted mean square."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_no_map(x, self.word)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements * self.size

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        defaults = {"alpha": 1e-4, "beta": 0.75, "k": 1.0}
        return nn.LocalResponseNorm(
            self.size, **{name: value for name, d in defaults.items() if (value := getattr(self, name)) != d}
        )

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,), (value,), op = xs, values, relax.op
        batch = value.ty.shape[0]
        squares = op.reshape(op.multiply(value, value), (batch, 1, x.channels, x.elements // x.channels))
        means = op.nn.avg_pool2d(
            squares,
            pool_size=[self.size, 1],
            strides=[1, 1],
            padding=[self.size // 2, 0, (self.size - 1) // 2, 0],
            count_include_pad=True,
        )
        energy = op.add(op.multiply(means, relax.const(self.alpha, "float32")), relax.const(self.k, "float32"))
        divisor = op.power(energy, relax.const(self.beta, "float32"))
        return op.divide(value, op.reshape(divisor, (batch, *x.shape)))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "local_response_norm":
            return None
        return cls(size=call["size"], alpha=call["alpha"], beta=call["beta"], k=call["k"])
