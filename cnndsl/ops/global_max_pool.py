"""Global max pooling."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.global_pooling import GlobalPooling


@final
@register
class GlobalMaxPool(GlobalPooling):
    """Keep each channel's largest value over all positions.

    A map keeps its axes at size 1, so that it can weigh another map; tokens become one vector.
    """

    word: ClassVar = "GlobalMaxPool"
    verb: ClassVar = "compares positions"
    module: ClassVar = "AdaptiveMaxPool"
    in_torch: ClassVar = "amax"
    in_relax: ClassVar = "max"
    examples: ClassVar = (
        ("GlobalMaxPool", (4, 3, 4)),
        ("GlobalMaxPool", (4, 9)),
        ("GlobalMaxPool", (2, 2, 2, 3)),
        ("ToTokens → GlobalMaxPool", (3, 4, 5)),
        ("Permute(1, 2, 0) → GlobalMaxPool", (3, 4, 5)),
    )
