"""Receptive fields against the non-zero extent of torch's gradients."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any, ClassVar

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnndsl.analyses.receptive_field import Field, View, network_receptive_field, receptive_fields
from cnndsl.errors import Refusal
from cnndsl.ir.graph import Graph, Input, Node, Output
from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.reach import Reach
from cnndsl.ir.tensor import TensorType
from cnndsl.ops.adaptive_avg_pool import AdaptiveAvgPool
from cnndsl.ops.add import Add
from cnndsl.ops.avg_pool import AvgPool
from cnndsl.ops.bn import BN
from cnndsl.ops.cat import Cat
from cnndsl.ops.conv import Conv
from cnndsl.ops.dw_conv import DWConv
from cnndsl.ops.fc import FC
from cnndsl.ops.flatten import Flatten
from cnndsl.ops.global_avg_pool import GlobalAvgPool
from cnndsl.ops.identity import Identity
from cnndsl.ops.max_pool import MaxPool
from cnndsl.ops.mul import Mul
from cnndsl.ops.relu import ReLU
from cnndsl.ops.sigmoid import Sigmoid
from tests.analyses.gradients import extents
from tests.graphs import Step, graph


def field(network: Graph, node: str, *, strict: bool = False) -> Field:
    found = receptive_fields(network, strict=strict)[node]
    assert found is not None
    return found


def figures(found: Field) -> tuple[tuple[int, ...], tuple[object, ...], tuple[int, ...], str]:
    return found.size, found.stride, found.start, found.state


def compare(network: Graph, node: str) -> int:
    """Checks each position: exactly what is promised where that lies inside the input, and never more. Returns how many
    lay inside."""
    found = field(network, node)
    inside = 0
    for position, measured in extents(network, node).items():
        promised = [
            (start + stride * o, start + stride * o + size - 1)
            for o, size, stride, start in zip(position, found.size, found.stride, found.start, strict=True)
        ]
        for (first, last), (low, high) in zip(measured, promised, strict=True):
            assert low <= first <= last <= high
        if all(low >= 0 and high < n for (low, high), n in zip(promised, network.inputs[0].type.size, strict=True)):
            assert list(measured) == promised
            inside += 1
    return inside


def chain(shape: tuple[int, ...], *ops: Op) -> Graph:
    names = ["x", *(f"n{i}" for i in range(len(ops)))]
    return graph({"x": shape}, [(names[i + 1], op, (names[i],)) for i, op in enumerate(ops)])


def test_a_chain_on_one_axis() -> None:
    network = chain(
        (1, 40), Conv(window=5, stride=2), BN(), ReLU(), MaxPool(window=3, stride=2, pad=1), Conv(window=3, dilation=2)
    )
    assert figures(field(network, "n4")) == ((25,), (4,), (-12,), "exact")
    assert compare(network, "n4") > 0


def test_axes_of_a_map_are_apart() -> None:
    network = chain(
        (2, 23, 31), Conv(window=(3, 5), stride=(2, 1)), AvgPool(window=(1, 2)), Conv(window=(3, 1), dilation=(1, 1))
    )
    assert figures(field(network, "n2")) == ((7, 6), (2, 2), (-3, -2), "exact")
    assert compare(network, "n2") > 0


def test_three_axes() -> None:
    network = chain(
        (1, 9, 12, 12), Conv(window=(3, 1, 1)), DWConv(window=(1, 3, 3), stride=(1, 2, 2)), MaxPool(window=(2, 2, 2))
    )
    assert figures(field(network, "n2")) == ((4, 5, 5), (2, 4, 4), (-1, -1, -1), "exact")
    assert compare(network, "n2") > 0


def test_asymmetric_padding() -> None:
    network = chain((1, 20), Conv(window=3, pad="causal", dilation=2), Conv(window=4, stride=2, pad="same_tf"))
    assert figures(field(network, "n1")) == ((8,), (2,), (-5,), "exact")
    assert compare(network, "n1") > 0


def test_a_residual_block_sees_what_its_wider_branch_sees() -> None:
    steps: list[Step] = [
        ("a", Conv(window=3, stride=2), ("x",)),
        ("b", Conv(window=3), ("a",)),
        ("short", Conv(window=1, stride=2), ("x",)),
        ("add", Add(), ("b", "short")),
    ]
    network = graph({"x": (2, 15, 15)}, steps)
    assert figures(field(network, "add")) == ((7, 7), (2, 2), (-3, -3), "exact")
    assert compare(network, "add") > 0


def test_inception_branches() -> None:
    steps: list[Step] = [
        ("a", Conv(channels=2, window=1), ("x",)),
        ("b", Conv(channels=2, window=(1, 7)), ("x",)),
        ("c", Conv(channels=2, window=(7, 1)), ("b",)),
        ("d", AvgPool(window=3, stride=1, pad=1), ("x",)),
        ("cat", Cat(), ("a", "c", "d")),
        ("e", Conv(window=3, stride=2, pad=0), ("cat",)),
    ]
    network = graph({"x": (2, 17, 17)}, steps)
    assert figures(field(network, "e")) == ((9, 9), (2, 2), (-3, -3), "exact")
    assert compare(network, "e") > 0


def test_branches_whose_centres_disagree() -> None:
    steps: list[Step] = [
        ("a", Conv(window=3, stride=2, pad=((0, 1),)), ("x",)),
        ("b", Conv(window=1, stride=2), ("x",)),
        ("add", Add(), ("a", "b")),
        ("after", Conv(window=3), ("add",)),
    ]
    network = graph({"x": (1, 20)}, steps)
    assert figures(field(network, "add")) == ((3,), (2,), (0,), "unaligned")
    assert field(network, "after").state == "unaligned"
    assert compare(network, "after") > 0


def test_branches_with_other_strides_are_held_in_one_interval() -> None:
    steps: list[Step] = [
        ("a", Conv(window=1, stride=2), ("x",)),
        ("b", Conv(window=5, pad="valid"), ("x",)),
        ("add", Add(), ("a", "b")),
    ]
    network = graph({"x": (1, 9)}, steps)
    found = field(network, "add")
    # Position 4 sees pixel 8 by one branch and 4 to 8 by the other.
    assert figures(found) == ((9,), (2,), (-4,), "unaligned")
    compare_within = extents(network, "add")
    assert compare_within[(0,)] == ((0, 4),)
    assert compare_within[(4,)] == ((4, 8),)
    assert all(-4 + 2 * o <= first and last <= 4 + 2 * o for (o,), ((first, last),) in compare_within.items())


def test_a_gate_counts_only_when_strict() -> None:
    steps: list[Step] = [
        ("a", Conv(window=3), ("x",)),
        ("pool", GlobalAvgPool(), ("a",)),
        ("weigh", Conv(window=1), ("pool",)),
        ("gate", Sigmoid(), ("weigh",)),
        ("mul", Mul(), ("a", "gate")),
        ("b", Conv(window=3), ("mul",)),
    ]
    network = graph({"x": (2, 9, 9)}, steps)
    assert figures(field(network, "b")) == ((5, 5), (1, 1), (-2, -2), "exact")
    assert field(network, "gate").state == "global"
    assert figures(field(network, "b", strict=True)) == ((9, 9), (0, 0), (0, 0), "global")
    assert set(extents(network, "b").values()) == {((0, 8), (0, 8))}
    assert network_receptive_field(network, receptive_fields(network)) == ("b", field(network, "b"))
    name, strictly = network_receptive_field(network, receptive_fields(network, strict=True)) or ("", None)
    assert (name, strictly) == ("a", field(network, "a"))


def test_a_global_branch_makes_a_sum_and_a_concatenation_global() -> None:
    for op in (Add(), Cat(axis=1)):
        steps: list[Step] = [
            ("pool", GlobalAvgPool(), ("x",)),
            ("join", op, ("x", "pool") if op.word == "add" else ("pool", "pool")),
        ]
        network = graph({"x": (2, 7)}, steps)
        assert field(network, "join").state == "global"
        assert set(extents(network, "join").values()) == {((0, 6),)}


def test_what_lies_behind_another_along_an_axis() -> None:
    steps: list[Step] = [("a", Conv(window=3), ("x",)), ("cat", Cat(axis=1), ("x", "a"))]
    network = graph({"x": (1, 6)}, steps)
    found = field(network, "cat")
    assert (found.state, found.size, found.start) == ("unaligned", (8,), (-7,))
    for (o,), ((first, last),) in extents(network, "cat").items():
        assert -7 + o <= first <= last <= o


def test_dense_layers_see_everything() -> None:
    network = chain((2, 6, 7), Conv(window=3), Flatten(), FC(units=3))
    for name in ("n1", "n2"):
        assert figures(field(network, name)) == ((6, 7), (0, 0), (0, 0), "global")
    assert set(extents(network, "n2").values()) == {((0, 5), (0, 6))}
    assert network_receptive_field(network, receptive_fields(network)) == ("n0", field(network, "n0"))


def test_adaptive_pooling_is_a_window_where_it_divides_and_global_elsewhere() -> None:
    network = chain((1, 12, 12), Conv(window=3), AdaptiveAvgPool(size=4))
    assert figures(field(network, "n1")) == ((5, 5), (3, 3), (-1, -1), "exact")
    assert compare(network, "n1") > 0
    assert field(chain((1, 12, 12), AdaptiveAvgPool(size=5)), "n0").state == "global"
    assert field(chain((1, 12, 12), AdaptiveAvgPool(size=12)), "n0").state == "exact"


def test_a_network_that_only_looks_at_everything_is_known_by_its_input() -> None:
    network = chain((3, 4, 4), Flatten(), FC(units=2))
    name, found = network_receptive_field(network, receptive_fields(network)) or ("", None)
    assert name == "x"
    assert found is not None
    assert figures(found) == ((1, 1), (1, 1), (0, 0), "exact")


def test_vectors_of_numbers_have_no_field() -> None:
    network = chain((5,), FC(units=2), ReLU())
    assert receptive_fields(network) == {"x": None, "n0": None, "n1": None}
    assert network_receptive_field(network, receptive_fields(network)) is None


def test_of_several_inputs_the_first_counts() -> None:
    steps: list[Step] = [
        ("a", Conv(window=5), ("y",)),
        ("b", Conv(window=3), ("x",)),
        ("add", Add(), ("a", "b")),
    ]
    network = graph({"x": (2, 9), "y": (2, 9)}, steps)
    assert field(network, "a").input == "y"
    assert field(network, "add").input == "x"
    assert field(network, "add").size == (3,)


def test_training_branches_do_not_give_the_network_its_field() -> None:
    steps: list[Step] = [("a", Conv(window=3), ("x",)), ("aux", Conv(window=7), ("x",))]
    network = graph({"x": (2, 9)}, steps, outputs=("a",))
    assert (network_receptive_field(network, receptive_fields(network)) or ("",))[0] == "a"


class Twice(Op):
    """Each position twice over: what a layer that upsamples says of itself."""

    word: ClassVar = "Twice"
    category: ClassVar = "shape"

    def infer(self, *xs: TensorType) -> TensorType:
        return xs[0].resized(tuple(2 * n for n in xs[0].size))

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        return tuple(Reach(Fraction(1, 2), Fraction(-1, 2), 0, axis, even=False) for axis in range(y.rank))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return torch.nn.functional.interpolate(values[0], scale_factor=2, mode="nearest")


class Turned(Op):
    """A map with its two axes exchanged."""

    word: ClassVar = "Turned"
    category: ClassVar = "shape"

    def infer(self, *xs: TensorType) -> TensorType:
        return xs[0].resized(xs[0].size[::-1])

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        return (Reach(1, 0, 0, 1), Reach(1, 0, 0, 0))

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return values[0].transpose(2, 3)


class Lines(Op):
    """A map as one long axis."""

    word: ClassVar = "Lines"
    category: ClassVar = "shape"

    def infer(self, *xs: TensorType) -> TensorType:
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


kernels = st.integers(1, 4)
convolutions = st.builds(
    lambda kernel, stride, dilation, pads: Conv(
        channels=1, window=kernel, stride=stride, dilation=dilation, pad=(pads,), bias=False
    ),
    kernels,
    st.integers(1, 3),
    st.integers(1, 2),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
pools = st.builds(
    lambda kernel, stride, ceil: MaxPool(window=kernel, stride=stride, pad=(kernel - 1) // 2, ceil=ceil),
    kernels,
    st.integers(1, 3),
    st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(convolutions | pools, min_size=1, max_size=5), st.integers(30, 60))
def test_any_chain(ops: list[Op], size: int) -> None:
    try:
        network = chain((1, size), *ops)
    except Refusal:
        assume(False)
    compare(network, f"n{len(ops) - 1}")


@st.composite
def fitting(draw: st.DrawFn, stride: int) -> Op:
    """A convolution that gives a size divided by the stride, wherever its padding lies."""
    kernel, dilation = draw(kernels), draw(st.integers(1, 2))
    total = (kernel - 1) * dilation
    before = draw(st.integers(0, total))
    return Conv(window=kernel, stride=stride, dilation=dilation, pad=((before, total - before),), bias=False)


@settings(max_examples=80, deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(2, 3))
def test_any_branches(data: st.DataObject, stride: int, count: int) -> None:
    """The hull of the branches' views is seen, and nothing else."""
    steps: list[Step] = [("before", data.draw(convolutions), ("x",))]
    for branch in range(count):
        if data.draw(st.booleans()):
            steps.append((f"first{branch}", data.draw(fitting(1)), ("before",)))
        steps.append(
            (
                f"last{branch}",
                data.draw(fitting(stride)),
                (steps[-1][0] if f"first{branch}" == steps[-1][0] else "before",),
            )
        )
    steps += [("add", Add(), tuple(f"last{branch}" for branch in range(count))), ("after", Conv(window=3), ("add",))]
    network = graph({"x": (1, 48)}, steps)
    centers = {sum(view.center for view in field(network, f"last{branch}").views) for branch in range(count)}
    assert field(network, "add").state == ("exact" if len(centers) == 1 else "unaligned")
    compare(network, "add")
    compare(network, "after")


def test_a_hundred_thousand_layers() -> None:
    """One pass without recursion."""
    shape = TensorType(shape=(1, 8))
    count = 100_000
    op = Identity()
    nodes = [
        Node.model_construct(
            name=f"n{i}",
            op=op,
            inputs=(f"n{i - 1}" if i else "x",),
            type=shape,
            weights_of=f"n{i}",
            frame=None,
            place=None,
        )
        for i in range(count)
    ]
    network = Graph.model_construct(
        name="deep",
        inputs=(Input(name="x", type=shape),),
        nodes=tuple(nodes),
        outputs=(Output(name="y", node=f"n{count - 1}"),),
        modules=(),
        frames=(),
        sources={},
    )
    started = time.process_time()
    fields = receptive_fields(network)
    assert time.process_time() - started < 5
    assert figures(fields[f"n{count - 1}"] or field(network, "x")) == ((1,), (1,), (0,), "exact")
