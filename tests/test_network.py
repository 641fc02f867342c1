"""Guards `network.py`. The Python front door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import cnndsl
from cnndsl.pipeline import load

TEXT = "param classes: int = 10\ninput 3×16×16\nconv: Conv3x3(8) → ReLU → fc: FC(classes)\n"


def test_figures_are_those_of_the_summary() -> None:
    net = cnndsl.load("resnet18", classes=10)
    assert (net.name, net.params, net.macs) == ("resnet18", 11181642, 1813566464)
    assert net.receptive_field is not None
    assert (net.receptive_field.size, net.receptive_field.stride) == ((435, 435), (32, 32))
    assert net["layer1.0.conv1"].shape == (64, 56, 56)
    assert net["layer1.0.conv1"].params == 36864
    assert repr(net) == "<cnndsl network resnet18: 3×224×224 → 10, 11,181,642 parameters>"
    assert net.summary().totals.depth == 18


def test_an_unknown_layer_gets_the_nearest() -> None:
    with pytest.raises(KeyError, match=r"did you mean 'conv'"):
        cnndsl.parse(TEXT)["conv1"]


def test_a_file_its_model_and_another_input(tmp_path: Path) -> None:
    path = tmp_path / "two.cnn"
    path.write_text("model a { input 3×8×8 Conv3x3(4) }\nmodel b { input 3×8×8 Conv3x3(6) }\n", "utf-8")
    net = cnndsl.load(f"{path}:a", input=(3, 20, 24))
    assert net.graph.nodes[0].type.shape == (4, 20, 24)
    assert cnndsl.load(path, input="3x20x24").graph.nodes[0].type.shape == (6, 20, 24)


def test_errors_carry_their_diagnostics() -> None:
    with pytest.raises(cnndsl.CnnError) as caught:
        cnndsl.parse("input 3×8×8\nConv3x3(8, strides=2) → Relu")
    assert [d.id for d in caught.value.diagnostics] == ["unknown-argument", "unknown-layer"]
    with pytest.raises(cnndsl.CnnError, match="unknown-parameter"):
        cnndsl.parse(TEXT, clases=3)


def test_torch_and_tvm_say_the_same_of_one_state_dict() -> None:
    net = cnndsl.parse(TEXT, classes=7)
    module = net.to_torch().eval()
    package = net.to_tvm(target="llvm", weights=module.state_dict())
    x = np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype(np.float32)
    with torch.inference_mode():
        expected = module(torch.from_numpy(x)).numpy()
    assert expected.shape == (2, 7)
    np.testing.assert_allclose(package(x), expected, rtol=1e-5, atol=1e-6)


def test_a_state_dict_of_another_network_is_refused() -> None:
    weights = cnndsl.parse(TEXT, classes=7).to_torch().state_dict()
    with pytest.raises(cnndsl.CnnError, match=r"weight-mismatch.*fc\.weight"):
        cnndsl.parse(TEXT).to_tvm(weights=weights)


def test_json_comes_back_as_the_same_graph() -> None:
    net = cnndsl.load("lenet5")
    assert type(net.graph).model_validate_json(net.to_json()) == load("lenet5").graph


def test_unknown_names_of_the_package_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        cnndsl.lod  # noqa: B018
    assert {"load", "parse", "CnnError"} <= set(dir(cnndsl))
