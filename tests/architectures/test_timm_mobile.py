"""Guards `architectures/`. timm's networks for phones and processors, HRNet and HGNet, and ours: the same state dicts,
operations and settings, and with equal weights the same outputs.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.analyses.summary import summarize
from tests.oracle import torchvision_models

torchvision_models()
timm = pytest.importorskip("timm")

FAMILIES = {
    "efficientnet_edgetpu": ["efficientnet_es", "efficientnet_em", "efficientnet_el"],
    "fbnet": ["fbnetc_100"],
    "ghostnet_v2": ["ghostnetv2_100", "ghostnetv2_130", "ghostnetv2_160"],
    "hgnet_v2": [f"hgnetv2_b{i}" for i in range(7)],
    "hrnet": [
        "hrnet_w18_small",
        "hrnet_w18_small_v2",
        *(f"hrnet_w{width}" for width in (18, 30, 32, 40, 44, 48, 64)),
    ],
    "lcnet": ["lcnet_035", "lcnet_050", "lcnet_075", "lcnet_100", "lcnet_150"],
    "mixnet": ["mixnet_s", "mixnet_m", "mixnet_l"],
    "mobilenet_v4": [
        "mobilenetv4_conv_small",
        "mobilenetv4_conv_small_035",
        "mobilenetv4_conv_small_050",
        "mobilenetv4_conv_medium",
        "mobilenetv4_conv_large",
    ],
    "repvit": ["repvit_m0_9", "repvit_m1_0", "repvit_m1_1", "repvit_m1_5", "repvit_m2_3"],
    "rexnet": ["rexnet_100", "rexnet_130", "rexnet_150", "rexnet_200", "rexnet_300"],
    "tinynet": [f"tinynet_{letter}" for letter in "edcba"],
}
"""The first of a family is the one whose outputs are compared."""

SMALL = {"ghostnetv2_130", "mobilenetv4_conv_small_050", "tinynet_d", "tinynet_e"}
"""Those that are compared in the quick tests beside the first of each family."""

NAMES = [
    pytest.param(name, marks=() if name == names[0] or name in SMALL or family == "lcnet" else pytest.mark.slow)
    for family, names in FAMILIES.items()
    for name in names
]


@cache
def outline(name: str) -> Any:
    """timm's network without memory for its weights, in evaluation mode."""
    import torch

    with torch.device("meta"):
        return timm.create_model(name).eval()


def operations(name: str, shape: tuple[int, ...]) -> int:
    """Multiply-adds for one image, as PyTorch counts them."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        outline(name)(torch.empty(1, *shape, device="meta"))
    return int(counter.get_total_flops()) // 2


@pytest.mark.parametrize("name", NAMES)
def test_weights_operations_and_size_of_the_image_are_the_same(name: str) -> None:
    graph, theirs = pipeline.load(name).graph, outline(name)
    state = [
        (key, tuple(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in theirs.state_dict().items()
    ]
    assert [(entry.key, entry.weight.shape, entry.weight.dtype) for entry in graph.weights] == state
    shape = graph.inputs[0].type.shape
    assert shape == theirs.pretrained_cfg["input_size"]
    totals = summarize(graph).totals
    assert totals.params == sum(p.numel() for p in theirs.parameters())
    assert totals.macs == operations(name, shape)


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_no_weight_shows_are_the_same(name: str) -> None:
    theirs = dict(outline(name).named_modules())
    for node in pipeline.load(name).graph.nodes:
        for word in ("eps", "momentum"):
            if hasattr(node.op, word):
                assert getattr(node.op, word) == getattr(theirs[node.name], word), node.name


@pytest.mark.parametrize("name", [names[0] for names in FAMILIES.values()])
def test_equal_weights_give_equal_outputs(name: str) -> None:
    import torch

    from cnndsl.backends.pytorch.live.module import to_torch

    torch.manual_seed(0)
    theirs = timm.create_model(name).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Statistics as training leaves them, not the zeros and ones of the start.
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    ours = to_torch(pipeline.load(name, {}, {"": "3x96x128"}).graph).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(1, 3, 96, 128)
    with torch.no_grad():
        found, expected = ours(x), theirs(x)
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-5
