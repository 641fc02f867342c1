"""Guards `ops/`. Layers against those of torchvision and against their published formulas."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnndsl.analyses.receptive_field import receptive_fields
from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.pytorch.writing.source import to_source
from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import parse_text
from tests.oracle import torchvision_models


def module_of(text: str) -> nn.Module:
    return to_torch(parse_text(text).graph)


def filled(module: nn.Module) -> nn.Module:
    """The module with random weights."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return module


def keys(text: str) -> dict[str, tuple[int, ...]]:
    return {entry.key: entry.weight.shape for entry in parse_text(text).graph.weights}


def refusal(text: str) -> Any:
    with pytest.raises(CnnError) as caught:
        parse_text(text)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_frozen_bn_is_torchvisions() -> None:
    torchvision_models()
    from torchvision.ops import FrozenBatchNorm2d

    theirs, ours = filled(FrozenBatchNorm2d(5)), module_of("input 5×4×6\nbn: FrozenBN")
    ours.load_state_dict({f"bn.{key}": value for key, value in theirs.state_dict().items()})
    assert list(ours.state_dict()) == [f"bn.{key}" for key in theirs.state_dict()]
    assert not list(ours.parameters())
    x = torch.randn(2, 5, 4, 6)
    torch.testing.assert_close(ours.train()(x), theirs.train()(x))


def test_ln_on_a_map_is_torchvisions_layer_norm_2d() -> None:
    torchvision_models()
    from torchvision.models.convnext import LayerNorm2d

    theirs, ours = filled(LayerNorm2d(5, eps=1e-6)), module_of("input 5×4×6\nn: LN(1e-6)")
    ours.load_state_dict({f"n.{key}": value for key, value in theirs.state_dict().items()})
    x = torch.randn(2, 5, 4, 6)
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("p", [0.0, 0.25, 1.0])
def test_drop_path_is_torchvisions_stochastic_depth(p: float) -> None:
    torchvision_models()
    from torchvision.ops import StochasticDepth

    theirs, ours = StochasticDepth(p, "row"), module_of(f"input 3×4×5\nDropPath({p})")
    x = torch.randn(4000, 3, 4, 5)
    for mode in (True, False):
        # Each example is either gone or whole, and grown by the share that is left.
        shares = [(module.train(mode)(x) / x).flatten(1) for module in (theirs, ours)]
        assert all(torch.allclose(share.amin(1), share.amax(1)) for share in shares)
        assert {round(v, 3) for v in shares[0].flatten().tolist()} == {
            round(v, 3) for v in shares[1].flatten().tolist()
        }
        assert abs(float((shares[1][:, 0] == 0).float().mean()) - (p if mode else 0)) < 0.03


def test_std_conv_is_bits() -> None:
    module = filled(module_of("input 3×7×7\nc: StdConv3x3(6, 2, groups=3, eps=1e-10)"))
    w, x = module.c.weight, torch.randn(2, 3, 7, 7)
    v, m = torch.var_mean(w, dim=[1, 2, 3], keepdim=True, unbiased=False)
    expected = functional.conv2d(x, (w - m) / torch.sqrt(v + 1e-10), module.c.bias, 2, 1, 1, 3)
    torch.testing.assert_close(module(x), expected, rtol=1e-5, atol=1e-5)


def test_std_conv_with_a_gain_is_nfnets() -> None:
    module = filled(module_of("input 3×7×7\nc: StdConv3x3(6, 2, groups=3, eps=1e-6, gain=true, gamma=1.7)"))
    assert list(module.state_dict()) == ["c.weight", "c.bias", "c.gain"]
    w, x = module.c.weight, torch.randn(2, 3, 7, 7)
    assert module.c.gain.shape == (6, 1, 1, 1)
    # As timm writes it: batch norm with the output channels for channels.
    factor = module.c.gain.flatten() * 1.7 * w[0].numel() ** -0.5
    w = functional.batch_norm(w.reshape(1, 6, -1), None, None, factor, training=True, eps=1e-6).reshape_as(w)
    torch.testing.assert_close(module(x), functional.conv2d(x, w, module.c.bias, 2, 1, 1, 3), rtol=1e-5, atol=1e-5)


