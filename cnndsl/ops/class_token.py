"""Class token."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class ClassToken(Op):
    """Put a trained token before the others, in which attention gathers what the classifier needs (Devlin et al., 2018).

    Its label is its key: `class_token: ClassToken` is a weight of 1×1×C called `class_token`. `Slice(0, 1)` behind the
    attention layers keeps this token alone.
    """

    word: ClassVar = "ClassToken"
    category: ClassVar = "attention"
    one_tensor: ClassVar = True
    examples: ClassVar = (("ToTokens → class_token: ClassToken", (3, 2, 4)),)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        if x.kind != "tokens":
            raise Refusal(
                "wrong-rank",
                f"`ClassToken` stands before tokens, and here arrives a {x.kind} of {x}",
                notes=(f"expected tokens N×C, found a {x.kind}",),
                help="make every position of a map a token: `ToTokens`"
                if x.kind == "map"
                else "lay the vector out as tokens first",
            )
        refuse_indices(x, self.word)
        return x.resized((x.size[0] + 1,))

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        return {"": Weight(shape=(1, 1, x.channels))}

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        return (Reach(1, -1, -1, 0),)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (value,) = values
        return torch.cat([module.expand(value.shape[0], -1, -1), value], dim=1)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        batch = values[0].ty.shape[0]
        token = relax.op.broadcast_to(weights[""], (batch, 1, x.channels))
        return relax.op.concat([token, values[0]], axis=1)

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        fits = xs[0].kind == "tokens" and call.weights.get("weight") == (1, 1, xs[0].channels)
        return cls() if call.target == "class_token" and fits else None
