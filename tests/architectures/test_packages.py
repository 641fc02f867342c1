"""Guards `architectures/`. Networks that packages other than torchvision and timm have: the same keys, shapes, parameters and
multiply-adds, and, where the package is installed, with equal weights the same outputs.
"""

from __future__ import annotations

import json

import pytest

from cnndsl import load
from tests.architectures.packages import BUILDERS, FILE, SIZES, answer
from tests.networks.test_timm_networks import figures
from tests.networks.truth import Figures

TOLD = {name: Figures(**found) for name, found in json.loads(FILE.read_text("utf-8")).items()}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SIZES else [pytest.mark.slow]) for name in BUILDERS]
)
def test_keys_shapes_parameters_and_multiply_adds_are_those_of_the_package(name: str) -> None:
    assert figures(load(name).graph) == TOLD[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_equal_weights_give_equal_outputs(name: str) -> None:
    import torch

    torch.manual_seed(0)
    theirs = BUILDERS[name]().eval()
    for key, value in theirs.state_dict().items():
        if key.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif key.endswith("running_mean"):
            value.normal_(0, 0.1)
    network = load(name, input=SIZES[name] or None)
    ours = network.to_torch().eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    inputs = [torch.randn(1, *port.type.shape) for port in network.graph.inputs]
    with torch.no_grad():
        found, expected = ours(*inputs), answer(theirs, inputs)
    assert found.shape == expected.shape
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-5
