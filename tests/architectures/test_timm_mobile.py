"""Guards `architectures/`. timm's networks for phones and processors, HRNet and HGNet, and ours: the same state dicts,
operations and settings, and with equal weights the same outputs.
"""

from __future__ import annotations

import pytest

from tests.architectures.against_timm import (
    assert_same_outputs,
    assert_same_settings,
    assert_same_weights_and_operations,
)

FAMILIES = {
    "efficientnet_edgetpu": ["efficientnet_es", "efficientnet_em", "efficientnet_el"],
    "fbnet": ["fbnetc_100"],
    "ghostnet_v2": ["ghostnetv2_100", "ghostnetv2_130", "ghostnetv2_160"],
    "ghostnet_v3": ["ghostnetv3_050", "ghostnetv3_100", "ghostnetv3_130", "ghostnetv3_160"],
    "hgnet_v2": [f"hgnetv2_b{i}" for i in range(7)],
    "hrnet": [
        "hrnet_w18_small",
        "hrnet_w18_small_v2",
        *(f"hrnet_w{width}" for width in (18, 30, 32, 40, 44, 48, 64)),
    ],
    "lcnet": ["lcnet_035", "lcnet_050", "lcnet_075", "lcnet_100", "lcnet_150"],
    "mixnet": ["mixnet_s", "mixnet_m", "mixnet_l", "mixnet_xl", "mixnet_xxl"],
    "mobilenet_v4": [
        "mobilenetv4_conv_small",
        "mobilenetv4_conv_small_035",
        "mobilenetv4_conv_small_050",
        "mobilenetv4_conv_medium",
        "mobilenetv4_conv_large",
    ],
    "repvit": ["repvit_m0_9", "repvit_m1_0", "repvit_m1_1", "repvit_m1_5", "repvit_m2_3"],
    "rexnet": ["rexnet_100", "rexnet_130", "rexnet_150", "rexnet_200", "rexnet_300"],
    "starnet": [f"starnet_{size}" for size in ("s050", "s100", "s150", "s1", "s2", "s3", "s4")],
    "tinynet": [f"tinynet_{letter}" for letter in "edcba"],
}
"""The first of a family is the one whose outputs are compared."""

SLOW = {"ghostnetv3_050"}
"""A first one that has too many branches for the quick tests."""

NAMES = [
    pytest.param(name, marks=() if name in {names[0]} - SLOW else pytest.mark.slow)
    for names in FAMILIES.values()
    for name in names
]


@pytest.mark.parametrize("name", NAMES)
def test_weights_operations_and_size_of_the_image_are_the_same(name: str) -> None:
    assert_same_weights_and_operations(name)


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_no_weight_shows_are_the_same(name: str) -> None:
    assert_same_settings(name)


@pytest.mark.parametrize(
    "name", [pytest.param(names[0], marks=pytest.mark.slow if names[0] in SLOW else ()) for names in FAMILIES.values()]
)
def test_equal_weights_give_equal_outputs(name: str) -> None:
    assert_same_outputs(name, (96, 128))
