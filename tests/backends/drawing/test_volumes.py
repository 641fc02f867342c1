"""Guards `drawing/figures/volumes.py`, `solid.py` and `drawing/diagram/trunk.py`: sizes, order, what is refused."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from cnndsl.backends.drawing.diagram.trunk import trunk
from cnndsl.backends.drawing.draw import draw_figure
from cnndsl.backends.drawing.figures.canvas import Figure, Group, Line, Polygon, Text, figure_svg
from cnndsl.backends.drawing.figures.paint import paint
from cnndsl.backends.drawing.figures.volumes import volumes
from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import load, parse_text
from tests.backends.drawing.networks import Net
from tests.backends.drawing.test_svg import assert_inert

SVG = "{http://www.w3.org/2000/svg}"

FAMILIES = [
    "autoencoder", "c3d", "convnext_tiny", "deeplabv3_resnet50", "densenet_cifar_100_12", "efficientnet_b0", "facenet",
    "inception_v3", "lenet5", "lraspp_mobilenet_v3_large", "m5", "mobilenet_v2", "nin", "resnet50", "retinanet_resnet50_fpn",
    "shufflenet_v2_x0_5", "squeezenet1_0", "textcnn", "unet", "unet3d", "vgg16", "vit_b_16", "wavenet", "yolov2", "zfnet",
]  # fmt: skip


def stages(figure: Figure) -> list[Group]:
    return [group for group in figure.groups if group.key]


def texts(group: Group) -> list[str]:
    return [shape.text for shape in group.shapes if isinstance(shape, Text)]


def front(group: Group) -> tuple[float, float]:
    """Width and height of the first face."""
    face = next(shape for shape in group.shapes if isinstance(shape, Polygon))
    xs, ys = zip(*face.points, strict=True)
    return max(xs) - min(xs), max(ys) - min(ys)


def test_alexnet_is_the_row_of_its_paper() -> None:
    found = stages(volumes(load("alexnet").graph))
    assert [texts(group)[0] for group in found] == [
        "3×224×224", "64×55×55", "64×27×27", "192×27×27", "192×13×13", "384×13×13", "256×13×13", "256×13×13",
        "256×6×6", "256×6×6", "4096", "4096", "1000",
    ]  # fmt: skip
    assert texts(found[1])[1:] == ["Conv11x11 64, /4", "ReLU"]
    assert texts(found[-3])[1] == "FC 4096"


def test_vgg16_has_a_slab_for_every_convolution() -> None:
    found = stages(volumes(load("vgg16").graph))
    fronts = [sum(shape.opacity == 1 for shape in g.shapes if isinstance(shape, Polygon)) // 3 for g in found]
    words = [texts(group)[1].split()[0] for group in found]
    assert sum(count for count, word in zip(fronts, words, strict=True) if word == "Conv3x3") == 13
    assert sum(count for count, word in zip(fronts, words, strict=True) if word == "FC") == 3
    assert words.count("MaxPool2x2") == 5


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "vgg16", "googlenet", "densenet121"])
def test_edges_grow_with_sizes(name: str) -> None:
    sized = []
    for group in stages(volumes(load(name).graph)):
        sides = [int(n) for n in texts(group)[0].split("×")]
        sized.append((sides, front(group)))
    maps = [(sides, face) for sides, face in sized if len(sides) == 3 and sides[1] > 1]
    for one, (thick, high) in maps:
        for other, (thick2, high2) in maps:
            if one[0] < other[0]:
                assert thick <= thick2
            if one[1] < other[1]:
                assert high < high2
                # The stated law: edges follow the square root, down to a least one.
                assert high2 / high == pytest.approx((other[1] / one[1]) ** 0.5, rel=1e-6) or high == 4
    columns = [(sides[0], face[1]) for sides, face in sized if len(sides) == 1]
    assert all(a <= b for n, a in columns for m, b in columns if n < m)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_network_is_a_row_or_says_why_not(name: str) -> None:
    graph = load(name).graph
    try:
        row = trunk(graph)
    except CnnError as error:
        assert name in {
            "facenet",
            "textcnn",
            "lraspp_mobilenet_v3_large",
            "retinanet_resnet50_fpn",
            "yolov2",
            "yolov3_tiny",
        }
        assert error.diagnostics[0].id == "not-a-row"
        return
    boxes = stages(volumes(graph))
    assert 2 <= len(boxes) <= len(row.boxes) + 1
    # Nothing lies on anything, and all is on the paper.
    figure = volumes(graph)
    covered: list[tuple[float, float, float, float]] = []
    for group in boxes:
        corners = [corner for shape in group.shapes if isinstance(shape, Polygon) for corner in shape.points]
        words = [shape for shape in group.shapes if isinstance(shape, Text)]
        corners += [(word.x + side * word.width / 2, word.y - 7 * (side < 0)) for word in words for side in (-1, 1)]
        (left, right), (top, bottom) = ((min(each), max(each)) for each in zip(*corners, strict=True))
        for x0, x1, y0, y1 in covered:
            assert left > x1 - 0.01 or right < x0 + 0.01 or top > y1 - 0.01 or bottom < y0 + 0.01
        covered.append((left, right, top, bottom))
        assert 0 <= left < right <= figure.width
        assert 0 <= top < bottom <= figure.height


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "vgg16", "unet", "resnet50", "zfnet", "c3d"])
def test_no_line_runs_through_a_word(name: str) -> None:
    figure = volumes(load(name).graph)
    words = [shape for group in figure.groups for shape in group.shapes if isinstance(shape, Text)]
    lines = [shape for group in figure.groups for shape in group.shapes if isinstance(shape, Line)]
    assert lines
    for word in words:
        for line in lines:
            for (x0, y0), (x1, y1) in pairwise(line.points):
                for step in range(101):
                    x, y = x0 + (x1 - x0) * step / 100, y0 + (y1 - y0) * step / 100
                    # Helvetica is narrower than `width`, which is a bound.
                    inside = abs(x - word.x) < 0.45 * word.width and word.y - 0.7 * word.size < y < word.y
                    assert word.anchor != "middle" or not inside, (word.text, line)


def test_a_u_net_is_a_u() -> None:
    figure = volumes(load("unet").graph)
    middles = {}
    for group in stages(figure):
        face = next(shape for shape in group.shapes if isinstance(shape, Polygon))
        middles[texts(group)[1]] = sum(y for _, y in face.points)
    for level in (1, 2, 3):
        assert middles[f"down{level}"] < middles[f"down{level + 1}"] < middles["bottom"]
        assert middles[f"up{level}"] < middles[f"up{level + 1}"] < middles["bottom"]
    assert figure.width < figure.height
    assert volumes(load("resnet18").graph).width > volumes(load("resnet18").graph).height


UNET = """input 3×64×64
Conv3x3(16) → ReLU as e1 → MaxPool → Conv3x3(32) → ReLU as e2 → MaxPool → Conv3x3(64) → ReLU
→ Upsample → cat{ e2 | id } → Conv3x3(32) → ReLU as d2 → Upsample → cat{ e1 | id } → Conv1x1(2) as main
aux = d2 → Conv1x1(2)
output main
output aux"""


@pytest.mark.parametrize("when", ["", " if training"])
def test_heads_beside_the_row_are_left_out_and_named(when: str) -> None:
    figure = volumes(parse_text(UNET + when).graph, note=False)
    names = [texts(group)[1] for group in stages(figure)]
    assert names.count("concatenate") == names.count("Upsample") == 2
    assert "Conv1x1 2" in names
    said = [shape.text for group in figure.groups for shape in group.shapes if isinstance(shape, Text)]
    assert said[-1] == "Not drawn: the output aux, and what leads to nothing else."
    assert not any(text.startswith("Edges") for text in said)


def test_the_note_on_lengths_can_be_left_out() -> None:
    graph = load("lenet5").graph
    (one,) = [t for g in volumes(graph).groups for t in texts(g) if t.startswith("Edges")]
    assert one.endswith("columns up to 120 units.")
    assert not [t for g in volumes(graph, note=False).groups for t in texts(g) if t.startswith("Edges")]
    assert volumes(graph, note=False).height < volumes(graph).height


def test_a_refusal_says_of_which_layer_a_number_is_the_name() -> None:
    with pytest.raises(CnnError, match=r"layer 1 \(Conv3x3\) stands beside layer 0 \(Conv3x3\)"):
        volumes(parse_text("input 3×8×8\nadd{ Conv3x3(4) | Conv3x3(4) }").graph)


def test_branches_are_refused_with_the_depth_that_would_do() -> None:
    with pytest.raises(CnnError) as caught:
        volumes(load("googlenet").graph, depth=2)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "not-a-row"
    assert "branch2 stands beside branch1" in diagnostic.message
    assert diagnostic.help == "draw it with `--depth 1`"
    with pytest.raises(CnnError) as caught:
        volumes(load("textcnn").graph)
    assert caught.value.diagnostics[0].help == "draw it as a diagram, without `--style volumes`"


def test_skips_are_arcs() -> None:
    row = trunk(load("unet").graph)
    names = ["tile", *(getattr(box, "label", "") for box in row.boxes)]
    assert [(names[a], names[b]) for a, b in row.skips if names[a].startswith("down")] == [
        ("down1", "up1"),
        ("down2", "up2"),
        ("down3", "up3"),
    ]
    assert len(row.skips) == 4  # the fourth one starts at the Dropout behind down4
    assert trunk(load("vgg16").graph).skips == ()


def test_rounds_of_several_layers_stand_there_one_by_one() -> None:
    graph = parse_text("input 3×32×32\n[Conv3x3(8) → ReLU → MaxPool]×3 → FC(2)").graph
    assert [texts(group)[0] for group in stages(volumes(graph))] == [
        "3×32×32", "8×32×32", "8×16×16", "8×16×16", "8×8×8", "8×8×8", "8×4×4", "2",
    ]  # fmt: skip


def test_what_is_only_trained_is_left_out() -> None:
    words = [texts(group)[1] for group in stages(volumes(load("inception_v3").graph))]
    assert "AuxLogits" not in words
    assert "Mixed_7c" in words


def test_svg_is_inert_and_has_every_stage_once() -> None:
    nasty = '<script>alert("1")</script> &amp; javascript:alert(1)'
    net = Net(3, 8, 8)
    with net.frame("block", nasty, nasty):
        net.conv(nasty, "image", 4, 3)
    root = ElementTree.fromstring(figure_svg(volumes(net.graph(name=nasty))))
    assert_inert(root)
    ids = [element.get("id") for element in root.iter() if element.get("id") not in (None, "description")]
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize("format", ["png", "pdf"])
def test_png_and_pdf_are_painted_alike_each_time(format: str) -> None:
    pytest.importorskip("matplotlib")
    figure = volumes(load("lenet5").graph, theme="dark")
    one, other = (paint(figure, format) for _ in range(2))  # type: ignore[arg-type]
    assert one == other
    assert one.startswith({"png": b"\x89PNG", "pdf": b"%PDF"}[format])
    if format == "png":
        from io import BytesIO

        from PIL import Image

        with Image.open(BytesIO(one)) as file:
            assert file.size == pytest.approx((figure.width * 2, figure.height * 2), abs=1)
            pixel = file.convert("RGB").getpixel((1, 1))
        assert pixel == (0x0F, 0x14, 0x1B)


def test_other_endings_are_refused_before_anything_is_made(tmp_path: object) -> None:
    def never() -> Figure:
        raise AssertionError

    with pytest.raises(CnnError, match="unknown-format"):
        draw_figure(never, "net.dot")
    with pytest.raises(CnnError, match="theme-without-reader"):
        draw_figure(never, "net.pdf", "auto")
