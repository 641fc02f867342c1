"""Guards `drawing/formats/graphviz_program.py`: DOT to SVG, PNG, PDF by what the machine has, and what is said without."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.formats import graphviz_program as module
from cnndsl.backends.drawing.formats.graphviz import to_dot
from cnndsl.backends.drawing.formats.graphviz_program import render
from cnndsl.backends.drawing.words.escape import visible
from cnndsl.diagnostics.errors import CnnError, MissingPart
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.ir.graph import Graph
from cnndsl.ops.max_pool import MaxPool
from cnndsl.ops.relu import ReLU
from tests.backends.drawing.networks import Net, resnet, unet

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the Graphviz inside pygraphviz."""
    pytest.importorskip("pygraphviz")
    monkeypatch.delenv("CNNDSL_DOT", raising=False)
    monkeypatch.setenv("PATH", "")


def program(path: Path, body: str) -> str:
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize("graph", [resnet(), unet()], ids=["resnet", "unet"])
def test_svg_has_every_op_once_with_its_facts(graph: Graph) -> None:
    root = ElementTree.fromstring(render(to_dot(graph, expand=True), "svg"))
    ops = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("id", "").startswith("op:"):
            assert group.get("id") not in ops
            ops[group.get("id")] = group.findtext(f"{SVG}title") or ""
    assert set(ops) == {f"op:{node.name}" for node in graph.nodes}
    for node in graph.nodes:
        lines = ops[f"op:{node.name}"].split("\n")
        assert lines[0] == node.name
        assert str(node.type) in lines[2]


@pytest.mark.usefixtures("bundled")
def test_tooltips_have_parameters_and_multiply_adds() -> None:
    root = ElementTree.fromstring(render(to_dot(resnet((4,))), "svg"))
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    (stem,) = [t for t in titles if t.startswith("stem\n")]
    # 7·7·3·16 weights, each used at 32·32 positions
    assert stem.split("\n")[1:] == [
        "Conv7x7(16, stride=2, bias=false)",
        "3×64×64 → 16×32×32",
        "2,352 params",
        "2,408,448 MACs",
    ]
    assert any(
        t.startswith("layer1.1.conv1, layer1.2.conv1, layer1.3.conv1\n") and "9,216 params each" in t for t in titles
    )


@pytest.mark.usefixtures("bundled")
def test_svg_edges_and_clusters_are_those_of_the_diagram() -> None:
    picture = diagram(unet())
    root = ElementTree.fromstring(render(to_dot(unet()), "svg"))
    kinds = [group.get("class") for group in root.iter(f"{SVG}g")]
    assert kinds.count("edge") == len(picture.edges)
    assert kinds.count("node") == len(list(picture.boxes())) + 2
    assert root.get("role") == "graphics-document"


@pytest.mark.usefixtures("bundled")
def test_svg_does_nothing() -> None:
    net = Net(3, 8, 8)
    nasty = '<script>alert("1")</script> &amp; javascript:alert(1)'
    with net.frame("block", nasty, "scope"):
        net.add(nasty, ReLU(), "image")
        net.add("next", ReLU(), nasty)
    root = ElementTree.fromstring(render(to_dot(net.graph(name=nasty)), "svg"))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "g", "title", "path", "polygon", "polyline", "ellipse", "text"}
    assert not any("href" in key or key.startswith("on") for element in root.iter() for key in element.attrib)
    assert any((title.text or "").startswith(nasty + "\n") for title in root.iter(f"{SVG}title"))


@pytest.mark.usefixtures("bundled")
def test_png_and_pdf() -> None:
    text = to_dot(resnet((1,)))
    assert render(text, "png").startswith(b"\x89PNG\r\n")
    assert render(text, "pdf").startswith(b"%PDF-")


def test_without_graphviz_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CNNDSL_DOT", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(MissingPart) as caught:
        render("digraph {}", "svg")
    assert caught.value.message == "cannot draw svg: no Graphviz found"
    assert caught.value.help == f"{how_to_install('draw')}, or install Graphviz, or write .dot or .mmd"


def test_a_given_program_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    body = "sys.stdout.write('%PDF' + ' '.join(sys.argv[1:]) + sys.stdin.read())"
    monkeypatch.setenv("CNNDSL_DOT", program(tmp_path / "mine", body))
    assert render("digraph {}", "pdf") == b"%PDF-Tpdfdigraph {}"


def test_a_broken_program_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("CNNDSL_DOT", program(tmp_path / "broken", "sys.exit('Format: \"svg\" not recognized')"))
    assert b"<svg" in render(to_dot(unet(1)), "svg")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(MissingPart, match=r'cannot draw svg: .*broken: Format: "svg" not recognized'):
        render("digraph {}", "svg")
    monkeypatch.setenv("CNNDSL_DOT", str(tmp_path / "nowhere"))
    with pytest.raises(MissingPart, match="nowhere: No such file"):
        render("digraph {}", "svg")


def test_an_empty_picture_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNDSL_DOT", program(tmp_path / "empty", "print('<?xml version=\"1.0\"?><svg/>')"))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(MissingPart, match="an empty picture"):
        render("digraph { a -> b }", "svg")


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNDSL_DOT", program(tmp_path / "slow", "time.sleep(60)"))
    with pytest.raises(CnnError) as caught:
        render("digraph {}", "svg", timeout=0.2)
    assert caught.value.diagnostics[0].id == "diagram-too-large"


@pytest.mark.usefixtures("bundled")
def test_a_module_of_the_working_directory_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pygraphviz.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert b"<svg" in render(to_dot(unet(1)), "svg")


def test_fontconfig_is_not_to_blame() -> None:
    assert module._reason(b"real reason\nFontconfig warning: unknown element\n\n") == "real reason"
    assert module._reason(b"Fontconfig error: Cannot load default config file\n") == ""


def test_only_known_formats() -> None:
    with pytest.raises(ValueError, match="no format 'webp'"):
        render("digraph {}", "webp")  # type: ignore[arg-type]


@pytest.mark.usefixtures("bundled")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=2, max_size=6, unique=True))
def test_any_name_is_read_back_from_its_tooltip(names: list[str]) -> None:
    net = Net(3, 8, 8)
    x = "image"
    for name in names:
        if name == "image":
            return
        x = net.add(name, MaxPool(window=1), x)
    root = ElementTree.fromstring(render(to_dot(net.graph()), "svg"))
    nodes = [group for group in root.iter(f"{SVG}g") if group.get("id", "").startswith("op:")]
    assert [unquote(group.get("id", "")) for group in nodes] == [f"op:{name}" for name in names]
    shown = [(group.findtext(f"{SVG}title") or "").split("\n")[0] for group in nodes]
    assert [text.split() for text in shown] == [visible(name).replace("\\", "\u2216").split() for name in names]


@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize("label", ["\\N", "\\L\\G\\", "<b>&amp;</b>", "'\"`"])
def test_any_label_is_drawn_as_it_is(label: str) -> None:
    net = Net(3, 8, 8)
    with net.frame("block", label, "scope"):
        net.add("a", MaxPool(), net.add("b", MaxPool(), "image"))
    root = ElementTree.fromstring(render(to_dot(net.graph()), "svg"))
    assert label.replace("\\", "\u2216") in [text.text for text in root.iter(f"{SVG}text")]
