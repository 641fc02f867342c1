"""The one place that imports PyTorch."""

from __future__ import annotations

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.diagnostics.extras import how_to_install

try:
    import torch
    from torch import nn
except ImportError as e:
    raise MissingPart(f"PyTorch cannot be imported ({e})", how_to_install("torch")) from None

__all__ = ["nn", "torch"]
