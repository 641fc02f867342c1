"""Guards `ops/`. One contract for every layer: what an op says of itself is what PyTorch and TVM find.

Nothing here knows a layer: the registry gives the ops, their examples and the kinds of their arguments.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.pytorch.writing.source import to_source
from cnndsl.backends.tvm.program.plain import activations, relax_shapes
from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.op import Op, registry
from cnndsl.ir.tensor import TensorType
from cnndsl.pipeline import parse_text
from tests.graphs import graph

# -- what is tested


def examples(always: int | None = None) -> Iterator[Any]:
    """Texts and shapes; those behind the first so many of a layer carry the mark `slow`."""
    for word, op in sorted(registry().items()):
        for index, (text, shape) in enumerate(op.examples):
            slow = always is not None and index >= always
            yield pytest.param(text, shape, id=f"{word}-{index}", marks=[pytest.mark.slow] if slow else [])


def written(text: str, shape: tuple[int, ...]) -> Graph:
    """The network that an example describes."""
    first = registry().get(text.split("(")[0])
    dtype = first.dtype if first else "float32"
    return parse_text(f"input x: {'×'.join(map(str, shape))} of {dtype}\n{text}").graph


def drawn(op: type[Op]) -> st.SearchStrategy[Op]:
    """Ops with any arguments of the right types; those that the op itself refuses are left out."""
    fields = {name: kind(field.annotation, field.metadata) for name, field in op.model_fields.items()}
    return st.builds(lambda given: _valid(op, given), optional(op, fields))


def optional(op: type[Op], fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    required = {name for name, field in op.model_fields.items() if field.is_required() or name == "window"}
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in required},
        optional={name: fields[name] for name in fields if name not in required},
    )


def _valid(op: type[Op], given: dict[str, Any]) -> Op:
    try:
        return op(**given)
    except ValidationError:
        reject()


def kind(annotation: Any, metadata: list[Any] | tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Small values of a pydantic field's type."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind(inner[0], inner[1:])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is Union or type(annotation).__name__ == "UnionType":
        return st.one_of([kind(part, metadata) for part in inner])
    if origin in (tuple, list):
        items = kind(inner[0])
        many = st.lists(items, min_size=1, max_size=3) if inner[1:] in ((...,), ()) else st.tuples(*map(kind, inner))
        return many.map(tuple) if origin is tuple else many
    if annotation is type(None):
        return st.none()
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return st.integers(0, 4)
    if annotation is float or annotation is Any:
        return st.sampled_from([1e-5, 1e-3, 0.1, 0.25, 0.5, 1.0, 2.0])
    raise NotImplementedError(f"the contract test draws no {annotation}")


shapes = st.integers(0, 3).flatmap(
    lambda rank: st.tuples(st.sampled_from([1, 2, 3, 4, 6]), *[st.integers(1, 8)] * rank)
)


def alone(op: Op, shape: tuple[int, ...]) -> Graph:
    """A network of this op alone; a merge gets the same tensor from three branches. Raises `Refusal`."""
    parts = op.parts(TensorType(shape=shape, dtype=op.dtype))
    if parts is not None:
        names = tuple(f"part{index}" for index in range(len(parts)))
        return graph({"x": shape}, [(name, part, ("x",)) for name, part in zip(names, parts, strict=True)], names)
    return graph({"x": shape}, [("layer", op, ("x", "x", "x") if op.merges else ("x",))], dtype=op.dtype)


# -- what holds for every network


def check_against_torch(network: Graph) -> None:
    """Shapes, dtypes, state and multiply-adds, from torch on the meta device."""
    with torch.device("meta"):
        module = to_torch(network).eval()
    state = module.state_dict()
    expected = {e.key: (e.weight.shape, e.weight.dtype) for e in network.weights}
    assert {
        key: (tuple(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in state.items()
    } == expected
    assert list(state) == list(expected)
    assert {name for name, _ in module.named_parameters()} == {e.key for e in network.weights if e.weight.trained}
    inputs = [
        torch.empty((1, *i.type.shape), dtype=getattr(torch, i.type.dtype), device="meta") for i in network.inputs
    ]
    with FlopCounterMode(display=False) as counter:
        result = module(*inputs)
    results = result if isinstance(result, dict) else {network.outputs[0].name: result}
    for output in network.outputs:
        type = network.types[output.node]
        assert tuple(results[output.name].shape) == (1, *type.shape)
        assert str(results[output.name].dtype) == f"torch.{type.dtype}"
    assert (
        sum(node.op.macs(network.input_types(node), node.type) for node in network.nodes) * 2
        == counter.get_total_flops()
    )


def check_source(network: Graph) -> None:
    """The Python text has the live module's state and values."""
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(to_source(network), "generated.py", "exec"), names)
    written_module = [v for v in names.values() if isinstance(v, type) and v.__module__ == "generated"][-1]().eval()
    live = randomised(to_torch(network)).eval()
    assert list(written_module.state_dict()) == list(live.state_dict())
    written_module.load_state_dict(live.state_dict())
    inputs = [random_input(i.type, torch.Generator().manual_seed(5)) for i in network.inputs]
    torch.testing.assert_close(written_module(*inputs), live(*inputs), rtol=0, atol=0)


