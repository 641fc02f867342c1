"""Guards `backends/tvm/kernels/bf16_conv.py`, `backends/tvm/kernels/bf16_dense.py`,
`backends/tvm/emitters/bf16/products.py` and `backends/tvm/emitters/bf16/maps.py`. Bfloat16 against PyTorch in float64 on
rounded numbers, networks in float32.
"""

from __future__ import annotations

import random
from typing import Any, Literal

import numpy as np
import pytest
import torch

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.emitters.bf16.maps import FEATURE, kept_as_pairs, left_in_f32
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.bf16_conv import Bf16Conv, ranked
from cnndsl.backends.tvm.kernels.words.packing import fill_up, pack_conv, pack_vector
from cnndsl.backends.tvm.kernels.words.pairs import LANES, PairNest, paired, rounded_bits
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.window import Window
from cnndsl.ops.relu import ReLU
from cnndsl.pipeline import load, parse_text
from cnndsl.verification import verify
from tests.backends.tvm.against_torch import torch_outputs
from tests.few import few

pytestmark = pytest.mark.tvm
here = pytest.mark.skipif("FEATURE not in find_cpu('llvm').features", reason="this processor has no AVX512_BF16")


def rounded(array: np.ndarray) -> np.ndarray:
    """The nearest bfloat16 numbers by PyTorch."""
    found: np.ndarray = torch.from_numpy(array).to(torch.bfloat16).float().numpy()
    return found


def packed(array: np.ndarray) -> np.ndarray:
    filled = fill_up(array, 1, LANES)
    return np.ascontiguousarray(np.moveaxis(filled.reshape(len(array), -1, LANES, *array.shape[2:]), 2, -1))


def test_rounding_is_pytorchs() -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 100_000, dtype=np.uint32)
    numbers = np.concatenate([bits, np.arange(0x3F800000, 0x3F840000, 0x4000, dtype=np.uint32)]).view(np.float32)
    numbers = numbers[np.isfinite(numbers)]
    assert np.array_equal((rounded_bits(numbers) << np.uint32(16)).view(np.float32), rounded(numbers))


