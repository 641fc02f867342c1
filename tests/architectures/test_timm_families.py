"""Guards `architectures/`. Families that timm has: the same state dicts, parameters and multiply-adds, and with equal weights
the same outputs.
"""

from __future__ import annotations

import pytest

from cnndsl import pipeline
from tests.architectures.against_timm import assert_same_weights_and_operations, created

FAMILIES = {
    "bit": "resnetv2_50x1_bit resnetv2_50x3_bit resnetv2_101x1_bit resnetv2_101x3_bit resnetv2_152x2_bit "
    "resnetv2_152x4_bit",
    "convmixer": "convmixer_768_32 convmixer_1536_20 convmixer_1024_20_ks9_p14",
    "convnext_v2": "convnextv2_atto convnextv2_femto convnextv2_pico convnextv2_nano convnextv2_tiny convnextv2_small "
    "convnextv2_base convnextv2_large convnextv2_huge",
    "cspnet": "cspdarknet53 cspresnet50 cspresnext50",
    "darknet": "darknet17 darknet21 darknet53",
    "dpn": "dpn48b dpn68 dpn68b dpn92 dpn98 dpn131 dpn107",
    "eca_resnet": "ecaresnet26t ecaresnet50t ecaresnet50d ecaresnet101d ecaresnet200d ecaresnet269d ecaresnetlight "
    "ecaresnext26t_32x4d ecaresnext50t_32x4d",
    "ghostnet": "ghostnet_050 ghostnet_100 ghostnet_130",
    "inception_resnet_v2": "inception_resnet_v2",
    "mixer": "mixer_s32_224 mixer_s16_224 mixer_b32_224 mixer_b16_224 mixer_l32_224 mixer_l16_224",
    "mobileone": "mobileone_s0 mobileone_s1 mobileone_s2 mobileone_s3 mobileone_s4",
    "nfnet": "eca_nfnet_l0 eca_nfnet_l1 eca_nfnet_l2 eca_nfnet_l3",
    "poolformer": "poolformer_s12 poolformer_s24 poolformer_s36 poolformer_m36 poolformer_m48",
    "repvgg": "repvgg_a0 repvgg_a1 repvgg_a2 repvgg_b0 repvgg_b1 repvgg_b1g4 repvgg_b2 repvgg_b2g4 repvgg_b3 "
    "repvgg_b3g4",
    "res2net": "res2net50_26w_4s res2net50_26w_6s res2net50_26w_8s res2net50_48w_2s res2net50_14w_8s "
    "res2net101_26w_4s res2next50 res2net50d res2net101d",
    "resnet_d": "resnet10t resnet18d resnet26d resnet34d resnet50d resnet101d resnet152d resnet200d resnet14t "
    "resnet26t resnet50t",
    "se_resnet": "seresnet18 seresnet34 seresnet50 seresnet101 seresnet152 seresnet50t seresnext50_32x4d "
    "seresnext101_32x4d",
    "sk_resnet": "skresnet18 skresnet34 skresnet50 skresnet50d skresnext50_32x4d",
    "vovnet": "vovnet39a vovnet57a ese_vovnet19b_dw ese_vovnet19b_slim_dw ese_vovnet19b_slim ese_vovnet39b "
    "ese_vovnet57b eca_vovnet39b ese_vovnet99b",
    "xception": "legacy_xception",
}
"""Every network of these files; all but the first of each are slow tests."""

NAMES = [name for names in FAMILIES.values() for name in names.split()]

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


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if i else [])
        for names in FAMILIES.values()
        for i, name in enumerate(names.split())
    ],
)
def test_same_keys_shapes_parameters_and_multiply_adds(name: str) -> None:
    assert_same_weights_and_operations(name)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in OUTPUTS]
)
def test_same_weights_same_output(name: str) -> None:
    import torch

    from cnndsl.backends.pytorch.live.module import to_torch

    torch.manual_seed(0)
    size = OUTPUTS[name]
    with torch.device("meta"):
        theirs = created(name)
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
    assert [family for family, names in FAMILIES.items() if not set(names.split()) & set(OUTPUTS)] == []
