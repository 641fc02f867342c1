"""Guards `backends/tvm/build.py` and `backends/tvm/lower.py`. Compiled networks give PyTorch's numbers: every
layer's examples, and what lies between layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, final

import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.op import Op, registry
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import relative_error
from tests.few import few
from tests.graphs import graph

pytestmark = pytest.mark.tvm


def examples() -> Iterator[Any]:
    for word, op in sorted(registry().items()):
        for index, (text, shape) in enumerate(op.examples):
            written = f"input x: {'×'.join(map(str, shape))} of {op.dtype}\n{text}"
            yield pytest.param(written, id=f"{word}-{index}", marks=[pytest.mark.slow] if index else [])


@pytest.mark.parametrize("text", list(examples()))
def test_examples_of_every_layer(text: str) -> None:
    assert relative_error(parse_text(text).graph, batch=2, count=3) < 1e-5


RESNET = """
block Basic(c, stride=1) {
  add{ conv1: Conv3x3(c, stride, bias=false) → bn1: BN → ReLU → conv2: Conv3x3(c, bias=false) → bn2: BN
     | downsample: [Conv1x1(c, stride, bias=false) → BN] if stride != 1 or in.channels != c else id } → ReLU
}
input 3×45×37
Conv7x7(16, 2, pad=3, bias=false) → BN → ReLU → MaxPool3x3(2, 1) → Basic(16) → Basic(40, 2) → GlobalAvgPool → Dropout → FC(10)
"""


@pytest.mark.parametrize("target", few(["llvm:x86-64-v3", "llvm", "llvm:x86-64"], 1))
def test_a_residual_network_for_each_width_of_vectors(target: str) -> None:
    import platform

    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("names of x86 processors")
    assert relative_error(parse_text(RESNET).graph, batch=2, count=5, target=target) < 1e-5


def test_a_block_becomes_one_kernel_for_each_convolution() -> None:
    network = parse_text(RESNET).graph
    groups = plan(program_of(network, drawn_weights(network, 0)))
    assert [(g.anchor.op.word, [s.op.word for s in g.tail], len(g.residuals)) for g in groups] == [
        ("Conv", ["ReLU"], 0),
        ("MaxPool", [], 0),
        ("Conv", ["ReLU"], 0),
        ("Conv", ["add", "ReLU"], 1),
        ("Conv", ["ReLU"], 0),
        ("Conv", [], 0),
        ("Conv", ["add", "ReLU"], 1),
        ("GlobalAvgPool", [], 0),
        ("Flatten", [], 0),
        ("FC", [], 0),
    ]


@pytest.mark.parametrize(
    "text",
    [
        # Groups smaller than a chunk of channels, whole chunks, and neither.
        "input 32×9×11\nConv3x3(32, groups=8) → ReLU",
        "input 64×9×11\nConv3x3(32, 2, groups=2)",
        "input 36×9×11\nConv3x3(24, groups=12, bias=false) → ReLU6",
        # Odd channels, dilation, uneven padding, an image of one row.
        "input 5×13×17\nConv3x3(7, dilation=2) → Conv3x5(19, stride=(2, 1), pad=same_tf) → Sigmoid",
        "input 40×1×1\nConv1x1(10) → SiLU → Conv1x1(40) → Sigmoid",
        "input 3×8×31\nConv1x1(33) → Conv3x3(33, stride=3)",
        # Depthwise, with and without a multiplier.
        "input 24×15×14\nDWConv3x3(2) → BN → ReLU6 → DWConv5x5(bias=false) → DWConv3x3(multiplier=2)",
        # A gate, a sum of three, an input that is read many times.
        "input 20×6×7\nmul{ id | GlobalAvgPool → Conv1x1(4) → ReLU → Conv1x1(20) → Sigmoid }",
        "input 20×6×7\nadd{ Conv3x3 | Conv1x1 | id } → ReLU → add{ id | Conv3x3 → BN } → BN → ReLU",
        # Sums whose branches are the same, and batch norm without a convolution.
        "input 6×5×5\nConv3x3 → add{ id | id } → BN → ReLU",
        # Concatenation of whole chunks and of others.
        "input 16×7×7\ncat{ id | Conv3x3(32) | Conv1x1(3) } → BN → ReLU → Conv3x3(8)",
        "input 16×7×7\ncat{ Conv1x1(5) | Conv3x3(32) } → Conv3x3(8)",
        # Flattened maps in more than one place, and a vector's own layers.
        "input 5×4×3\nConv3x3(6) → Flatten → FC(70) → ReLU → FC(7) → Softmax",
        "input 5×4×3\nConv3x3(6) as map → Flatten as flat → FC(9) as y\noutput map, flat, y",
        "input 12\nFC(30) → BN → ReLU → FC(2)",
        # Average pooling of every kind of counting.
        "input 18×11×11\nAvgPool3x3(2, 1) → AvgPool3x3(1, 1, count_pad=false) → AvgPool(ceil=true) → AdaptiveAvgPool(1)",
        "input 18×12×12\nAdaptiveAvgPool(4) → ReLU → AdaptiveAvgPool(3)",
        # Other axes than two.
        "input 3×40\nConv5(8, 2) → BN → ReLU → MaxPool → Conv3(4) → GlobalAvgPool → FC(3)",
        "input 2×5×6×7\nConv3x3x3(8) → BN → ReLU → MaxPool1x2x2 → Flatten → FC(3)",
        # One set of weights used twice, each time before its own batch norm.
        "share head = Conv3x3(8)\ninput 8×6×6\nhead → BN → ReLU → head → BN",
        # An output that nothing is done to, and one that others read.
        "input 3×6×6\nConv3x3(4) as a → ReLU as b → Conv1x1(4) as c\noutput a, b, c",
        "input 3×6×6\nDropout as y\noutput y",
    ],
)
@pytest.mark.parametrize("batch", few([3, 1], 1))
def test_neighbours(text: str, batch: int) -> None:
    assert relative_error(parse_text(text).graph, batch=batch, count=batch) < 1e-5


@final
class Odd(Op):
    """A layer that TVM has no form of; it is in no registry."""

    word: ClassVar = "Odd"
    category: ClassVar = "shape"
    examples: ClassVar = ()


def test_every_layer_without_a_form_is_refused_by_name() -> None:
    network = graph({"x": (3, 4, 4)}, [("a", Odd(), ("x",)), ("b", registry()["ReLU"](), ("a",)), ("c", Odd(), ("b",))])
    with pytest.raises(CnnError) as caught:
        build(network)
    assert [d.id for d in caught.value.diagnostics] == ["unsupported-by-backend"] * 2
    assert [d.message for d in caught.value.diagnostics] == [
        f"the tvm back end has no form of `Odd` (at `{n}`)" for n in "ac"
    ]


def test_an_unknown_target_is_refused() -> None:
    network = parse_text("input 3×4×4\nReLU").graph
    for target in ("cuda", "llvm:pentium9"):
        with pytest.raises(CnnError, match="unknown-target"):
            build(network, target=target)
