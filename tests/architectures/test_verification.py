"""Guards `architectures/` and `verification.py`. `verify` over every architecture: ours, PyTorch and TVM agree layer by
layer.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

import pytest

from cnndsl import pipeline
from cnndsl.analyses.summary import summarize
from cnndsl.disk.shelf import architecture, architectures
from cnndsl.ir.graph import Graph
from cnndsl.verification import verify

pytestmark = pytest.mark.tvm

AT: dict[str, str | dict[str, str]] = {
    "cnn14": "64x100",
    "convnext": "3x64x64",
    "darknet19": "3x64x64",
    "deepbrain": "1x32x32x32",
    "deeplabv3": "3x33x41",
    "demosaicnet": "3x64x64",
    "densenet": "3x64x64",
    "dncnn": "1x24x24",
    "edsr": "3x12x16",
    "efficientnet": "3x64x64",
    "efficientnet_edgetpu": "3x64x64",
    "efficientnet_lite": "3x64x64",
    "esrgan_slim": "3x32x32",
    "faster_rcnn": "3x97x130",
    "fbnet": "3x64x64",
    "fcn": "3x33x41",
    "fcos": "3x65x97",
    "ghostnet_v2": "3x64x64",
    "googlenet": "3x80x80",
    "hed": "3x48x65",
    "hgnet_v2": "3x64x64",
    "hrnet": "3x64x64",
    "hrnet_ocr": "3x64x64",
    "inception_v4": "3x107x107",
    "lcnet": "3x64x64",
    "lraspp": "3x33x41",
    "mc_cnn": "1x33x41",
    "mixnet": "3x64x64",
    "mnasnet": "3x64x64",
    "mobilenet_v1": "3x65x65",
    "mobilenet_v2": "3x64x64",
    "mobilenet_v3": "3x64x64",
    "mobilenet_v4": "3x64x64",
    "rcan": "3x8x8",
    "mvit": "3x4x32x32",
    "regnet": "3x64x64",
    "repvit": "3x64x64",
    "resnet": "3x64x64",
    "resnet_v1_50": "3x64x64",
    "retinanet": "3x97x130",
    "rexnet": "3x64x64",
    "segformer": "3x64x64",
    "shufflenet_v2": "3x64x64",
    "slim_inception_v3": "3x107x107",
    "slowfast": {"slow": "3x2x33x33", "fast": "3x8x33x33"},
    "squeezenet": "3x64x64",
    "swin": "3x64x64",
    "srresnet": "3x12x12",
    "tinynet": "3x64x64",
    "unet": "1x188x188",
    "unet3d": "3x92x92x92",
    "unet_plus_plus": "3x64x64",
    "vgg": "3x64x64",
    "video_resnet": "3x4x17x24",
    "vit": "3x64x64",
    "vnet": "1x16x16x16",
    "wav2letter": "1x8000",
    "wavenet": "500",
    "x3d": "3x4x64x64",
    "yolo": "3x96x96",
    "yolov8": "3x64x64",
}
"""Networks and families (by their file) at less than their own size: TVM's plain forms, against which layers are compared,
are slow."""

TOO_BIG = {"regnet_y_128gf", "vit_h_14", "vit_l_16", "vit_l_32"}
"""More than 300 million weights, over a gigabyte, of which several copies are compared at once: not tried. They are made of
the same blocks as their smaller siblings."""

QUICK = ["autoencoder", "lenet5", "m5", "textcnn"]
"""Images, sound and text, and no network with many kernels: `tests/test_verification.py` has small ones of other layers."""

NETWORKS = [name for name in architectures() if name not in TOO_BIG]


def network(name: str) -> Graph:
    source = architecture(name)
    assert source is not None
    fits = {"vgg_16", "inception_v3"}
    at = None if name in fits else AT.get(name, AT.get(Path(source.name).stem))
    return pipeline.load(name, inputs=at if isinstance(at, dict) else {"": at} if at else {}).graph


def disagreements(name: str) -> list[str]:
    return [f"{f.what}, {f.between}: first at {f.first}, {f.detail}" for f in verify(network(name)) if not f.agrees]


@pytest.mark.parametrize("name", QUICK)
def test_small_ones(name: str) -> None:
    assert disagreements(name) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in QUICK])
def test_every_architecture(name: str) -> None:
    assert disagreements(name) == []


@pytest.mark.slow
def test_what_is_left_out_is_too_big_and_nothing_else() -> None:
    weights = {
        name: sum(prod(entry.weight.shape) for entry in pipeline.load(name).graph.weights) for name in architectures()
    }
    assert {name for name, count in weights.items() if count > 300e6} == TOO_BIG
    work = {name: summarize(network(name)).totals.macs for name in NETWORKS}
    assert {name for name, macs in work.items() if macs > 100e9} == set()
