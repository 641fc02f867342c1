"""The part of attention between its projections, as an op of this back end alone."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.tensor import TensorType


@final
class Attend(Op):
    """`softmax(Q·Kᵀ)·V` in each head, over maps of one axis: the channels are the heads' queries, then all their keys,
    then all their values. Queries come scaled."""

    word: ClassVar = "Attend"
    category: ClassVar = "attention"

    heads: int
    """How many there are, each of `channels / 3 / heads` channels."""

    def infer(self, xs: Tensors) -> TensorType:
        return xs[0].with_channels(xs[0].channels // 3)

    def call_torch(self, torch: Any, _module: Any, xs: Tensors, *values: Any) -> Any:
        (channels, n) = xs[0].shape
        q, k, v = values[0].reshape(-1, 3, self.heads, channels // 3 // self.heads, n).unbind(1)
        shares = torch.softmax(q.transpose(-1, -2) @ k, -1)
        return (v @ shares.transpose(-1, -2)).reshape(-1, channels // 3, n)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], _weights: dict[str, Any]) -> Any:
        op, batch, (channels, n) = relax.op, values[0].ty.shape[0], xs[0].shape
        d = channels // 3 // self.heads
        apart = op.reshape(values[0], (batch, 3, self.heads, d, n))
        q, k, v = (op.reshape(op.strided_slice(apart, [1], [i], [i + 1]), (batch, self.heads, d, n)) for i in range(3))
        shares = op.nn.softmax(op.matmul(op.permute_dims(q, [0, 1, 3, 2]), k), axis=-1)
        together = op.matmul(v, op.permute_dims(shares, [0, 1, 3, 2]))
        return op.reshape(together, (batch, channels // 3, n))
