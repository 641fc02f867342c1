"""Guards `backends/tvm/kernels/int8_*.py` and what they are written with. Kernels on whole numbers over drawn shapes:
exactly the numbers of the definition in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any, Literal

import numpy as np
import pytest

from cnndsl.backends.tvm.kernels.int8_conv import int8_conv
from cnndsl.backends.tvm.kernels.int8_dense import int8_dense
from cnndsl.backends.tvm.kernels.int8_depthwise import int8_depthwise, pack_int8_depthwise, takes_int8_depthwise
from cnndsl.backends.tvm.kernels.int8_elementwise import Int8Elementwise, Int8Table
from cnndsl.backends.tvm.kernels.int8_input import Int8Input
from cnndsl.backends.tvm.kernels.int8_pixel_shuffle import Int8PixelShuffle
from cnndsl.backends.tvm.kernels.int8_projection import int8_projection, pack_int8_projection
from cnndsl.backends.tvm.kernels.words.borders import is_bordered, pack_starts
from cnndsl.backends.tvm.kernels.words.ending import Ending, is_bounded, neighbours
from cnndsl.backends.tvm.kernels.words.quads import quads, takes_quads, takes_tables  # noqa: F401  (named in `here`)
from cnndsl.backends.tvm.kernels.words.seen import pack_int8_conv
from cnndsl.backends.tvm.predict import cpu_features
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.window import Window
from cnndsl.quantization.arithmetic import Scale
from tests.backends.tvm.kernels.whole_numbers import (
    CPUS,
    Drawn,
    as_numbers,
    as_quads,
    convolved,
    ran,
    starts_of,
)

pytestmark = pytest.mark.tvm
here = pytest.mark.skipif(
    "not takes_tables(find_cpu('llvm'))", reason="this processor has no AVX512-VNNI, or no AVX512-VBMI"
)
Draw = np.random.Generator
FEW, MANY = 3, 24
seeds = pytest.mark.parametrize(
    "seed", [*range(FEW), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(FEW, MANY))]
)


def width(seed: int) -> int:
    """The lanes of a test: those of AVX-VNNI for every third seed, where this machine has it."""
    others = find_cpu(CPUS[8])
    has = takes_quads(others) and set(others.features) <= (cpu_features() or frozenset())
    return 8 if seed % 3 == 0 and has else 16


def one_of(r: Draw, values: list[Any]) -> Any:
    return values[int(r.integers(len(values)))]


def drawn_ending(r: Draw, lanes: int, most: int = 2) -> Ending:
    """Up to `most` residuals; clamps, tables and real results; whether numbers are bounded is told by `settled`."""
    residuals = int(r.integers(0, most + 1))
    if r.random() < 0.3:
        return Ending(residuals, one_of(r, [-inf, 0.0]), one_of(r, [inf, 3.0]), real=True)
    return Ending(residuals, one_of(r, [0, 0, 7]), one_of(r, [255, 255, 200]), table=lanes != 8 and r.random() < 0.3)


def settled(ending: Ending, drawn: Drawn, sums: np.ndarray, r: Draw) -> Ending:
    """Half of the endings know that their numbers are bounded, as these are."""
    assert drawn.bounded(sums)
    return replace(ending, bounded=bool(r.random() < 0.5))


def drawn_window(r: Draw, kernels: list[int], rank: int, most: int) -> tuple[tuple[int, ...], Window]:
    """A size and a window that fits it, with paddings that differ on all sides."""
    while True:
        size = tuple(int(n) for n in r.integers(1, most, rank))
        kernel = tuple(int(r.choice(kernels)) for _ in size)
        stride, dilation = (tuple(int(r.choice(n)) for _ in size) for n in ([1, 1, 2, 3], [1, 1, 2]))
        before, after = (tuple(int(r.integers(0, k)) for k in kernel) for _ in range(2))
        window = Window(kernel, stride, before, after, dilation, ceil=bool(r.random() < 0.2))
        try:
            window.output_size(size)
        except Refusal:
            continue
        return size, window


def drawn_map(r: Draw, batch: int, channels: int, size: tuple[int, ...]) -> np.ndarray:
    return r.integers(0, 256, (batch, channels, *size)).astype(np.uint8)


def drawn_weight(r: Draw, shape: tuple[int, ...]) -> np.ndarray:
    return r.integers(-127, 128, shape).astype(np.int8)


def check(
    make: Callable[[Ending], Any], given: Callable[[Any], list[np.ndarray]], sums: np.ndarray, ending: Ending, r: Draw
) -> None:
    """A kernel, by one of its candidates, makes what the definition says of these sums. `given` are the arguments up
    to the starts."""
    drawn = Drawn.over(r, sums, ending.residuals)
    ending = settled(ending, drawn, sums, r)
    kernel = one_of(r, list(make(ending).candidates()))
    batch, channels, *size = sums.shape
    lanes = kernel.lanes
    shape = (batch, -(-channels // lanes), *size, lanes if ending.real else lanes // 4)
    found = ran(kernel, [*given(kernel), *drawn.arguments(ending, lanes)], shape, ending.real)
    assert np.array_equal(as_numbers(found, channels), drawn.expected(sums, ending))


@here
@seeds
def test_projections_are_exact(seed: int) -> None:
    r, lanes = np.random.default_rng(seed), width(seed)
    batch, ins, outs = int(r.integers(1, 3)), one_of(r, [3, 17, 24, 32, 64]), one_of(r, [3, 17, 24, 32, 70])
    size = tuple(int(n) for n in r.integers(1, 12, r.integers(1, 4)))
    q, weight, zero_point = drawn_map(r, batch, ins, size), drawn_weight(r, (outs, ins)), one_of(r, [0, 13, 255])
    one, none = (1,) * len(size), (0,) * len(size)
    sums = convolved(q, weight.reshape(outs, ins, *one), zero_point, Window(one, one, none, none, one))
    check(
        lambda ending: int8_projection(batch, size, ins, outs, lanes, ending),
        lambda k: [
            as_quads(q, lanes, 200),
            pack_int8_projection(weight, k.tile[0], lanes),
            starts_of(weight, zero_point, lanes),
        ],
        sums,
        drawn_ending(r, lanes),
        r,
    )


@here
@seeds
def test_convolutions_are_exact(seed: int) -> None:
    r, lanes = np.random.default_rng(seed), width(seed)
    rank = one_of(r, [1, 2, 2, 3])
    batch, ins, outs = int(r.integers(1, 3)), one_of(r, [3, 17, 24, 32]), one_of(r, [3, 17, 24, 70])
    size, window = drawn_window(r, [1, 2, 3, 3, 5, 7], rank, 20 if rank < 3 else 9)
    q, weight = drawn_map(r, batch, ins, size), drawn_weight(r, (outs, ins, *window.kernel))
    zero_point, of_chunk = one_of(r, [0, 13, 255]), one_of(r, [1, lanes // 4]) if ins == 3 else lanes // 4
    bordered = is_bordered(window, size, zero_point)
    data = np.ascontiguousarray(as_quads(q, lanes, 200)[..., :of_chunk])
    check(
        lambda ending: int8_conv(batch, size, ins, outs, window, bordered, lanes, ending, of_chunk),
        lambda k: [
            data,
            pack_int8_conv(weight, k.tile[0], lanes, of_chunk),
            pack_starts(weight, zero_point, window, size, lanes),
        ],
        convolved(q, weight, zero_point, window),
        drawn_ending(r, lanes),
        r,
    )


@here
@seeds
def test_convolutions_in_groups_are_exact(seed: int) -> None:
    r, lanes = np.random.default_rng(seed), width(seed)
    # Groups in which each output has the quads of its own group, and those whose chunks see several groups, or a part of one.
    ins, outs, groups = [(4, 4, 8), (8, 8, 3), (24, 24, 2), (2, 2, 9), (16, 16, 3), (3, 5, 7), (32, 64, 2), (1, 2, 18)][
        seed % 8
    ]
    batch = int(r.integers(1, 3))
    size, window = drawn_window(r, [1, 2, 3, 3, 5], one_of(r, [1, 2, 2, 3]), 9)
    q, weight = drawn_map(r, batch, ins * groups, size), drawn_weight(r, (outs * groups, ins, *window.kernel))
    zero_point = one_of(r, [0, 13, 255])
    bordered = is_bordered(window, size, zero_point)
    check(
        lambda ending: int8_conv(
            batch, size, ins * groups, outs * groups, window, bordered, lanes, ending, groups=groups
        ),
        lambda k: [
            as_quads(q, lanes, 200),
            pack_int8_conv(weight, k.tile[0], lanes, lanes // 4, groups),
            pack_starts(weight, zero_point, window, size, lanes),
        ],
        convolved(q, weight, zero_point, window, groups),
        drawn_ending(r, lanes),
        r,
    )


@here
@seeds
def test_channels_become_pixels(seed: int) -> None:
    r, lanes = np.random.default_rng(seed), width(seed)
    channels, size = one_of(r, [1, 7, 16, 21, 40]), (int(r.integers(1, 7)), int(r.integers(1, 7)))
    q = drawn_map(r, 2, 4 * channels, size)
    made = ran(
        Int8PixelShuffle(2, channels, size, lanes),
        [as_quads(q, lanes, 200)],
        (2, -(-channels // lanes), 2 * size[0], 2 * size[1], lanes // 4),
    )
    expected = q.reshape(2, channels, 2, 2, *size).transpose(0, 1, 4, 2, 5, 3).reshape(2, channels, 2 * size[0], -1)
    assert np.array_equal(as_numbers(made, channels), expected)


@here
@seeds
def test_depthwise_convolutions_are_exact(seed: int) -> None:
    r, lanes = np.random.default_rng(seed), width(seed)
    rank = one_of(r, [1, 2, 2, 2, 3])
    batch, channels = int(r.integers(1, 3)), one_of(r, [3, 17, 24, 32])
    while True:
        size, window = drawn_window(r, [1, 2, 3, 3, 5, 7], rank, 30 if rank < 3 else 9)
        if takes_int8_depthwise(size, window):
            break
    q, weight = drawn_map(r, batch, channels, size), drawn_weight(r, (channels, 1, *window.kernel))
    zero_point = one_of(r, [0, 13, 255])
    bordered = is_bordered(window, size, zero_point)
    check(
        lambda ending: int8_depthwise(batch, -(-channels // lanes), size, lanes, window, bordered, ending),
        lambda k: [
            as_quads(q, lanes, 200),
            pack_int8_depthwise(weight, k.variants, lanes),
            pack_starts(weight, zero_point, window, size, lanes),
        ],
        convolved(q, weight, zero_point, window, channels),
        drawn_ending(r, lanes),
        r,
    )


@here
@seeds
def test_dense_layers_are_exact(seed: int) -> None:
    r, lanes = np.random.default_rng(seed), width(seed)
    batch, ins, outs = one_of(r, [1, 1, 2, 7, 13]), one_of(r, [3, 17, 64, 128]), one_of(r, [3, 17, 24, 70, 200])
    q, weight, zero_point = drawn_map(r, batch, ins, ()), drawn_weight(r, (outs, ins)), one_of(r, [0, 13, 255])
    data = quads(np.pad(q, [(0, 0), (0, -ins % 4)], constant_values=200), 1)
    check(
        lambda ending: int8_dense(batch, -(-ins // 4), outs, lanes, ending),
        lambda k: [data, pack_int8_projection(weight, k.vectors, lanes), starts_of(weight, zero_point, lanes)],
        ((q.astype(np.int32) - zero_point) @ weight.T.astype(np.int32)),
        drawn_ending(r, lanes, 1),
        r,
    )


@here
@seeds
@pytest.mark.parametrize("kind", ["sum", "scaled", "norm"])
def test_sums_products_and_norms_of_maps_are_exact(kind: Literal["sum", "scaled", "norm"], seed: int) -> None:
    r, lanes = np.random.default_rng(seed), width(seed)
    batch, channels = int(r.integers(1, 3)), one_of(r, [3, 17, 32])
    size = tuple(int(n) for n in r.integers(1, 25, r.integers(1, 3)))
    a, b, gate = drawn_map(r, batch, channels, size), drawn_map(r, batch, channels, size), r.random() < 0.5
    if gate:
        b = b[..., :1, :1] if len(size) == 2 else b[..., :1]
    zeros = r.integers(0, 256, 2).astype(np.int32)
    sums, ending = a.astype(np.int32) - zeros[0], replace(drawn_ending(r, lanes), residuals=2 * (kind == "sum"))
    if kind == "scaled":
        sums = sums * (b.astype(np.int32) - zeros[1])
    drawn = Drawn.over(r, sums, ending.residuals)
    if kind == "sum":
        drawn.factors[:] = 0
    ending = settled(ending, drawn, sums, r)
    given = {
        "sum": [],
        "scaled": [as_quads(a, lanes, 200), as_quads(b, lanes, 200), zeros],
        "norm": [as_quads(a, lanes, 200), zeros[:1]],
    }[kind]
    kernel = Int8Elementwise(kind, batch, -(-channels // lanes), size, lanes, bool(gate) and kind == "scaled", ending)
    shape = (batch, kernel.chunks, *size, lanes if ending.real else lanes // 4)
    found = ran(kernel, [*given, *drawn.arguments(ending, lanes)], shape, ending.real)
    assert np.array_equal(as_numbers(found, channels), drawn.expected(sums, ending))


@here
@pytest.mark.parametrize("positions", [1, 3, 4, 5, 64, 65, 1000, 1026])
def test_tables_are_looked_up_for_every_number(positions: int) -> None:
    r, lanes = np.random.default_rng(positions), 16
    table, q = r.permutation(256).astype(np.uint8), r.integers(0, 256, positions * lanes).astype(np.uint8)
    found = ran(Int8Table(positions * lanes // 4, lanes), [quads(q, 0), quads(table, 0)], (positions * lanes // 4,))
    assert np.array_equal(found.view(np.uint8), table[q])


@here
@seeds
def test_pictures_become_quads_with_the_zero_point_around(seed: int) -> None:
    r, lanes = np.random.default_rng(seed), width(seed)
    rank, channels, batch = one_of(r, [1, 2, 2, 3]), one_of(r, [1, 3, 4, 6, 12, 20]), int(r.integers(1, 3))
    size = tuple(int(n) for n in r.integers(1, 45 if rank < 3 else 20, rank))
    before, after = (tuple(int(n) for n in r.integers(0, 3, rank)) for _ in range(2))
    x = (2 * r.standard_normal((batch, channels, *size))).astype(np.float32)
    x.flat[0], x.flat[-1] = 1e30, -1e30
    scale = Scale.over(-3 * r.random(), 3 * r.random())
    kernel = Int8Input(batch, channels, size, before, after, scale.zero_point, lanes)
    inverse = np.array([1 / np.float64(scale.scale)], np.float32)
    found = ran(kernel, [x, inverse], (batch, kernel.chunks, *kernel.padded, kernel.quads))
    filled = 4 * kernel.quads * kernel.chunks
    around = [(0, 0), (0, filled - channels), *zip(before, after, strict=True)]
    expected = np.pad(scale.quantized(x), around, constant_values=scale.zero_point)
    assert np.array_equal(as_numbers(found, filled), expected)


@here
def test_numbers_beyond_what_the_rounding_takes_are_clamped() -> None:
    lanes, weight = 16, np.full((16, 4), 127, np.int8)
    q = np.full((1, 4, 5), 255, np.uint8)
    sums = convolved(q, weight.reshape(16, 4, 1), 0, Window((1,), (1,), (0,), (0,), (1,)))
    r = np.random.default_rng(0)
    drawn = Drawn.over(r, sums, 0)
    drawn.factors[:] = np.repeat(np.array([1e6, -1e6, 1e30, 1e-6], np.float32), 4)
    assert not drawn.bounded(sums)
    ending = Ending()
    kernel = int8_projection(1, (5,), 4, 16, lanes, ending)
    given = [as_quads(q, lanes), pack_int8_projection(weight, kernel.tile[0], lanes), starts_of(weight, 0, lanes)]
    found = ran(kernel, [*given, *drawn.arguments(ending, lanes)], (1, 16 // lanes, 5, lanes // 4))
    assert np.array_equal(as_numbers(found, 16), drawn.expected(sums, ending))
    assert set(as_numbers(found, 16)[0, :12, 0]) == {0, 255}


def test_bounds_count_residuals() -> None:
    factors, offsets = np.array([100.0], np.float32), np.array([-5.0], np.float32)
    assert is_bounded(20_000_000, factors, offsets, [1.0])
    assert not is_bounded(20_000_000, factors, offsets, [1e6])
    assert not is_bounded(22_000_000, factors, offsets, [])


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (3, [(0, 1), (1, 1), (2, 1)]),
        (4, [(0, 4)]),
        (7, [(0, 4), (3, 4)]),
        (14, [(0, 4), (4, 4), (8, 4), (10, 4)]),
    ],
)
def test_four_positions_leave_together(width: int, expected: list[tuple[int, int]]) -> None:
    assert neighbours(width) == expected
