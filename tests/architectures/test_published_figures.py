"""Guards `architectures/`. Networks that torchvision does not have, against the figures of their papers and authors'
releases, or sums by hand.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from cnndsl import load

PARAMETERS = {
    # Çiçek et al., 2016: "In total we have 19069955 parameters".
    "unet3d": 19_069_955,
    # The model in Caffe's zoo for CIFAR-10: 0.97 million.
    "nin": 966_986,
    # Bojarski et al., 2016: "27 million connections and 250 thousand parameters".
    "pilotnet": 252_219,
    # Keras' counts of what can be trained in Darknet's own weights.
    "yolov2": 50_962_889,
    "yolov3_tiny": 8_852_366,
    # The number that timm gives for its port.
    "inception_v4": 42_679_816,
    # Those of torchvision's networks of the same layers.
    "slim_inception_v3": 23_834_568,
    "resnet_v1_50": 25_557_032,
    "vgg_16": 138_357_544,
    # Keras' MobileNet, without the statistics.
    "mobilenet_v1": 4_231_976,
    # Huang et al., 2016, table 2: 0.8M, 15.3M and 25.6M.
    "densenet_cifar_100_12": 769_162,
    "densenet_cifar_250_24": 15_324_406,
    "densenet_cifar_190_40": 25_624_430,
    # torchvision's figure for its published weights.
    "retinanet_resnet50_fpn": 34_014_999,
    # Those that its authors' program prints, without the sixteen constants that turn shares of distances into one.
    "yolov8n": 3_157_200 - 16,
    "yolov8s": 11_166_560 - 16,
    "yolov8m": 25_902_640 - 16,
    "yolov8l": 43_691_520 - 16,
    "yolov8x": 68_229_648 - 16,
    "yolo11n": 2_624_080 - 16,
    "yolo11s": 9_458_752 - 16,
    "yolo11m": 20_114_688 - 16,
    "yolo11l": 25_372_160 - 16,
    "yolo11x": 56_966_176 - 16,
    # Kong et al., 2019, without the spectrogram's filters, which are not trained.
    "cnn14": 80_753_615,
}

FIELDS = {
    "alexnet_v2": ("pool5", 195, 32, 64),
    "vgg_16": ("pool5", 212, 32, 90),
    "mobilenet_v1": (None, 315, 32, 126),
    "resnet_v1_50": (None, 483, 32, 239),
    "slim_inception_v3": (None, 1311, 32, 618),
    "inception_v4": (None, 2071, 32, 998),
}
"""Araujo, Norris, Sim, 2019: the map (the last one, where none is named), its field's size, stride and padding."""


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    assert load(name).params == PARAMETERS[name]


@pytest.mark.parametrize("name", FIELDS)
def test_receptive_fields(name: str) -> None:
    network = load(name)
    at, size, stride, padding = FIELDS[name]
    field = network.receptive_field if at is None else network[at].receptive_field
    assert field is not None
    assert (field.size, field.stride, field.start) == ((size,) * 2, (stride,) * 2, (-padding,) * 2)
    assert field.state == "exact"


def conv(window: int, *channels: int) -> int:
    """Parameters of a stack of convolutions with biases; `window` is the number of its positions."""
    return sum((window * before + 1) * after for before, after in pairwise(channels))


def test_unet() -> None:
    network = load("unet")
    (out,) = network.graph.outputs
    assert str(network.graph.types[out.node]) == "2×388×388"  # Figure 1 of the paper.
    down = sum(conv(9, before, c, c) for before, c in pairwise([1, 64, 128, 256, 512, 1024]))
    up = sum(conv(4, 2 * c, c) + conv(9, 2 * c, c, c) for c in (512, 256, 128, 64))
    assert network.params == down + up + conv(1, 64, 2)
    blocks = [f"down{i}" for i in (1, 2, 3, 4)] + ["bottom"] + [f"up{i}.convs" for i in (4, 3, 2, 1)]
    assert [network[f"{block}.3"].shape[1] for block in blocks] == [568, 280, 136, 64, 28, 52, 100, 196, 388]


def test_unet3d() -> None:
    network = load("unet3d")
    (out,) = network.graph.outputs
    assert str(network.graph.types[out.node]) == "3×44×44×28"  # Section 3.1 of the paper.


def test_zfnet() -> None:
    network = load("zfnet")
    # Figure 3 of the paper: 110, 55, 26, 13, 13, 13, 13, 6.
    maps = [
        node.shape[1] for node in network.summary().nodes if len(node.shape) == 3 and node.op in ("Conv", "MaxPool")
    ]
    assert maps == [110, 55, 26, 13, 13, 13, 13, 6]
    convolutions = conv(49, 3, 96) + conv(25, 96, 256) + conv(9, 256, 384, 384, 256)
    assert network.params == convolutions + conv(1, 256 * 6 * 6, 4096, 4096, 1000)


def test_pilotnet_has_27_million_connections() -> None:
    assert round(load("pilotnet").macs / 1e6) == 27


def test_darknet() -> None:
    """ "5.58 billion operations" for an image, a multiplication and an addition each."""
    assert round(2 * load("darknet19").macs / 1e9, 2) == 5.58
    assert {str(load("yolov2").graph.types["head.1"])} == {"425×13×13"}


