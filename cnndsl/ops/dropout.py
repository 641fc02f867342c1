"""Dropout."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register


@final
@register
class Dropout(Op):
    """Silence a random share of the values while training (Srivastava et al., 2014); nothing in use."""

    word: ClassVar = "Dropout"
    category: ClassVar = "regularization"
    view: ClassVar = True
    examples: ClassVar = (("Dropout", (12,)), ("Dropout(0.2, channel=true)", (4, 5, 6)))

    p: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The share that is silenced."""
    channel: bool = False
    """Whether whole channels fall silent together."""

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        whole = self.channel and x.kind == "map"
        module = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)[x.rank - 1] if whole else nn.Dropout
        return module(self.p)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return values[0]

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target not in ("dropout", "feature_dropout"):
            return None
        return cls(p=float(call["p"]), channel=call.target == "feature_dropout")
