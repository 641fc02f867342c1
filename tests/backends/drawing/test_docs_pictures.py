"""Guards docs/images: its pictures are those that `backends/drawing` draws today."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from cnndsl.backends.drawing.draw import to_svg
from cnndsl.backends.drawing.figures.canvas import figure_svg
from cnndsl.backends.drawing.figures.volumes import volumes
from cnndsl.pipeline import load
from tests.backends.drawing.test_svg import SVG, assert_inert

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "images"


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "vgg16", "unet"])
def test_volumes_are_fresh(name: str) -> None:
    assert (IMAGES / f"{name}_volumes.svg").read_bytes() == figure_svg(volumes(load(name).graph, theme="auto"))


@pytest.mark.parametrize(
    ("file", "name", "depth"),
    [
        ("lenet5", "lenet5", None),
        ("resnet50_depth1", "resnet50", 1),
        ("resnet50", "resnet50", None),
        ("inception_v3", "inception_v3", None),
        ("densenet121", "densenet121", None),
        ("unet", "unet", 1),
        ("unet_full", "unet", None),
        ("retinanet", "retinanet_resnet50_fpn", None),
        ("retinanet_depth2", "retinanet_resnet50_fpn", 2),
    ],
)
def test_diagrams_are_fresh(file: str, name: str, depth: int | None) -> None:
    """Words and facts; where Graphviz puts them depends on its version and on the fonts of a machine."""
    pytest.importorskip("pygraphviz")

    def said(text: str) -> list[tuple[str | None, str | None]]:
        root = ElementTree.fromstring(text)
        assert_inert(root)
        return [(e.get("id"), e.text) for e in root.iter() if e.tag in (f"{SVG}g", f"{SVG}text", f"{SVG}title")]

    committed = said((IMAGES / f"{file}.svg").read_text(encoding="utf-8"))
    assert committed == said(to_svg(load(name).graph, depth=depth, theme="auto"))
