"""Guards `drawing/figures/fields.py` and `widening.py`: the boxes are torch's gradients, the picture is a plain PNG."""

from __future__ import annotations

from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest

from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.drawing.figures.canvas import Picture, Text, figure_svg
from cnndsl.backends.drawing.figures.fields import fields
from cnndsl.backends.drawing.figures.widening import ROWS, Seen, widening
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import load, parse_text
from tests.backends.drawing.test_svg import SVG, assert_inert


def pixels(graph: Graph) -> np.ndarray:
    height, width = widening(graph).size
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_boxes_are_where_torch_finds_gradients() -> None:
    pytest.importorskip("torch")
    from cnndsl.backends.pytorch.live.gradient import influence

    graph = parse_text(
        "input 3×40×40\nConv3x3(4) → BN → ReLU → MaxPool2x2 → Conv5x5(4, stride=2) → ReLU → Conv3x3(4, dilation=2) → FC(2)"
    ).graph
    weights = {key: np.asarray(np.abs(value)) for key, value in initial_weights(graph, 0).items()}
    image = np.random.default_rng(0).random((1, 3, 40, 40), dtype=np.float32)
    found = widening(graph)
    assert [seen.size for seen in found.rows] == [(3, 3), (4, 4), (12, 12), (28, 28)]
    for seen in found.rows:
        shares = influence(graph, weights, {found.input: image}, seen.node.name, found.input)
        assert shares.shape == (40, 40)
        rows, columns = np.nonzero(shares)
        if seen.node.op.word == "MaxPool":
            # Its gradient reaches one of four windows only; these lie inside the box.
            assert seen.top <= rows.min() <= rows.max() < seen.bottom
            continue
        if all(n.op.word != "MaxPool" for n in graph.nodes[: graph.nodes.index(seen.node)]):
            assert (rows.min(), rows.max() + 1) == (seen.top, seen.bottom)
            assert (columns.min(), columns.max() + 1) == (seen.left, seen.right)
        assert rows.min() >= max(seen.top, 0)
        assert rows.max() < seen.bottom


def test_rows_grow_and_end_with_the_field_of_the_summary() -> None:
    found = widening(load("resnet50").graph)
    assert len(found.rows) == ROWS
    assert found.layers == 18
    assert found.rows[0].node.name == "conv1"
    assert (found.rows[0].size, found.rows[-1].size) == ((7, 7), (427, 427))
    assert found.last.size == (427, 427)
    assert found.whole is not None
    assert found.whole.name == "avgpool"
    sizes = [seen.size for seen in found.rows]
    assert sizes == sorted(set(sizes))


def test_figure_says_what_it_does_not_draw() -> None:
    graph = load("resnet50").graph
    words = [s.text for group in fields(graph, pixels(graph)).groups for s in group.shapes if isinstance(s, Text)]
    assert "427×427 px" in words
    assert "14 of the 18 layers that see more than those before" in words
    assert "outside the picture lies padding; a box at the edge of the panel reaches further" in words
    assert "avgpool (GlobalAvgPool) and what follows see the whole picture" in words


def test_unaligned_fields_are_dashed_and_said() -> None:
    graph = parse_text("input 3×32×32\ncat{ AvgPool2x2 | Conv3x3(3, stride=2) } → Conv3x3(4) → FC(2)").graph
    found = widening(graph)
    assert "unaligned" in {seen.state for seen in found.rows}
    text = figure_svg(fields(graph, pixels(graph))).decode()
    assert "stroke-dasharray" in text
    assert "dashed: paths of several centres or strides" in text


def test_picture_is_made_anew() -> None:
    from PIL import Image

    graph = load("lenet5").graph
    given = np.arange(32 * 32, dtype=np.uint8).reshape(32, 32)
    figure = fields(graph, given)
    (picture,) = (shape for group in figure.groups for shape in group.shapes if isinstance(shape, Picture))
    with Image.open(BytesIO(picture.png)) as file:
        assert file.info == {}
        assert np.array_equal(np.asarray(file), given)
    root = ElementTree.fromstring(figure_svg(figure))
    assert_inert(root)
    assert len(list(root.iter(f"{SVG}image"))) == 1


def test_the_effective_field_holds_what_it_says() -> None:
    graph = load("lenet5").graph
    seen = widening(graph).last
    assert isinstance(seen, Seen)
    share = np.zeros((32, 32), np.float32)
    row, column = int((seen.top + seen.bottom) // 2), int((seen.left + seen.right) // 2)
    share[row - 2 : row + 3, column - 2 : column + 3] = 1
    figure = fields(graph, np.zeros((32, 32), np.uint8), influence=share)
    words = [shape.text for group in figure.groups for shape in group.shapes if isinstance(shape, Text)]
    assert "95% of the gradient lies within the dashed 5×5 px; the theory says 16×16 px" in words
    figure = fields(graph, np.zeros((32, 32), np.uint8), influence=np.zeros((32, 32), np.float32))
    words = [shape.text for group in figure.groups for shape in group.shapes if isinstance(shape, Text)]
    assert "the gradient is zero everywhere: on this picture nothing moves the centre" in words


@pytest.mark.parametrize("name", ["m5", "textcnn"])
def test_networks_without_a_picture_are_refused(name: str) -> None:
    with pytest.raises(CnnError) as caught:
        widening(load(name).graph)
    assert caught.value.diagnostics[0].id == "wrong-rank"


def test_a_photograph_is_shown_sharper_than_the_network_sees_it() -> None:
    graph = load("lenet5").graph
    small, large = pixels(graph), pixels(graph).repeat(4, 0).repeat(4, 1)
    plain, sharp = fields(graph, small), fields(graph, large)
    assert (plain.width, plain.height) == (sharp.width, sharp.height)
    with pytest.raises(ValueError, match="a picture of"):
        fields(graph, large[:-1])


def test_layers_without_a_name_are_said_to_be_what_they_are() -> None:
    graph = parse_text("input 3×32×32\nConv3x3(8) → ReLU → MaxPool → Conv3x3(8)").graph
    words = [s.text for g in fields(graph, pixels(graph)).groups for s in g.shapes if isinstance(s, Text)]
    assert "Conv3x3 8 (layer 3), step 2" in words
