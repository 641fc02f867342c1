"""What all positions of a channel become: their average, their largest."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from cnndsl.ir.axes import behind_channels, pooled
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.shared.refusals import refuse_indices, refuse_vector
from cnndsl.ir.tensor import TensorType


class GlobalPooling(Op):
    """Base of `GlobalAvgPool` and `GlobalMaxPool`. A map keeps its axes at size 1, so that it can weigh another map; tokens
    become one vector."""

    category: ClassVar = "pooling"
    verb: ClassVar[str]
    """What it does, in a sentence: `averages over positions`."""
    module: ClassVar[str]
    """PyTorch's module for maps, without its number of axes: `AdaptiveAvgPool`."""
    in_torch: ClassVar[str]
    """The method of PyTorch's tensors: `mean`."""
    in_relax: ClassVar[str]
    """The operation of Relax: `mean`."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        refuse_vector(x, f"`{self.word}` {self.verb}")
        return pooled(x)

    def sees_all(self, x: TensorType) -> bool:
        return True

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return x.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        return None if x.channel_axis != 0 else getattr(nn, f"{self.module}{x.rank}d")(1)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        if module is not None:
            return module(*values)
        return getattr(values[0], self.in_torch)([n + 1 for n in behind_channels(x)], keepdim=x.kind != "tokens")

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        reduced = getattr(relax.op, self.in_relax)
        return reduced(values[0], axis=[n + 1 for n in behind_channels(x)], keepdims=x.kind != "tokens")

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        (x,) = xs[:1]
        name = cls.module.removeprefix("Adaptive")
        if call.target in [f"adaptive_{name[:3].lower()}_pool{rank}d" for rank in (1, 2, 3)]:
            return cls() if set(call.shape[1:]) == {1} else None
        whole = call.target == cls.in_torch and call["axes"] == tuple(behind_channels(x)) and x.rank > 0
        return cls() if whole and call["keepdim"] == (x.kind != "tokens") else None
