"""Normalisation of inputs by constants."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cnndsl.errors import Refusal
from cnndsl.ir.arguments import numeric, show
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


def _numbers(value: Any, *, positive: bool = False) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    if not items or any(isinstance(item, bool) or not isinstance(item, int | float) for item in items):
        raise PydanticCustomError(
            "wrong-type", "expected a number, or one for each channel, found {found}", {"found": show(value)}
        )
    if positive and min(items) <= 0:
        raise PydanticCustomError("out-of-range", "expected numbers above 0, found {found}", {"found": show(value)})
    return tuple(map(float, items)) if isinstance(value, tuple | list) else float(value)


Numbers = Annotated[float | tuple[float, ...], BeforeValidator(_numbers)]
Positives = Annotated[float | tuple[float, ...], BeforeValidator(lambda value: _numbers(value, positive=True))]


@final
@register
class Normalize(Op):
    """Bring an input to the mean and deviation that a network was trained with: `(x - mean) / std`.

    `Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])` for networks trained on ImageNet. Constants, no weights; it
    takes no position among the layers, so that a network with it has the names of one without.
    """

    word: ClassVar = "Normalize"
    category: ClassVar = "normalization"
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])", (3, 5, 6)),
        ("Normalize(0.5, 0.25)", (1, 8)),
        ("Normalize(0, [1, 2])", (2,)),
    )

    mean: Numbers
    """Subtracted: one number, or one for each channel."""
    std: Positives
    """The divisor: one number, or one for each channel."""

    def infer(self, *xs: TensorType) -> TensorType:
        (x,) = xs
        numeric(x, self.word)
        for name in ("mean", "std"):
            given = getattr(self, name)
            if isinstance(given, tuple) and len(given) != x.channels:
                raise Refusal(
                    "shape-mismatch",
                    f"`{name}` has {len(given)} numbers, and {x.channels} channels arrive",
                    argument=name,
                    notes=(f"expected one number or {x.channels}, found {show(given)}",),
                    help=f"write one number for each channel of {x}",
                )
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return 2 * y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,), (value,) = xs, values
        column = (-1, *x.per_channel[1:])
        mean, std = (n if isinstance(n, float) else value.new_tensor(n).reshape(column) for n in (self.mean, self.std))
        return (value - mean) / std

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        mean, std = (
            relax.const(n, "float32")
            if isinstance(n, float)
            else relax.op.reshape(relax.const(list(n), "float32"), xs[0].per_channel)
            for n in (self.mean, self.std)
        )
        return relax.op.divide(relax.op.subtract(values[0], mean), std)

    def pointwise(self, tir: Any, value: Any) -> Any:
        if isinstance(self.mean, tuple) or isinstance(self.std, tuple):
            return None
        return (value - tir.const(self.mean, "float32")) / tir.const(self.std, "float32")
