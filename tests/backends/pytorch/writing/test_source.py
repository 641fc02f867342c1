"""Guards `pytorch/writing`: the written module has the live one's state dict and values, and its Python stands alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.pytorch.writing.source import to_source
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ops.conv import Conv
from cnndsl.ops.relu import ReLU
from cnndsl.pipeline import load, parse_text
from tests.backends.pytorch.programs import PROGRAMS
from tests.graphs import graph


def made(text: str, **arguments: int) -> nn.Module:
    """An instance of the last class of a generated file."""
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, "generated.py", "exec"), names)
    classes = [value for value in names.values() if isinstance(value, type) and value.__module__ == "generated"]
    module = classes[-1](**arguments)
    assert isinstance(module, nn.Module)
    return module


def agrees(network: Graph) -> nn.Module:
    """Checks keys, order, shapes and, in both modes, values; gives the module that the text makes."""
    module, live = made(to_source(network)), to_torch(network)
    state = module.state_dict()
    expected = [(e.key, e.weight.shape) for e in network.weights]
    assert [(key, tuple(value.shape)) for key, value in state.items()] == expected
    assert [(key, tuple(value.shape)) for key, value in live.state_dict().items()] == expected
    live.load_state_dict(state)
    inputs = [torch.randn(2, *i.type.shape) for i in network.inputs]
    for training in (False, True):
        results = []
        for each in (live.train(training), module.train(training)):
            torch.manual_seed(0)
            results.append(each(*inputs))
        first, second = results
        assert type(first) is type(second)
        if isinstance(first, dict):
            assert list(first) == list(second)
            assert all(torch.equal(first[key], second[key]) for key in first)
        else:
            assert torch.equal(first, second)
    return module


@pytest.mark.parametrize("name", PROGRAMS)
def test_text_is_the_live_module(name: str) -> None:
    network = parse_text(PROGRAMS[name]).graph
    agrees(network)
    assert to_source(network) == to_source(parse_text(PROGRAMS[name]).graph)


def test_resnet_reads_as_written_by_hand() -> None:
    text = to_source(load("resnet50").graph)
    assert [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)] == ["Bottleneck", "Resnet50"]
    assert "def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:" in text
    assert (
        "        if stride != 1 or in_channels != 4 * channels:\n            self.downsample = nn.Sequential(" in text
    )
    assert "self.conv3 = nn.Conv2d(channels, 4 * channels, 1, bias=False)" in text
    assert "return self.relu(out + self.downsample(x))" in text
    assert "Bottleneck(1024, 512, stride=2), Bottleneck(2048, 512), Bottleneck(2048, 512)" in text


def test_a_condition_on_the_stride_says_where_a_shortcut_is() -> None:
    block = "block Unit(s) { add{ conv: Conv3x3(8, stride=s) | down: [Conv1x1(8, stride=s) → BN] if s ≠ 1 else id } }"
    text = to_source(parse_text(f"{block}\ninput 8×16×16\na: Unit(1) → b: Unit(2) → c: Unit(1)").graph)
    assert "        if stride != 1:\n" in text
    assert "down: bool" not in text


def test_arguments_have_the_names_of_pytorch() -> None:
    text = to_source(load("efficientnet_b0").graph)
    for argument in ("in_channels: int", "out_channels: int", "kernel_size: int", "stride: int = 1", "groups: int = 1"):
        assert f"        {argument},\n" in text
    assert "padding=kernel_size // 2," in text
    assert "Unit(6 * in_channels, 6 * in_channels, kernel_size, stride=stride, groups=6 * in_channels)" in text


def test_arguments_without_a_clear_name_have_that_of_the_blocks_parameter() -> None:
    text = to_source(load("efficientnet_b0").graph)
    assert "MBConv(80, 80, kernel_size=3, squeezed=20, dropped=0.075)" in text
    text = to_source(load("inception_v3").graph)
    assert "class InceptionC(nn.Module):\n    def __init__(self, narrow: int) -> None:" in text
    assert "class InceptionA(nn.Module):\n    def __init__(self, in_channels: int, pooled: int) -> None:" in text


def test_a_block_that_adds_only_where_it_can_is_one_class_with_a_condition() -> None:
    text = to_source(load("mobilenet_v2").graph)
    assert "        self.adds = stride == 1 and in_channels == out_channels\n" in text
    assert "        if self.adds:\n            out = out + x\n        return out\n" in text


def test_classes_of_one_block_are_called_after_what_tells_them_apart() -> None:
    heads = to_source(load("retinanet_resnet50_fpn").graph)
    assert "class ClassificationHead(nn.Module)" in heads
    assert "class RegressionHead(nn.Module)" in heads
    assert "class MBConvExpansion1(nn.Module)" in to_source(load("efficientnet_b0").graph)


def test_a_long_call_that_is_repeated_is_broken_as_a_person_breaks_it() -> None:
    wide = "block W(number_of_middle_channels) { a: Conv1x1(number_of_middle_channels) → b: Conv1x1(64) }"
    calls = " → ".join(f"a{i}: [W({8 * i + 8}) → W({8 * i + 16})×4]" for i in range(3))
    network = parse_text(f"{wide}\ninput 64×8×8\n{calls}").graph
    agrees(network)


def test_chains_that_differ_in_their_activation_are_one_class() -> None:
    text = to_source(load("mobilenet_v3_small").graph)
    assert "        activation_layer: type[nn.Module] = nn.Hardswish,\n" in text
    assert "activation_layer=nn.ReLU)" in text
    assert "activation_layer=nn.Identity)" in text
    assert "class Unit2" not in text


def test_parts_with_numbers_for_names_are_reached_without_getattr() -> None:
    text = to_source(load("convnext_tiny").graph)
    assert 'x = self["2"](self["0"](x).permute(0, 2, 3, 1))' in text
    assert "getattr" not in text
    assert "nn.Parameter(torch.full((channels, 1, 1), 1e-6))" in text


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "squeezenet1_1", "convnext_tiny", "vgg11"])
def test_the_number_of_classes_is_an_argument(name: str) -> None:
    network = load(name).graph
    shape = (2, *network.inputs[0].type.shape)
    with torch.device("meta"):
        module, usual = made(to_source(network), num_classes=7), made(to_source(network))
        results = module.train()(torch.zeros(shape))
    assert {tuple(value.shape) for value in (results.values() if isinstance(results, dict) else [results])} == {(2, 7)}
    sizes = [{key: value.shape for key, value in each.state_dict().items()} for each in (module, usual)]
    assert list(sizes[0]) == list(sizes[1])
    assert any(7 in shape for shape in sizes[0].values())
    assert not any(7 in shape and 1000 in shape for shape in sizes[0].values())


def test_what_is_no_classifier_has_no_classes() -> None:
    assert "num_classes" not in to_source(load("unet").graph)
    assert "num_classes" not in to_source(parse_text("input 8\nFC(5) → L2Norm").graph)


def test_vgg_is_a_sequential() -> None:
    text = to_source(load("vgg16").graph)
    assert text.count("nn.Sequential(") == 2
    assert "OrderedDict" not in text
    assert "Flatten" in text


def test_share_is_called_twice() -> None:
    text = to_source(parse_text(PROGRAMS["share"]).graph)
    assert text.count("self.head(") == 2
    assert text.count("self.head = ") == 1


def test_training_output_is_under_a_condition() -> None:
    text = to_source(parse_text(PROGRAMS["aux"]).graph)
    assert text.index("if self.training:") < text.index("aux = self.aux1(")
    module = agrees(parse_text(PROGRAMS["aux"]).graph)
    image = torch.randn(2, 3, 16, 16)
    assert list(module.train()(image)) == ["logits", "aux"]
    assert isinstance(module.eval()(image), torch.Tensor)


def test_file_runs_alone(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(to_source(load("resnet18").graph), "utf-8")
    done = subprocess.run([sys.executable, "-I", "-W", "error", str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "(1, 1000)\n"
    assert "cnndsl." not in file.read_text("utf-8").replace("generated by cnndsl.", "")


@pytest.mark.parametrize("name", [*PROGRAMS, "resnet18", "vgg16"])
def test_text_is_formatted(name: str, tmp_path: Path) -> None:
    network = parse_text(PROGRAMS[name]).graph if name in PROGRAMS else load(name).graph
    file = tmp_path / "net.py"
    file.write_text(to_source(network), "utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "format", "--isolated", "--line-length", "120", "--check", str(file)], check=True)
    subprocess.run([*ruff, "check", "--isolated", "--select", "E4,E7,E9,F,I,B,SIM", str(file)], check=True)


def test_title_cannot_leave_its_quotes() -> None:
    network = graph({"x": (2, 4, 4)}, [("a", ReLU(), ("x",))])
    evil = network.model_copy(update={"name": 'a"""\nimport os\n"""'})
    tree = ast.parse(to_source(evil))
    assert not any(isinstance(node, ast.Import) and node.names[0].name == "os" for node in ast.walk(tree))


def test_names_of_every_module_are_refused() -> None:
    network = graph({"x": (2, 4, 4)}, [("half", Conv(window=3), ("x",))])
    for compiled in (to_source, to_torch):
        with pytest.raises(CnnError, match="cannot call a layer `half`"):
            compiled(network)


class Gain(Op):
    """A layer that is one tensor."""

    word: ClassVar = "Gain"
    category: ClassVar = "normalization"
    one_tensor: ClassVar = True

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        return {"": Weight(shape=(xs[0].channels, 1, 1), init="ones")}

    def call_torch(self, torch: Any, module: Any, xs: tuple[TensorType, ...], *values: Any) -> Any:
        return values[0] * module


class Shift(Op):
    """A layer that torch has no module for."""

    word: ClassVar = "Shift"
    category: ClassVar = "normalization"

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        shape = (xs[0].channels, 1, 1)
        return {"by": Weight(shape=shape, init="uniform", bound=0.5), "seen": Weight(shape=shape, trained=False)}

    def call_torch(self, torch: Any, module: Any, xs: tuple[TensorType, ...], *values: Any) -> Any:
        return torch.relu(values[0] - module.by) / (1 + module.seen)


def test_weights_without_a_module_of_torch() -> None:
    network = graph(
        {"x": (4, 5, 5)},
        [
            ("0", Conv(channels=6, window=3), ("x",)),
            ("shift", Shift(), ("0",)),
            ("gain", Gain(), ("shift",)),
            ("last", Shift(), ("gain",)),
        ],
    ).model_copy(update={"modules": ("gain", "0", "shift", "last")})
    module = agrees(network)
    assert "class Shift(nn.Module)" in to_source(network)
    assert [name for name, _ in module.named_parameters()] == ["gain", "0.weight", "0.bias", "shift.by", "last.by"]
