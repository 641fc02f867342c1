"""What several layers say to TVM's Relax in the same way. `relax` itself is handed in, as to every op."""

from __future__ import annotations

from typing import Any

from cnndsl.ir.shared.offsets import Offsets
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window


def scaled(relax: Any, value: Any, x: TensorType, weights: dict[str, Any]) -> Any:
    """The value times `weight` plus `bias`, where there is one; both have one number a channel."""
    y = relax.op.multiply(value, relax.op.reshape(weights["weight"], x.per_channel))
    return relax.op.add(y, relax.op.reshape(weights["bias"], x.per_channel)) if "bias" in weights else y


def normalized_groups(relax: Any, value: Any, x: TensorType, groups: int, eps: float) -> Any:
    """Each group of channels less its mean and over its standard deviation; `eps` is added to the variance."""
    op, batch = relax.op, value.ty.shape[0]
    parts = op.reshape(value, (batch, groups, x.elements // groups))
    centred = op.subtract(parts, op.mean(parts, axis=[2], keepdims=True))
    variance = op.mean(op.multiply(centred, centred), axis=[2], keepdims=True)
    normalized = op.multiply(centred, op.rsqrt(op.add(variance, relax.const(eps, "float32"))))
    return op.reshape(normalized, (batch, *x.shape))


def padded_by_take(relax: Any, x: TensorType, data: Any, window: Window, mode: str) -> Any:
    """Reflected, repeated or circular padding as one `take` along each axis, whose indices are constants."""
    for axis, (n, before, after) in enumerate(zip(x.size, window.before, window.after, strict=True), start=2):
        if before or after:
            indices = [_source(i, n, mode) for i in range(-before, n + after)]
            data = relax.op.take(data, relax.const(indices, "int64"), axis=axis, mode="clip")
    return data


def _source(i: int, n: int, mode: str) -> int:
    """The position among `n` whose value stands at position `i`, which may lie outside."""
    if mode == "circular":
        return i % n
    if mode == "replicate":
        return min(max(i, 0), n - 1)
    return -i if i < 0 else 2 * (n - 1) - i if i >= n else i


def const_places(relax: Any, offsets: Offsets) -> Any:
    """The places in a table that `offsets` compute, as one constant axis."""
    import numpy as np

    return relax.const(offsets(np).reshape(-1), "int64")
