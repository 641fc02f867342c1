"""Biases by relative position, picked from a table that arrives."""

from __future__ import annotations

from math import isqrt
from typing import Any, ClassVar, Literal, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.offsets import Offsets, offsets
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.shared.relax_words import const_places
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class RelPosIndex(Op):
    """For each pair of positions what a table says of where one lies from the other: from the table to biases, heads×N×N.

    `table: Weight([169, 4]) → RelPosIndex(7)` is `RelPos(4, 7)`. The table may also be computed, as in the second Swin (Liu et
    al., 2022), and its places may be saved: with `saved=true` its label is the key of an int64 tensor that is computed, not
    trained, and that a checkpoint must repeat.
    """

    word: ClassVar = "RelPosIndex"
    category: ClassVar = "attention"
    one_tensor: ClassVar = True
    buffer: ClassVar = True
    examples: ClassVar = (
        ("ToTokens → RelPosIndex((2, 3))", (4, 3, 5)),
        ("index: RelPosIndex(2, saved=true)", (9, 3)),
        ("idxs: RelPosIndex((3, 4), index=levit, stride=2, saved=flat)", (2, 12)),
        ("RelPosIndex((3, 2), index=levit)", (3, 6)),
        ("ToTokens → RelPosIndex((2, 2, 1))", (4, 3, 3)),
        ("ToTokens → index: RelPosIndex(2, saved=true, token=true)", (4, 3, 4)),
    )

    size: Axes
    """Height and width of the map or window whose positions look at each other, one number for both; of a video frames,
    height and width."""
    index: Literal["swin", "levit"] = "swin"
    """How the table is laid out: `swin` for a row for each offset, `levit` for a column for each distance."""
    stride: Positive = 1
    """Only every so many-th position along each axis asks, while all answer."""
    saved: Literal["flat"] | bool = False
    """Whether checkpoints hold the places, as N×N, or with `flat` on one axis."""
    token: bool = False
    """Whether a class token stands before the positions, as in BEiT (Bao et al., 2022): three more places of the table are what it
    asks of them, what they ask of it, and what it asks of itself."""

    def _offsets(self) -> Offsets:
        return offsets(self.size, self.index, self.stride, flat=self.saved == "flat", token=self.token)

    def _heads(self, x: TensorType) -> int:
        return x.shape[1 if self.index == "swin" else 0]

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        found, swin = self._offsets(), self.index == "swin"
        if len(x.shape) != 2 or x.shape[0 if swin else 1] != found.places:
            table = f"{found.places}×heads" if swin else f"heads×{found.places}"
            raise Refusal(
                "shape-mismatch",
                f"{x} is no table of the relative positions in {'×'.join(map(str, found.sizes))}",
                argument="size",
                notes=(f"expected {table}, found {x}",),
                help=self._advice(x),
            )
        return TensorType(shape=(self._heads(x), *found.pairs), dtype=x.dtype)

    def _advice(self, x: TensorType) -> str:
        """The size of the map that has such a table; where none has, what the table should be."""
        swin = self.index == "swin"
        if len(x.shape) == 2:
            places = x.shape[0 if swin else 1]
            side = (isqrt(places) + 1) // 2 if swin else isqrt(places)
            if offsets(side, self.index, 1).places == places:
                return f"write `size={side}`"
        return f"give it {'a row for each offset' if swin else 'a column for each distance'}; `Reshape` makes two axes of more"

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        if not self.saved:
            return {}
        found = self._offsets()
        return {"": Weight(shape=found.shape, trained=False, dtype="int64", init="computed", formula=found)}

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,), (table,) = xs, values
        found, heads = self._offsets(), self._heads(x)
        if not self.saved:
            rows = table.transpose(1, 2) if self.index == "swin" else table
            return found.biases(torch, rows)
        places = module if self.saved == "flat" else module.flatten()
        if self.index == "swin":
            return table[:, places].reshape(-1, *found.pairs, heads).permute(0, 3, 1, 2)
        return table[:, :, places].reshape(-1, heads, *found.pairs)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op, found = relax.op, self._offsets()
        table = op.permute_dims(values[0], [0, 2, 1]) if self.index == "swin" else values[0]
        taken = op.take(table, const_places(relax, found), axis=2, mode="clip")
        return op.reshape(taken, (values[0].ty.shape[0], self._heads(x), *found.pairs))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "rel_pos_index":
            return None
        flat, token = (call.arguments.get(name, False) for name in ("flat", "token"))
        saved: Literal["flat"] | bool = ("flat" if flat else True) if call.weights else False
        return cls(size=call["size"], index=call["index"], stride=call["stride"], saved=saved, token=token)
