"""Reshaping."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, ClassVar, Self, final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import whole
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import MOST_AXES, TensorType
from cnndsl.ir.written import show, sizes


def _lengths(value: Any) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    if not 1 <= len(items) <= MOST_AXES or items.count(-1) > 1:
        raise PydanticCustomError(
            "out-of-range",
            "expected one to six axes, at most one of them -1, found {found}",
            {"found": show(value)},
        )
    return tuple(-1 if item == -1 else whole(item) for item in items)


Lengths = Annotated[tuple[int, ...], BeforeValidator(_lengths)]


@final
@register
class Reshape(Op):
    """Lay the same numbers out along other axes, in the same order.

    The channels are then the first axis, or the last one where they arrive on the last axis, as in tokens. One length may be
    -1: it is then what the other lengths leave. `Reshape(16, 4, 4)` and `Reshape((16, 4, 4))` are the same.
    """

    word: ClassVar = "Reshape"
    category: ClassVar = "shape"
    variadic: ClassVar = True
    view: ClassVar = True
    examples: ClassVar = (
        ("Reshape(2, 3, 2)", (12,)),
        ("Reshape(6, -1)", (3, 4, 5)),
        ("Reshape((8, 2, 2))", (4, 8)),
        ("Reshape(2, 2, 3, 5)", (4, 3, 5)),
        ("Reshape(2, 2, 3, 2, 3, 2)", (4, 6, 6)),
        ("Reshape(24)", (2, 3, 4)),
        ("Permute(1, 0) → Reshape(3, 2, 4)", (4, 6)),
    )

    shape: Lengths
    """The length of each axis, without the batch."""

    def _filled(self, x: TensorType) -> tuple[int, ...]:
        known = prod(n for n in self.shape if n != -1)
        filled = tuple(x.elements // known if n == -1 else n for n in self.shape)
        if prod(filled) != x.elements:
            written = sizes(self.shape)
            raise Refusal(
                "shape-mismatch",
                f"cannot lay out {x} as {written}",
                argument="shape",
                notes=(
                    f"expected a divisor of {x.elements}, found {known} beside the -1"
                    if -1 in self.shape
                    else f"expected {x.elements} numbers in all, found {known}",
                ),
                help="leave one axis to be worked out: write -1 for it",
            )
        return filled

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        shape = self._filled(x)
        last = x.rank > 0 and x.channel_axis == x.rank
        return TensorType(shape=shape, dtype=x.dtype, channel_axis=len(shape) - 1 if last else 0)

    def sees_all(self, x: TensorType) -> bool:
        # As with Flatten: a vector has no positions, so what is computed from it counts as having seen all of the input.
        return len(self.shape) == 1 and x.kind != "vector"

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        if -1 in self.shape:
            # On maps of several sizes a shared layer then computes the same.
            return values[0].reshape(values[0].shape[0], *self.shape)
        return values[0].reshape(-1, *self.shape)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return relax.op.reshape(values[0], (-1, *self._filled(x)))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "reshape" or len(call.shape) < 2 or len(call.shape) > 6:
            return None
        if len(call.shape) == 2 and len(xs[0].shape) > 2:
            # A list of what stands at the positions, however many these are.
            return cls(shape=(-1, call.shape[1]))
        return cls(shape=call.shape)
