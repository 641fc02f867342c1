"""Guards `ir/op.py`, its facts. What a layer says of itself to lints and back ends is so, as PyTorch computes it, and
nobody decides by the word of a layer instead."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.ir.graph import Graph, Input, Node, Output
from cnndsl.ir.op import Op, Tensors, registry
from cnndsl.ir.tensor import TensorType
from cnndsl.pipeline import parse_text

HOME = Path(__file__).resolve().parents[2] / "cnndsl"


def uses(says: Callable[[type[Op]], object], *, plain: bool = False) -> list[Any]:
    """Every op of which `says` holds as it stands in its examples, with the types of its inputs; only where its facts hold
    of it if `plain`."""
    return [
        pytest.param(node.op, graph.input_types(node), id=f"{word}-{index}")
        for word, op in sorted(registry().items())
        if says(op)
        for index, (text, shape) in enumerate(op.examples)
        for graph in [parse_text(f"input x: {'×'.join(map(str, shape))} of {op.dtype}\n{text}").graph]
        for node in graph.nodes
        if node.op.word == word and (node.op.is_plain or not plain)
    ]


def alone(op: Op, xs: Tensors) -> Graph:
    """A network of this op alone."""
    inputs = tuple(Input(name=f"x{index}", type=x) for index, x in enumerate(xs))
    node = Node(name="y", op=op, inputs=tuple(i.name for i in inputs), type=op.infer(xs), weights_of="y")
    return Graph(name="alone", inputs=inputs, nodes=(node,), outputs=(Output(name="y", node="y"),), modules=("y",))


def module_of(op: Op, xs: Tensors) -> Any:
    """The network of this op alone, in float64, with all its state random and variances above 0."""
    module = to_torch(alone(op, xs)).double()
    for tensor in module.state_dict().values():
        if tensor.dtype.is_floating_point:
            tensor.copy_(torch.rand(tensor.shape, generator=torch.Generator().manual_seed(3)) + 0.5)
    return module


def drawn(xs: Tensors) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [
        torch.randn(4, *x.shape, generator=generator, dtype=torch.float64)
        if x.dtype == "float32"
        else torch.randint(0, 3, (4, *x.shape), generator=generator)
        for x in xs
    ]


@pytest.mark.parametrize(("op", "xs"), uses(lambda op: op.fresh, plain=True))
def test_a_fresh_output_may_be_written_over(op: Op, xs: Tensors) -> None:
    module, values = module_of(op, xs).train(), [value.requires_grad_() for value in drawn(xs)]
    found = []
    for overwrite in (False, True):
        fed = [value * 1 for value in values]
        y = module(*fed)
        seen = y.detach().clone()
        if overwrite:
            y.add_(7)
        assert all(torch.equal(one, other) for one, other in zip(fed, values, strict=True))
        found.append([seen, *torch.autograd.grad(y.sum(), [*values, *module.parameters()])])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("op", "xs"), uses(lambda op: op.view))
def test_a_view_in_inference_is_the_memory_of_its_input(op: Op, xs: Tensors) -> None:
    (value,) = drawn(xs)
    assert module_of(op, xs).eval()(value).data_ptr() == value.data_ptr()


@pytest.mark.parametrize(("op", "xs"), uses(lambda op: op.combines, plain=True))
def test_a_merge_combines_numbers_of_the_same_place(op: Op, xs: Tensors) -> None:
    values = torch.stack(torch.broadcast_tensors(*drawn(xs)))
    expected = {
        "add": values.sum(0),
        "sub": values[0] - values[1:].sum(0),
        "mul": values.prod(0),
        "max": values.amax(0),
        "min": values.amin(0),
        "mean": values.mean(0),
    }[op.combines or ""]
    torch.testing.assert_close(module_of(op, xs)(*drawn(xs)), expected)


@pytest.mark.parametrize(("op", "xs"), uses(lambda op: op.scales_channels, plain=True))
def test_a_layer_that_scales_channels_says_by_which_numbers(op: Op, xs: Tensors) -> None:
    (x,), (value,), module = xs, drawn(xs), module_of(op, xs).eval()
    weights = {key.removeprefix("y").removeprefix("."): array.numpy() for key, array in module.state_dict().items()}
    scale, shift = (np.broadcast_to(number, (x.channels,)) for number in op.scale_and_shift(weights))
    expected = value * torch.tensor(scale).reshape(x.per_channel) + torch.tensor(shift).reshape(x.per_channel)
    torch.testing.assert_close(module(value), expected)


@pytest.mark.parametrize(("op", "xs"), uses(lambda op: op.subtracts_mean))
def test_a_bias_before_a_layer_that_subtracts_the_mean_does_nothing(op: Op, xs: Tensors) -> None:
    (x,), (value,), module = xs, drawn(xs), module_of(op, xs).train()
    bias = torch.arange(x.channels, dtype=torch.float64).reshape(x.per_channel)
    torch.testing.assert_close(module(value + bias), module(value))


@pytest.mark.parametrize(("op", "xs"), uses(lambda op: op.per_position, plain=True))
def test_a_norm_of_positions_divides_by_what_it_says(op: Op, xs: Tensors) -> None:
    (x,), (value,), module = xs, drawn(xs), module_of(op, xs).eval()
    axis, eps = x.channel_axis + 1, getattr(op, "eps", 0.0)
    mean, square = value.mean(axis, keepdim=True), value.square()
    expected = {
        "mean and variance": (value - mean) / (value.var(axis, correction=0, keepdim=True) + eps).sqrt(),
        "mean square": value / (square.mean(axis, keepdim=True) + eps).sqrt(),
        "length": value / square.sum(axis, keepdim=True).sqrt(),
        "softmax": value.exp() / value.exp().sum(axis, keepdim=True),
    }[op.per_position or ""]
    state = {key.removeprefix("y."): array for key, array in module.state_dict().items()}
    assert not state.keys() - {"weight", "bias"}
    for slot, array in sorted(state.items(), reverse=True):
        column = array.reshape(x.per_channel)
        expected = expected * column if slot == "weight" else expected + column
    torch.testing.assert_close(module(value), expected)


@pytest.mark.parametrize(("op", "xs"), uses(lambda op: op.never_negative))
def test_what_is_never_negative_is_not_and_only_what_rectifies_leaves_the_rest(op: Op, xs: Tensors) -> None:
    (value,), module = drawn(xs), module_of(op, xs).eval()
    value = 10 * (value.abs() if op.word == "Sqrt" else value)
    assert module(value).min() >= 0
    assert torch.equal(module(value), value.clamp(min=0)) == op.rectifies


@pytest.mark.parametrize(("op", "xs"), uses(lambda op: op.any_layout, plain=True))
def test_a_layer_of_any_layout_finds_the_channels_on_every_axis(op: Op, xs: Tensors) -> None:
    (x,), (value,), module = xs, drawn(xs), module_of(op, xs).eval()
    expected = module(value)
    for axis in range(len(x.shape)):
        turned = TensorType(shape=_moved(x.shape, x.channel_axis, axis), channel_axis=axis)
        other = module_of(op, (turned,)).eval()
        for key, array in module.state_dict().items():
            one_a_channel = array.numel() == x.channels
            moved = array if one_a_channel else array.reshape(x.shape).movedim(x.channel_axis, axis)
            other.state_dict()[key].copy_(moved.reshape(other.state_dict()[key].shape))
        found = other(value.movedim(x.channel_axis + 1, axis + 1))
        torch.testing.assert_close(found, expected.movedim(x.channel_axis + 1, axis + 1))


def _moved(shape: tuple[int, ...], start: int, stop: int) -> tuple[int, ...]:
    rest = [n for axis, n in enumerate(shape) if axis != start]
    return (*rest[:stop], shape[start], *rest[stop:])


@pytest.mark.parametrize(("op", "xs"), uses(lambda op: op.channel_sources is not Op.channel_sources))
def test_a_layer_that_only_moves_channels_says_whence(op: Op, xs: Tensors) -> None:
    sources = op.channel_sources(xs)
    if sources is None:
        return
    values, axis = drawn(xs), xs[0].channel_axis + 1
    expected = torch.stack([values[index].select(axis, channel) for index, channel in sources], axis)
    assert torch.equal(module_of(op, xs)(*values), expected)


# -- nobody asks for the word

OF_ONE_LAYER = {
    "advice.py": "changes of the text of these layers",
    "backends/pytorch/live/in_place.py": "torch has `relu_`, which writes into its input",
    "backends/tvm/kernels/words/demand.py": "activations that cost a machine one operation",
    "backends/tvm/emitters": "kernels of one layer or a few",
    "backends/tvm/plan/groups.py": "which of these kernels have a tail",
    "backends/tvm/plan/quantized.py": "which layers are computed on whole numbers, and which of them clamp",
    "calibration/": "weights are rounded of the layers that multiply by them",
    "backends/tvm/plan/taps.py": "layers that a table of taps says whole",
    "backends/tvm/program": "layers that are written as others",
    "latency/features.py": "an embedding reads the rows that are asked for, not all of its weights",
}
"""Where a class of `cnndsl.ops` is named, and why a fact would not do: what makes one layer fast, never what makes it right."""


OF_WORDS = {
    "advice.py": "a change of the text of `Flatten`",
    "analyses/differences/": "the words of two networks are compared",
    "analyses/lints/linear_on_map.py": "the lint is about the layer `Linear`",
    "arrays/foreign/pickled.py": "words of pickles, not of layers",
    "backends/pytorch/writing/heads.py": "which layers may be a classifier's last",
    "importing/": "the words of two networks are compared",
    "passes/arguments/": "what other frameworks mean by the arguments of a layer",
    "service/signature.py": "the word that is typed may be a layer's or a merge's",
    "training/advice.py": "advice about the layer `BN`",
}
"""Where a word is compared, and why: what is said to people about one layer, or words that are no layers'."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(HOME.rglob("*.py")):
        if path.parent.name != "ops" and path.name != "op.py":
            yield path.relative_to(HOME).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_classes_of_layers_are_named_only_where_something_is_made_for_them() -> None:
    naming = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cnndsl.ops.")
    }
    strangers = [name for name in naming if not name.startswith(tuple(OF_ONE_LAYER))]
    assert strangers == []
    assert [place for place in OF_ONE_LAYER if not any(name.startswith(place) for name in naming)] == []


def test_nothing_is_decided_by_the_word_of_a_layer() -> None:
    def asks(node: ast.AST) -> bool:
        match node:
            case ast.Compare():
                asked = [node.left, *node.comparators]
            case ast.Subscript(slice=key):
                asked = [key]
            case ast.Call(func=ast.Attribute(attr="get"), args=[key, *_]):
                asked = [key]
            case ast.Match(subject=key):
                asked = [key]
            case _:
                return False
        return any(isinstance(part, ast.Attribute) and part.attr == "word" for part in asked)

    found = [
        f"{name}:{node.lineno}"  # type: ignore[attr-defined]
        for name, tree in sources()
        if not name.startswith(tuple(OF_WORDS))
        for node in ast.walk(tree)
        if asks(node)
    ]
    assert found == []
