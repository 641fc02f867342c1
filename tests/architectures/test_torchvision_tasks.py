"""Guards `architectures/`. torchvision's networks of other tasks and ours: segmentation, video, detection.

They have the same state dicts, and with equal weights the same outputs.
"""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from cnndsl import load, pipeline
from tests.oracle import outline, published, torchvision_models

models = torchvision_models()
SEGMENTATION: list[str] = models.list_models(module=models.segmentation)
TRANSFORMERS = ["mvit_v1_b", "mvit_v2_s"]
VIDEO = ["r3d_18", "mc3_18", "r2plus1d_18", "s3d", *TRANSFORMERS]
DETECTORS = {
    "fcos_resnet50_fpn": "3x65x97",
    "retinanet_resnet50_fpn": "3x65x97",
    "ssd300_vgg16": "3x300x300",
    "ssdlite320_mobilenet_v3_large": "3x320x320",
}
"""And the size at which outputs are compared."""
OPTIONS = {
    name: {"weights_backbone": None} | ({} if name.startswith("lraspp") else {"aux_loss": True})
    for name in SEGMENTATION
}
"""What torchvision is told: its published weights are those of the networks with the second head."""


@pytest.mark.parametrize("name", SEGMENTATION + VIDEO)
def test_same_state_dict(name: str) -> None:
    assert state_of(name) == outline(name, **OPTIONS.get(name, {}))


@pytest.mark.parametrize("name", [name for name in SEGMENTATION if "aux_loss" in OPTIONS[name]])
def test_without_the_second_head(name: str) -> None:
    assert state_of(name, aux_loss=False) == outline(name, weights_backbone=None)


