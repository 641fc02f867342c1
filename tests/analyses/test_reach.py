"""Guards `ir/reach.py` and `analyses/receptive_field.py`. Receptive fields through layers that say more than a window:
upsampling, exchanged and lost axes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar

from cnndsl.analyses.receptive_field import Field, View, network_receptive_field, receptive_fields
from cnndsl.ir.graph import Graph, Input
from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.reach import Reach
from cnndsl.ir.tensor import TensorType
from cnndsl.ops.cat import Cat
from cnndsl.ops.conv import Conv
from cnndsl.ops.global_avg_pool import GlobalAvgPool
from cnndsl.ops.max_pool import MaxPool
from cnndsl.ops.relu import ReLU
from tests.analyses.gradients import chain, extents, field, figures
from tests.graphs import Step, graph


class Twice(Op):
    """Each position twice over: what a layer that upsamples says of itself."""

    word: ClassVar = "Twice"
    category: ClassVar = "shape"

    def infer(self, xs: Tensors) -> TensorType:
        return xs[0].resized(tuple(2 * n for n in xs[0].size))

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        return tuple(Reach(Fraction(1, 2), Fraction(-1, 2), 0, axis, even=False) for axis in range(y.rank))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return torch.nn.functional.interpolate(values[0], scale_factor=2, mode="nearest")


class Turned(Op):
    """A map with its two axes exchanged."""

    word: ClassVar = "Turned"
    category: ClassVar = "shape"

    def infer(self, xs: Tensors) -> TensorType:
        return xs[0].resized(xs[0].size[::-1])

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        return (Reach(1, 0, 0, 1), Reach(1, 0, 0, 0))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return values[0].transpose(2, 3)


class Lines(Op):
    """A map as one long axis."""

    word: ClassVar = "Lines"
    category: ClassVar = "shape"

    def infer(self, xs: Tensors) -> TensorType:
        return TensorType(shape=(xs[0].channels, xs[0].elements // xs[0].channels))


def test_upsampling_gives_strides_below_one() -> None:
    network = chain((1, 16), Twice(), Twice())
    found = field(network, "n1")
    # Of three quarters of a pixel, no position sees more than one.
    assert figures(found) == ((1,), (Fraction(1, 4),), (0,), "unaligned")
    for (o,), ((first, last),) in extents(network, "n1").items():
        assert first == last == o // 4


def test_behind_upsampling_an_interval_holds_what_neighbours_see() -> None:
    network = chain((1, 24), Conv(window=3), MaxPool(), Twice(), Conv(window=3))
    found = field(network, "n3")
    assert figures(found) == ((7,), (1,), (-3,), "unaligned")
    view = found.views[0]
    reached = set()
    for (o,), ((first, last),) in extents(network, "n3").items():
        assert view.first + o <= first
        assert last <= view.last + o
        reached |= {first - o - view.first, last - o - view.last}
    assert 0 in reached


def test_a_skip_connection_over_an_upsampling() -> None:
    steps: list[Step] = [
        ("pool", MaxPool(), ("x",)),
        ("deep", Conv(window=3), ("pool",)),
        ("up", Twice(), ("deep",)),
        ("cat", Cat(), ("x", "up")),
    ]
    network = graph({"x": (1, 16, 16)}, steps)
    assert figures(field(network, "cat")) == ((7, 7), (1, 1), (-3, -3), "unaligned")
    assert network_receptive_field(network, receptive_fields(network)) == ("cat", field(network, "cat"))


def test_exchanged_axes_keep_their_views() -> None:
    network = chain((1, 11, 13), Conv(window=(5, 1), stride=(2, 1)), Turned())
    assert figures(field(network, "n1")) == ((1, 5), (1, 2), (0, -2), "exact")
    assert (field(network, "n0").size, field(network, "n1").size) == ((5, 1), (1, 5))


def test_axes_that_are_rearranged_have_no_field_until_something_sees_all() -> None:
    network = chain((1, 8, 8), Conv(window=3), Lines(), ReLU(), GlobalAvgPool(), Conv(window=1))
    fields = receptive_fields(network)
    assert fields["n1"] is fields["n2"] is None
    assert field(network, "n4").state == "global"
    assert network_receptive_field(network, fields) == ("n0", field(network, "n0"))


def test_words_are_positions() -> None:
    words = TensorType(shape=(12,), dtype="int64")
    assert receptive_fields(
        Graph(name="text", inputs=(Input(name="words", type=words),), nodes=(), outputs=(), modules=())
    )["words"] == Field("words", (View(1, 0, 0, "exact"),))
