"""Splitting."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, ClassVar, final

from pydantic import BeforeValidator

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import whole
from cnndsl.ir.axes import Axis, axis_index
from cnndsl.ir.op import Op, register
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import show
from cnndsl.ops.slice import Slice


def _parts(value: Any) -> Any:
    if value is None or not isinstance(value, tuple | list):
        return value if value is None else whole(value)
    return tuple(whole(item) for item in value)


Parts = Annotated[int | tuple[int, ...], BeforeValidator(_parts)]


@final
@register
class Split(Op):
    """Cut the tensor into parts, which are tensors of their own: `(kept, changed) = in → Split(2)`.

    Each part becomes a `Slice`. `parts = in → Split(4)` gives them as `parts[0]` to `parts[3]`.
    """

    word: ClassVar = "Split"
    category: ClassVar = "shape"
    examples: ClassVar = (
        ("(a, b) = in → Split(2) add{ a | b → ReLU }", (4, 5, 6)),
        ("(a, b, c) = in → Split([1, 2, 3]) cat{ c | a | b }", (6, 5, 6)),
        ("(a, b) = in → Split(2, axis=1) add{ a | b }", (3, 6, 5)),
        ("(a, b) = in → Split(sizes=[3, 4]) cat{ b | a }", (7,)),
    )

    n: Parts | None = None
    """How many equal parts, or the length of each."""
    axis: Axis = "channels"
    """`channels`, or an axis counted from 0 without the batch."""
    sizes: Parts | None = None
    """The length of each part, under its own name."""

    def parts(self, x: TensorType) -> tuple[Op, ...]:
        """A slice for each part."""
        ends = [0]
        for length in self._lengths(x.shape[axis_index(self.axis, x)]):
            ends.append(ends[-1] + length)
        return tuple(Slice(start=start, stop=stop, axis=self.axis) for start, stop in pairwise(ends))

    def _lengths(self, length: int) -> tuple[int, ...]:
        what = "channels" if self.axis == "channels" else f"positions on axis {self.axis}"
        if (self.n is None) == (self.sizes is None):
            found = "neither" if self.n is None else "both"
            raise Refusal(
                "missing-argument" if self.n is None else "repeated-argument",
                "`Split` needs the number of parts or their sizes",
                argument=None if self.n is None else "sizes",
                notes=(f"expected `n` or `sizes`, found {found}",),
                help="write `Split(2)`",
            )
        name, asked = ("n", self.n) if self.n is not None else ("sizes", self.sizes)
        if isinstance(asked, int):
            if length % asked:
                fits = max(d for d in range(1, min(asked, length) + 1) if length % d == 0)
                raise Refusal(
                    "groups-mismatch",
                    f"{length} {what} cannot be cut into {asked} equal parts",
                    argument=name,
                    notes=(f"expected a divisor of {length}, found {asked}",),
                    help=f"write `Split({fits})`, or the length of each part: `Split([{length - 1}, 1])`"
                    if length > 1
                    else "leave the `Split` out",
                )
            return (length // asked,) * asked
        assert asked is not None
        if sum(asked) != length:
            raise Refusal(
                "shape-mismatch",
                f"{length} {what} cannot be cut into parts of {show(list(asked))}",
                argument=name,
                notes=(f"expected {length} in all, found {sum(asked)}",),
                help="make the parts' lengths add up to what arrives",
            )
        return asked
