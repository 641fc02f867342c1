"""From a network and examples to a quantised network: `cnndsl/calibration/`, all but the reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cnndsl import parse
from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
from cnndsl.backends.pytorch.live.inference import outputs as float_outputs
from cnndsl.backends.tvm.plan.quantized import tied
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork, quantized_network
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.calibration.calibrate import Quantized, quantize, rounded
from cnndsl.calibration.correction import corrected
from cnndsl.calibration.ranges import FloatNetwork, observe
from cnndsl.calibration.reference import Reference, outputs
from cnndsl.calibration.report import QuantizationReport
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph

TEXT = """input image: 3×12×12
stem: Conv3x3(8) → BN → ReLU6
→ mid: Conv3x3(8, groups=2) → BN → SiLU
→ cat{ id | wide: Conv1x1(4) } → MaxPool → Flatten → head: FC(5)"""
GRAPH = parse(TEXT, "small").graph
WEIGHTS = drawn_weights(GRAPH, 0)


def examples(count: int, seed: int = 0, graph: Graph = GRAPH) -> dict[str, np.ndarray]:
    """Drawn inputs, as many as wanted."""
    draw = np.random.default_rng(seed)
    return {i.name: draw.standard_normal((count, *i.type.shape)).astype(np.float32) for i in graph.inputs}


@pytest.fixture(scope="module")
def found() -> Quantized:
    return quantize(GRAPH, WEIGHTS, examples(16), examples(12, 1))


def means(network: QuantizedNetwork, inputs: dict[str, np.ndarray], name: str) -> np.ndarray:
    """The mean of each channel of a group's result, as real numbers."""
    reference, seen = Reference(network), {}
    reference.run(
        {key: torch.from_numpy(array) for key, array in inputs.items()},
        lambda group, value: seen.update({group.name: reference.real(group.name, value).double()}),
    )
    found: np.ndarray = seen[name].transpose(0, 1).flatten(1).mean(1).numpy()
    return found


def test_scales_cover_what_the_examples_show_and_zero(found: Quantized) -> None:
    scale = found.quantization.maps["image"]
    x = examples(16)["image"]
    low, high = -scale.zero_point * scale.scale, (255 - scale.zero_point) * scale.scale
    # Zero points are even, so that an end may lie two steps beyond.
    assert scale.zero_point % 2 == 0
    assert abs(low - x.min()) <= 2 * scale.scale
    assert abs(high - x.max()) <= 2 * scale.scale
    stem = found.quantization.maps["2"]
    assert (stem.zero_point, stem.scale * 255 <= 6.0001) == (0, True)


def test_parts_of_a_concatenation_have_one_scale_with_their_whole(found: Quantized) -> None:
    network = quantized_network(GRAPH, found.quantization)
    sets = tied(network.program, network.groups)
    assert sets
    for names in sets:
        assert len({found.quantization.maps[name] for name in names}) == 1


def test_weights_in_whole_numbers_take_the_place_of_those_in_float32(found: Quantized) -> None:
    """The batch norms are in them, and nothing of these is left."""
    assert found.quantization.weights.keys() == {"stem", "mid", "wide", "head"}
    assert not found.quantization.floats
    kept = quantize(GRAPH, WEIGHTS, examples(4), {}, keep=("mid",)).quantization
    assert sorted({key.split(".")[0] for key in kept.floats}) == ["1", "4", "mid"][1:]


def test_bias_correction_makes_the_means_of_a_product_those_in_float32() -> None:
    """Also of a layer behind another that was corrected; without it the last mean is off by more."""
    program = program_of(GRAPH, WEIGHTS)
    inputs = examples(16)
    seen = observe(FloatNetwork(program), inputs)
    plain = rounded(GRAPH, WEIGHTS, program, seen, frozenset())
    right = corrected(plain, program, seen, inputs)
    truth = seen.means["head"]
    assert np.abs(means(right, inputs, "head") - truth).max() < 1e-5
    assert np.abs(means(plain, inputs, "head") - truth).max() > 1e-3


