"""Identity."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register


@final
@register
class Identity(Op):
    """Change nothing: a named place, or a layer's stand-in. A branch without layers is written `id`."""

    word: ClassVar = "Identity"
    category: ClassVar = "shape"
    view: ClassVar = True
    examples: ClassVar = (("Identity", (4, 5, 6)),)

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Identity()

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        return values[0]

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls() if call.target == "identity" else None
