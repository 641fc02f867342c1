"""Global max pooling."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.axes import behind_channels, pooled
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices, refuse_vector
from cnndsl.ir.tensor import TensorType


@final
@register
class GlobalMaxPool(Op):
    """Keep each channel's largest value over all positions.

    A map keeps its axes at size 1, so that it can weigh another map; tokens become one vector.
    """

    word: ClassVar = "GlobalMaxPool"
    category: ClassVar = "pooling"
    examples: ClassVar = (
        ("GlobalMaxPool", (4, 3, 4)),
        ("GlobalMaxPool", (4, 9)),
        ("GlobalMaxPool", (2, 2, 2, 3)),
        ("ToTokens → GlobalMaxPool", (3, 4, 5)),
        ("Permute(1, 2, 0) → GlobalMaxPool", (3, 4, 5)),
    )

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        refuse_vector(x, "`GlobalMaxPool` compares positions")
        return pooled(x)

    def sees_all(self, x: TensorType) -> bool:
        return True

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return x.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        if x.channel_axis != 0:
            return None
        return (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)[x.rank - 1](1)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        if module is not None:
            return module(*values)
        return values[0].amax([n + 1 for n in behind_channels(x)], keepdim=x.kind != "tokens")

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return relax.op.max(values[0], axis=[n + 1 for n in behind_channels(x)], keepdims=x.kind != "tokens")

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target in ("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"):
            return cls() if set(call.shape[1:]) == {1} else None
        whole = call.target == "amax" and call["axes"] == tuple(behind_channels(xs[0])) and xs[0].rank > 0
        return cls() if whole and call["keepdim"] == (xs[0].kind != "tokens") else None
