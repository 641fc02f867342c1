"""Pixel shuffle."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Positive
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.refusals import refuse_no_image
from cnndsl.ir.tensor import TensorType


@final
@register
class PixelShuffle(Op):
    """Spread channels over positions: (C·r²)×H×W becomes C×(H·r)×(W·r) (Shi et al., 2016)."""

    word: ClassVar = "PixelShuffle"
    category: ClassVar = "shape"
    examples: ClassVar = (("PixelShuffle(2)", (8, 3, 4)), ("PixelShuffle(3)", (9, 2, 2)))

    r: Positive
    """How many times larger each axis gets."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_no_image(x, self.word)
        if x.channels % self.r**2:
            raise Refusal(
                "groups-mismatch",
                f"{x.channels} channels are no multiple of {self.r}×{self.r} pixels",
                argument="r",
                notes=(f"expected a multiple of {self.r**2} channels, found {x.channels}",),
                help=f"bring them to {-(-x.channels // self.r**2) * self.r**2} with a convolution first",
            )
        return TensorType(shape=(x.channels // self.r**2, *(n * self.r for n in x.size)), dtype=x.dtype)

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        step = Fraction(1, self.r)
        return tuple(Reach(step, step - 1, 0, axis, even=self.r == 1) for axis in range(2))

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.PixelShuffle(self.r)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        y = self.infer(xs)
        h, w = x.size
        batch = values[0].ty.shape[0]
        pixels = relax.op.reshape(values[0], (batch, y.channels, self.r, self.r, h, w))
        return relax.op.reshape(relax.op.permute_dims(pixels, [0, 1, 4, 2, 5, 3]), (batch, *y.shape))
