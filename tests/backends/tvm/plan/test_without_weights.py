"""Guards `backends/tvm/emitters/assemble.py`. A network is planned without a weight and without TVM, and what is compiled is that
plan, kernel for kernel.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.tvm.emitters.assemble import assemble
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.program.passes import program_of, program_without_weights
from cnndsl.backends.tvm.target import Cpu
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import load, parse_text

CPU = Cpu("znver5", "x86_64-unknown-linux-gnu", lanes=16, registers=32)
LAYERS = (
    "input 3×16×16\nConv3x3(32) → BN → PReLU → StdConv3x3(32) → GN(4) → ConvT2x2(16, stride=2) → SepConv3x3(32) → BN"
    " → Upsample(2) → Conv3x3(8) → Flatten → FC(10)"
)
TOKENS = (
    "input 3×32×32\nConv8x8(32, stride=8) → ToTokens → PosEmbed → LN → Attention(2) → Linear(24) → GELU → Linear(32)"
)


@pytest.mark.parametrize("text", [LAYERS, TOKENS])
@pytest.mark.parametrize(("precision", "batch"), [("f32", 1), ("bf16", 2)])
def test_constants_have_the_shapes_that_the_plan_without_weights_says(text: str, precision: str, batch: int) -> None:
    graph = parse_text(text).graph
    job = Job(CPU, CompileOptions(precision=precision), batch)  # type: ignore[arg-type]  # the words are above
    planned = assemble(program_without_weights(graph), job)
    compiled = assemble(program_of(graph, initial_weights(graph, 0)), job)
    assert [call.kernel for call in planned.calls] == [call.kernel for call in compiled.calls]
    # The numbers are packed here, and each array compares its shape with the one that was promised.
    found = {constant.name: constant.array.numpy().shape for constant in compiled.constants}
    assert found == {constant.name: constant.value.shape for constant in planned.constants}


def test_what_has_no_weights_refuses_to_give_them() -> None:
    (step, *_) = program_without_weights(_load("lenet5")).steps
    with pytest.raises(RuntimeError, match="planned without weights"):
        step.weights["weight"].numpy()


def test_a_plan_needs_no_tvm() -> None:
    code = (
        "import sys; from cnndsl.pipeline import load; from cnndsl.backends.tvm.emitters.assemble import assemble;"
        "from cnndsl.backends.tvm.job import Job; from cnndsl.backends.tvm.target import Cpu;"
        "from cnndsl.backends.tvm.program.passes import program_without_weights as program;"
        f"main = assemble(program(load('resnet18').graph), Job({CPU!r}));"
        "assert len(main.calls) == 23, len(main.calls); assert not {'tvm', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def _load(name: str) -> Graph:
    return load(name).graph
