"""Sum along axes."""

from __future__ import annotations

from typing import ClassVar, final

from cnndsl.ir.op import register
from cnndsl.ir.shared.reducing import Reducing


@final
@register
class Sum(Reducing):
    """Add up along one axis or several: `Sum(1)`, `Sum(1, 2, 3)`.

    Axes are named, go away and stay as in `Mean`.
    """

    word: ClassVar = "Sum"
    examples: ClassVar = (
        ("Sum(1, 2)", (4, 5, 6)),
        ("Sum(1)", (2, 3, 4, 5)),
        ("Sum(2, keep=true)", (3, 5, 6)),
        ("Sum(channels)", (4, 5, 6)),
        ("Sum(channels, 1, 2)", (4, 5, 6)),
        ("ToTokens → Sum(0)", (3, 4, 5)),
    )
