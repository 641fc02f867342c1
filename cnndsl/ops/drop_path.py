"""Stochastic depth."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register


@final
@register
class DropPath(Op):
    """Silence the whole branch for a random share of the examples while training; nothing in use.

    Stochastic depth (Huang et al., 2016), one draw for each example of the batch: torchvision's mode `row`. What is
    kept is divided by the share that is kept.
    """

    word: ClassVar = "DropPath"
    category: ClassVar = "regularization"
    view: ClassVar = True
    examples: ClassVar = (("DropPath(0.1)", (4, 5, 6)), ("DropPath(0.2)", (12,)))

    p: Annotated[float, Field(ge=0, le=1)]
    """The share of examples that lose the branch."""

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Dropout1d(self.p)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        # Torch silences whole channels at random: each example is laid out as one channel.
        return module(values[0].flatten(1).unsqueeze(1)).reshape(values[0].shape)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return values[0]

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(p=float(call["p"])) if call.target == "drop_path" else None
