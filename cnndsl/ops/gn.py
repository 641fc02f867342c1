"""Group normalisation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, final

from pydantic import Field

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Positive, channels_first
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class GN(Op):
    """Normalise groups of channels by their mean and variance over all positions (Wu and He, 2018).

    Each example by itself, in training as in use: batches may be small. `GN(1)` takes all channels together.
    """

    word: ClassVar = "GN"
    category: ClassVar = "normalization"
    examples: ClassVar = (("GN(2)", (4, 5, 6)), ("GN(1, 1e-3)", (3, 9)), ("GN(3)", (6,)), ("GN(2)", (4, 2, 3, 3)))

    groups: Positive
    """Parts into which the channels are divided."""
    eps: Annotated[float, Field(ge=0)] = 1e-5
    """Added to the variance."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        channels_first(x, self.word)
        if x.channels % self.groups:
            fits = [g for g in range(min(self.groups, x.channels), 0, -1) if x.channels % g == 0]
            raise Refusal(
                "groups-mismatch",
                f"{x.channels} channels cannot be divided into {self.groups} groups",
                argument="groups",
                notes=(f"expected a divisor of {x.channels}, found {self.groups}",),
                help=f"write `groups={fits[0]}`",
            )
        refuse_single_numbers(x, self.word, x.elements // self.groups)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        shape = (x.channels,)
        return {"weight": Weight(shape=shape, init="ones"), "bias": Weight(shape=shape)}

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options = {} if self.eps == 1e-5 else {"eps": self.eps}
        return nn.GroupNorm(self.groups, x.channels, **options)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        y = normalized_groups(relax, values[0], x, self.groups, self.eps)
        return scaled(relax, y, x, weights)


def refuse_single_numbers(x: TensorType, word: str, together: int) -> None:
    """Refuses to normalise numbers one by one, which would make zeros of them."""
    if together == 1:
        raise Refusal(
            "shape-mismatch",
            f"`{word}` would normalise every number of {x} by itself",
            notes=(f"expected at least two numbers to a mean, found one in {x}",),
            help="leave it out, or put it where the map is larger",
        )


def normalized_groups(relax: Any, value: Any, x: TensorType, groups: int, eps: float) -> Any:
    """Each group of channels less its mean and over its standard deviation, as a Relax expression."""
    op, batch = relax.op, value.ty.shape[0]
    parts = op.reshape(value, (batch, groups, x.elements // groups))
    centred = op.subtract(parts, op.mean(parts, axis=[2], keepdims=True))
    variance = op.mean(op.multiply(centred, centred), axis=[2], keepdims=True)
    normalized = op.multiply(centred, op.rsqrt(op.add(variance, relax.const(eps, "float32"))))
    return op.reshape(normalized, (batch, *x.shape))


def scaled(relax: Any, value: Any, x: TensorType, weights: dict[str, Any]) -> Any:
    """The value times `weight` plus `bias`, one of each for a channel, as a Relax expression."""
    if "weight" not in weights:
        return value
    y = relax.op.multiply(value, relax.op.reshape(weights["weight"], x.per_channel))
    return relax.op.add(y, relax.op.reshape(weights["bias"], x.per_channel)) if "bias" in weights else y
