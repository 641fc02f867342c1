"""Guards `backends/tvm/code/unscheduled.py`. What has no kernel runs on all threads, and on vectors where the last
axis lets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod

import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.lower import lowered_module
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.pipeline import parse_text

pytestmark = pytest.mark.tvm

TINY = 4096
"""Numbers that one thread turns over before others have woken."""

LAYERS = [
    "input 24×28×28\nConv3x3(24, pad_mode=reflect) → LRN(5) → AdaptiveAvgPool((5, 6)) → ReLU",
    "input 24×28×28\nConv3x3(20, groups=4) → Upsample(2) → Pad(1) → Crop(size=20) → MaxPool3x3(2)",
    "input 24×28×28\nConvT4x4(12, 2) → Softmax → GRN → LogSoftmax",
    "input 24×28×28\nAdaptiveMaxPool((9, 9)) → L2Norm → PReLU → ChannelShuffle(3)",
    "input 24×28×28\nGlobalMaxPool → Flatten → FC(2000) → Softmax",
    "input 32×28×28\nToTokens → tokens: ClassToken → Attention(4) → GLU → LogSoftmax",
    "input 24×28×28\nPermute(0, 2, 1) → Conv3x1(8) → Permute(2, 1, 0) → ReLU",
    "input 24×8×14×14\nConv3x3x3(8) → MaxPool3x3x3(2, 1) → GN(2) → Upsample(2)",
    "input 24×3000\nConv9(40, 2) → BN → MaxPool4(3) → Roll(2) → GlobalAvgPool → FC(9)",
]


@pytest.mark.parametrize("text", LAYERS)
def test_nothing_runs_on_bare_loops(text: str) -> None:
    graph = parse_text(text).graph
    _, lowered, _, _ = lowered_module(program_of(graph, drawn_weights(graph, 0)), Job(find_cpu("llvm")))
    functions = list(loops_of(lowered))
    assert functions
    bare = [name for name, script in functions if largest(script) > TINY and "T.parallel(" not in script]
    assert not bare


def test_sums_run_on_vectors() -> None:
    graph = parse_text("input 32×28×28\nPermute(0, 2, 1) → GRN → Permute(2, 1, 0) → GlobalMaxPool").graph
    _, lowered, _, _ = lowered_module(program_of(graph, drawn_weights(graph, 0)), Job(find_cpu("llvm")))
    sums = [script for _, script in loops_of(lowered) if "T.init()" in script or "_init" in script]
    assert sums
    assert any("T.vectorized(" in script for script in sums)
    assert all("T.parallel(" in script for script in sums if largest(script) > TINY)


def loops_of(module: object) -> Iterator[tuple[str, str]]:
    """The functions of loops in a module, as TVM prints them."""
    import tvm

    for variable, function in module.functions_items():  # type: ignore[attr-defined]
        if isinstance(function, tvm.tirx.PrimFunc):
            yield str(variable.name_hint), function.script()


def largest(script: str) -> int:
    """Numbers in the largest buffer that a function names."""
    shapes = re.findall(r"Buffer\(\(([0-9, ]+)\)", script)
    return max((prod(int(n) for n in shape.split(",") if n.strip()) for shape in shapes), default=0)
