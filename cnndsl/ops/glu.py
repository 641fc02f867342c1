"""Gated linear unit."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class GLU(Op):
    """The first half of the channels, weighed by the sigmoid of the second half (Dauphin et al., 2016)."""

    word: ClassVar = "GLU"
    category: ClassVar = "activation"
    examples: ClassVar = (("GLU", (4, 5, 6)), ("GLU", (8,)), ("Conv3(6) → GLU", (3, 10)))

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        if x.channels % 2:
            raise Refusal(
                "shape-mismatch",
                f"`GLU` halves the channels, and {x.channels} arrive",
                notes=(f"expected an even number of channels, found {x.channels} in {x}",),
                help="give the layer before it twice the channels that should leave",
            )
        return x.with_channels(x.channels // 2)

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return 2 * y.elements

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        return nn.GLU(dim=x.channel_axis + 1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op, axis, channels = relax.op, x.channel_axis + 1, x.channels
        kept = op.strided_slice(values[0], [axis], [0], [channels // 2])
        gate = op.strided_slice(values[0], [axis], [channels // 2], [channels])
        return op.multiply(kept, op.sigmoid(gate))
