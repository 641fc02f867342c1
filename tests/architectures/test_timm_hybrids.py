"""Guards `architectures/`. timm's networks of convolutions and attention, its searched cells, trees and splits, and ours: the same
state dicts, operations and settings, and with equal weights the same outputs.
"""

from __future__ import annotations

import pytest

from tests.architectures.against_timm import (
    assert_same_outputs,
    assert_same_settings,
    assert_same_weights_and_operations,
)

LEVIT = ("128s", "128", "192", "256", "384", "512", "256d", "512d", "384_s8", "512_s8")

FAMILIES = {
    "cs3darknet": "cs3darknet_s cs3darknet_m cs3darknet_l cs3darknet_x cs3darknet_focus_s cs3darknet_focus_m "
    "cs3darknet_focus_l cs3darknet_focus_x cs3sedarknet_l cs3sedarknet_x cs3edgenet_x cs3se_edgenet_x",
    "dla": "dla34 dla46_c dla60 dla102 dla169 dla46x_c dla60x_c dla60x dla102x dla102x2 dla60_res2net dla60_res2next",
    "edgenext": "edgenext_xx_small edgenext_x_small edgenext_small edgenext_base edgenext_small_rw",
    "coatnet": "coatnet_nano_rw_224 coatnet_0_rw_224",
    "efficientformer": "efficientformer_l1 efficientformer_l3 efficientformer_l7",
    "efficientformer_v2": "efficientformerv2_s0 efficientformerv2_s1 efficientformerv2_s2 efficientformerv2_l",
    "efficientvit_mit": " ".join(f"efficientvit_{size}" for size in ("b0", "b1", "b2", "b3", "l1", "l2", "l3")),
    "efficientvit_msra": " ".join(f"efficientvit_m{i}" for i in range(6)),
    "fastvit": "fastvit_t8 fastvit_t12 fastvit_s12 fastvit_sa12 fastvit_sa24 fastvit_sa36 fastvit_ma36 "
    + " ".join(f"fastvit_mci{i}" for i in range(5)),
    "gc_resnet": "gcresnet33ts gcresnext26ts gcresnet50t gcresnext50ts",
    "inception_next": "inception_next_atto inception_next_tiny inception_next_small inception_next_base",
    "levit": " ".join(f"levit_{kind}{size}" for kind in ("", "conv_") for size in LEVIT),
    "metaformer": "caformer_s18 caformer_s36 caformer_m36 caformer_b36 "
    "convformer_s18 convformer_s36 convformer_m36 convformer_b36",
    "mobilenet_v4_hybrid": "mobilenetv4_hybrid_medium mobilenetv4_hybrid_medium_075 "
    "mobilenetv4_hybrid_large mobilenetv4_hybrid_large_075",
    "mobilevit": "mobilevit_xxs mobilevit_xs mobilevit_s",
    "mobilevit_v2": " ".join(f"mobilevitv2_{width}" for width in ("050", "075", "100", "125", "150", "175", "200")),
    "nasnet": "nasnetalarge",
    "nfnet": "nfnet_l0 dm_nfnet_f0 " + " ".join(f"nfnet_f{i}" for i in range(8)) + " "
    "dm_nfnet_f1 dm_nfnet_f2 dm_nfnet_f3 dm_nfnet_f4 dm_nfnet_f5 dm_nfnet_f6",
    "pnasnet": "pnasnet5large",
    "regnet_z": "regnetz_b16 regnetz_c16 regnetz_d8 regnetz_d32 regnetz_e8",
    "resnest": "resnest14d resnest26d resnest50d resnest50d_4s2x40d resnest50d_1s4x24d resnest101e resnest200e resnest269e",
    "selecsls": "selecsls42 selecsls42b selecsls60 selecsls60b selecsls84",
}
"""The outputs of the first of a family are compared, too."""

HEAVY = {
    "coatnet",
    "cs3darknet",
    "efficientformer",
    "gc_resnet",
    "regnet_z",
    "resnest",
    "selecsls",
    "nasnet",
    "nfnet",
    "pnasnet",
}
"""Families of which no network is compared in the quick tests."""

OUTPUTS = {
    "edgenext_xx_small": (96, 128),
    "efficientformerv2_s0": (224, 224),
    "coatnet_0_rw_224": (224, 224),
    "coatnet_nano_rw_224": (224, 224),
    "efficientformer_l1": (224, 224),
    "efficientvit_m0": (224, 224),
    "levit_128s": (224, 224),
    "mobilevit_xxs": (96, 80),
    "dm_nfnet_f0": (64, 64),
    "levit_conv_128s": (224, 224),
    "convformer_s18": (64, 64),
    "cs3sedarknet_x": (64, 64),
    "dla60_res2net": (64, 64),
    "efficientvit_l1": (64, 64),
    "fastvit_mci0": (64, 64),
    "nfnet_f0": (64, 64),
    "resnest50d_4s2x40d": (64, 64),
}
"""The image's height and width where 64 by 64 does not fit, and more networks whose outputs are compared."""

FIRST = {names.split()[0] for names in FAMILIES.values()}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in FIRST and family not in HEAVY else pytest.mark.slow)
        for family, names in FAMILIES.items()
        for name in names.split()
    ],
)
def test_weights_operations_and_settings_are_the_same(name: str) -> None:
    assert_same_weights_and_operations(name)
    assert_same_settings(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FIRST | set(OUTPUTS)))
def test_equal_weights_give_equal_outputs(name: str) -> None:
    assert_same_outputs(name, OUTPUTS.get(name, (64, 64)))
