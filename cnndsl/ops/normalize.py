"""Normalisation of inputs by constants."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Numbers, PositiveNumbers
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import show


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
    std: PositiveNumbers
    """The divisor: one number, or one for each channel."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
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
        mean, std = (n if isinstance(n, float) else value.new_tensor(n).reshape(*column) for n in (self.mean, self.std))
        return (value - mean) / std

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        mean, std = (
            relax.const(n, "float32")
            if isinstance(n, float)
            else relax.op.reshape(relax.const(list(n), "float32"), x.per_channel)
            for n in (self.mean, self.std)
        )
        return relax.op.divide(relax.op.subtract(values[0], mean), std)

    @property
    def is_pointwise(self) -> bool:
        return not isinstance(self.mean, tuple) and not isinstance(self.std, tuple)

    def pointwise(self, tir: Any, value: Any) -> Any:
        if not self.is_pointwise:
            return None
        return (value - tir.const(self.mean, "float32")) / tir.const(self.std, "float32")

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "normalize":
            return None
        return cls(mean=call["mean"], std=call["std"])
