"""Guards `drawing/formats/svg.py`: an SVG in a page does nothing, its elements can be found, all kinds of readers are served."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import pytest

from cnndsl.backends.drawing.diagram.diagram import Cluster, Item
from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.draw import element_ids, to_svg
from cnndsl.ops.relu import ReLU
from cnndsl.pipeline import load
from tests.backends.drawing.networks import Net, resnet, shared, unet

SVG = "{http://www.w3.org/2000/svg}"
DRAWING = {"svg", "g", "title", "desc", "style", "path", "polygon", "polyline", "ellipse", "text", "rect", "image"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><a href="javascript:alert(1)">x</a>',
    "' onload='alert(1)",
    "%22%3E%3Cscript%3E",
    '<<TABLE HREF="javascript:1"><TR><TD>x</TD></TR></TABLE>>',
    "&lt;img src=x onerror=alert(1)&gt;",
    "%%{init: {'securityLevel': 'loose'}}%%",
    'click n0 href "javascript:alert(1)"',
    "]]><foreignObject/>",
    "</style><script>1</script>",
    "url(javascript:1)",
    "\\N\\G",
]


def assert_inert(root: ElementTree.Element) -> None:
    """Nothing that acts, loads or leads anywhere; pictures only as the PNG they hold."""
    for element in root.iter():
        assert element.tag.startswith(SVG)
        assert element.tag.removeprefix(SVG) in DRAWING
        for key, value in element.attrib.items():
            assert not key.lower().startswith("on")
            assert key != "style" or value == "image-rendering:pixelated"
            if "href" in key.lower():
                assert element.tag == f"{SVG}image"
                assert value.startswith("data:image/png;base64,")
        if element.tag == f"{SVG}style":
            assert "url" not in (element.text or "")
            assert "@import" not in (element.text or "")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("theme", ["light", "auto"])
def test_hostile_names_do_nothing(text: str, theme: str) -> None:
    pytest.importorskip("pygraphviz")
    net = Net(3, 8, 8)
    with net.frame("block", text, text):
        x = net.conv(text, "image", 4, 3)
        net.add(text + "2", ReLU(), x)
    graph = net.graph(name=text)
    for depth in (None, 1):
        root = ElementTree.fromstring(to_svg(graph, theme=theme, depth=depth, color="rf"))  # type: ignore[arg-type]
        assert_inert(root)
    styles = [style.text or "" for style in root.iter(f"{SVG}style")]
    assert not any(text in style for style in styles)


@pytest.mark.parametrize(
    "name", ["lenet5", "alexnet", "resnet18", "googlenet", "inception_v3", "unet", "mobilenet_v3_small"]
)
@pytest.mark.parametrize("expand", [False, True])
def test_svg_has_every_box_cluster_and_arrow_of_the_diagram(name: str, expand: bool) -> None:
    pytest.importorskip("pygraphviz")
    graph = load(name).graph
    picture = diagram(graph, expand=expand)
    root = ElementTree.fromstring(to_svg(graph, expand=expand))
    kinds = Counter(group.get("class", "").split(" ")[0] for group in root.iter(f"{SVG}g"))
    ports = len(picture.inputs) + len(picture.outputs)
    forks = kinds["node"] - len(list(picture.boxes())) - ports
    assert forks >= 0
    assert kinds["cluster"] == sum(map(clusters, picture.items))
    # Every fork adds one stretch to the arrows that it joins.
    assert kinds["edge"] == len(picture.edges) + forks
    ids = [group.get("id") for group in root.iter(f"{SVG}g") if group.get("id")]
    assert len(ids) == len(set(ids))


def clusters(item: Item) -> int:
    return 1 + sum(map(clusters, item.children)) if isinstance(item, Cluster) else 0


@pytest.mark.parametrize("depth", [None, 1, 2])
@pytest.mark.parametrize("expand", [False, True])
def test_every_layer_is_found_by_its_id(depth: int | None, expand: bool) -> None:
    pytest.importorskip("pygraphviz")
    for graph in (resnet(), unet(), shared(), load("densenet121").graph):
        ids = element_ids(graph, depth=depth, expand=expand)
        assert set(ids) == {node.name for node in graph.nodes}
        root = ElementTree.fromstring(to_svg(graph, depth=depth, expand=expand))
        present = {group.get("id") for group in root.iter(f"{SVG}g")}
        assert set(ids.values()) <= present
    if depth is None and expand:
        assert ids["features.conv0"] == "op:features.conv0"


def test_readers_who_do_not_see_are_told() -> None:
    pytest.importorskip("pygraphviz")
    root = ElementTree.fromstring(to_svg(load("lenet5").graph))
    assert root.get("aria-label") == "Diagram of lenet5"
    about = root.find(f"{SVG}desc")
    assert about is not None
    assert about.get("id") == root.get("aria-describedby")
    assert about.text is not None
    assert about.text.startswith("lenet5: from image 1×32×32 to classifier.fc3 10; ")
    assert "61.7K parameters" in about.text
    symbols = [group for group in root.iter(f"{SVG}g") if group.get("role") == "graphics-symbol"]
    labels = {group.get("id"): group.findtext(f"{SVG}title") or "" for group in symbols}
    assert labels["op:features.conv1"].startswith("features.conv1\nConv5x5(6")
    assert all(labels.values())


def test_headings_lie_over_the_arrows() -> None:
    pytest.importorskip("pygraphviz")
    root = ElementTree.fromstring(to_svg(load("densenet121").graph))
    picture = next(root.iter(f"{SVG}g"))
    last = list(picture)[-1]
    assert last.get("class") == "headings"
    assert last.get("pointer-events") == "none"
    words = [text.text for text in last]
    assert words[:4] == ["features", "denseblock1", "denselayer1…6", "DenseLayer"]
    assert not any("×" in (word or "") for word in words)
    assert {text.get("paint-order") for text in last} == {"stroke"}
    badges = [text.text for group in picture if group.get("class") == "cluster" for text in group.iter(f"{SVG}text")]
    assert [badge.strip() for badge in badges if badge] == ["×6", "×12", "×24", "×16"]
