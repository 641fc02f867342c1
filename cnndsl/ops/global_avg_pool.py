"""Global average pooling."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.global_pooling import GlobalPooling


@final
@register
class GlobalAvgPool(GlobalPooling):
    """Average each channel over all positions (Lin et al., 2013).

    A map keeps its axes at size 1, so that it can weigh another map; tokens become one vector.
    """

    word: ClassVar = "GlobalAvgPool"
    verb: ClassVar = "averages over positions"
    module: ClassVar = "AdaptiveAvgPool"
    in_torch: ClassVar = "mean"
    in_relax: ClassVar = "mean"
    examples: ClassVar = (
        ("GlobalAvgPool", (4, 7, 5)),
        ("GlobalAvgPool", (4, 9)),
        ("GlobalAvgPool", (2, 3, 4, 5)),
        ("ToTokens → GlobalAvgPool", (3, 4, 5)),
        ("Permute(1, 2, 0) → GlobalAvgPool", (3, 4, 5)),
    )
