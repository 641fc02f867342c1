"""Guards `drawing/draw.py` and `drawing/formats/mermaid.py`: pictures as files, and Mermaid."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.draw import draw
from cnndsl.backends.drawing.formats.graphviz import to_dot
from cnndsl.backends.drawing.formats.mermaid import to_mermaid
from cnndsl.diagnostics.errors import CnnError, MissingPart
from cnndsl.ir.graph import Graph
from tests.backends.drawing.networks import dense, resnet, shared, unet
from tests.backends.drawing.test_graphviz import NASTY, named


@pytest.mark.parametrize("graph", [resnet(), unet(), dense(), shared()], ids=["resnet", "unet", "dense", "shared"])
def test_mermaid_has_every_box_and_arrow(graph: Graph) -> None:
    picture = diagram(graph)
    text = to_mermaid(graph)
    assert text.startswith("flowchart TB\n")
    boxes = re.findall(r"^ +(n\d+)[\[(]", text, re.MULTILINE)
    assert boxes == [f"n{index}" for index in range(len(list(picture.boxes())))]
    arrows = re.findall(r"^  (\w+) (-->|-\.->)(?:\|\"[^\"|]*\"\|)? (\w+)$", text, re.MULTILINE)
    assert len(arrows) == len(picture.edges)
    assert [kind == "-.->" for _, kind, _ in arrows] == [edge.skip for edge in picture.edges]
    assert len(re.findall("^ +subgraph ", text, re.MULTILINE)) == len(re.findall("^ +end$", text, re.MULTILINE))
    ids = re.findall(r"^ +subgraph (\w+)\[", text, re.MULTILINE)
    assert len(set(ids) | set(boxes)) == len(ids) + len(boxes)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.sampled_from(NASTY), st.text(max_size=12)), st.one_of(st.sampled_from(NASTY), st.text(max_size=12)))
def test_text_in_mermaid_is_inert(name: str, title: str) -> None:
    if name == "image":
        return
    plain = to_mermaid(named("name", "title"))
    text = to_mermaid(named(name, title))
    # Only what stands between quotation marks differs, and that holds nothing that could end it.
    assert re.sub('"[^"]*"', '""', text) == re.sub('"[^"]*"', '""', plain)
    for inside in re.findall('"([^"]*)"', text):
        assert not re.search(r"[<>&`*\[\]{}|\\]", inside.replace("<br/>", ""))


@pytest.mark.parametrize("ending", [".svg", ".png", ".pdf"])
def test_draw_writes_what_the_ending_says(ending: str, tmp_path: Path) -> None:
    pytest.importorskip("pygraphviz")
    path = tmp_path / f"net{ending}"
    draw(resnet((1,)), path, depth=1)
    assert path.read_bytes()[:4] in (b"<?xm", b"\x89PNG", b"%PDF")
    assert list(tmp_path.iterdir()) == [path]


def test_draw_writes_text_without_graphviz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CNNDSL_DOT", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    graph = resnet((1,))
    draw(graph, tmp_path / "net.DOT", direction="LR")
    assert (tmp_path / "net.DOT").read_text(encoding="utf-8") == to_dot(graph, direction="LR")
    draw(graph, str(tmp_path / "net.mmd"))
    assert (tmp_path / "net.mmd").read_text(encoding="utf-8") == to_mermaid(graph)
    old = tmp_path / "net.svg"
    old.write_text("before")
    with pytest.raises(MissingPart):
        draw(graph, old)
    assert old.read_text() == "before"


@pytest.mark.parametrize(("name", "found"), [("net.jpg", "`.jpg`"), ("net", "a name without an ending")])
def test_another_ending_is_refused(name: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(CnnError) as caught:
        draw(resnet((1,)), tmp_path / name)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "unknown-format"
    assert diagnostic.message == f"cannot tell from {found} how to draw"
    assert diagnostic.help == "end the name in .svg, .png, .pdf, .dot or .mmd"
    assert not list(tmp_path.iterdir())
