"""From tokens to a map."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType


@final
@register
class ToMap(Op):
    """Lay tokens out as a map, row after row: (h·w)×C becomes C×h×w. `ToTokens` is the way back."""

    word: ClassVar = "ToMap"
    category: ClassVar = "shape"
    examples: ClassVar = (("ToTokens → ToMap(5, 4)", (3, 4, 5)), ("Permute(1, 0) → ToMap(2, 3)", (4, 6)))

    h: Positive
    """Rows of the map."""
    w: Positive
    """Columns of the map."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        if x.kind != "tokens":
            raise Refusal(
                "wrong-rank",
                f"`ToMap` lays out tokens, and here arrives {'a vector of ' if x.kind == 'vector' else 'a map '}{x}",
                notes=(f"expected tokens N×C, found a {x.kind}",),
                help="leave it out" if x.kind == "map" else "use `Reshape`",
            )
        if self.h * self.w != x.size[0]:
            raise Refusal(
                "shape-mismatch",
                f"{x.size[0]} tokens do not fill a map of {self.h}×{self.w}",
                argument="h",
                notes=(f"expected sizes whose product is {x.size[0]}, found {self.h * self.w}",),
                help="take the class token off first: `Slice(1, …)`"
                if self.h * self.w + 1 == x.size[0]
                else "give the sizes of the map that became tokens",
            )
        return TensorType(shape=(x.channels, self.h, self.w), dtype=x.dtype)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return values[0].transpose(1, 2).unflatten(2, (self.h, self.w))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        batch = values[0].ty.shape[0]
        return relax.op.reshape(relax.op.permute_dims(values[0], [0, 2, 1]), (batch, x.channels, self.h, self.w))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(h=call["h"], w=call["w"]) if call.target == "to_map" else None
