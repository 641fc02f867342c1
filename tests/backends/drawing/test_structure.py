"""Guards `drawing/diagram`: every op is drawn once, every arrow too, and repeats are folded only where they may be."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnndsl.backends.drawing.diagram.diagram import Box, Cluster, Diagram, Folded, Item
from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.ir.graph import Graph
from cnndsl.ops.add import Add
from cnndsl.ops.conv import Conv
from cnndsl.ops.relu import ReLU
from tests.backends.drawing.networks import Net, dense, resnet, shared, unet

GRAPHS = {"resnet": resnet(), "unet": unet(), "dense": dense(), "shared": shared()}
WAYS: list[dict[str, Any]] = [
    {},
    {"expand": True},
    {"depth": 0},
    {"depth": 1},
    {"depth": 2},
    {"depth": 1, "expand": True},
]


def names(box: Box | Folded) -> list[str]:
    nodes = box.nodes if isinstance(box, Folded) else [node for cell in box.cells for node in cell.nodes]
    return [node.name for node in nodes]


def home(picture: Diagram) -> dict[str, str]:
    """The box of every tensor."""
    found = {port.node: port.key for port in picture.inputs}
    return found | {name: box.key for box in picture.boxes() for name in names(box)}


def clusters(items: tuple[Item, ...]) -> list[Cluster]:
    found = [item for item in items if isinstance(item, Cluster)]
    return found + [inner for item in found for inner in clusters(item.children)]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_every_node_is_drawn_once(graph: Graph, way: dict[str, Any]) -> None:
    drawn = Counter(name for box in diagram(graph, **way).boxes() for name in names(box))
    assert drawn == Counter(node.name for node in graph.nodes)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_expanded_every_edge_is_drawn(graph: Graph) -> None:
    picture = diagram(graph, expand=True)
    where = home(picture)
    expected = Counter((where[i], where[n.name]) for n in graph.nodes for i in n.inputs if where[i] != where[n.name])
    expected.update((where[port.node], port.key) for port in picture.outputs)
    assert Counter((e.tail, e.head) for e in picture.edges) == expected


def refolded(graph: Graph, picture: Diagram) -> list[str]:
    """Edges that the picture does not tell: neither drawn, nor inside a box, nor what a badge says."""
    where = home(picture)
    drawn = {(e.tail, e.head) for e in picture.edges}
    cells = [cell for box in picture.boxes() if isinstance(box, Box) for cell in box.cells]
    first = {node.name: cell.node for cell in cells for node in cell.nodes}
    rounds = {node.name: len(cell.nodes) for cell in cells for node in cell.nodes}
    lost = []
    for node in graph.nodes:
        for name, of_first in zip(node.inputs, first[node.name].inputs, strict=True):
            same = where[name] == where[of_first]
            # A later round may read what the one before it made: a node that also stands for several rounds.
            carried = node.name != first[node.name].name and rounds.get(name, 1) > 1
            told = where[of_first] == where[node.name] or (where[of_first], where[node.name]) in drawn
            if not (told and (same or carried)):
                lost.append(f"{name} → {node.name}")
    return lost


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_folding_loses_no_edge(graph: Graph) -> None:
    assert refolded(graph, diagram(graph)) == []


def test_resnet_is_a_first_block_and_a_repeat_per_stage() -> None:
    picture = diagram(resnet((3, 4)))
    titles = [(c.label, c.title, c.times) for c in clusters(picture.items)]
    assert titles == [
        ("layer1", "Stage", 1),
        ("layer2", "Stage", 1),
        ("", "Basic", 1),
        ("", "Basic", 2),
        ("", "Basic", 1),
        ("", "Basic", 3),
    ]
    assert [(e.tail, e.head) for e in picture.edges if e.skip] == [
        ("op:layer1.0.add", "op:layer1.1.add"),
        ("op:layer2.0.add", "op:layer2.1.add"),
    ]


def test_a_convolution_shares_its_box_with_what_normalises_and_activates_it() -> None:
    boxes = {box.key: names(box) for box in diagram(resnet((1,))).boxes()}
    assert boxes["op:stem"] == ["stem", "stem_bn", "stem_relu"]
    assert boxes["op:layer1.0.conv2"] == ["layer1.0.conv2", "layer1.0.conv2_bn"]
    assert boxes["op:layer1.0.add"] == ["layer1.0.add", "layer1.0.relu"]
    assert boxes["op:flatten"] == ["flatten", "fc"]
    assert next(box for box in diagram(resnet((1,))).boxes() if box.key.endswith("downsample.0")).label == "downsample"


def test_pre_activation_stands_before_its_convolution() -> None:
    (cluster,) = diagram(dense(4)).items
    assert isinstance(cluster, Cluster)
    assert cluster.times == 4
    assert [[cell.node.op.word for cell in box.cells] for box in cluster.children if isinstance(box, Box)] == [
        ["BN", "ReLU", "Conv"],
        ["cat"],
    ]


def test_channels_that_grow_from_round_to_round_are_a_range() -> None:
    graph = dense(4)
    edges = {(e.tail, e.head): e.label for e in diagram(graph).edges}
    assert edges["op:0.cat", "out:3.cat"] == "24×16×16"
    assert edges["op:0.bn", "op:0.cat"] == "4×16×16"


def test_unet_skips_go_across() -> None:
    skips = {(e.tail, e.head) for e in diagram(unet(2)).edges if e.skip}
    assert skips == {("op:enc0.0", "op:cat0"), ("op:enc1.0", "op:cat1")}


def test_shapes_stand_where_they_change() -> None:
    picture = diagram(resnet((1,)))
    labels = {(e.tail, e.head): e.label for e in picture.edges}
    assert labels["op:stem", "op:layer1.0.conv1"] == "16×32×32"
    assert labels["op:layer1.0.conv1", "op:layer1.0.conv2"] == "32×16×16"
    assert labels["op:layer1.0.add", "op:pool"] == ""
    assert labels["op:pool", "op:flatten"] == "32×1×1"


def test_second_use_of_shared_weights_is_marked() -> None:
    marks = [(c.title or c.label, c.shared) for c in clusters(diagram(shared(3)).items)]
    assert marks == [("head", False), ("head", True), ("head", True)]


def test_depth_makes_one_box_of_what_lies_deeper() -> None:
    graph = resnet((3, 4))
    (whole,) = diagram(graph, depth=0).boxes()
    assert isinstance(whole, Folded)
    assert [node.name for node in whole.leaving] == ["fc"]
    top = [(b.label, b.title, b.times, len(b.nodes)) for b in diagram(graph, depth=1).boxes() if isinstance(b, Folded)]
    assert top == [("layer1", "Stage", 1, 23), ("layer2", "Stage", 1, 30)]
    deeper = [(b.title, b.times, len(b.nodes)) for b in diagram(graph, depth=2).boxes() if isinstance(b, Folded)]
    assert deeper == [("Basic", 1, 9), ("Basic", 2, 14), ("Basic", 1, 9), ("Basic", 3, 21)]
    with pytest.raises(ValueError, match="depth counts from 0"):
        diagram(graph, depth=-1)


def chain(channels: list[int], outputs: list[int], strides: list[int]) -> Graph:
    """A repeat of convolutions with these channels and strides; the rounds in `outputs` also leave the network."""
    net = Net(4, 64, 64)
    x = "image"
    with net.frame("repeat", rounds=len(channels)):
        for index, (count, stride) in enumerate(zip(channels, strides, strict=True)):
            with net.frame("round", round=index, rounds=len(channels)):
                x = net.add(f"c{index}", Conv(channels=count, window=(3, 3), stride=stride), x)
                x = net.add(f"r{index}", ReLU(), x)
    return net.graph(*(f"r{i}" for i in outputs), x) if outputs else net.graph()


def runs(graph: Graph) -> list[int]:
    return [box.times for box in diagram(graph).boxes() if isinstance(box, Box)]


def test_only_alike_neighbours_are_folded() -> None:
    assert runs(chain([8, 8, 8], [], [1, 1, 1])) == [3]
    assert runs(chain([4, 4, 8, 8, 8], [], [1, 1, 1, 1, 1])) == [2, 3]
    assert runs(chain([8, 8, 8], [], [2, 1, 1])) == [1, 2]
    assert runs(chain([8, 8], [], [2, 2])) == [1, 1]


def test_a_round_that_others_read_is_drawn() -> None:
    # Without the tensor leaving from the middle, all four would be one box.
    assert runs(chain([4, 4, 4, 4], [1], [1, 1, 1, 1])) == [2, 2]
    assert sum(runs(chain([4, 4, 4, 4], [0, 1, 2], [1, 1, 1, 1]))) == 4


def test_rounds_wired_otherwise_are_not_alike() -> None:
    net = Net(4, 8, 8)
    with net.frame("repeat", rounds=3):
        x = "image"
        for index, other in enumerate(("image", "image", "r0")):
            with net.frame("round", round=index, rounds=3):
                y = net.add(f"a{index}", Add(), x, other)
                x = net.add(f"r{index}", ReLU(), y)
    assert runs(net.graph()) == [1, 1, 1]


def test_a_fixed_tensor_read_by_every_round_is_drawn_once() -> None:
    net = Net(4, 8, 8)
    x = net.add("start", ReLU(), "image")
    with net.frame("repeat", rounds=3):
        for index in range(3):
            with net.frame("round", round=index, rounds=3):
                y = net.add(f"a{index}", Add(), x, "image")
                x = net.add(f"r{index}", ReLU(), y)
    picture = diagram(net.graph())
    assert [box.times for box in picture.boxes() if isinstance(box, Box)] == [1, 3]
    assert [(e.tail, e.head) for e in picture.edges] == [
        ("in:image", "op:start"),
        ("op:start", "op:a0"),
        ("in:image", "op:a0"),
        ("op:a0", "out:r2"),
    ]


@st.composite
def structured(draw: st.DrawFn) -> Graph:
    """Networks of nested frames, with merges that reach back to any tensor."""
    net = Net(4, 8, 8)
    made = ["image"]

    def body(level: int) -> None:
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(
                st.sampled_from(["op", "op", "merge", "block", "group", "repeat"] if level < 3 else ["op", "merge"])
            )
            number = len(made)
            if kind == "op":
                made.append(net.add(f"n{number}", draw(st.sampled_from([ReLU(), Conv(window=(3, 3))])), made[-1]))
            elif kind == "merge":
                made.append(net.add(f"n{number}", Add(), made[-1], draw(st.sampled_from(made[-6:]))))
            elif kind == "repeat":
                rounds = draw(st.integers(1, 3))
                with net.frame("repeat", rounds=rounds):
                    for index in range(rounds):
                        with net.frame("round", round=index, rounds=rounds):
                            body(level + 1)
            else:
                with net.frame("block" if kind == "block" else "group", draw(st.sampled_from(["A", "B"]))):
                    body(level + 1)

    body(0)
    if len(made) == 1:
        made.append(net.add("n1", ReLU(), "image"))
    return net.graph(made[-1])


@settings(max_examples=150, deadline=None)
@given(structured(), st.booleans(), st.one_of(st.none(), st.integers(0, 3)))
def test_any_structure_keeps_its_nodes_and_order(graph: Graph, expand: bool, depth: int | None) -> None:
    picture = diagram(graph, expand=expand, depth=depth)
    drawn = Counter(name for box in picture.boxes() for name in names(box))
    assert drawn == Counter(node.name for node in graph.nodes)
    keys = [p.key for p in picture.inputs] + [b.key for b in picture.boxes()] + [p.key for p in picture.outputs]
    assert len(set(keys)) == len(keys)
    order = {key: rank for rank, key in enumerate(keys)}
    assert all(order[edge.tail] < order[edge.head] for edge in picture.edges)
    if expand and depth is None:
        where = home(picture)
        expected = Counter(
            (where[i], where[n.name]) for n in graph.nodes for i in n.inputs if where[i] != where[n.name]
        )
        expected.update((where[port.node], port.key) for port in picture.outputs)
        assert Counter((e.tail, e.head) for e in picture.edges) == expected
    if not expand and depth is None:
        assert refolded(graph, picture) == []
