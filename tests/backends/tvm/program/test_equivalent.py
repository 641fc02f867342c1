"""Guards `backends/tvm/program/equivalent.py`. Layers that with known weights are other layers, and their
activations in the same kernel.
"""

from __future__ import annotations

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import relative_error
from tests.few import few

pytestmark = pytest.mark.tvm


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        (
            "input 8×9×11\nSepConv3x3(20, bias=false) → BN → GELU",
            [("Conv", []), ("Conv", ["GELU"])],
        ),
        (
            "input 8×9×11\nStdConv3x3(20, 2) → BN → HardSwish → StdConv1x1(5) → Mish",
            [("Conv", ["HardSwish"]), ("Conv", ["Mish"])],
        ),
        (
            "input 6×5×7\nLinear(12) → ELU → GlobalMaxPool → Flatten → Linear(4) → Softplus",
            [("Conv", ["ELU"]), ("GlobalMaxPool", []), ("Flatten", []), ("FC", ["Softplus"])],
        ),
        (
            "input 10×5×7\nConvT2x2(6, stride=2) → LeakyReLU(0.2)",
            [("Conv", []), ("PixelShuffle", []), ("LeakyReLU", [])],
        ),
        (
            "input 10×5×7\nConvT3x3(6, stride=2, pad=1, output_pad=1)",
            [("Conv", []), ("PixelShuffle", []), ("Slice", []), ("Slice", [])],
        ),
        ("input 10×5×7\nConvT3x3(6, stride=2, groups=2)", [("ConvT", [])]),
    ],
)
def test_each_part_has_a_kernel(text: str, groups: list[tuple[str, list[str]]]) -> None:
    network = parse_text(text).graph
    found = plan(program_of(network, drawn_weights(network, 0)))
    assert [(g.anchor.op.word, [step.op.word for step in g.tail]) for g in found] == groups
    assert relative_error(network, batch=2, count=2) < 1e-5


@pytest.mark.parametrize(
    "layer",
    few(
        [
            "ConvT5x5(5, 2, pad=same, output_pad=1)",
            "ConvT3x5(5, 3, pad=((0, 1), (2, 0)))",
            "ConvT1x1(5, 3)",
            "ConvT3x3(5, 2, dilation=2)",
            "ConvT4x4(5, 2, pad=1)",
            "ConvT2x2(5, 3, pad=same_tf)",
            "ConvT7x7(5, 2, pad=same_tf, bias=false)",
            "ConvT2x2(5, 2, output_pad=1)",
            "ConvT2x2(5, stride=(2, 1))",
        ],
        4,
    ),
)
def test_transposed_convolutions_of_every_geometry(layer: str) -> None:
    assert relative_error(parse_text(f"input 6×5×7\n{layer} → ReLU").graph, batch=2, count=2) < 1e-5


def test_a_network_of_many_kinds() -> None:
    text = """
    block Unit(c) {
      add{ id | DWConv7x7 → LN(1e-6) → Permute(1, 2, 0) → Linear(4 * c) → GELU → GRN → Linear(c) → Permute(2, 0, 1)
             → layer_scale: LayerScale(0.5) → DropPath(0.1) }
    }
    input 3×32×32
    Normalize([0.48, 0.45, 0.4], [0.2, 0.22, 0.25]) → Conv4x4(24, 4, pad=0) → LN → Unit(24) as low
    → BlurPool → StdConv3x3(40) → GN(4) → Mish → SepConv3x3(40) → PReLU → SELU → CELU(0.5) → LRN(5) → IN(affine=true)
    → ConvT2x2(24, stride=2) → FrozenBN → HardSigmoid → cat{ low | id } → Conv1x1(32) → GLU → L2Norm → gain: Scale(2)
    → AdaptiveMaxPool(3) → LPPool(2) → Mean(1, 2) → RMSNorm → Linear(10) → LogSoftmax
    """
    assert relative_error(parse_text(text).graph, batch=2, count=3) < 2e-5


def test_an_index_beyond_the_words_gives_nan() -> None:
    network = parse_text("input words: 4 of int64\nEmbedding(9, 2)").graph
    (found,) = build(network)(np.array([[8, 9, -1, 0]]))
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True, False]
