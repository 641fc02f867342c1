"""Biases by relative position."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, final

from cnndsl.ir.arguments import Axes, Positive, per_axis
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class RelPos(Op):
    """A trained bias for each head and each pair of positions, by where one lies from the other: `attend`'s fourth branch.

    It is heads×N×N for the N positions of a map of `size`, taken from a table that its label names. Swin's table (Liu et
    al., 2021) has `(2h-1)(2w-1)` rows, one for each offset, and heads columns; LeViT's (Graham et al., 2021) a row for each
    head and h·w columns, one for each distance. It begins a chain or a branch.
    """

    word: ClassVar = "RelPos"
    category: ClassVar = "attention"
    one_tensor: ClassVar = True
    begins: ClassVar = True
    examples: ClassVar = (
        ("ToTokens → attend(2){ id | id | id | table: RelPos(2, (3, 4)) }", (8, 3, 4)),
        ("ToTokens → attend(2){ id | id | id | biases: RelPos(2, 3, index=levit) }", (8, 3, 3)),
        ("biases: RelPos(2, (4, 5), index=levit, stride=2)", (3, 4, 5)),
    )

    heads: Positive
    """Heads of the attention, each with biases of its own."""
    size: Axes
    """Height and width of the map or window whose positions look at each other; one number for both."""
    index: Literal["swin", "levit"] = "swin"
    """How the table is laid out and picked from."""
    stride: Positive = 1
    """Only every so many-th position along each axis asks, while all answer."""

    def _grid(self) -> tuple[int, int]:
        height, width = per_axis(self.size, 2, "size")
        return height, width

    def _asking(self) -> tuple[int, int]:
        height, width = self._grid()
        return -(-height // self.stride), -(-width // self.stride)

    def infer(self, xs: Tensors) -> TensorType:
        (height, width), (rows, columns) = self._grid(), self._asking()
        return TensorType(shape=(self.heads, rows * columns, height * width))

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        height, width = self._grid()
        if self.index == "levit":
            return {"": Weight(shape=(self.heads, height * width))}
        return {"": Weight(shape=((2 * height - 1) * (2 * width - 1), self.heads), init="normal", std=0.02)}

    def picked(self) -> list[int]:
        """For each pair of an asking and an answering position, in reading order, its place in the table."""
        (height, width), s = self._grid(), self.stride
        swin = self.index == "swin"

        def place(down: int, right: int) -> int:
            if swin:
                return (down + height - 1) * (2 * width - 1) + right + width - 1
            return abs(down) * width + abs(right)

        asking = [(y, x) for y in range(0, height, s) for x in range(0, width, s)]
        return [place(y - v, x - u) for y, x in asking for v in range(height) for u in range(width)]

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        """Windows over the table, turned round: asking row y and answering row v meet at the offset y - v."""
        (height, width), (rows, columns), s = self._grid(), self._asking(), self.stride
        batch = values[0].shape[0]
        if self.index == "swin":
            offsets = module.t().reshape(self.heads, 2 * height - 1, 2 * width - 1)
        else:
            near = module.reshape(self.heads, height, width)
            down = torch.cat([near[:, 1:].flip(1), near], 1) if height > 1 else near
            offsets = torch.cat([down[:, :, 1:].flip(2), down], 2) if width > 1 else down
        windows = offsets.unfold(1, height, 1).unfold(2, width, 1).flip(3, 4)
        if s > 1:
            windows = windows[:, ::s, ::s]
        return windows.reshape(self.heads, rows * columns, height * width).expand(batch, -1, -1, -1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, shape = relax.op, self.infer(xs).shape
        table = op.permute_dims(weights[""]) if self.index == "swin" else weights[""]
        taken = op.reshape(op.take(table, relax.const(self.picked(), "int64"), axis=1, mode="clip"), shape)
        return op.broadcast_to(taken, (values[0].ty.shape[0], *shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "rel_pos":
            return None
        return cls(heads=call["heads"], size=call["size"], index=call["index"], stride=call["stride"])
