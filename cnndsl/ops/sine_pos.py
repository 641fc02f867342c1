"""Positions as waves of sines and cosines."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, Positive, per_axis
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.turning import Turning
from cnndsl.ir.tensor import TensorType


@final
@register
class SinePos(Op):
    """What each position of a map says of where it lies, in waves: a map to be added, as DETR has it (Carion et al., 2020).

    Of the channels the first part is for rows and the last for columns, in turns the sine and the cosine of the place,
    which is one turn along the axis, times `base^(-j/n)` for each of the `n` pairs. Nothing is trained. It begins a
    chain or a branch.
    """

    word: ClassVar = "SinePos"
    category: ClassVar = "attention"
    begins: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("add{ id | SinePos(8) }", (8, 3, 4)),
        ("add{ ToTokens | SinePos(4, size=(2, 3)) → Conv1x1(5) → ToTokens }", (5, 2, 3)),
        ("SinePos(6, base=100)", (1, 5)),
    )

    channels: Positive
    """Channels of the map: two for each pair, as many pairs for each axis."""
    size: Axes | None = None
    """Its size, one number for height and width or one for each axis; that of the map that arrives where none is given."""
    base: Annotated[float, Field(gt=0)] = 10000.0
    """What the frequencies are powers of."""

    def _turning(self, x: TensorType) -> Turning:
        given = self.size
        if given is None and (x.kind != "map" or x.channel_axis != 0):
            raise Refusal(
                "missing-argument",
                f"`SinePos` makes a map as large as the one that arrives, and {x} arrives",
                argument="size",
                notes=(f"expected a map, or a size; found {x}",),
                help="write the height and width: `size=(14, 14)`",
            )
        sizes = x.size if given is None else per_axis(given, len(given) if isinstance(given, tuple) else 2, "size")
        if self.channels % (2 * len(sizes)):
            raise Refusal(
                "groups-mismatch",
                f"{self.channels} channels cannot be divided into pairs for {len(sizes)} axes",
                argument="channels",
                notes=(f"expected a multiple of {2 * len(sizes)}, found {self.channels}",),
                help=f"write `channels={-(-self.channels // (2 * len(sizes))) * 2 * len(sizes)}`",
            )
        return Turning(sizes, self.channels // (2 * len(sizes)), self.base, "turn")

    def infer(self, xs: Tensors) -> TensorType:
        return TensorType(shape=(self.channels, *self._turning(xs[0]).sizes))

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (value,) = values
        angles = self._turning(xs[0]).in_torch(torch, value.device)
        waves = torch.stack([angles.sin(), angles.cos()], -1).flatten(-2).movedim(-1, 0)
        return waves.to(value.dtype).expand(value.shape[0], *(-1,) * len(self.infer(xs).shape))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        y = self.infer(xs)
        waves = relax.const(self.waves(xs[0]).astype("float32"), "float32")
        return relax.op.broadcast_to(waves, (values[0].ty.shape[0], *y.shape))

    def waves(self, x: TensorType) -> Any:
        """The map as a NumPy array of float64."""
        import numpy as np

        angles = self._turning(x).angles()
        laid = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(*angles.shape[:-1], self.channels)
        return np.moveaxis(laid, -1, 0)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "sine_pos":
            return None
        size = call["size"]
        return cls(channels=call["channels"], base=call["base"], size=None if xs[0].shape[1:] == size else size)
