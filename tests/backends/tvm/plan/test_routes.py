"""Guards `backends/tvm/plan/routes.py`, `backends/tvm/kernels/move.py` and `backends/tvm/emitters/routing.py`.
Channels that only move, against NumPy and PyTorch.
"""

from __future__ import annotations

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.kernels.move import Move
from cnndsl.backends.tvm.plan.routes import Route, find_routes
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import relative_error
from tests.few import few

pytestmark = pytest.mark.tvm

SHUFFLES = """
block Unit(mid) { (kept, changed) = in → Split(2)
  cat{ kept | changed → Conv3x3(mid) → ReLU } → ChannelShuffle(2) }
"""


def route_of(text: str, name: str) -> Route:
    network = parse_text(text).graph
    return find_routes(program_of(network, drawn_weights(network, 0))).routes[name]


def test_a_shuffle_between_concatenation_and_slices_is_part_of_the_slices() -> None:
    text = "input 6×2×2\ncat{ a: ReLU | b: Sigmoid } → ChannelShuffle(3) → y: Slice(2, 9)"
    route = route_of(text, "y")
    both = np.array([(source, channel) for source in range(2) for channel in range(6)])
    expected = both.reshape(3, 4, 2).transpose(1, 0, 2).reshape(12, 2)[2:9]
    names = [("a", "b").index(name) for name in route.sources]
    assert route.widths == (6, 6)
    assert np.array_equal([(names[source], channel) for source, channel in route.channels], expected)


def test_what_others_read_as_well_is_kept() -> None:
    text = "input 4×2×2\na: ReLU → s: ChannelShuffle(2) → add{ y: Slice(0, 2) | Conv1x1(2) }"
    assert route_of(text, "s").sources == ("a",)
    assert route_of(text, "y").sources == ("s",)


@pytest.mark.parametrize(
    ("widths", "parts"), [((16, 32, 5), (0, 1, 2)), ((16, 5, 16), None), ((5, 5), None), ((5,), (0,))]
)
def test_parts_are_whole_chunks(widths: tuple[int, ...], parts: tuple[int, ...] | None) -> None:
    channels = tuple((i, c) for i, width in enumerate(widths) for c in range(width))
    route = Route(tuple(map(str, range(len(widths)))), widths, channels)
    assert route.parts(16) == parts


def test_a_slice_of_whole_chunks() -> None:
    def first_chunk(start: int, stop: int) -> int | None:
        return Route(("a",), (40,), tuple((0, c) for c in range(start, stop))).first_chunk(16)

    assert first_chunk(16, 32) == first_chunk(16, 40) == 1
    assert first_chunk(16, 31) is first_chunk(8, 24) is None


@pytest.mark.parametrize("seed", range(6))
def test_moves_of_drawn_channels(seed: int) -> None:
    import tvm

    draw = np.random.default_rng(seed)
    batch, lanes, vectors = int(draw.integers(1, 3)), int(draw.choice([4, 8, 16])), bool(seed % 2)
    size = tuple(int(n) for n in draw.integers(1, 6, draw.integers(1, 4)))
    chunks = tuple(int(n) for n in draw.integers(1, 4, draw.integers(1, 4)))
    sources = [draw.standard_normal((batch, count, *size, lanes)).astype(np.float32) for count in chunks]
    table = [(s := int(draw.integers(len(chunks))), int(draw.integers(chunks[s] * lanes))) for _ in range(19)]
    kernel = Move(batch, size, lanes, chunks, tuple(table), vectors)
    out = -(-len(table) // lanes)
    expected = np.zeros((batch, out, *size, lanes), np.float32)
    for i, (source, channel) in enumerate(table):
        expected[:, i // lanes, ..., i % lanes] = sources[source][:, channel // lanes, ..., channel % lanes]
    module = tvm.compile(tvm.IRModule({"main": kernel.prim_func().with_attr("global_symbol", "main")}), "llvm")
    result = tvm.runtime.tensor(np.full_like(expected, np.nan))
    module(*map(tvm.runtime.tensor, sources), result)
    assert np.array_equal(result.numpy(), expected)


@pytest.mark.parametrize(
    "text",
    [
        SHUFFLES + "input 58×7×6\nConv1x1(58) → Unit(29)×3 → Conv1x1(8)",
        # A growing buffer whose parts are read while it grows.
        "input 3×9×9\nConv3x3(32) → [cat{ id | BN → ReLU → Conv1x1(64) → Conv3x3(16) }]×4 → BN → ReLU → Conv1x1(7)",
        # The same part twice, and in two concatenations.
        "input 3×9×9\nConv3x3(32) → cat{ id | id } as a → cat{ id | a | Conv1x1(16) } → cat{ a | id | Conv1x1(5) }",
        # Slices of whole chunks, of others, and of the network's input; all of them leave.
        "input 3×9×9\nConv3x3(40) as a → Slice(16, 40) as b → Conv1x1(16) as c\n"
        "y = a → Slice(5, 29)\nz = in → Slice(1, 3)\noutput a, b, c, y, z",
        # Concatenated slices, pooled and summed afterwards.
        "input 3×9×9\nConv3x3(48) as a\np = a → Slice(16, 32)\nq = a → Slice(0, 16)\ny = cat{ p | q } → add{ id | MaxPool3x3(1, 1) }\noutput y",
        # Networks' inputs beside packed maps.
        "input 4×5×6\ncat{ Conv3x3(16) | id } → Conv1x1(3)",
    ],
)
@pytest.mark.parametrize(("batch", "target"), few([(2, "llvm"), (1, "llvm"), (1, "llvm:x86-64-v3")], 1))
def test_networks(text: str, batch: int, target: str) -> None:
    assert relative_error(parse_text(text).graph, batch=batch, count=batch, target=target) < 1e-5


@pytest.mark.parametrize("target", ["x86-64-v2", "x86-64-v3"])
def test_narrow_vectors_and_odd_maps(target: str) -> None:
    text = "input 24×5×7\n[cat{ id | Conv1x1(16) → ReLU }]×2 → cat{ Conv1x1(8) | id | Conv1x1(12) } → Conv1x1(3)"
    assert relative_error(parse_text(text).graph, target=target) <= 1e-5