@pytest.mark.parametrize("name", ["fcn_resnet50", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"])
def test_same_weights_same_map(name: str) -> None:
    """On a size that no stride divides; the second head's too, which only training computes."""
    import torch

    theirs, ours = pair(name, "3x33x41")
    x = torch.randn(1, 3, 33, 41)
    with torch.no_grad():
        expected = theirs(x)
        assert_close(ours(x), expected["out"])
        # The network is in training and none of its layers are, so that nothing is drawn.
        ours.training = True
        found = ours(x)
    if "aux" in expected:
        assert list(found) == list(expected) == ["out", "aux"]
        assert_close(found["aux"], expected["aux"])


SMALL_CLIPS = [(name, (4, 17, 24)) for name in VIDEO if name not in ("s3d", *TRANSFORMERS)]


@pytest.mark.parametrize(
    ("name", "size"),
    # The pooling at the end of S3D needs a map of 7×7.
    [*SMALL_CLIPS, pytest.param("s3d", (14, 224, 224), marks=pytest.mark.slow)],
)
def test_same_weights_same_classes(name: str, size: tuple[int, int, int]) -> None:
    import torch

    theirs, ours = pair(name, "x".join(map(str, (3, *size))))
    x = torch.randn(1, 3, *size)
    with torch.no_grad():
        assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("name", ["mvit_v2_s", pytest.param("mvit_v1_b", marks=pytest.mark.slow)])
def test_a_transformer_of_clips(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision's tables of positions have the size of the clip, which its functions say themselves."""
    import torch

    theirs_module: Any = importlib.import_module("torchvision.models.video.mvit")
    build = theirs_module._mvit
    small = {"spatial_size": (32, 32), "temporal_size": 4}
    monkeypatch.setattr(theirs_module, "_mvit", lambda **given: build(**(given | small)))
    torch.manual_seed(0)
    theirs = published(name)
    with torch.no_grad():
        for weight in theirs.parameters():
            if weight.min() == weight.max():
                # Norms and biases: what begins as one number everywhere would hide what stands before it.
                weight += torch.rand_like(weight) - 0.5
    ours = compiled(name, "3x4x32x32")
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(2, 3, 4, 32, 32)
    with torch.no_grad():
        assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("name", [*SEGMENTATION, *VIDEO, *DETECTORS])
def test_published_parameters(name: str) -> None:
    """Of the published weights; their multiply-adds too, where their image is ours and no second head is counted."""
    published = models.get_model_weights(name).DEFAULT.meta
    totals = load(name)
    assert totals.params == published["num_params"]
    if "aux_loss" not in OPTIONS.get(name, {}):
        assert round(totals.macs / 1e9, 3) == published["_ops"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name.startswith("ssd300") else []) for name in DETECTORS]
)
def test_a_detector(name: str) -> None:
    """As its published weights have it, before anchors make boxes of its numbers."""
    import torch

    theirs = detector(name)
    ours = compiled(name, DETECTORS[name])
    assert outline_of(ours) == outline_of(theirs)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(1, *map(int, DETECTORS[name].split("x")))
    with torch.no_grad():
        maps, found = theirs.head(list(theirs.backbone(x).values())), ours(x)
    assert list(found) == list(maps)
    for output, values in maps.items():
        assert_close(found[output], values)


def test_the_two_networks_of_faster_rcnn_have_its_keys_and_outputs() -> None:
    import torch

    theirs = detector("fasterrcnn_resnet50_fpn")
    state = theirs.state_dict()
    first = compiled("fasterrcnn_resnet50_fpn_proposals", "3x65x97")
    second = compiled("fasterrcnn_resnet50_fpn_regions", "256x7x7")
    assert outline_of(first) + outline_of(second) == outline_of(theirs)
    for part in (first, second):
        part.load_state_dict({key: state[key] for key in part.state_dict()}, strict=True)
    image, regions = torch.randn(1, 3, 65, 97), torch.randn(3, 256, 7, 7)
    with torch.no_grad():
        maps, found = theirs.backbone(image), first(image)
        proposed = models.detection.rpn.concat_box_prediction_layers(*theirs.rpn.head(list(maps.values())))
        told = theirs.roi_heads.box_predictor(theirs.roi_heads.box_head(regions))
        for ours, expected in zip(second(regions).values(), told, strict=True):
            assert_close(ours, expected)
    assert list(found) == ["objectness", "offsets", "p2", "p3", "p4", "p5"]
    for ours, expected in zip(
        found.values(), [*(each[None] for each in proposed), *list(maps.values())[:4]], strict=True
    ):
        assert_close(ours, expected)


def detector(name: str) -> Any:
    """torchvision's as its published weights are for: where it has a ResNet, with frozen norms."""
    if name.startswith("ssd"):
        return published(name, weights_backbone=None)
    detection = models.detection
    extra: dict[str, Any] = {}
    if not name.startswith("faster"):
        extra = {"returned_layers": [2, 3, 4], "extra_blocks": detection.retinanet.LastLevelP6P7(256, 256)}
    frozen = detection.retinanet.misc_nn_ops.FrozenBatchNorm2d
    body = models.resnet50(weights=None, norm_layer=frozen)
    pyramid = detection.backbone_utils._resnet_fpn_extractor(body, trainable_layers=3, **extra)
    kinds = {"fcos": "FCOS", "retinanet": "RetinaNet", "fasterrcnn": "FasterRCNN"}
    return getattr(detection, kinds[name.partition("_")[0]])(pyramid, num_classes=91).eval()


def outline_of(module: Any) -> list[tuple[str, Any]]:
    return [(key, value.shape) for key, value in module.state_dict().items()]


def state_of(name: str, **parameters: Any) -> list[tuple[str, tuple[int, ...], str]]:
    """Key, shape and dtype of each entry of our state dict, in order."""
    graph = pipeline.load(name, parameters).graph
    return [(entry.key, entry.weight.shape, entry.weight.dtype) for entry in graph.weights]


def pair(name: str, size: str) -> tuple[Any, Any]:
    """torchvision's network and ours, in evaluation mode and with the same weights."""
    import torch

    torch.manual_seed(0)
    theirs = published(name, **OPTIONS.get(name, {}))
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d):
            # Statistics as training leaves them, not the zeros and ones of the start.
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    ours = compiled(name, size)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


def compiled(name: str, size: str) -> Any:
    """Our module, in evaluation mode."""
    from cnndsl.backends.pytorch.live.module import to_torch

    return to_torch(pipeline.load(name, {}, {"": size}).graph).eval()


def assert_close(found: Any, expected: Any) -> None:
    assert found.shape == expected.shape
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-5
