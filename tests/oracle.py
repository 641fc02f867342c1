"""torchvision as an oracle beside a CPU build of torch: the operators it misses are declared, never called."""

from __future__ import annotations

from typing import Any

import pytest


def torchvision_models() -> Any:
    """`torchvision.models`; the test is skipped where torchvision is not installed."""
    torch = pytest.importorskip("torch")
    missing = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        try:
            missing.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            # A build that has the operator, or an earlier test that declared it.
            continue
    _kept.append(missing)
    return pytest.importorskip("torchvision").models


# A library's definitions are gone with the object.
_kept: list[Any] = []
