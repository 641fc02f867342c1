"""Guards `architectures/`. Families that timm has: the same state dicts, parameters and multiply-adds, and with equal weights
the same outputs.
"""

from __future__ import annotations

from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.analyses.summary import summarize
from tests.oracle import torchvision_models

FAMILIES = {
    "bit": ["resnetv2_50x1_bit", "resnetv2_152x2_bit"],
    "convmixer": ["convmixer_768_32", "convmixer_1024_20_ks9_p14"],
    "convnext_v2": ["convnextv2_atto", "convnextv2_tiny"],
    "cspnet": ["cspdarknet53", "cspresnet50", "cspresnext50"],
    "darknet": ["darknet17", "darknet53"],
    "dpn": ["dpn48b", "dpn68", "dpn92"],
    "eca_resnet": ["ecaresnet26t", "ecaresnetlight"],
    "ghostnet": ["ghostnet_050", "ghostnet_130"],
    "inception_resnet_v2": ["inception_resnet_v2"],
    "mixer": ["mixer_s32_224"],
    "mobileone": ["mobileone_s0", "mobileone_s4"],
    "nfnet": ["eca_nfnet_l0"],
    "poolformer": ["poolformer_s12"],
    "repvgg": ["repvgg_a0", "repvgg_b1g4"],
    "res2net": ["res2net50_26w_4s", "res2net50d", "res2next50"],
    "resnet_d": ["resnet10t", "resnet50d"],
    "se_resnet": ["seresnet18", "seresnext50_32x4d"],
    "sk_resnet": ["skresnet18", "skresnet50d", "skresnext50_32x4d"],
    "vovnet": ["vovnet39a", "ese_vovnet19b_dw", "ese_vovnet39b"],
    "xception": ["legacy_xception"],
}
"""Some of each family, those that differ in more than a number; all but the first are slow tests."""

NAMES = [name for names in FAMILIES.values() for name in names]

OUTPUTS = {
    "convmixer_1024_20_ks9_p14": 56,
    "convnextv2_atto": 64,
    "cspdarknet53": 64,
    "darknet17": 64,
    "dpn68": 64,
    "eca_nfnet_l0": 64,
    "ecaresnet26t": 64,
    "ese_vovnet19b_dw": 64,
    "ghostnet_050": 64,
    "inception_resnet_v2": 107,
    "legacy_xception": 71,
    "mixer_s32_224": 224,
    "mobileone_s0": 64,
    "poolformer_s12": 64,
    "repvgg_a0": 64,
    "res2net50_26w_4s": 64,
    "resnet10t": 64,
    "resnetv2_50x1_bit": 64,
    "seresnet18": 64,
    "skresnet18": 64,
}
"""A small one of each family, and the size of its image."""

LARGE = {"cspdarknet53", "dpn68", "eca_nfnet_l0", "inception_resnet_v2", "legacy_xception", "resnetv2_50x1_bit"}
"""Those whose comparison is a slow test."""


def published(name: str) -> Any:
    """timm's network of that name; the test is skipped where timm is not installed beside torchvision."""
    torchvision_models()
    return pytest.importorskip("timm").create_model(name).eval()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if i else [])
        for names in FAMILIES.values()
        for i, name in enumerate(names)
    ],
)
def test_same_keys_shapes_parameters_and_multiply_adds(name: str) -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        theirs = published(name)
    graph = pipeline.load(name).graph
    expected = [(key, tuple(value.shape), str(value.dtype)) for key, value in theirs.state_dict().items()]
    assert [(e.key, e.weight.shape, f"torch.{e.weight.dtype}") for e in graph.weights] == expected
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        theirs(torch.empty(1, *graph.inputs[0].type.shape, device="meta"))
    totals = summarize(graph).totals
    assert totals.params == sum(weight.numel() for weight in theirs.parameters())
    assert totals.macs == counter.get_total_flops() // 2


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in OUTPUTS]
)
def test_same_weights_same_output(name: str) -> None:
    import torch

    from cnndsl.backends.pytorch.live.module import to_torch

    torch.manual_seed(0)
    size = OUTPUTS[name]
    with torch.device("meta"):
        theirs = published(name)
    theirs.to_empty(device="cpu")
    # Weights of a size that keeps the maps near 1, and statistics as training leaves them: their own start takes longer than
    # the comparison, and has zeros that hide what stands before them.
    with torch.no_grad():
        for key, value in theirs.state_dict().items():
            if key.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif value.dtype.is_floating_point:
                value.normal_(std=(value[0].numel() if value.ndim > 1 else 4) ** -0.5)
    ours = to_torch(pipeline.load(name, {}, {"": f"3x{size}x{size}"}).graph).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(2, 3, size, size)
    with torch.no_grad():
        found, expected = ours(x), theirs(x)
    assert found.shape == expected.shape
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-5


def test_every_family_has_one_comparison_of_outputs() -> None:
    assert sorted(OUTPUTS) == sorted(set(OUTPUTS) & set(NAMES))
    assert [family for family, names in FAMILIES.items() if not set(names) & set(OUTPUTS)] == []
