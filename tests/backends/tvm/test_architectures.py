"""A network of each family, compiled by TVM: PyTorch's numbers."""

from __future__ import annotations

import pytest

from cnndsl import pipeline
from tests.backends.tvm.against_torch import relative_error

pytestmark = [pytest.mark.tvm, pytest.mark.slow]

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


@pytest.mark.parametrize(("name", "size"), NETWORKS)
def test_a_network_of_each_family(name: str, size: int) -> None:
    assert relative_error(pipeline.load(name, inputs={"": f"3x{size}x{size}"}).graph) <= 1e-4
