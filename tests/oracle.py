"""torchvision as an oracle beside a CPU build of torch: the operators it misses are declared, never called."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest


def torchvision_models() -> Any:
    """`torchvision.models`; the test is skipped where torchvision is not installed."""
    torch = pytest.importorskip("torch")
    # `make` installs it beside the environment: other packages import any torchvision they find, and fail on this one.
    beside = str(Path(sys.prefix) / "oracle")
    if beside not in sys.path:
        sys.path.append(beside)
    missing = torch.library.Library("torchvision", "FRAGMENT")
    # The build for CUDA brings its operators itself, and the process ends where one of them is declared already.
    for name in ("nms", "qnms") if torch.version.cuda is None else ():
        try:
            missing.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            # A build that has the operator, or an earlier test that declared it.
            continue
    _kept.append(missing)
    return pytest.importorskip("torchvision").models


# A library's definitions are gone with the object.
_kept: list[Any] = []


def published(name: str, **options: Any) -> Any:
    """torchvision's network of that name, with random weights, in evaluation mode."""
    if name in ("googlenet", "inception_v3"):
        # Their own start draws every number from a truncated normal, and warns that it does.
        options.setdefault("init_weights", False)
    return torchvision_models().get_model_builder(name)(weights=None, **options).eval()


@cache
def skeleton(name: str, **options: Any) -> Any:
    """The same, and no weight takes memory."""
    torch: Any = pytest.importorskip("torch")
    mode: Any = torch.overrides.TorchFunctionMode

    class Unallocated(mode):  # type: ignore[misc]
        """Weights begin as `torch.empty`; numbers that a constructor computes with do not."""

        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return function(*args, **((kwargs or {}) | ({"device": "meta"} if function is torch.empty else {})))

    with Unallocated():
        return published(name, **options)


def outline(name: str, **options: Any) -> list[tuple[str, tuple[int, ...], str]]:
    """Key, shape and dtype of each entry of its state dict, in order."""
    state = skeleton(name, **options).state_dict()
    return [(key, tuple(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in state.items()]
