"""Cropping."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes
from cnndsl.ir.axes import Sizes, asked_size
from cnndsl.ir.call import Call, alike
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import sizes


@final
@register
class Crop(Op):
    """Keep the middle of the map; an odd row comes off the end.

    `Crop(like=e1)` gives the map the sizes of the tensor named `e1`, as the first U-Net did with its skip connections
    (Ronneberger et al., 2015).
    """

    word: ClassVar = "Crop"
    category: ClassVar = "shape"
    examples: ClassVar = (
        ("Crop(size=3)", (2, 6, 7)),
        ("Crop(size=(2, 7))", (2, 5, 7)),
        ("Conv3x3(2, pad=valid) as e1 → add{ id | in → Crop(like=e1) }", (2, 6, 7)),
        ("Crop(size=4)", (2, 9)),
        ("Crop(size=(1, 2, 3))", (2, 4, 5, 6)),
    )

    like: Sizes | None = None
    """A tensor whose sizes the map takes; its channels do not count."""
    size: Axes | None = None
    """The size to keep: one number for every axis, or one for each."""

    def _target(self, x: TensorType) -> tuple[int, ...]:
        refuse_no_map(x, self.word)
        size = asked_size(x, self.word, self.size, self.like)
        if size is None:
            raise Refusal(
                "missing-argument",
                "`Crop` needs a size",
                notes=("expected `like` or `size`, found neither",),
                help=f"write `Crop(size={min(x.size)})`",
            )
        if any(m > n for m, n in zip(size, x.size, strict=True)):
            raise Refusal(
                "out-of-range",
                f"cannot crop {x} to {sizes(size)}",
                argument="size" if self.like is None else "like",
                notes=(f"expected at most {sizes(x.size)}, found {sizes(size)}",),
                help="crop to a smaller size, or add rows with `Pad`",
            )
        return size

    def _starts(self, x: TensorType) -> tuple[int, ...]:
        return tuple((n - m) // 2 for n, m in zip(x.size, self._target(x), strict=True))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        return x.resized(self._target(x))

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        (x,) = xs
        return tuple(Reach(1, start, start, axis) for axis, start in enumerate(self._starts(x)))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        kept = (slice(start, start + n) for start, n in zip(self._starts(x), self._target(x), strict=True))
        return values[0][(..., *kept)]

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        starts = list(self._starts(x))
        ends = [start + n for start, n in zip(starts, self._target(x), strict=True)]
        return relax.op.strided_slice(values[0], list(range(2, 2 + x.rank)), starts, ends)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(size=alike(call.shape[1:], xs[0].rank)) if call.target == "crop" else None
