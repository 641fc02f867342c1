"""Pixel unshuffle."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_no_image
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window, make_window
from cnndsl.ir.written import sizes


@final
@register
class PixelUnshuffle(Op):
    """Gather positions into channels: C×(H·r)×(W·r) becomes (C·r²)×H×W. Undoes `PixelShuffle`."""

    word: ClassVar = "PixelUnshuffle"
    category: ClassVar = "shape"
    examples: ClassVar = (("PixelUnshuffle(2)", (3, 4, 6)), ("PixelUnshuffle(3)", (1, 6, 3)))

    r: Positive
    """How many times smaller each axis gets."""

    def window_over(self, x: TensorType) -> Window:
        refuse_no_image(x, self.word)
        return make_window(x.size, (self.r,) * 2, (self.r,) * 2, 0, (1, 1))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_no_image(x, self.word)
        if any(n % self.r for n in x.size):
            raise Refusal(
                "groups-mismatch",
                f"{sizes(x.size)} positions cannot be gathered {self.r}×{self.r} at a time",
                argument="r",
                notes=(f"expected multiples of {self.r}, found {sizes(x.size)}",),
                help="bring the map to such a size with `Pad` or `Crop`",
            )
        return TensorType(shape=(x.channels * self.r**2, *(n // self.r for n in x.size)), dtype=x.dtype)

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.PixelUnshuffle(self.r)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        y = self.infer((x,))
        h, w = y.size
        batch = values[0].ty.shape[0]
        pixels = relax.op.reshape(values[0], (batch, x.channels, h, self.r, w, self.r))
        return relax.op.reshape(relax.op.permute_dims(pixels, [0, 1, 3, 5, 2, 4]), (batch, *y.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(r=call["downscale_factor"]) if call.target == "pixel_unshuffle" else None
