"""Guards `drawing/page.py` and `drawing/diagram/columns.py`: long diagrams fit a page, and nothing is lost at a cut."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from cnndsl.backends.drawing.diagram.columns import CROSSING, columns
from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.draw import draw
from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import load


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "unet", "googlenet"])
@pytest.mark.parametrize("count", [2, 4])
def test_columns_hold_every_box_and_every_tensor_that_passes(name: str, count: int) -> None:
    whole = diagram(load(name).graph)
    cut = columns(whole, count)
    assert [box.key for box in cut.boxes()] == [box.key for box in whole.boxes()]
    stay = {(e.tail, e.head, e.tensor) for e in whole.edges} & {(e.tail, e.head, e.tensor) for e in cut.edges}
    passing = [e for e in whole.edges if (e.tail, e.head, e.tensor) not in stay]
    assert 0 < len({e.tensor for e in passing}) <= CROSSING * (count - 1)
    for edge in passing:
        (leave,) = {
            e.head for e in cut.edges if e.tail == edge.tail and e.head.startswith("to:") and e.tensor == edge.tensor
        }
        (enter,) = {
            e.tail for e in cut.edges if e.head == edge.head and e.tail.startswith("from:") and e.tensor == edge.tensor
        }
        assert leave.split(":")[1] == enter.split(":")[1]
    keys = [port.key for port in (*cut.inputs, *cut.outputs)]
    assert len(keys) == len(set(keys))


def test_one_column_is_the_diagram_itself() -> None:
    whole = diagram(load("lenet5").graph)
    assert columns(whole, 1) is whole


def test_a_long_diagram_fits_a_page(tmp_path: Path) -> None:
    pytest.importorskip("pygraphviz")
    path = tmp_path / "vgg.svg"
    points = draw(load("vgg16").graph, path, page="A4")
    root = ElementTree.parse(path).getroot()
    width, height = (float(str(root.get(side)).removesuffix("pt")) for side in ("width", "height"))
    assert width <= 0.5 + 72 * (8.27 - 1.2)
    assert height <= 0.5 + 72 * (11.69 - 1.2)
    assert points > 5


def test_mermaid_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(CnnError, match="unknown-format"):
        draw(load("lenet5").graph, tmp_path / "net.mmd", page="A4")