def test_facenet() -> None:
    """140M parameters and 1.6B multiply-adds in the paper's first table; three pictures go through one tower."""
    network = load("facenet")
    assert round(network.params / 1e6) == 140
    assert round(network.macs / 3e9, 1) == 1.6
    assert {entry.key.split(".")[0] for entry in network.graph.weights} == {"tower"}
    assert [str(network.graph.types[o.node]) for o in network.graph.outputs] == ["128"] * 3


def test_c3d() -> None:
    convolutions = conv(27, 3, 64, 128, 256, 256, 512, 512, 512, 512)
    assert load("c3d").params == convolutions + conv(1, 512 * 4 * 4, 4096, 4096, 487)


def test_m5() -> None:
    """ "M5 (0.5M)" in the paper's first table."""
    norms = 2 * (128 + 128 + 256 + 512)
    windows = 80 * 128 + 3 * (128 * 128 + 128 * 256 + 256 * 512)
    assert load("m5").params == windows + norms + conv(1, 512, 10)


def test_wavenet() -> None:
    """ "Each 1, 2, 4, ..., 512 block has receptive field of size 1024."."""
    one, three = load("wavenet", stacks=1), load("wavenet")
    assert one.receptive_field is not None
    assert three.receptive_field is not None
    assert (one.receptive_field.size, three.receptive_field.size) == ((1024,), (1 + 3 * 1023,))
    layer = 2 * conv(2, 32, 32) + conv(1, 32, 32) + conv(1, 32, 256)
    # With the last layer's convolution for a next one, which does not come.
    assert three.params == 256 * 32 + 30 * layer + conv(1, 256, 256, 256)


def test_textcnn() -> None:
    assert load("textcnn").params == 18_765 * 300 + sum(conv(k, 300, 100) for k in (3, 4, 5)) + conv(1, 300, 2)


def test_autoencoder() -> None:
    network = load("autoencoder")
    assert network.params == conv(25, 1, 16, 32) + conv(1, 32 * 49, 32, 32 * 49) + conv(16, 32, 16, 1)
    (out,) = network.graph.outputs
    assert network.graph.types[out.node] == network.graph.inputs[0].type


def test_espcn() -> None:
    for scale in (2, 3, 4):
        network = load("espcn", scale=scale)
        assert network.params == conv(25, 1, 64) + conv(9, 64, 32, scale**2)
        (out,) = network.graph.outputs
        assert network.graph.types[out.node].shape == (1, 120 * scale, 160 * scale)


def test_dncnn() -> None:
    """Section III.C of the paper: windows of 35×35 for one strength of noise; the second network has twenty layers."""
    network = load("dncnn_s")
    assert network.params == conv(9, 1, 64) + 15 * (9 * 64 * 64 + 2 * 64) + conv(9, 64, 1)
    assert load("dncnn_b").params - network.params == 3 * (9 * 64 * 64 + 2 * 64)
    assert network.receptive_field is not None
    assert network.receptive_field.size == (35, 35)


def test_srresnet() -> None:
    units = 16 * (2 * conv(9, 64, 64) + 4 * 64 + 1)
    risen = 2 * (conv(9, 64, 256) + 1)
    ends = conv(81, 3, 64) + 1 + conv(9, 64, 64) + 2 * 64 + conv(81, 64, 3)
    network = load("srresnet")
    assert network.params == units + risen + ends
    (out,) = network.graph.outputs
    assert network.graph.types[out.node].shape == (3, 96, 96)  # Of 24×24, as in section 3.2 of the paper.


def test_hrnet_ocr() -> None:
    """ "70.3M" in its authors' table for Cityscapes."""
    assert load("hrnet_w48_ocr").params // 100_000 == 703


def test_yolo_says_for_every_position_of_three_maps_what_is_there() -> None:
    network = load("yolo11n")
    positions = 80 * 80 + 40 * 40 + 20 * 20
    shapes = {o.name: network.graph.types[o.node].shape for o in network.graph.outputs}
    assert shapes == {"boxes": (positions, 4 * 16), "logits": (positions, 80)}
    # Its authors' 6.5 and 8.7 billion operations, a multiplication and an addition each.
    assert [round(2 * load(name).macs / 1e9, 1) for name in ("yolo11n", "yolov8n")] == [6.5, 8.7]


def test_the_image_of_an_efficientnet_grows_with_it() -> None:
    """The sizes of the authors' code, and the operations of the paper's second table, in billions."""
    told = {"b0": (224, 0.39), "b1": (240, 0.70), "b2": (260, 1.0), "b3": (300, 1.8), "b4": (380, 4.2), "b7": (600, 37)}
    for name, (size, operations) in told.items():
        network = load(f"efficientnet_{name}")
        assert network.graph.inputs[0].type.shape == (3, size, size)
        assert abs(network.macs / 1e9 / operations - 1) < 0.06, name
    # The second paper's: the sizes at which its networks are asked, and their operations.
    for name, size, operations in [("s", 384, 8.8), ("m", 480, 24), ("l", 480, 53)]:
        network = load(f"efficientnet_v2_{name}")
        assert network.graph.inputs[0].type.shape == (3, size, size)
        assert abs(network.macs / 1e9 / operations - 1) < 0.06, name
