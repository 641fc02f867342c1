"""Pixel shuffle."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar, Literal, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_no_image
from cnndsl.ir.tensor import TensorType
from cnndsl.ops.reorder import Reorder


@final
@register
class PixelShuffle(Op):
    """Spread channels over positions: (C·r²)×H×W becomes C×(H·r)×(W·r) (Shi et al., 2016)."""

    word: ClassVar = "PixelShuffle"
    category: ClassVar = "shape"
    examples: ClassVar = (
        ("PixelShuffle(2)", (8, 3, 4)),
        ("PixelShuffle(3)", (9, 2, 2)),
        ("PixelShuffle(2, dcr)", (12, 3, 4)),
    )

    r: Positive
    """How many times larger each axis gets."""
    order: Literal["crd", "dcr"] = "crd"
    """How the channels lie, by ONNX's names: in `crd` the r² pixels of one output channel are neighbours, as in PyTorch; in
    `dcr` the output channels of one pixel are, as in TensorFlow's `depth_to_space`."""

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

    def by_pixels(self, x: TensorType) -> Reorder:
        """What brings the channels of `dcr` into the order of `crd`."""
        pixels, channels = self.r**2, x.channels // self.r**2
        return Reorder(order=tuple(pixel * channels + c for c in range(channels) for pixel in range(pixels)))

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.PixelShuffle(self.r)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        if self.order == "crd":
            return module(*values)
        return module(values[0].unflatten(1, (self.r**2, -1)).transpose(1, 2).flatten(1, 2))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,), op = xs, relax.op
        y = self.infer(xs)
        h, w = x.size
        batch = values[0].ty.shape[0]
        if self.order == "crd":
            pixels = op.reshape(values[0], (batch, y.channels, self.r, self.r, h, w))
            return op.reshape(op.permute_dims(pixels, [0, 1, 4, 2, 5, 3]), (batch, *y.shape))
        pixels = op.reshape(values[0], (batch, self.r, self.r, y.channels, h, w))
        return op.reshape(op.permute_dims(pixels, [0, 3, 4, 1, 5, 2]), (batch, *y.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(r=call["upscale_factor"]) if call.target == "pixel_shuffle" else None
