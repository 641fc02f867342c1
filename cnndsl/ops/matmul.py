"""Matrix product of branches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.axes import behind_channels
from cnndsl.ir.broadcast import mismatch
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class MatMul(Op):
    """Multiply the branches as matrices over their last two axes: …×n×k times …×k×m is …×n×m.

    Axes before those must agree; each of their positions has a product of its own, of n·k·m multiply-adds. The channels stay
    on the axis where the first branch has them. Of three branches the product of the first two is multiplied by the third.
    """

    word: ClassVar = "matmul"
    category: ClassVar = "merge"
    symbol: ClassVar = "@"
    merges: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("matmul{ id | Permute(0, 2, 1) }", (3, 4, 5)),
        ("Permute(1, 0) → matmul{ id | Permute(1, 0) }", (3, 4)),
        ("matmul{ id | Permute(0, 2, 1) → ReLU | id }", (3, 4, 5)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        for x in xs:
            refuse_indices(x, self.word)
        if xs[0].rank == 0:
            raise Refusal(
                "wrong-rank",
                f"`matmul` multiplies matrices, and the first branch is a vector of {xs[0].channels}",
                notes=("expected two axes or more, found one",),
                help="weigh a vector's elements with `mul`",
            )
        return self._products(xs)[-1]

    def _products(self, xs: Tensors) -> list[TensorType]:
        """The type of each product, from left to right."""
        found = [xs[0]]
        for index, x in enumerate(xs[1:], start=1):
            y = found[-1]
            if len(x.shape) != len(y.shape) or x.shape[:-2] != y.shape[:-2] or x.shape[-2] != y.shape[-1]:
                refusal = mismatch("multiply as matrices", (y, x), 1)
                refusal.culprits = (index, 0)
                refusal.help = "the last axis of one must be the last but one of the next: turn it with `Permute`"
                raise refusal
            shape = (*y.shape[:-1], x.shape[-1])
            found.append(TensorType(shape=shape, dtype=y.dtype, channel_axis=y.channel_axis))
        return found[1:]

    def sees_all(self, x: TensorType) -> bool:
        # A position sees a row of one matrix and a column of the other. Both are usually computed from the same tensor, of
        # which it has then seen every position.
        return True

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        """Of one factor among constants: along the axis over which it is summed, each position of the other axis sees all."""
        x, last = xs[index], len(y.shape) - 1
        if len(xs) != 2 or x.channel_axis != y.channel_axis:
            return None
        mixed = last if index == 0 else last - 1
        return tuple(
            Reach(0, 0, x.shape[n] - 1, i) if n == mixed else Reach(1, 0, 0, i)
            for i, n in enumerate(behind_channels(y))
        )

    def macs(self, xs: Tensors, y: TensorType) -> int:
        return sum(made.elements * x.shape[-2] for made, x in zip(self._products(xs), xs[1:], strict=True))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = result @ value
        return result

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        result = values[0]
        for value in values[1:]:
            result = relax.op.matmul(result, value)
        return result

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        plain = len(xs) > 1 and call.arguments.get("alpha", 1) == 1
        return cls() if call.target == "matmul" and plain else None
