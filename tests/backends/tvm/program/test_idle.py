"""Guards `backends/tvm/program/idle.py`. Steps that do nothing in use are taken out, and their readers read what
they read.
"""

from __future__ import annotations

import pytest

from cnndsl.backends.tvm.program.idle import without_idle
from tests.backends.tvm.program.shown import shown

pytestmark = pytest.mark.tvm

CASES = [
    (
        "input 3×8×8\nconv: Conv3x3(16) → drop: Dropout(0.2) → act: ReLU → path: DropPath(0.1)",
        """
conv = Conv3x3(16) of input
act = ReLU of conv
output path = act""",
    ),
    (
        "input 5\nadd{ id | first: Dropout → second: Dropout → fc: FC(5) }",
        """
fc = FC(5) of input
add = add of input, fc
output add = add""",
    ),
    # A factor of one is a weight: another value may be loaded.
    (
        "input 5\nscale: Scale(1) → drop: Dropout",
        """
scale = Scale of input
output drop = scale""",
    ),
]


@pytest.mark.parametrize(("text", "program"), CASES)
def test_what_does_nothing_is_gone(text: str, program: str) -> None:
    assert shown(text, without_idle) == program
