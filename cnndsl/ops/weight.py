"""A trained tensor."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.made import Lengths, beside
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight as State


@final
@register
class Weight(Op):
    """A trained tensor, the same for every image: its label is its key. It begins a chain or a branch.

    `mul{ id | gamma: Weight([64, 1, 1], 1) }` scales channels. Its channels are the first axis, or the last where what
    arrives has them last, as in tokens.
    """

    word: ClassVar = "Weight"
    category: ClassVar = "dense"
    one_tensor: ClassVar = True
    begins: ClassVar = True
    examples: ClassVar = (
        ("mul{ id | gamma: Weight([4, 1, 1], 1) }", (4, 5, 6)),
        ("ToTokens → matmul{ id | w: Weight([3, 6], init=normal) }", (3, 4, 5)),
        ("bias: Weight(7)", (7,)),
    )

    shape: Lengths
    """Its shape, without a batch: the shape in the checkpoint."""
    init: float | Literal["normal"] = 0.0
    """Its numbers before training; `normal` draws them with a standard deviation of 0.02."""

    def infer(self, xs: Tensors) -> TensorType:
        return beside(xs[0], self.shape)

    def weights(self, xs: Tensors) -> dict[str, State]:
        if self.init == "normal":
            return {"": State(shape=self.shape, init="normal", std=0.02)}
        return {"": State(shape=self.shape, init="constant", value=self.init)}

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return module.expand(values[0].shape[0], *(-1,) * len(self.shape))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return relax.op.broadcast_to(weights[""], (values[0].ty.shape[0], *self.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(shape=call.weights["weight"]) if call.target == "weight" else None