def check_dependence(network: Graph, node: Node) -> None:
    """What an op says its positions see is where the gradient of one is not zero, over many random inputs."""
    xs = network.input_types(node)
    x = xs[0]
    if (
        node.op.begins
        or any(type != x for type in xs)
        or x.rank == 0
        or node.type.channel_axis != 0
        or x.channel_axis != 0
    ):
        return
    at = tuple(n // 2 for n in node.type.size)
    told = said(node.op, xs, node.type, at)
    if told is None or not all(told[0]):
        return
    module = randomised(to_torch(network)).double().eval()
    values = torch.randn(200, *x.shape, dtype=torch.float64, requires_grad=True)
    module(values)[(slice(None), slice(None), *at)].sum().backward()
    assert values.grad is not None
    seen = {tuple(p) for p in (values.grad != 0).any(0).any(0).nonzero().tolist()}
    axes, exact = told
    positions = set(product(*axes))
    if node.op.category == "normalization":
        # The statistics of all positions do not count among what one of them sees.
        assert positions <= seen
        return
    assert seen == positions if exact else seen <= positions


def said(op: Op, xs: tuple[TensorType, ...], y: TensorType, at: tuple[int, ...]) -> tuple[list[list[int]], bool] | None:
    """The input positions along each axis that an output position sees, in the op's words, and whether it means
    exactly these; None where the axes are no longer the input's."""
    x = xs[0]
    reach = op.reach(xs, y, 0)
    if reach is not None:
        by_axis = {r.axis: (o, r) for o, r in zip(at, reach, strict=False)}
        if len(reach) != len(at) or sorted(by_axis) != list(range(x.rank)):
            return None
        axes = [
            [p for p in range(n) if r.stride * o + r.first <= p <= r.stride * o + r.last]
            for n, (o, r) in ((n, by_axis[axis]) for axis, n in enumerate(x.size))
        ]
        return axes, all(r.even for r in reach)
    if op.sees_all(x):
        # Windows of several sizes have no one shape: such an op may say that it sees all.
        return [list(range(n)) for n in x.size], set(y.size) == {1}
    if y.rank != x.rank:
        return None
    window = op.window_over(x)
    if window is None:
        return [[o] for o in at], True
    taps = [
        [p for i in range(k) if 0 <= (p := o * s - b + i * d) < n]
        for o, s, b, k, d, n in zip(
            at, window.stride, window.before, window.kernel, window.dilation, x.size, strict=True
        )
    ]
    return taps, True


def randomised(module: nn.Module) -> nn.Module:
    """All of the state random, running statistics too, so that nothing cancels or is one by chance."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.dtype.is_floating_point:
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
                tensor *= torch.where(torch.rand(tensor.shape, generator=generator) < 0.5, -1.0, 1.0)
        for module_ in module.modules():
            for name, tensor in module_.named_buffers(recurse=False):
                if name == "running_var":
                    tensor.abs_()
    return module


# -- the examples in each op's file


@pytest.mark.parametrize(("text", "shape"), list(examples()))
def test_example_agrees_with_torch(text: str, shape: tuple[int, ...]) -> None:
    network = written(text, shape)
    check_against_torch(network)
    check_source(network)
    if len(network.nodes) == 1:
        check_dependence(network, network.nodes[0])


@pytest.mark.tvm
@pytest.mark.parametrize(("text", "shape"), list(examples(1)))
def test_example_agrees_with_tvm(text: str, shape: tuple[int, ...]) -> None:
    network = written(text, shape)
    assert relax_shapes(network) == {node.name: node.type.shape for node in network.nodes}
    module = randomised(to_torch(network)).eval()
    generator = torch.Generator().manual_seed(3)
    inputs = {i.name: random_input(i.type, generator) for i in network.inputs}
    with torch.no_grad():
        expected = module(*inputs.values()).numpy()
    weights = {key: value.numpy() for key, value in module.state_dict().items()}
    found = activations(network, weights, {name: value.numpy() for name, value in inputs.items()})[
        network.outputs[0].node
    ]
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * max(np.abs(expected).max(), 1e-3)


def random_input(type: TensorType, generator: torch.Generator) -> torch.Tensor:
    shape = (2, *type.shape)
    if type.dtype.startswith("int"):
        return torch.randint(0, 3, shape, generator=generator, dtype=getattr(torch, type.dtype))
    return torch.randn(shape, generator=generator)


# -- any arguments

KINDS = {"wrong-rank", "wrong-type"}
"""Refusals of a kind of tensor: the language tells maps, tokens and vectors apart where torch sees only axes."""

few = settings(
    max_examples=60 if os.environ.get("CNNDSL_FUZZ") == "all" else 10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@pytest.mark.parametrize("word", sorted(registry()))
def test_any_arguments_agree_with_torch(word: str) -> None:
    @few
    @given(drawn(registry()[word]), shapes)
    def check(op: Op, shape: tuple[int, ...]) -> None:
        x = TensorType(shape=shape, dtype=op.dtype)
        network = alone_or_refused(op, shape)
        if isinstance(network, Refusal):
            assert network.id in KINDS or torch_refuses(op, x)
            return
        if not op.brings(x):
            check_against_torch(network)

    check()


def alone_or_refused(op: Op, shape: tuple[int, ...]) -> Graph | Refusal:
    try:
        return alone(op, shape)
    except Refusal as refusal:
        return refusal


def torch_refuses(op: Op, x: TensorType) -> bool:
    """Whether torch, too, has no output for these arguments and this input."""
    xs = (x,) * (3 if op.merges else 1)
    try:
        with torch.device("meta"):
            module = op.to_torch(nn, xs)
        if module is None and not op.merges:
            return True  # torch has nothing of its own to compare with
        module = module.eval() if module is not None else None
        value = torch.empty((1, *x.shape), dtype=getattr(torch, x.dtype), device="meta")
        op.call_torch(torch, module, xs, *(value for _ in xs))
    except (Refusal, RuntimeError, ValueError, IndexError, TypeError, AssertionError):
        return True
    return False


@pytest.mark.tvm
@pytest.mark.parametrize("word", sorted(registry()))
def test_any_arguments_agree_with_tvm(word: str) -> None:
    @few
    @given(drawn(registry()[word]), shapes)
    def check(op: Op, shape: tuple[int, ...]) -> None:
        network = alone_or_refused(op, shape)
        if isinstance(network, Refusal) or op.brings(network.inputs[0].type):
            return
        assert relax_shapes(network) == {node.name: node.type.shape for node in network.nodes}

    check()