@here
def test_pairs_keep_what_is_not_a_number() -> None:
    tvm, n = load_tvm(), PairNest()
    with n.function():
        data, made = n.argument("data", (6, 2)), n.pairs("made", (6,))
        with n.block(), n.serial(6) as i:
            n.store(made, n.pair(data[i, 0], data[i, 1]), (i,))
    function = tvm.compile(tvm.IRModule({"main": n.finished()}), find_cpu("llvm").target)
    numbers = np.array(
        [[np.nan, 1], [np.inf, -np.inf], [3e38, -3.4e38], [1.00390625, -1.01171875], [0, -0.0], [0.1, 7]]
    )
    numbers = numbers.astype(np.float32)
    numbers[0, 0] = np.array(0x7F800001, np.uint32).view(np.float32)
    result = tvm.runtime.tensor(np.zeros(6, np.int32))
    function["main"](tvm.runtime.tensor(numbers), result)
    found = (result.numpy().view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(6, 2)
    assert np.array_equal(found, rounded(numbers), equal_nan=True)


Source = Literal["pairs", "packed", "plain"]


def error(source: Source, rank: int, gives_pairs: bool, residual: bool | None, seed: int) -> float:
    """The largest difference to PyTorch in float64 on rounded numbers, in units of the largest value."""
    tvm, draw, generator = load_tvm(), random.Random(seed), np.random.default_rng(seed)
    batch, ins, outs = (
        draw.choice([1, 2]),
        draw.choice([1, 3, 5] if source == "plain" else [7, 20, 33]),
        draw.choice([5, 48]),
    )
    size = tuple(draw.randrange(7, 18 if rank < 3 else 9) for _ in range(rank))
    kernel, stride = [draw.choice([1, 2, 3]) for _ in size], [draw.choice([1, 2]) for _ in size]
    pads, dilation = [draw.randrange(k) for k in kernel], [draw.choice([1, 2]) for _ in size]
    window = Window(tuple(kernel), tuple(stride), tuple(pads), tuple(pads), tuple(dilation))
    out, chunks_out = window.output_size(size), -(-outs // LANES)
    conv = Bf16Conv(
        source,
        batch,
        ins,
        size,
        chunks_out,
        window,
        (ReLU(),) if residual is None else (None, ReLU()),
        () if residual is None else (residual,),
        gives_pairs,
        draw.choice(ranked(chunks_out, out[-1])[:6]),
    )
    x = generator.standard_normal((batch, ins, *size)).astype(np.float32)
    w = generator.standard_normal((outs, ins, *kernel)).astype(np.float32)
    b = generator.standard_normal(outs).astype(np.float32)
    r = generator.standard_normal((batch, outs, *out)).astype(np.float32)
    given = x if source == "plain" else packed(x) if source == "packed" else paired(packed(x), -1)
    arguments = [given, paired(pack_conv(w, 2 * conv.pairs, LANES), -2), pack_vector(b, LANES)]
    convolve: Any = getattr(torch.nn.functional, f"conv{rank}d")
    factors = (torch.from_numpy(rounded(a)).double() for a in (x, w))
    y = convolve(*factors, torch.from_numpy(b).double(), stride, pads, dilation).numpy()
    if residual is not None:
        arguments.append(paired(packed(r), -1) if residual else packed(r))
        y = y + (rounded(r) if residual else r)
    y = np.maximum(y, 0)
    shape = (batch, chunks_out, *out, LANES // 2 if gives_pairs else LANES)
    result = tvm.runtime.tensor(np.zeros(shape, np.int32 if gives_pairs else np.float32))
    function = tvm.compile(tvm.IRModule({"main": conv.prim_func()}), find_cpu("llvm").target)
    function["main"](*map(tvm.runtime.tensor, arguments), result)
    found = result.numpy()
    if gives_pairs:
        found = (found.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    found = np.moveaxis(found, -1, 2).reshape(batch, -1, *out)[:, :outs]
    return float(np.abs(found - y).max() / np.abs(y).max())


@here
@pytest.mark.parametrize("seed", few(range(4), {1, 2}))
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("source", ["pairs", "packed", "plain"])
def test_convolutions_sum_rounded_products_in_float32(source: Source, rank: int, seed: int) -> None:
    gives_pairs, residual = seed % 2 == 1, [None, True, False, None][seed]
    # A result that is rounded to bfloat16 is half a unit of its eight bits off.
    assert error(source, rank, gives_pairs, residual, seed) <= (2**-8 if gives_pairs else 1e-6)


TEXT = """
input 3×19×22
Conv3x3(24, 2) → BN → ReLU → add{ Conv3x3(24) → BN → ReLU → Conv1x1(20) → Conv1x1(24) | id } → ReLU →
DWConv3x3 → ReLU6 → Conv1x1(40, 2) → Flatten → FC(37) → ReLU → FC(7)
"""


@here
@pytest.mark.parametrize("batch", few([2, 1], 1))
def test_a_network_is_near_pytorch(batch: int) -> None:
    graph = parse_text(TEXT).graph
    weights = drawn_weights(graph, 0)
    (name,) = (i.name for i in graph.inputs)
    x = np.random.default_rng(1).standard_normal((batch, 3, 19, 22)).astype(np.float32)
    expected = next(iter(torch_outputs(graph, weights, {name: x}).values()))
    package = build(graph, weights, batch=batch, options=CompileOptions(precision="bf16"))
    found = package(x)
    off = np.abs(found - expected).max() / np.abs(expected).max()
    assert 1e-5 < off <= 2e-2
    assert (package.manifest.precision, package.manifest.tolerance) == ("bf16", 2e-2)
    assert FEATURE in package.manifest.variants[0].features


def test_maps_between_convolutions_are_pairs_and_depthwise_stays() -> None:
    graph = parse_text(TEXT).graph
    program = program_of(graph, drawn_weights(graph, 0))
    groups = plan(program)
    cpu = find_cpu("llvm:znver4")
    job = Job(cpu, CompileOptions(precision="bf16"))
    assert len(kept_as_pairs(groups, program, job)) == 3
    left = left_in_f32(groups, job)
    assert [next(s.op.word for s in program.steps if s.name == name) for name in left] == ["Conv"]
    assert not kept_as_pairs(groups, program, Job(cpu))


@pytest.mark.parametrize(("strict", "count"), [(False, 10), (True, 0)])
def test_winograd_in_f32_is_taken_where_it_is_faster(strict: bool, count: int) -> None:
    """ResNet-18: the 3×3 convolutions of stride 1, unless plain sums are asked for."""
    graph = load("resnet18").graph
    groups = plan(program_of(graph, drawn_weights(graph, 0)))
    options = CompileOptions(precision="bf16", strict_numerics=strict)
    assert len(left_in_f32(groups, Job(find_cpu("llvm:znver4"), options))) == count


@pytest.mark.parametrize("target", ["llvm:x86-64-v4", "c", "portable", "cuda:sm_80", "aarch64"])
def test_other_processors_are_refused(target: str) -> None:
    with pytest.raises(CnnError, match="unsupported-by-target"):
        build(parse_text(TEXT).graph, target=target, options=CompileOptions(precision="bf16"))


@here
def test_verify_states_the_error() -> None:
    graph = parse_text(TEXT).graph
    findings = list(verify(graph, precision="bf16"))
    assert all(f.agrees for f in findings)
    layers = next(f for f in findings if f.what == "values in bf16")
    assert layers.count == 9
