"""Guards `backends/tvm/emitters/resampling.py` and `backends/tvm/kernels/resample.py`. Cuts, padding, upsampling,
averages, pixel shuffles: PyTorch's numbers.
"""

from __future__ import annotations

import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.plan.taps import find_taps
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import relative_error
from tests.few import few

pytestmark = pytest.mark.tvm

LAYERS = [
    "Upsample",
    "Upsample(3, bilinear)",
    "Upsample(size=(7, 17), mode=bilinear, align=true)",
    "Upsample((1, 1.7))",
    "Upsample(1.5, bicubic)",
    "Upsample(size=(3, 2), mode=bilinear)",
    "Crop(size=(3, 7))",
    "Slice(1, 4, axis=1)",
    "Slice(2, 3, axis=2)",
    "Pad(((0, 1), (2, 0)))",
    "Pad((1, 2), reflect)",
    "Pad(2, replicate)",
    "Pad(((3, 1), (0, 2)), circular)",
    "AvgPool3x3(1, 1, count_pad=false)",
    "AvgPool3x3(2, 1, ceil=true)",
    "AvgPool3x3(2, ceil=true)",
    "AvgPool2x3(2, pad=1, count_pad=false, ceil=true)",
    "AdaptiveAvgPool((3, 4))",
    "AdaptiveAvgPool((7, 5))",
]


@pytest.mark.parametrize("layer", few(LAYERS, {2, 4, 6, 7, 9, 10, 12, 13, 15, 18}))
def test_layers_between_convolutions(layer: str) -> None:
    text = f"input 3×5×9\nConv3x3(20) → {layer} as middle → Conv1x1(17) as y\noutput middle, y"
    network = parse_text(text).graph
    steps = [g.anchor for g in plan(program_of(network, drawn_weights(network, 0)))]
    assert [find_taps(step) is not None for step in steps] == [False, True, False]
    assert relative_error(network, batch=2, count=2) < 1e-5


@pytest.mark.parametrize(
    "text",
    [
        "input 3×23\nConv5(18) → Upsample(2, linear) → Conv3(4) → Pad(2) → Crop(size=20)",
        "input 2×4×6×5\nConv3x3x3(20) → Upsample((1, 2, 2)) → Conv3x3x3(4, pad=valid) → Crop(size=(2, 3, 1))",
        # Transposed convolutions beside what they are joined with, as in a U-Net.
        "input 3×9×11\nConv3x3(33, pad=valid) as e → MaxPool as p\n"
        "r = p → ConvT2x2(17, stride=2)\ny = cat{ e → Crop(like=r) | r } → Conv3x3(5)\noutput y",
        "input 40×3×4\nConv1x1(32) → ConvT2x2(16, stride=2) → ConvT3x3(32, stride=2, pad=1) → Conv1x1(3)",
        "input 3×4×5\nConv3x3(72) → PixelShuffle(2) → Conv1x1(144) → PixelShuffle(3) as y → Conv1x1(2) as z\noutput y, z",
        "input 4×5×5\nConv1x1(16) → Pad(1) → AvgPool3x3(1, 1, count_pad=false)",
    ],
)
@pytest.mark.parametrize(("batch", "target"), few([(2, "llvm"), (1, "llvm:x86-64-v3")], 1))
def test_networks(text: str, batch: int, target: str) -> None:
    assert relative_error(parse_text(text).graph, batch=batch, count=batch, target=target) < 1e-5
