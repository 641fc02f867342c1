"""From a map to tokens."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.tensor import TensorType


@final
@register
class ToTokens(Op):
    """Make every position of the map a token: C×H×W becomes (H·W)×C, row after row."""

    word: ClassVar = "ToTokens"
    category: ClassVar = "shape"
    examples: ClassVar = (("ToTokens", (3, 4, 5)), ("ToTokens", (3, 6)), ("ToTokens", (2, 3, 4, 5)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_no_map(x, self.word)
        return TensorType(shape=(prod(x.size), x.channels), dtype=x.dtype, channel_axis=1)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return values[0].flatten(2).transpose(1, 2)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return relax.op.permute_dims(relax.op.reshape(values[0], (-1, x.channels, prod(x.size))), [0, 2, 1])

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "to_tokens" else None
