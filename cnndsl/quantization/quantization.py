"""What stands in the table of a quantised network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cnndsl.quantization.arithmetic import Scale

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class QuantizedWeight:
    """The weight of a layer in whole numbers. The batch norm behind the layer is in it, and in its bias."""

    numbers: np.ndarray
    """int8, as the network has the weight; the output channels are its first axis."""
    scales: np.ndarray
    """float32, one for each output channel."""
    bias: np.ndarray
    """float32, one for each output channel; what calibration corrected is in it."""


@dataclass(frozen=True, eq=False)
class Quantization:
    """A network in whole numbers: its weights, the scales of its maps, and the layers that stay in float32."""

    maps: Mapping[str, Scale]
    """The scale of each tensor that is rounded, by the name of the node whose result it is, or of the input."""
    weights: Mapping[str, QuantizedWeight]
    """By the node of the layer."""
    floats: Mapping[str, np.ndarray]
    """All other weights, by the network's keys, float32."""
    keep: frozenset[str] = frozenset()
    """The nodes of layers that were left in float32 although they could be quantised."""
    about: Mapping[str, str] = field(default_factory=dict)
    """How it came about: method, pictures, version."""