def test_the_report_says_how_far_the_outputs_are_off(found: Quantized) -> None:
    report, held_out = found.report, examples(12, 1)
    truth = float_outputs(GRAPH, WEIGHTS, held_out, "float32")["head"].astype(np.float64)
    answer = outputs(GRAPH, found.quantization, held_out)["head"].astype(np.float64)
    noise = answer - truth
    truth, noise = truth - truth.mean(1, keepdims=True), noise - noise.mean(1, keepdims=True)
    assert report.error == pytest.approx(np.sqrt((noise**2).sum() / (truth**2).sum()), rel=0.05)
    assert report.sqnr_db == pytest.approx(-20 * np.log10(report.error))
    assert (report.pictures, report.measured, report.held_out) == (16, 12, True)
    assert report.agreement == np.mean(truth.argmax(1) == answer.argmax(1))
    assert [layer.name for layer in report.layers if layer.high is None] == ["head"]
    assert QuantizationReport.model_validate_json(report.to_json()) == report


def test_histograms_count_every_result(found: Quantized) -> None:
    stem = found.report.layers[0]
    assert (stem.name, stem.layers) == ("stem", ("Conv", "ReLU6"))
    assert stem.histogram is not None
    assert sum(stem.histogram) == 12 * 8 * 12 * 12


def test_the_worst_layers_stay_in_float32_until_the_error_is_small_enough(found: Quantized) -> None:
    target = found.report.error * 0.7
    kept = quantize(GRAPH, WEIGHTS, examples(16), examples(12, 1), max_error=target)
    assert kept.report.error <= target
    assert 0 < len(kept.report.kept) < 4
    assert sorted(layer.name for layer in kept.report.layers if layer.kept) == list(kept.report.kept)


def test_a_block_is_kept_by_its_name_and_what_does_not_exist_is_told() -> None:
    graph = parse(
        "block Pair(n) { a: Conv1x1(n) → b: Conv1x1(n) }\ninput 3×4×4\nfirst: Pair(4) → second: Pair(2)"
    ).graph
    table = quantize(graph, drawn_weights(graph, 0), examples(2, 0, graph), {}, keep=("first",)).quantization
    assert table.keep == {"first.a", "first.b"}
    for name, said in (("frist", "did you mean `first.b`?"), ("1", "keep that layer")):
        with pytest.raises(CnnError) as error:
            quantize(
                GRAPH if name == "1" else graph,
                WEIGHTS if name == "1" else drawn_weights(graph, 0),
                {},
                {},
                keep=(name,),
            )
        (diagnostic,) = error.value.diagnostics
        assert (diagnostic.id, diagnostic.help) == ("no-such-layer", said)


def test_a_network_without_products_is_refused() -> None:
    graph = parse("input 3×4×4\nReLU → MaxPool").graph
    with pytest.raises(CnnError) as error:
        quantize(graph, {}, examples(2, 0, graph), {})
    assert [d.id for d in error.value.diagnostics] == ["nothing-to-quantize"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: replace(t, maps={n: s for n, s in t.maps.items() if n != "image"}), "no scale for the tensor `image`"),
        (lambda t: replace(t, maps={**t.maps, "nobody": t.maps["image"]}), "the tensor `nobody`"),
        (lambda t: replace(t, weights={n: w for n, w in t.weights.items() if n != "mid"}), "weight of `mid`"),
        (lambda t: replace(t, weights={**t.weights, "mid": t.weights["stem"]}), "`mid` has another shape"),
        (lambda t: replace(t, keep=frozenset({"nobody"})), "`nobody`, which the quantised network keeps"),
        (lambda t: replace(t, maps={n: replace(s, scale=s.scale * (1 + (n == "wide"))) for n, s in t.maps.items()}), "same numbers"),
    ],
)  # fmt: skip
def test_a_table_of_another_network_is_refused(found: Quantized, change: object, said: str) -> None:
    assert callable(change)
    with pytest.raises(CnnError) as error:
        quantized_network(GRAPH, change(found.quantization))
    assert any(said in d.message for d in error.value.diagnostics)
    assert {d.id for d in error.value.diagnostics} <= {"wrong-quantization", "missing-weight"}


def test_drawn_inputs_are_enough_to_quantise_any_network() -> None:
    """Layers with two outputs, tokens and attention: what is not computed on whole numbers stays in float32."""
    graph = parse(
        "input 3×8×8\nConv4x4(16, stride=4, pad=valid) → ToTokens → LN → Attention(2) → GlobalAvgPool → FC(3)"
    ).graph
    weights, inputs = drawn_weights(graph, 0), drawn_inputs(graph, 0)
    found = quantize(graph, weights, inputs, {})
    assert found.report.error < 0.1
    assert not found.report.held_out
