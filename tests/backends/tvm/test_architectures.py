"""Guards `backends/tvm/build.py`. A network of each family, compiled by TVM, gives PyTorch's numbers."""

from __future__ import annotations

import pytest

from cnndsl import pipeline
from tests.backends.tvm.against_torch import relative_error

pytestmark = pytest.mark.tvm

NETWORKS = [
    ("convnext_tiny", 64),
    ("densenet121", 64),
    ("efficientnet_b0", 64),
    ("efficientnet_v2_s", 64),
    ("googlenet", 80),
    ("inception_v3", 299),
    ("mnasnet0_5", 64),
    ("mobilenet_v2", 64),
    ("mobilenet_v3_large", 64),
    ("mobilenet_v3_small", 224),
    ("regnet_y_400mf", 64),
    ("shufflenet_v2_x0_5", 64),
    ("squeezenet1_1", 96),
    ("vit_b_32", 224),
]
"""Name and size of the image."""

QUICK = ["autoencoder", "nin", "pilotnet", "textcnn"]
"""At their own size."""

OTHERS = [
    ("alexnet_v2", "3x224x224"),
    ("c3d", "3x16x112x112"),
    ("darknet19", "3x64x64"),
    ("deeplabv3_mobilenet_v3_large", "3x33x41"),
    ("deeplabv3_resnet50", "3x33x41"),
    ("densenet_cifar_100_12", "3x32x32"),
    ("espcn", "1x20x24"),
    ("facenet", "3x220x220"),
    ("fcn_resnet50", "3x33x41"),
    ("fully_connected", "3x224x224"),
    ("inception_v4", "3x107x107"),
    ("lraspp_mobilenet_v3_large", "3x33x41"),
    ("m5", "1x4000"),
    ("mc3_18", "3x4x17x24"),
    ("mobilenet_v1", "3x65x65"),
    ("r2plus1d_18", "3x4x17x24"),
    ("r3d_18", "3x4x17x24"),
    ("resnet_v1_50", "3x64x64"),
    ("retinanet_resnet50_fpn", "3x97x130"),
    ("s3d", "3x14x224x224"),
    ("slim_inception_v3", "3x107x107"),
    ("unet", "1x188x188"),
    ("unet3d", "3x92x92x92"),
    ("vgg_16", "3x224x224"),
    ("wavenet", "500"),
    ("yolov2", "3x96x96"),
    ("yolov3_tiny", "3x96x96"),
    ("zfnet", "3x224x224"),
]
"""Other tasks and other inputs than an image's: name and shape of the (first) input."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), NETWORKS)
def test_a_network_of_each_family(name: str, size: int) -> None:
    assert relative_error(pipeline.load(name, inputs={"": f"3x{size}x{size}"}).graph) <= 1e-4


@pytest.mark.parametrize("name", QUICK)
def test_small_networks(name: str) -> None:
    assert relative_error(pipeline.load(name).graph) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shape"), OTHERS)
def test_other_tasks(name: str, shape: str) -> None:
    assert relative_error(pipeline.load(name, inputs={"": shape}).graph) <= 1e-4
