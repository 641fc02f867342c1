"""Outputs become names, boxes and regions as those who published the networks do it; pictures are read and drawn alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnndsl import pipeline
from cnndsl.arrays import answers, pictures
from cnndsl.arrays.inputs import read_image, read_picture
from cnndsl.arrays.pictures import Frame, drawn, prepared
from cnndsl.diagnostics.errors import CnnError
from cnndsl.published.table import find
from tests.oracle import published, skeleton, torchvision_models

CAT = Path(__file__).parents[2] / "docs" / "images" / "cat.jpg"


def test_scores_become_shares_and_shares_stay() -> None:
    top = answers.ranked(np.array([1.0, 3.0, 2.0], np.float32), ["a", "b", "c"])
    assert [row["label"] for row in top] == ["b", "c", "a"]
    assert sum(row["share"] for row in top) == pytest.approx(1)
    assert [row["share"] for row in answers.ranked(np.array([0.25, 0.75], np.float32), [])] == [0.75, 0.25]
    assert [row["share"] for row in answers.ranked(np.array([0.9, 0.8], np.float32), [], each=True)] == pytest.approx(
        [0.9, 0.8]
    )


def test_of_two_boxes_that_cover_each_other_the_surer_stays_class_by_class() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [20, 0, 30, 10]], np.float64)
    found, classes = np.array([0.8, 0.9, 0.7, 0.1]), np.array([0, 0, 1, 0])
    assert answers.suppressed(boxes, found, classes, 0.5).tolist() == [1, 2, 3]
    # They share 90 of 110: less than 0.9 of both together.
    assert answers.suppressed(boxes, found, classes, 0.9).tolist() == [1, 0, 2, 3]


def test_yolo_s_numbers_become_boxes() -> None:
    told = {"maps": {"map": [[10.0, 20.0]]}, "threshold": 0.5}
    values = np.full((7, 2, 2), -20, np.float32)
    # In the second cell of the first row: at its centre, twice as wide as the anchor, of the second class.
    values[:, 0, 1] = [0, 0, np.log(2), 0, 20, -20, 20]
    boxes, shares, classes = answers.yolo(told, {"map": values}, (64, 64))
    assert boxes[0].tolist() == pytest.approx([48 - 10, 16 - 10, 48 + 10, 16 + 10])
    assert (len(boxes), round(shares[0], 6), classes.tolist()) == (1, 1, [1])


def test_retinanet_s_numbers_become_the_boxes_that_torchvision_makes_of_them() -> None:
    torch = pytest.importorskip("torch")
    torchvision_models()
    from torchvision.models.detection import retinanet
    from torchvision.models.detection._utils import BoxCoder
    from torchvision.models.detection.image_list import ImageList

    height, width = 96, 160
    entry = find("retinanet_resnet50_fpn")
    assert entry.answer is not None
    told = entry.answer.model_dump()
    sizes = [(-(-height // s), -(-width // s)) for s in told["strides"]]
    maps = [torch.zeros(1, 1, *size) for size in sizes]
    image = torch.zeros(1, 3, height, width)
    (anchors,) = retinanet._default_anchorgen()(ImageList(image, [(height, width)]), maps)
    graph = pipeline.load("retinanet_resnet50_fpn", inputs={"": f"3x{height}x{width}"}).graph
    count = graph.types[next(o.node for o in graph.outputs if o.name == "bbox_regression")].shape[0]
    assert len(anchors) == count
    generator = np.random.default_rng(0)
    offsets = generator.normal(0, 0.5, (count, 4)).astype(np.float32)
    expected = BoxCoder((1.0, 1.0, 1.0, 1.0)).decode_single(torch.from_numpy(offsets), anchors).numpy()
    expected[:, 0::2] = expected[:, 0::2].clip(0, width)
    expected[:, 1::2] = expected[:, 1::2].clip(0, height)
    logits = np.full((count, 91), -20, np.float32)
    chosen = generator.permutation(count)[:200]
    logits[chosen, 17] = np.linspace(5, -1, 200)
    boxes, shares, classes = answers.retinanet(
        told, {"cls_logits": logits, "bbox_regression": offsets}, (height, width)
    )
    order = np.argsort(-shares, kind="stable")
    assert (classes == 17).all()
    np.testing.assert_allclose(boxes[order], expected[chosen], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ["ssd300_vgg16", "ssdlite320_mobilenet_v3_large", "fcos_resnet50_fpn"])
def test_a_detector_s_numbers_become_the_boxes_that_torchvision_makes_of_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From what the heads give to what stays, by torchvision's own steps; only `nms`, which a build without its operators
    lacks, is written out."""
    torch = pytest.importorskip("torch")
    models = torchvision_models()
    from torchvision.models.detection.image_list import ImageList

    def nms(boxes: Any, scores: Any, labels: Any, overlap: float) -> Any:
        shared = models.detection.ssd.box_ops.box_iou(boxes, boxes) * (labels[:, None] == labels)
        left, kept = scores.argsort(descending=True, stable=True), []
        while len(left):
            kept.append(left[0])
            left = left[1:][shared[left[0], left[1:]] <= overlap]
        return torch.stack(kept)

    monkeypatch.setattr(models.detection.ssd.box_ops, "batched_nms", nms)
    height, width = (96, 160) if name.startswith("fcos") else (300, 300) if "300" in name else (320, 320)
    entry = find(name)
    assert entry.answer is not None
    graph = pipeline.load(name, inputs={"": f"3x{height}x{width}"}).graph
    generator = np.random.default_rng(0)
    outputs = {o.name: generator.normal(0, 1, graph.types[o.node].shape).astype(np.float32) for o in graph.outputs}
    # Ground nearly everywhere, and in places one of three classes.
    scores = outputs["cls_logits"]
    scores[:, 0] += 10
    scores[:, 1:] -= 10 if name.startswith("fcos") else 0
    for label in (3, 17, 90):
        scores[generator.permutation(len(scores))[:450], label] += 11 if name.startswith("fcos") else 10
    if name.startswith("fcos"):
        # It has no ground, and edges behind a ReLU.
        scores[:, 0] -= 20
        outputs["bbox_regression"] = np.abs(outputs["bbox_regression"])
    # SSDlite runs its network to learn the sizes of its maps.
    theirs = (published if "lite" in name else skeleton)(name, weights_backbone=None)
    with torch.device("cpu"):
        if name.startswith("fcos"):
            strides = [8, 16, 32, 64, 128]
            sizes = [(-(-height // s), -(-width // s)) for s in strides]
        else:
            sizes = [(s, s) for s in {300: [38, 19, 10, 5, 3, 1], 320: [20, 10, 5, 3, 2, 1]}[height]]
        image = ImageList(torch.zeros(1, 3, height, width), [(height, width)])
        anchors = theirs.anchor_generator(image, [torch.zeros(1, 1, *size) for size in sizes])
        heads = {key: torch.from_numpy(value)[None] for key, value in outputs.items()}
        if name.startswith("fcos"):
            counts = [h * w for h, w in sizes]
            heads = {key: list(value.split(counts, 1)) for key, value in heads.items()}
            anchors = [list(a.split(counts)) for a in anchors]
        (expected,) = theirs.postprocess_detections(heads, anchors, [(height, width)])
    found = answers.answer(entry.use.answer, outputs, (height, width))["boxes"]
    assert len(found) == len(expected["boxes"])
    assert [box["class"] for box in found] == expected["labels"].tolist()
    np.testing.assert_allclose([box["share"] for box in found], expected["scores"], rtol=1e-5)
    np.testing.assert_allclose([box["box"] for box in found], expected["boxes"], atol=0.06)


def test_numbers_of_a_detector_at_another_size_than_its_boxes_are_for_are_refused() -> None:
    use = find("ssd300_vgg16").use
    outputs = {"cls_logits": np.zeros((9, 91), np.float32), "bbox_regression": np.zeros((9, 4), np.float32)}
    with pytest.raises(CnnError, match="300×300 pixels have 8732 anchors, and the outputs tell of 9"):
        use.says(outputs, (300, 300))


def test_boxes_come_back_to_where_the_picture_has_them() -> None:
    """A wide picture in a square input: its upper and lower rim are no part of it."""
    from PIL import Image

    picture = Image.new("RGB", (200, 100), (255, 0, 0))
    array, frame = prepared(picture, (3, 50, 50), {"fit": "letterbox", "pad": [0.5, 0.5, 0.5]})
    assert array.shape == (3, 50, 50)
    assert array[0, 0, 0] == pytest.approx(0.5, abs=0.01)
    assert array[:, 25, 25].tolist() == [1, 0, 0]
    assert frame == Frame(200, 100, (0.25, 0.25), 0, 12)
    assert frame.back(np.array([[0, 12.0, 50, 37], [-9, 0, 25, 24.5]])).tolist() == [[0, 0, 200, 100], [0, 0, 100, 50]]


def test_blue_green_red_at_full_brightness_is_what_caffe_was_fed() -> None:
    from PIL import Image

    reading = {"fit": "whole", "order": "BGR", "scale": 255.0, "mean": [104.0, 116.7, 122.7]}
    array, _ = prepared(Image.new("RGB", (8, 8), (10, 20, 30)), (3, 4, 4), reading)
    assert array[:, 0, 0].tolist() == pytest.approx([30 - 104.0, 20 - 116.7, 10 - 122.7], abs=1e-4)


@pytest.mark.parametrize("which", ["imagenet1k_v1", "imagenet1k_v2"])
def test_published_networks_are_fed_as_torchvision_feeds_them(which: str) -> None:
    torch: Any = pytest.importorskip("torch")
    models = torchvision_models()
    entry = find("resnet50", which)
    transform = getattr(models.ResNet50_Weights, which.upper()).transforms()
    picture = read_picture(CAT)
    from torchvision.transforms.functional import pil_to_tensor

    # torchvision reads tensors and pictures alike; a picture is resized by Pillow, as here.
    expected = transform(picture)
    assert pil_to_tensor(picture).dtype == torch.uint8
    found, _ = prepared(picture, (3, 224, 224), entry.use.reading)
    assert np.abs(found - expected.numpy()).max() < 1e-5


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_image(tmp_path / "clear.png", (3, 4, 4)).min() == 1


def test_only_the_samples_of_a_bayer_mosaic_stay() -> None:
    seen = pictures.mosaic(np.ones((3, 2, 2), np.float32))
    assert seen.sum(0).tolist() == [[1, 1], [1, 1]]
    assert seen[1].tolist() == [[1, 0], [0, 1]]
    assert (seen[0, 0, 1], seen[2, 1, 0]) == (1, 1)


def test_regions_are_told_by_their_area_within_the_picture() -> None:
    scores = np.zeros((3, 4, 4), np.float32)
    scores[0] = 0.5
    scores[2, :2, :2] = 1
    found = answers.answer({"kind": "regions", "classes": ["ground", "cat", "dog"]}, {"out": scores}, (4, 4))
    assert found["regions"] == [{"class": 2, "label": "dog", "share": 0.25}]
    half = answers.answer({"kind": "regions"}, {"out": scores}, (4, 4), Frame(8, 4, (0.5, 0.5), 0, 0))
    assert half["regions"][0]["share"] == 0.5


def test_a_map_becomes_a_picture() -> None:
    values = np.array([0, 0.5, 1, 2], np.float32).reshape(1, 2, 2)
    assert answers.answer({"kind": "picture"}, {"y": values}, (2, 2))["pixels"].tolist() == [[0, 128], [255, 255]]


def test_every_kind_of_answer_is_told_in_lines_and_drawn() -> None:
    picture = read_picture(CAT)
    scores = np.zeros((2, 8, 8), np.float32)
    scores[1, 2:5] = 1
    cases: list[tuple[dict[str, Any], dict[str, np.ndarray], str]] = [
        ({"kind": "classes", "classes": ["cat\x1b[31m", "dog"]}, {"y": np.array([2.0, 1.0])}, "cat<U+001B>[31m"),
        ({"kind": "boxes", "decode": "yolo", "maps": {"y": [[9.0, 9.0]]}}, {"y": np.full((6, 2, 2), 2.0)}, "class 0"),
        ({"kind": "boxes", "decode": "yolo", "maps": {"y": [[9.0, 9.0]]}}, {"y": np.full((6, 2, 2), -9.0)}, "nothing"),
        ({"kind": "regions", "classes": ["ground", "cat"]}, {"y": scores}, "cat"),
        ({"kind": "picture"}, {"y": scores[:1]}, "a picture of 8×8"),
        ({"kind": "numbers"}, {"y": scores}, "y  2×8×8  from 0 to 1"),
    ]
    for told, outputs, said in cases:
        found = answers.answer(told, outputs, (64, 64), Frame(picture.width, picture.height, (0.1, 0.1), 0, 0))
        assert any(said in line for line in answers.lines(found, 5)), told
        assert "\x1b" not in "".join(answers.lines(found, 5))
        if told["kind"] != "numbers":
            assert drawn(picture, found).size in (picture.size, (8, 8))
            assert "pixels" not in answers.plain(found, 1)
