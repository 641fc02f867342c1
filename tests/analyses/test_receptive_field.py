"""Guards `analyses/receptive_field.py`. Receptive fields against the non-zero extent of torch's gradients."""

from __future__ import annotations

import pytest

from cnndsl.analyses.receptive_field import network_receptive_field, receptive_fields
from cnndsl.analyses.summary import summarize
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph, Input, Node, Output
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
from cnndsl.pipeline import parse_text
from tests.analyses.gradients import chain, compare, extents, field, figures
from tests.graphs import Step, graph
from tests.work import at_most


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
    assert (name, strictly) == ("b", field(network, "b", strict=True))


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


def test_a_network_that_only_looks_at_everything_sees_all() -> None:
    network = chain((3, 4, 4), Flatten(), FC(units=2))
    name, found = network_receptive_field(network, receptive_fields(network)) or ("", None)
    assert name == "n1"
    assert found is not None
    assert figures(found) == ((4, 4), (0, 0), (0, 0), "global")


def test_a_head_that_only_training_or_another_output_has_does_not_count() -> None:
    steps: list[Step] = [
        ("d1", Conv(window=3), ("x",)),
        ("pool", MaxPool(), ("d1",)),
        ("d2", Conv(window=3), ("pool",)),
        ("aux", Conv(window=1), ("d1",)),
    ]
    network = graph({"x": (2, 16, 16)}, steps, outputs=("d2", "aux"))
    assert network_receptive_field(network, receptive_fields(network)) == ("d2", field(network, "d2"))
    assert field(network, "d2").size == (8, 8)


def test_attention_sees_all() -> None:
    text = (
        "input 3×32×32\nConv4x4(16, stride=4, pad=valid) → ToTokens → Attention(2) → Mean(0) → FC(3)\nassert rf >= 32"
    )
    found = summarize(parse_text(text).graph).receptive_field
    assert found is not None
    assert (found.state, found.size) == ("global", (32, 32))


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
    with at_most(calls=5_000_000):
        fields = receptive_fields(network)
    assert figures(fields[f"n{count - 1}"] or field(network, "x")) == ((1,), (1,), (0,), "exact")


@pytest.mark.parametrize(
    "text",
    [
        "input 3×64  Flatten → FC(512) → Reshape(8, 8, 8) → Conv3x3(8)",
        "input tokens 64×16  Attention(4) → ToMap(8, 8) → Conv3x3(8)",
        "input 3×64×64  Flatten → FC(512) → Reshape(8, 4, 4, 4) → Conv3x3x3(8)",
        "input 8×16×16  matmul{ Reshape(4, 2, 16, 16) | Reshape(4, 2, 16, 16) } → Permute(0, 2, 1, 3)",
        "input 3×6×8×8  Flatten → FC(512) → Reshape(8, 8, 8) → add{ Conv3x3(8) | GlobalAvgPool }",
    ],
)
def test_what_has_seen_everything_still_has_with_other_axes_than_the_input(text: str) -> None:
    network = parse_text(text).graph
    field = receptive_fields(network)[network.outputs[0].node]
    assert field is not None
    assert (field.state, field.size) == ("global", network.inputs[0].type.size)


def test_a_window_over_rearranged_axes_leaves_the_receptive_field_unknown() -> None:
    network = parse_text("input 8×16×16  Reshape(8, 32, 8) → Conv3x3(8) → GlobalAvgPool → FC(3)").graph
    assert network_receptive_field(network, receptive_fields(network)) is None
    with pytest.raises(CnnError) as caught:
        parse_text("input 8×16×16  Reshape(8, 32, 8) → Conv3x3(8) → GlobalAvgPool → FC(3)  assert rf >= 16")
    assert "the receptive field is not known" in caught.value.diagnostics[-1].message
