"""Numbers of ONNX files, which are kept in float32."""

from __future__ import annotations


def short(number: float) -> float:
    """A number that was kept in float32 as the shortest one that it stands for."""
    import numpy as np

    return float(str(np.float32(number)))