def test_hard_sigmoid_has_the_slope_that_is_asked_for() -> None:
    x = torch.linspace(-4, 4, 17).reshape(1, 17)
    assert torch.equal(module_of("input 17\nHardSigmoid(1/6)")(x), functional.hardsigmoid(x))
    assert torch.equal(module_of("input 17\nHardSigmoid(0.2)")(x), (0.2 * x + 0.5).clamp(0, 1))


def test_pixels_are_shuffled_in_the_order_of_either_framework() -> None:
    x, r = torch.randn(2, 12, 3, 4), 2
    assert torch.equal(module_of("input 12×3×4\nPixelShuffle(2)")(x), functional.pixel_shuffle(x, r))
    # ONNX's definition of DepthToSpace in mode DCR.
    pixels = x.reshape(2, r, r, 3, 3, 4).permute(0, 3, 4, 1, 5, 2).reshape(2, 3, 6, 8)
    assert torch.equal(module_of("input 12×3×4\nPixelShuffle(2, dcr)")(x), pixels)


def test_grn_is_convnext_v2s() -> None:
    module, x = filled(module_of("input 5×3×4\nPermute(1, 2, 0) → g: GRN")), torch.randn(2, 5, 3, 4)
    last = x.permute(0, 2, 3, 1)
    length = torch.norm(last, p=2, dim=(1, 2), keepdim=True)
    share = length / (length.mean(dim=-1, keepdim=True) + 1e-6)
    torch.testing.assert_close(module(x), module.g.weight * (last * share) + module.g.bias + last)


