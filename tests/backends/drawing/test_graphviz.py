"""Guards `drawing/formats/graphviz.py` and `drawing/words`: the DOT text, read back by Graphviz's own parser."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.formats.graphviz import to_dot
from cnndsl.backends.drawing.words.escape import identifier, visible
from cnndsl.ir.graph import Graph
from cnndsl.ops.add import Add
from cnndsl.ops.conv import Conv
from cnndsl.ops.relu import ReLU
from cnndsl.pipeline import parse_text
from tests.backends.drawing.networks import Net, dense, resnet, shared, unet

pygraphviz = pytest.importorskip("pygraphviz")

GRAPHS = {"resnet": resnet(), "unet": unet(), "dense": dense(), "shared": shared()}


def parse(text: str) -> Any:
    return pygraphviz.AGraph(string=text)


def straightened(graph: Any) -> Counter[tuple[str, str]]:
    """The arrows between boxes, with the points where they fork taken out."""
    edges = [(str(tail), str(head)) for tail, head in graph.edges()]
    entering = {head: tail for tail, head in edges if head.startswith("fork")}

    def start(key: str) -> str:
        return start(entering[key]) if key in entering else key

    return Counter((start(tail), head) for tail, head in edges if not head.startswith("fork"))


@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_every_box_and_arrow_of_the_diagram_is_in_the_text(graph: Graph, expand: bool) -> None:
    picture = diagram(graph, expand=expand)
    parsed = parse(to_dot(graph, expand=expand))
    keys = [p.key for p in picture.inputs] + [b.key for b in picture.boxes()] + [p.key for p in picture.outputs]
    assert sorted(str(n) for n in parsed.nodes() if not str(n).startswith("fork")) == sorted(map(identifier, keys))
    assert straightened(parsed) == Counter((identifier(e.tail), identifier(e.head)) for e in picture.edges)


def test_clusters_nest_as_the_source_does() -> None:
    parsed = parse(to_dot(resnet((2, 2))))
    stages = parsed.subgraphs()
    assert [len(stage.subgraphs()) for stage in stages] == [2, 2]
    assert [re.sub("<[^>]*>", "", str(s.graph_attr["label"])).split() for s in stages] == [
        ["layer1", "Stage"],
        ["layer2", "Stage"],
    ]


def test_a_residual_block_forks_inside_its_cluster() -> None:
    text = to_dot(resnet((3,)))
    assert text.count("arrowhead=none") == 2
    parsed = parse(text)
    block = parsed.subgraphs()[0].subgraphs()[1]
    assert sum(str(node).startswith("fork") for node in block.nodes()) == 1


def test_words_of_a_figure() -> None:
    text = to_dot(resnet((4,)))
    assert "<B>Conv7x7</B>  16, /2" in text
    assert "2.35K params · 2.41M MACs" in text  # 7·7·3·16 weights, each used at 32×32 positions
    assert " ×3 " in text
    assert "downsample" in text
    assert '<FONT POINT-SIZE="14">+</FONT>' in text
    assert '>shared<BR ALIGN="LEFT"/>weights<' in to_dot(shared())
    assert "· weights of head.0<" not in to_dot(shared())  # the cluster says it


def test_switches() -> None:
    plain = to_dot(unet(), show_shapes=False, show_costs=False, direction="LR")
    assert "rankdir=LR" in plain
    assert "label=<&#160;" not in plain
    assert 'POINT-SIZE="8.5"' not in re.sub(r">(enc|dec|middle|up)\d*<", "><", plain) or "MACs</FONT>" not in plain


def test_the_same_graph_gives_the_same_text() -> None:
    assert to_dot(resnet()) == to_dot(Graph.model_validate_json(resnet().model_dump_json()))


def named(name: str, title: str) -> Graph:
    """A fork, a skip, a block and a group whose names are anything."""
    net = Net(3, 8, 8)
    with net.frame("block", title, name):
        x = net.add(name, Conv(channels=3, window=(3, 3)), "image")
        y = net.add(name + "'", ReLU(), x)
        net.add(name + '"', Add(), y, "image")
    return net.graph(name=title)


NASTY = [
    "<script>alert(1)</script>",
    '"]; evil [URL="javascript:1"',
    "\\",
    "\\N\\G\\l",
    "a\nb\r",
    "&lt;&#10;",
    "\x00\x1b\u202e",
    "]]>",
    "-->",
    "%",
    "%%{init: {'securityLevel': 'loose'}}%%",
    'click n0 href "javascript:alert(1)"',
    '<<TABLE HREF="javascript:1"><TR><TD>x</TD></TR></TABLE>>',
    "' onload='alert(1)",
]


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.sampled_from(NASTY), st.text(max_size=12)), st.one_of(st.sampled_from(NASTY), st.text(max_size=12)))
def test_text_from_a_program_is_inert(name: str, title: str) -> None:
    if name == "image":
        return
    try:
        (name + title).encode()
    except UnicodeEncodeError:
        return
    text = to_dot(named(name, title))
    parsed = parse(text)
    keys = {unquote(str(node)) for node in parsed.nodes()}
    assert {key for key in keys if not key.startswith("fork")} == {
        f"op:{name}",
        f'op:{name}"',
        "in:image",
        f'out:{name}"',
    }
    for thing in [parsed, *parsed.nodes(), *parsed.edges(), *parsed.subgraphs()]:
        attributes = thing.graph_attr if hasattr(thing, "graph_attr") else thing.attr
        assert not {"URL", "href", "edgeURL", "labelURL", "image", "shapefile"} & set(attributes.keys())
    assert not re.search(r"\b(HREF|URL|SRC)\s*=", re.sub(r'"[^"]*"|>[^<]*<', "", text), re.IGNORECASE)


@given(st.text(), st.text())
def test_ids_differ_where_keys_do(one: str, other: str) -> None:
    assert (identifier(one) == identifier(other)) == (one == other)
    assert identifier(one).isascii()


@given(st.text(st.characters()))
def test_what_is_written_can_be_read_as_xml(text: str) -> None:
    from xml.etree import ElementTree

    assert (
        ElementTree.fromstring(f"<a>{visible(text).replace('&', '').replace('<', '').replace('>', '')}</a>").tag == "a"
    )


def test_a_block_with_one_box_keeps_its_name() -> None:
    graph = parse_text("input 3×8×8\nblock Double(c) { Conv3x3(c) → BN → ReLU }\nDouble(4)").graph
    assert ">Double · " in to_dot(graph)


def test_joins_are_words_and_numbers_of_rounds_are_said_to_be_of_each() -> None:
    text = to_dot(parse_text("input 3×8×8\ncat{ Conv3x3(3) | id } → [Conv3x3(6) → ReLU]×2").graph)
    assert "<B>concatenate</B>" in text
    assert "‖" not in text
    assert "MACs each" in text


def test_the_heading_of_shared_weights_is_narrow() -> None:
    source = (
        "input a: 3×8×8\ninput b: 3×8×8\nshare t = [Conv3x3(4) → ReLU → MaxPool → Conv3x3(4)]\nsub{ a → t | b → t }"
    )
    assert 'shared<BR ALIGN="LEFT"/>weights' in to_dot(parse_text(source).graph)
