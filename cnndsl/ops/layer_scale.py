"""A trained factor for each channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.shared.torch_words import per_channel
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class LayerScale(Op):
    """Multiply each channel by a trained number that begins small, at the end of a residual branch (Touvron et al., 2021).

    It is one tensor, whose key is its label, as in `layer_scale: LayerScale`: of C×1×1 on a map, of C where the channels
    are last.
    """

    word: ClassVar = "LayerScale"
    category: ClassVar = "normalization"
    fresh: ClassVar = True
    any_layout: ClassVar = True
    scales_channels: ClassVar = True
    one_tensor: ClassVar = True
    examples: ClassVar = (
        ("LayerScale", (4, 5, 6)),
        ("LayerScale(0.1)", (6,)),
        ("ToTokens → LayerScale", (3, 4, 5)),
        ("LayerScale(1)", (3, 8)),
        ("LayerScale(1, flat=true)", (3, 4, 5)),
    )

    init: float = 1e-6
    """The factors before training."""
    flat: bool = False
    """Whether the tensor is of C on maps, too."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        return {"": Weight(shape=(x.channels,) if self.flat else x.per_channel, init="constant", value=self.init)}

    def scale_and_shift(self, weights: Mapping[str, Any]) -> tuple[Any, Any]:
        return weights[""].reshape(-1), 0.0

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return values[0] * (per_channel(module, x) if self.flat else module)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,), op = xs, relax.op
        return op.multiply(values[0], op.reshape(weights[""], x.per_channel) if self.flat else weights[""])

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "layer_scale" or call["axis"] != xs[0].channel_axis:
            return None
        flat = call.weights["weight"] != xs[0].per_channel
        return cls(flat=flat) if not flat or call.weights["weight"] == (xs[0].channels,) else None