def test_blur_pool_convolves_with_the_binomial_filter() -> None:
    impulse = torch.zeros(1, 1, 9, 9)
    impulse[0, 0, 4, 4] = 16
    blurred = module_of("input 1×9×9\nBlurPool(1)")(impulse)
    assert blurred[0, 0, 3:6, 3:6].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    # The edge is reflected: row -1 is row 1.
    edge = torch.zeros(1, 1, 9)
    edge[0, 0, 1] = 4
    assert module_of("input 1×9\nBlurPool")(edge)[0, 0, :2].tolist() == [2, 1]
    for window, size in ((3, 9), (4, 9), (5, 10), (2, 7)):
        module = module_of(f"input 2×{size}×{size}\nBlurPool(window={window})")
        torch.testing.assert_close(module(torch.ones(1, 2, size, size)), torch.ones(1, 2, -(-size // 2), -(-size // 2)))
        assert not module.state_dict()


def test_sep_conv_is_two_convolutions() -> None:
    assert keys("input 3×8×8\nc: SepConv3x3(6)") == {
        "c.depthwise.weight": (3, 1, 3, 3),
        "c.depthwise.bias": (3,),
        "c.pointwise.weight": (6, 3, 1, 1),
        "c.pointwise.bias": (6,),
    }
    assert list(keys("default Conv(bias=false)\ninput 3×8×8\nc: SepConv3x3(6)")) == [
        "c.depthwise.weight",
        "c.pointwise.weight",
    ]
    module = filled(module_of("input 3×8×8\nc: SepConv3x3(6, 2)"))
    x = torch.randn(2, 3, 8, 8)
    parts = module.c
    expected = functional.conv2d(x, parts["depthwise"].weight, parts["depthwise"].bias, 2, 1, 1, 3)
    expected = functional.conv2d(expected, parts["pointwise"].weight, parts["pointwise"].bias)
    torch.testing.assert_close(module(x), expected)


@pytest.mark.parametrize(
    ("layer", "shape"), [("LayerScale", (4, 1, 1)), ("ToTokens → LayerScale", (4,)), ("Scale(3)", ())]
)
def test_one_tensor_has_its_label_for_a_key(layer: str, shape: tuple[int, ...]) -> None:
    *before, layer = layer.split(" → ")
    assert keys(f"input 4×5×6\n{' → '.join([*before, f'gamma: {layer}'])}") == {"gamma": shape}


@pytest.mark.parametrize(
    ("layer", "value"),
    [("PReLU", 0.25), ("PReLU(init=0.5)", 0.5), ("LayerScale", 1e-6), ("Scale(0)", 0), ("L2Norm", 20)],
)
def test_first_values(layer: str, value: float) -> None:
    graph = parse_text(f"input 3×4×4\nl: {layer}").graph
    names: dict[str, Any] = {"__name__": "generated"}
    exec(to_source(graph), names)
    written = [v for v in names.values() if isinstance(v, type) and v.__module__ == "generated"][-1]()
    (array,) = initial_weights(graph, 0).values()
    for tensor in (*to_torch(graph).parameters(), *written.parameters(), torch.tensor(array)):
        torch.testing.assert_close(tensor.detach(), torch.full(tensor.shape, value, dtype=torch.float32))


def test_embeddings_begin_normal() -> None:
    graph = parse_text("input words: 5 of int64\ne: Embedding(500, 64)").graph
    for array in (initial_weights(graph, 0)["e.weight"], to_torch(graph).e.weight.detach().numpy()):
        assert abs(float(np.mean(array))) < 0.02
        assert abs(float(np.std(array)) - 1) < 0.02


def test_normalize_takes_no_position() -> None:
    text = "input 3×4×4\nNormalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.4]) → Conv3x3(2)"
    assert list(keys(text)) == ["0.weight", "0.bias"]
    module = module_of("input 3×4×4\nNormalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.4])")
    x = torch.rand(1, 3, 4, 4)
    expected = (x - torch.tensor([0.4, 0.5, 0.6])[:, None, None]) / torch.tensor([0.2, 0.3, 0.4])[:, None, None]
    torch.testing.assert_close(module(x), expected)


def test_what_a_transposed_convolution_sees() -> None:
    field = receptive_fields(parse_text("input 3×8×8\nConvT4x4(3, 2, pad=1) as up").graph)["0"]
    assert field is not None
    assert (field.size, field.stride, field.state) == ((2, 2), (Fraction(1, 2),) * 2, "unaligned")
    plain = receptive_fields(parse_text("input 3×8×8\nConvT3x3(3, pad=1)").graph)["0"]
    assert plain is not None
    assert (plain.size, plain.start, plain.state) == ((3, 3), (-1, -1), "exact")


@pytest.mark.parametrize(
    ("text", "id", "part"),
    [
        ("input 3×4×4\nGLU", "shape-mismatch", "3 arrive"),
        ("input 6×4×4\nGN(4)", "groups-mismatch", "4 groups"),
        ("input 6×1×1\nIN", "shape-mismatch", "by itself"),
        ("input 6\nGRN", "wrong-rank", "a vector of 6"),
        ("input 6\nGlobalMaxPool", "wrong-rank", "a vector of 6"),
        ("input 6\nEmbedding(5, 4)", "wrong-type", "float32"),
        ("input 6 of int64\nReLU", "wrong-type", "int64"),
        ("input 3×4×4\nNormalize([1, 2], 1)", "shape-mismatch", "2 numbers, and 3 channels"),
        ("input 3×4×4\nNormalize(0, 0)", "out-of-range", "above 0"),
        ("input 3×4×4\nNormalize(true, 1)", "wrong-type", "a number"),
        ("input 3×4×4\nConvT(4)", "missing-argument", "window"),
        ("input 3×4×4\nConvT3x3(4, 2, output_pad=2)", "out-of-range", "output_pad"),
        ("input 3×4×4\nConvT3x3(4, pad=causal)", "out-of-range", "causal"),
        ("input 3×1×1\nConvT3x3(4, pad=2)", "out-of-range", "everything"),
        ("input 3×4×4\nConvT3x3(4, groups=2)", "groups-mismatch", "3 input channels"),
        ("input 3×4×4\nSepConv(4)", "missing-argument", "window"),
        ("input 3×4×4\nStdConv(4)", "missing-argument", "window"),
        ("input 3×2×2\nBlurPool5x5", "window-too-large", "reflect 2 rows"),
        ("input 3×4×4\nMean(3)", "out-of-range", "no axis 3"),
        ("input 3×4×4\nMean(1, 1)", "out-of-range", "at most once"),
        ("input 3×4×4\nDropPath(2)", "out-of-range", "at most 1"),
        ("input 3×4×4\nGELU(sigmoid)", "unknown-name", "sigmoid"),
        ("input 3×4×4\nReorder(2, 1)", "out-of-range", "no order of 3 channels"),
        ("input 3×4×4\nClip(1, -1)", "out-of-range", "between 1.0 and -1.0"),
    ],
)
def test_refusals_say_what_was_found(text: str, id: str, part: str) -> None:
    diagnostic = refusal(text)
    assert (diagnostic.id, part in diagnostic.message) == (id, True), diagnostic
    assert diagnostic.help
