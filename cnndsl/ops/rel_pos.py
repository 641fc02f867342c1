"""Biases by relative position."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, final

from cnndsl.ir.arguments import Axes, Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.offsets import Offsets, offsets
from cnndsl.ir.shared.relax_words import const_places
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class RelPos(Op):
    """A trained bias for each head and each pair of positions, by where one lies from the other: `attend`'s fourth branch.

    It is heads×N×N for the N positions of a map of `size`, taken from a table that its label names. Swin's table (Liu et
    al., 2021) has `(2h-1)(2w-1)` rows, one for each offset, and heads columns; LeViT's (Graham et al., 2021) a row for each
    head and h·w columns, one for each distance. It begins a chain or a branch. Where a checkpoint also holds the places in
    the table, or a network computes the table, write the table and `RelPosIndex` behind it.
    """

    word: ClassVar = "RelPos"
    category: ClassVar = "attention"
    one_tensor: ClassVar = True
    begins: ClassVar = True
    examples: ClassVar = (
        ("ToTokens → attend(2){ id | id | id | table: RelPos(2, (3, 4)) }", (8, 3, 4)),
        ("ToTokens → attend(2){ id | id | id | biases: RelPos(2, 3, index=levit) }", (8, 3, 3)),
        ("biases: RelPos(2, (4, 5), index=levit, stride=2)", (3, 4, 5)),
        ("ToTokens → attend(2){ id | id | id | table: RelPos(2, 2, token=true) }", (4, 5)),
    )

    heads: Positive
    """Heads of the attention, each with biases of its own."""
    size: Axes
    """Height and width of the map or window whose positions look at each other, one number for both; of a video frames,
    height and width."""
    index: Literal["swin", "levit"] = "swin"
    """How the table is laid out and picked from."""
    stride: Positive = 1
    """Only every so many-th position along each axis asks, while all answer."""
    token: bool = False
    """Whether a class token stands before the positions, as in BEiT (Bao et al., 2022): three more places of the table are what it
    asks of them, what they ask of it, and what it asks of itself."""

    def _offsets(self) -> Offsets:
        return offsets(self.size, self.index, self.stride, token=self.token)

    def infer(self, xs: Tensors) -> TensorType:
        return TensorType(shape=(self.heads, *self._offsets().pairs))

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        places = self._offsets().places
        if self.index == "levit":
            return {"": Weight(shape=(self.heads, places))}
        return {"": Weight(shape=(places, self.heads), init="normal", std=0.02)}

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        rows = module.t() if self.index == "swin" else module
        return self._offsets().biases(torch, rows).expand(values[0].shape[0], -1, -1, -1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, shape = relax.op, self.infer(xs).shape
        table = op.permute_dims(weights[""]) if self.index == "swin" else weights[""]
        taken = op.take(table, const_places(relax, self._offsets()), axis=1, mode="clip")
        return op.broadcast_to(op.reshape(taken, shape), (values[0].ty.shape[0], *shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "rel_pos":
            return None
        given = {name: call[name] for name in ("heads", "size", "index", "stride", "token")}
        return cls(**given)
