"""With equal weights our modules give torchvision's outputs, and take its state dicts unchanged."""

from __future__ import annotations

import pytest
from tests.oracle import torchvision_models

from cnndsl import pipeline

NAMES = ["alexnet", "vgg11", "vgg11_bn", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2"]


@pytest.mark.parametrize("name", NAMES)
def test_same_weights_same_output(name: str) -> None:
    torch = pytest.importorskip("torch")
    from cnndsl.backends.pytorch.module import to_torch

    torch.manual_seed(0)
    theirs = getattr(torchvision_models(), name)(weights=None).eval()
    with torch.no_grad():
        for module in theirs.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                # Statistics as training leaves them, not the zeros and ones of the start.
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        ours = to_torch(pipeline.load(name).graph).eval()
        ours.load_state_dict(theirs.state_dict(), strict=True)
        x = torch.randn(2, 3, 224, 224)
        expected, found = theirs(x), ours(x)
    assert found.shape == expected.shape
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-5
