"""Guards what layers become in a quantised network: every activation a table, every convolution products; attention and norms stay
in float32 between whole numbers, and everything before them has the bits of the reference."""

from __future__ import annotations

import numpy as np
import pytest

import cnndsl.ops  # noqa: F401  (fills the registry)
from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.plan.quantized import clamp_of
from cnndsl.backends.tvm.program.passes import as_written
from cnndsl.calibration import reference
from cnndsl.ir.graph import Graph
from cnndsl.ir.op import registry
from cnndsl.pipeline import parse_text
from cnndsl.verification import verify
from tests.backends.tvm.quantized.definition import drawn, input_of, outputs

pytestmark = pytest.mark.tvm


def activations() -> list[str]:
    """An example of every layer that gives each number from the number in its place, and does not only clamp."""
    found = []
    for word, op in sorted(registry().items()):
        example, shape = op.examples[0]
        if op.begins or "→" in example or "{" in example or not isinstance(shape, tuple) or len(shape) != 3:
            continue
        graph = parse_text(f"input {'×'.join(map(str, shape))}\n{example}").graph
        step = as_written(graph, drawn_weights(graph, 0)).steps[-1]
        if step.op.word == word and step.is_pointwise and clamp_of(step.op) is None and step.op.combines is None:
            found.append(example)
    return found


def kinds(graph: Graph) -> list[str]:
    return [group.kind for group in drawn(graph, 0).groups]


def test_every_activation_is_a_table_with_the_bits_of_the_definition() -> None:
    words = activations()
    assert len(words) > 15
    assert {"SiLU", "GELU", "Tanh", "Sigmoid"} <= {word.partition("(")[0] for word in words}
    graph = parse_text("input 4×5×3\n" + "".join(f"Conv1x1(4) → {word} → " for word in words) + "Conv1x1(3)").graph
    assert kinds(graph) == ["product", "table"] * len(words) + ["product"]
    network, inputs = drawn(graph, 3), input_of(graph, 2, seed=7)
    (expected,) = outputs(network, inputs).values()
    assert np.array_equal(build(graph, batch=2, quantization=network.quantization)(**inputs), expected)
    (found,) = reference.outputs(graph, network.quantization, inputs).values()
    assert np.array_equal(found, expected)


@pytest.mark.slow
def test_transposed_convolutions_of_pictures_are_products() -> None:
    graph = parse_text(
        "input 3×6×5\nConv3x3(8) → ReLU → ConvT4x4(8, stride=2, pad=1) → SiLU → ConvT3x3(6, stride=3) → Conv1x1(3)"
    ).graph
    assert "float" not in kinds(graph)
    network, inputs = drawn(graph, 1), input_of(graph, 1, seed=7)
    (expected,) = outputs(network, inputs).values()
    assert np.array_equal(build(graph, quantization=network.quantization)(**inputs), expected)


@pytest.mark.parametrize(
    "text",
    [
        "input 3×20\nConv5(8) → ReLU → ConvT4(8, stride=2, pad=1) → ReLU → Conv1(3)",
        "input 2×4×5×3\nConv3x3x3(6) → ReLU → ConvT2x2x2(8, stride=2) → ReLU → Conv1x1x1(3)",
        "input 3×6×5\nConv3x3(8) → ReLU → ConvT3x3(6, stride=3, groups=2) → ReLU → Conv1x1(3)",
    ],
)
def test_other_transposed_convolutions_stay_in_float32(text: str) -> None:
    assert kinds(parse_text(text).graph) == ["product", "float", "float", "product"]


BETWEEN = {
    "vit": "input 3×16×16\nConv4x4(16, stride=4, pad=valid) → ReLU → ToTokens"
    " → add{ id | LN → Attention(heads=2) } → add{ id | LN → Linear(32) → GELU → Linear(16) } → LN → Linear(5)",
    "convnext": "input 3×16×16\nConv4x4(16, stride=4, pad=valid) → LN"
    " → add{ id | DWConv7x7 → LN → Conv1x1(64) → GELU → Conv1x1(16) } → GlobalAvgPool → FC(5)",
    "softmax": "input 3×9×9\nConv3x3(16) → ReLU → mul{ id | Conv1x1(1) → Softmax } → Conv3x3(8) → ReLU → GlobalAvgPool → FC(5) → Softmax",
    "norms": "input 3×9×9\nConv3x3(16) → GN(4) → ReLU → Conv3x3(16) → IN → SiLU → Conv1x1(4)",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BETWEEN)
def test_what_stays_in_float32_stands_between_whole_numbers(name: str) -> None:
    graph = parse_text(BETWEEN[name], name).graph
    assert {"float", "product"} <= set(kinds(graph))
    assert [finding for finding in verify(graph, precision="int8") if not finding.agrees] == []
