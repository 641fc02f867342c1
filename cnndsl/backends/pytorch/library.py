"""The one place that imports PyTorch."""

from __future__ import annotations

from cnndsl.diagnostics.errors import MissingPart

try:
    import torch
    from torch import nn
except ImportError as e:
    raise MissingPart(f"PyTorch cannot be imported ({e})", "run `pip install 'cnndsl[torch]'`") from None

__all__ = ["nn", "torch"]
